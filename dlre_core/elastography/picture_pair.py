"""The upper and the lower picture of an elastogram's screen: the same B-mode, the upper one coloured."""

import numpy as np
from numpy.typing import NDArray

from dlre_core.elastography.screen_layout import Rectangle

# Correlation of both pictures' brightness around the box, in blocks that are not black, the most alike four
# fifths of them, below which they are not the same: on 8 drawn screens, plain and JPEG, it was 1.000, at
# most 0.91 with the lower one mirrored and 0.49 with it turned.
LEAST_CORRELATION = 0.95
ALIKE_SHARE = 0.8
BLACK = 6
BLOCK = 8


def darkest_of_both(upper: NDArray[np.uint8], lower: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Darkest channel of both pictures, (height, width) of the upper: light where both are white.

    Parameters
    ----------
    upper, lower : (height, width, 3) uint8
        The lower one may be some rows shorter.
    """
    darkest = darkest_channel(upper)
    shared = min(len(upper), len(lower))
    darkest[:shared] = np.minimum(darkest[:shared], darkest_channel(lower[:shared]))
    return darkest.astype(np.float32)


def darkest_channel(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Darkest channel of every pixel: white is light in it, colours are not."""
    # NumPy's minimum along an axis of three takes ten times as long.
    red, green, blue = (picture[..., channel] for channel in range(3))
    return np.minimum(np.minimum(red, green), blue)


def show_the_same(upper: NDArray[np.uint8], lower: NDArray[np.uint8], box: Rectangle) -> bool:
    """True where both pictures show one B-mode picture outside the box.

    Parameters
    ----------
    upper, lower : (height, width, 3) uint8
        The lower one may be some rows shorter.
    box : Rectangle
        In the pictures.
    """
    rows = min(len(upper), len(lower)) // BLOCK
    columns = upper.shape[1] // BLOCK
    blocks = [_block_means(picture, rows, columns) for picture in (upper, lower)]
    outside = np.ones((rows, columns), bool)
    outside[box.top // BLOCK : box.bottom // BLOCK + 1, box.left // BLOCK : box.right // BLOCK + 1] = False
    lit = outside & (np.maximum(*blocks) > BLACK)
    first, second = (block[lit] for block in blocks)
    # What an archive wrote over one picture is no reason to refuse it.
    alike = np.argsort(np.abs(first - second), kind="stable")[: round(ALIKE_SHARE * len(first))]
    first, second = (part[alike] - part[alike].mean() for part in (first, second))
    size = float(np.sqrt((first**2).sum() * (second**2).sum()))
    return size > 0 and float((first * second).sum()) / size > LEAST_CORRELATION


def _block_means(picture: NDArray[np.uint8], rows: int, columns: int) -> NDArray[np.float64]:
    """Brightness in squares; the green channel stands for it, as in any grey picture."""
    green = picture[: rows * BLOCK, : columns * BLOCK, 1]
    return green.reshape(rows, BLOCK, columns, BLOCK).mean(axis=(1, 3))
