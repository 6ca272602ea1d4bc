"""Contact sheets: thumbnails of the squares, flagged ones marked."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image, ImageDraw, ImageFont

from dlre_core.figures.style import SIMULATED
from dlre_core.foundation.picture_store import RoiStore, open_rois

THUMBNAIL = 92
PER_ROW = 12
MARGIN, LABEL, FLAG_HEIGHT = 4, 34, 13
FLAGGED = "#FFB000"
# What a thumbnail has room for; flags without words of their own are cut off.
FLAG_WORDS = {
    "box_larger_than_square": "large box",
    "box_cut": "box cut off",
    "no_time": "no time",
    "clip_cut_off": "clip cut off",
    "also_sent_for_another_patient": "two patients",
    "q_box_disagrees": "Q-Box differs",
    "drawn_by_hand": "drawn by hand",
    "square_by_hand_only": "square only",
    "quality_unknown": "quality unknown",
    "box_wrong": "box wrong",
}


def contact_sheet(
    groups: Mapping[str, Sequence[int]],
    flags: Sequence[Sequence[str]],
    rois_file: str | Path,
    path: str | Path,
    *,
    simulated: bool,
) -> None:
    """Thumbnails of squares, a row (or more) a group with its name at the left, as one JPEG.

    Flagged ones have their flags below.

    Parameters
    ----------
    groups : mapping of name to row numbers of ``rois.csv``
    flags : sequence of sequence of str
        Of every row of ``rois.csv``, as `quality_flags` returns them.
    rois_file : path
    path : path
        Written.
    simulated : bool
    """
    lines = [
        (name if start == 0 else "", members[start : start + PER_ROW])
        for name, members in groups.items()
        for start in range(0, max(len(members), 1), PER_ROW)
    ]
    heights = [
        THUMBNAIL + MARGIN + FLAG_HEIGHT * max((len(flags[k]) for k in members), default=0) for _, members in lines
    ]
    foot = 26 if simulated else 0
    size = (LABEL + PER_ROW * (THUMBNAIL + MARGIN) + MARGIN, sum(heights) + MARGIN + foot)
    sheet = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(15)
    top = MARGIN
    with open_rois(rois_file) as store:
        for (name, members), height in zip(lines, heights, strict=True):
            draw.text((6, top + THUMBNAIL // 2 - 8), name, fill="black", font=font)
            for number, thumbnail in enumerate(_thumbnails(store, members)):
                left = LABEL + number * (THUMBNAIL + MARGIN)
                sheet.paste(thumbnail, (left, top))
                _mark(draw, (left, top), flags[members[number]])
            top += height
    if simulated:
        draw.text((LABEL, top + 3), SIMULATED, fill="#a04000", font=font)
    sheet.save(path, format="JPEG", quality=85)


def quality_flags(rois: pd.DataFrame, acquisitions: pd.DataFrame) -> list[list[str]]:
    """Flags of every square: the picture's, the square's, and ``drawn_by_hand``."""
    pictures = acquisitions.set_index("image_id")["flags"].reindex(rois["image_id"]).fillna("")
    by_hand = np.where(rois["source"] == "hand", "drawn_by_hand", "")
    return [
        [flag for part in parts for flag in part.split(";") if flag]
        for parts in zip(pictures, rois["flags"], by_hand, strict=True)
    ]


def evenly_chosen(rois: pd.DataFrame, flags: Sequence[Sequence[str]], number: int = PER_ROW) -> dict[str, list[int]]:
    """Up to ``number`` squares of every hospital, and up to as many more of those with flags.

    Both are spread evenly over the hospital's pictures.
    """
    groups = {}
    for hospital, part in rois.groupby("hospital", sort=True):
        places = rois.index.get_indexer(part.index)
        chosen = _spread(places, number)
        flagged = [place for place in places if flags[place] and place not in chosen]
        groups[str(hospital)] = chosen + _spread(flagged, number)
    return groups


def least_filled(rois: pd.DataFrame, acquisitions: pd.DataFrame, number: int = 3 * PER_ROW) -> dict[str, list[int]]:
    """The squares of the pictures with the least signal in the box, worst first, as one group."""
    fill = acquisitions.set_index("image_id")["fill_fraction"].reindex(rois["image_id"]).to_numpy()
    return {"": np.argsort(fill, kind="stable")[:number].tolist()}


def _spread(places: Sequence[int], number: int) -> list[int]:
    steps = np.linspace(0, len(places) - 1, min(number, len(places))).round().astype(int)
    return [int(places[step]) for step in steps]


def _mark(draw: ImageDraw.ImageDraw, corner: tuple[int, int], flags: Sequence[str]) -> None:
    """Write a thumbnail's flags below it, where they hide nothing of the square."""
    left, top = corner
    for number, flag in enumerate(flags):
        below = top + THUMBNAIL + FLAG_HEIGHT * number
        draw.rectangle((left, below, left + THUMBNAIL - 1, below + FLAG_HEIGHT - 1), fill=FLAGGED)
        words = FLAG_WORDS.get(flag, flag.replace("_", " "))
        draw.text((left + 3, below), words, fill="black", font=ImageFont.load_default(10))


def _thumbnails(store: RoiStore, members: Sequence[int]) -> list[Image.Image]:
    # HDF5 reads rising rows; the order asked for is restored afterwards.
    order = np.argsort(members)
    pictures = store.read(np.asarray(members, dtype=np.int64)[order]) if len(members) else []
    result: list[Image.Image] = [Image.new("RGB", (THUMBNAIL, THUMBNAIL))] * len(members)
    for place, picture in zip(order, pictures, strict=True):
        result[place] = Image.fromarray(picture).resize((THUMBNAIL, THUMBNAIL), Image.Resampling.BOX)
    return result
