"""The square that the network sees: 250 x 250 pixels with the whole elastography box inside."""

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlre_core.elastography.crop_kernel import resample_square
from dlre_core.elastography.elastogram import read_box, stiffness_map, stored_layout
from dlre_core.elastography.scale import Scale, scale_of_columns
from dlre_core.elastography.screen_layout import NATIVE_WIDTH, ScreenLayout
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
from dlre_core.foundation.study_terms import SQUARE_SHAPE, SQUARE_SIDE, lacking_flag

logger = logging.getLogger(__name__)

# Of a layout: nobody knows the box, only the square.
BY_HAND = "hand"
# Of the stored map of stiffness; the stiffest scale of a screen ends there (10 m/s).
STIFFEST_KPA = 300.0
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


def bmode_square(screen: NDArray[np.uint8], square: Square, layout: ScreenLayout) -> NDArray[np.uint8]:
    """The square without colours, (250, 250, 3) uint8: in the box what the twin shows there; all black without a twin.

    Around the box both pictures show the same, and of some screens only the twin's box is stored.
    """
    place = layout.box_in_twin
    if place is None:
        return np.zeros(SQUARE_SHAPE, np.uint8)
    plain, box = screen.copy(), layout.box
    plain[box.top : box.bottom, box.left : box.right] = place.cut(screen)
    return crop_square(plain, square)


def stiffness_square(
    screen: NDArray[np.uint8], square: Square, layout: ScreenLayout, scale: Scale, opacity: float
) -> NDArray[np.uint8]:
    """Stiffness in the square by its logarithm, which does not depend on the screen's colours or scale.

    Returns
    -------
    (250, 250, 3) uint8
        First channel: 255 ln(1 + E) / ln(1 + `STIFFEST_KPA`), E in kPa; second: 255 where there is signal; both 0 where
        there is none, outside the box, and on an unknown scale. Third: 0.
    """
    kpa = stiffness_map(read_box(screen, layout, opacity), scale, saturated=True)
    known = np.isfinite(kpa)
    level = np.log1p(np.where(known, kpa, 0)) / np.log1p(STIFFEST_KPA)
    drawn = np.zeros_like(screen)
    place = drawn[layout.box.top : layout.box.bottom, layout.box.left : layout.box.right]
    place[..., 0] = np.rint(255 * level.clip(0, 1))
    place[..., 1] = 255 * known
    return crop_square(drawn, square)


def crop_hospital(
    shard: str | Path,
    acquisitions: str | Path,
    rois: str | Path,
    table: str | Path,
    by_hand: Mapping[str, Square] = MappingProxyType({}),
    pictures: Collection[str] = (),
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
    pictures : collection of str
        What is cut out besides, of `INPUTS`: ``bmode`` and ``stiffness``. A square of which there is none is black and
        flagged ``no_bmode`` or ``no_stiffness``.

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
        parts = {name: _seen_squares(name, store, squares, rows) for name in ("rois", *sorted(pictures))}
        write_rois(rois, store.image_ids, parts.pop("rois"), parts)
    found = rows[["image_id", "hospital", "patient", "acquisition"]].copy()
    found["row"] = [square.row for square in squares]
    found["column"] = [square.column for square in squares]
    found["size"] = [square.size for square in squares]
    found["scale"] = [square.scale for square in squares]
    found["source"] = np.where(rows["roi_row"].notna() | rows["image_id"].isin(by_hand), "hand", "automatic")
    flags = [square_flags(square, row) for square, row in zip(squares, rows.itertuples(), strict=True)]
    lacking = [
        [lacking_flag(name) for name in sorted(pictures) if not _has(name, row)] for row in rows.to_dict("records")
    ]
    found["flags"] = [";".join(filter(None, [flag, *more])) for flag, more in zip(flags, lacking, strict=True)]
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


def _seen_squares(
    name: str, store: ImageStore, squares: Sequence[Square], rows: pd.DataFrame
) -> Iterator[NDArray[np.uint8]]:
    for index, (square, row) in enumerate(zip(squares, rows.to_dict("records"), strict=True)):
        yield seen_square(store.screen(index), square, row, name)


def seen_square(screen: NDArray[np.uint8], square: Square, row: Mapping[str, Any], name: str) -> NDArray[np.uint8]:
    """One of the pictures of `INPUTS`, (250, 250, 3) uint8, of a square; black where the screen has none.

    Parameters
    ----------
    screen : (height, width, 3) uint8
    square : Square
    row : mapping
        The picture's, of ``acquisitions.csv``.
    name : str
        rois, bmode or stiffness.
    """
    if name == "rois":
        return crop_square(screen, square)
    if not _has(name, row):
        return np.zeros(SQUARE_SHAPE, np.uint8)
    layout = stored_layout(row)
    if name == "bmode":
        return bmode_square(screen, square, layout)
    return stiffness_square(screen, square, layout, scale_of_columns(row), float(row["opacity"]))


def _has(name: str, row: Mapping[str, Any]) -> bool:
    """Whether a picture's row of ``acquisitions.csv`` says that its screen shows the B-mode alone, or stiffness."""
    layout = stored_layout(row)
    if name == "bmode":
        place = layout.box_in_twin
        return place is not None and place == place.clamped(int(row["height"]), int(row["width"]))
    return layout.source != BY_HAND and scale_of_columns(row).known


def square_flags(square: Square, row: tuple) -> str:
    """What is wrong with a square for the box of its row of ``acquisitions.csv``; joined by semicolons."""
    box, flags = box_of(row), []
    if row.layout_source == BY_HAND:
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
