"""Cut a square out of a screen and bring it to the network's size, in a Numba loop with a naive twin in the tests."""

import numba
import numpy as np
from numpy.typing import NDArray


@numba.njit(cache=True, nogil=True)
def resample_square(screen: NDArray[np.uint8], row: int, column: int, size: int, out: NDArray[np.uint8]) -> None:
    """Fill ``out`` (mutated) with a square of the screen: copied at its own size, else resampled.

    Resampling is by a triangle of twice the coarser pixel's width, so that shrinking averages and
    enlarging interpolates; what lies outside the square is left out.

    Parameters
    ----------
    screen : (height, width, 3) uint8
    row, column, size : int
        Top left corner and side of the square, which lies inside the screen.
    out : (side, side, 3) uint8
        Written whole.

    Examples
    --------
    >>> screen = np.arange(4 * 4 * 3, dtype=np.uint8).reshape(4, 4, 3)
    >>> square = np.empty((2, 2, 3), np.uint8)
    >>> resample_square(screen, 1, 1, 2, square)
    >>> bool((square == screen[1:3, 1:3]).all())
    True
    """
    side = out.shape[0]
    if size == side:
        for y in range(side):
            for x in range(side):
                for channel in range(3):
                    out[y, x, channel] = screen[row + y, column + x, channel]
        return
    step = size / side
    reach = max(step, 1.0)
    for y in range(side):
        centre_y = (y + 0.5) * step - 0.5
        first_y = max(int(np.ceil(centre_y - reach)), 0)
        last_y = min(int(np.floor(centre_y + reach)), size - 1)
        for x in range(side):
            centre_x = (x + 0.5) * step - 0.5
            first_x = max(int(np.ceil(centre_x - reach)), 0)
            last_x = min(int(np.floor(centre_x + reach)), size - 1)
            red = green = blue = total = 0.0
            for source_y in range(first_y, last_y + 1):
                weight_y = 1.0 - abs(source_y - centre_y) / reach
                for source_x in range(first_x, last_x + 1):
                    weight = weight_y * (1.0 - abs(source_x - centre_x) / reach)
                    pixel = screen[row + source_y, column + source_x]
                    red += weight * pixel[0]
                    green += weight * pixel[1]
                    blue += weight * pixel[2]
                    total += weight
            out[y, x, 0] = int(red / total + 0.5)
            out[y, x, 1] = int(green / total + 0.5)
            out[y, x, 2] = int(blue / total + 0.5)
