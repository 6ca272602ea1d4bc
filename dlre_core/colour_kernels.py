"""Numba loops over colours, and nothing else. Every one has a naive twin in the tests."""

import numba
import numpy as np
from numpy.typing import NDArray

BLOCK = 512


@numba.njit(cache=True, nogil=True)
def nearest_colours(
    colours: NDArray[np.float32],
    table: NDArray[np.float32],
    index: NDArray[np.int32],
    distance: NDArray[np.float32],
) -> None:
    """Nearest entry of a table for each colour; of equals the first.

    Parameters
    ----------
    colours : (3, n) float32
    table : (steps, 3) float32
    index : (n,) int32
        Written: the entry.
    distance : (n,) float32
        Written: the Euclidean distance to it, squared.
    """
    for start in range(0, colours.shape[1], BLOCK):
        stop = min(start + BLOCK, colours.shape[1])
        red, green, blue = colours[0, start:stop], colours[1, start:stop], colours[2, start:stop]
        best, entry = distance[start:stop], index[start:stop]
        best[:] = np.inf
        for step in range(table.shape[0]):
            r, g, b = table[step, 0], table[step, 1], table[step, 2]
            # Branches would keep the compiler from taking many pixels at a time.
            for i in range(len(best)):
                away = (red[i] - r) ** 2 + (green[i] - g) ** 2 + (blue[i] - b) ** 2
                nearer = away < best[i]
                best[i] = away if nearer else best[i]
                entry[i] = step if nearer else entry[i]


@numba.njit(cache=True, nogil=True)
def chroma(pixels: NDArray[np.uint8], out: NDArray[np.int16]) -> None:
    """|R-G| + |R-B| + |G-B| of every pixel.

    Parameters
    ----------
    pixels : (height, width, 3) uint8
    out : (height, width) int16
        Written: 0 to 510.
    """
    for row in range(pixels.shape[0]):
        for column in range(pixels.shape[1]):
            red = np.int16(pixels[row, column, 0])
            green = np.int16(pixels[row, column, 1])
            blue = np.int16(pixels[row, column, 2])
            # The sum of the three distances is twice the range.
            most = max(red, max(green, blue))
            out[row, column] = 2 * (most - min(red, min(green, blue)))
