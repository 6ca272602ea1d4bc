"""Where the network's square lies on a picture."""

from dataclasses import dataclass

import numpy as np

from dlre_core.elastography.screen_layout import NATIVE_WIDTH, Rectangle
from dlre_core.foundation.study_terms import SQUARE_SIDE

# Pixels, of a square drawn by hand; smaller ones show nothing, and the network sees 250.
SMALLEST_SIDE = 32


@dataclass(frozen=True)
class Square:
    """Top left corner and side, pixels of the picture it is cut from."""

    row: int
    column: int
    size: int

    @property
    def scale(self) -> float:
        """Pixels of the crop per pixel of the picture; 1 where nothing is resampled."""
        return SQUARE_SIDE / self.size


def find_square(box: Rectangle, height: int, width: int) -> Square:
    """The square around a box.

    Its side is 250 pixels of the native 1440-pixel screen, so that crops from pictures of other
    resolutions show the same part of the screen, or the box's larger side where that is longer. It
    is centred on the box and clamped to the picture.

    Parameters
    ----------
    box : Rectangle
        Of the elastography box, pixels.
    height, width : int
        Of the picture, pixels.

    Returns
    -------
    Square

    Raises
    ------
    ValueError
        If the box is not inside the picture, or larger than the picture's smaller side.
    """
    inside = box.left >= 0 and box.top >= 0 and box.right <= width and box.bottom <= height
    if not inside or max(box.width, box.height) > min(height, width):
        raise ValueError(f"{box} does not fit a picture of {width} x {height} pixels")
    size = max(round(SQUARE_SIDE * width / NATIVE_WIDTH), box.width, box.height)
    size = min(size, height, width)
    row = (box.top + box.bottom - size) // 2
    column = (box.left + box.right - size) // 2
    return Square(row=min(max(row, 0), height - size), column=min(max(column, 0), width - size), size=size)


def box_of(row: tuple) -> Rectangle:
    """The box of a row of ``acquisitions.csv``, as ``itertuples`` gives it."""
    return Rectangle(int(row.box_left), int(row.box_top), int(row.box_right), int(row.box_bottom))


def square_of(row: tuple) -> Square:
    """The square of a row of ``acquisitions.csv``: that of ``roi.csv``, else the one around the box."""
    height, width = int(row.height), int(row.width)
    if np.isnan(row.roi_row):
        return find_square(box_of(row), height, width)
    size = SQUARE_SIDE if np.isnan(row.roi_size) else int(row.roi_size)
    size = min(size, height, width)
    return Square(
        row=min(max(int(row.roi_row), 0), height - size),
        column=min(max(int(row.roi_column), 0), width - size),
        size=size,
    )
