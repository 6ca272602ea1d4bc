"""The square that the network sees: 250 x 250 pixels with the whole elastography box inside."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlre_core.elastography.crop_kernel import resample_square
from dlre_core.elastography.screen_layout import NATIVE_WIDTH
from dlre_core.elastography.square import Square, box_of, square_of
from dlre_core.foundation.csv_tables import read_table, write_table
from dlre_core.foundation.errors import StoreMismatch
from dlre_core.foundation.picture_store import (
    ImageStore,
    link_rois,
    open_images,
    open_rois,
    write_rois,
)
from dlre_core.foundation.study_terms import SQUARE_SHAPE, SQUARE_SIDE

logger = logging.getLogger(__name__)

COLUMNS = [
    "image_id",
    "hospital",
    "patient",
    "acquisition",
    "row",
    "column",
    "size",
    "scale",
    "source",
    "flags",
    "q_box_mean_kpa",
]


def crop_square(screen: NDArray[np.uint8], square: Square) -> NDArray[np.uint8]:
    """Cut a square out, resampled to 250 pixels where it has another size.

    Parameters
    ----------
    screen : (height, width, 3) uint8
    square : Square

    Returns
    -------
    (250, 250, 3) uint8
    """
    out = np.empty(SQUARE_SHAPE, dtype=np.uint8)
    resample_square(np.ascontiguousarray(screen), square.row, square.column, square.size, out)
    return out


def crop_hospital(
    shard: str | Path,
    acquisitions: str | Path,
    rois: str | Path,
    table: str | Path,
    by_hand: Mapping[str, Square] = MappingProxyType({}),
) -> None:
    """Cut the squares of one hospital.

    Parameters
    ----------
    shard, acquisitions : path
        ``results/store/{hospital}.h5`` and ``{hospital}_acquisitions.csv``.
    rois, table : path
        Written: HDF5 of squares, and CSV with `COLUMNS`; stiffness in the Q-Box, kPa, goes along, since
        training draws patients by it.
    by_hand : mapping of image id to Square
        Squares that readers drew, which replace those that were found.

    Raises
    ------
    StoreMismatch
        If pictures and table disagree.
    """
    rows = read_table(acquisitions)
    with open_images(shard) as store:
        if list(rows["image_id"]) != store.image_ids:
            raise StoreMismatch(
                f"{shard} and {acquisitions} list different pictures.",
                "Delete both and run again.",
            )
        squares = [by_hand.get(row.image_id) or square_of(row) for row in rows.itertuples()]
        write_rois(rois, store.image_ids, _crops(store, squares))
    found = rows[["image_id", "hospital", "patient", "acquisition"]].copy()
    found["row"] = [square.row for square in squares]
    found["column"] = [square.column for square in squares]
    found["size"] = [square.size for square in squares]
    found["scale"] = [square.scale for square in squares]
    found["source"] = np.where(rows["roi_row"].notna() | rows["image_id"].isin(by_hand), "hand", "automatic")
    found["flags"] = [square_flags(square, row) for square, row in zip(squares, rows.itertuples(), strict=True)]
    found["q_box_mean_kpa"] = rows["q_box_mean_kpa"]
    write_table(found[COLUMNS], table)


def link_hospitals(
    rois: Sequence[str | Path],
    tables: Sequence[str | Path],
    joined: str | Path,
    table: str | Path,
    acquisitions: str | Path | None = None,
) -> None:
    """Join the squares and tables of all hospitals, in the same order: of all pictures, or of those in a table.

    Parameters
    ----------
    rois, tables : sequence of path
        As `crop_hospital` writes them.
    joined, table : path
        Written.
    acquisitions : path, optional
        ``results/store/acquisitions.csv``: pictures that are not in it are left out, and its stiffness counts.

    Raises
    ------
    StoreMismatch
        If a hospital's squares and table disagree.
    """
    parts = [read_table(path) for path in tables]
    stiffness = None if acquisitions is None else read_table(acquisitions).set_index("image_id")["q_box_mean_kpa"]
    used = None if stiffness is None else set(stiffness.index)
    left_out = {name for part in parts for name in part["image_id"] if used is not None and name not in used}
    link_rois(rois, joined, left_out)
    parts = [part[~part["image_id"].isin(left_out)] for part in parts]
    whole = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    with open_rois(joined) as store:
        if store.image_ids != list(whole["image_id"]):
            raise StoreMismatch(f"{joined} and the tables of squares disagree.", "Delete results/roi and run again.")
    if stiffness is not None:
        whole["q_box_mean_kpa"] = whole["image_id"].map(stiffness)
    write_table(whole, table)


def _crops(store: ImageStore, squares: Sequence[Square]) -> Iterator[NDArray[np.uint8]]:
    for index, square in enumerate(squares):
        yield crop_square(store.screen(index), square)


def square_flags(square: Square, row: tuple) -> str:
    """What is wrong with a square for the box of its row of ``acquisitions.csv``; joined by semicolons."""
    box, flags = box_of(row), []
    if row.layout_source == "hand":
        # Nobody knows the box: the square stands for it.
        return ""
    if (
        box.left < square.column
        or box.top < square.row
        or box.right > square.column + square.size
        or box.bottom > square.row + square.size
    ):
        flags.append("box_cut")
    if max(box.width, box.height) > SQUARE_SIDE * row.width / NATIVE_WIDTH:
        flags.append("box_larger_than_square")
    return ";".join(flags)
