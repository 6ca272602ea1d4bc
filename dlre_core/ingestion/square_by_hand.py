"""A square drawn by hand on a screen that nobody knows: it alone is kept, and judged as far as it can be."""

from collections.abc import Sequence

import numpy as np

from dlre_core.dicom.reader import SweImage
from dlre_core.dicom.reject_reasons import Reason, Unusable
from dlre_core.elastography.elastogram import BoxColours, BoxQuality, read_box
from dlre_core.elastography.screen_layout import Rectangle, ScreenLayout
from dlre_core.elastography.square import SMALLEST_SIDE, Square

# Of a layout that is no more than such a square.
SOURCE = "hand"
# Share of the square that must carry colour to be judged.
LEAST_COLOURED = 0.05
# What a square drawn by hand makes up for.
MADE_UP_FOR = (Reason.NO_ELASTOGRAM, Reason.PROFILE_DISAGREES, Reason.RECOLOURED, Reason.WRONG_SCALE)


def place_of(square: Square) -> Rectangle:
    """The square as a rectangle of the picture."""
    return Rectangle(square.column, square.row, square.column + square.size, square.row + square.size)


def check_square(square: Square, height: int, width: int) -> None:
    """Refuse a square that is not wholly in the picture, or too small to show anything.

    Raises
    ------
    Unusable
    """
    place = place_of(square)
    if square.size < SMALLEST_SIDE or place != place.clamped(height, width):
        raise Unusable(Reason.SQUARE_OUTSIDE)


def read_square(images: Sequence[SweImage], square: Square) -> tuple[SweImage, ScreenLayout, BoxColours, BoxQuality]:
    """The frame with most colour in the square, with the square as its picture and its box.

    Stiffness cannot be read, since nobody knows the colour scale: only how much colour there is. Where there is
    hardly any, as on a map in shades of grey, the fill is NaN.

    Parameters
    ----------
    images : sequence of SweImage
        Candidate frames of one file, all of one size.
    square : Square
        Inside them.
    """
    place = place_of(square)
    layout = ScreenLayout(place, place, None, None, None, SOURCE)
    read = [(image, read_box(image.pixels, layout)) for image in images]
    # max takes the first of equals: the earlier frame.
    image, colours = max(read, key=lambda entry: entry[1].coloured.mean())
    share = float(colours.coloured.mean())
    return image, layout, colours, BoxQuality(share if share >= LEAST_COLOURED else np.nan, np.nan, False)
