"""Numba loops over colours and lines of a picture, and nothing else. Every one has a naive twin in the tests."""

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
def weave(planes: NDArray[np.uint8], pixels: NDArray[np.uint8]) -> None:
    """Put channels that are apart beside each other.

    Parameters
    ----------
    planes : (3, height, width) uint8
        Contiguous.
    pixels : (height, width, 3) uint8
        Contiguous; written.
    """
    red, green, blue = planes[0].reshape(-1), planes[1].reshape(-1), planes[2].reshape(-1)
    out = pixels.reshape(-1)
    for i in range(len(red)):
        out[3 * i] = red[i]
        out[3 * i + 1] = green[i]
        out[3 * i + 2] = blue[i]


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


@numba.njit(cache=True, nogil=True)
def count_contrasts(pixels: NDArray[np.uint8], chosen: NDArray[np.bool_], counts: NDArray[np.int64]) -> None:
    """How many of the chosen pixels have which contrast between their channels.

    Parameters
    ----------
    pixels : (height, width, 3) uint8
    chosen : (height, width) bool
    counts : (256,) int64
        Added to: the number of pixels whose largest channel is so far above the smallest.
    """
    for row in range(chosen.shape[0]):
        for column in range(chosen.shape[1]):
            if chosen[row, column]:
                red, green, blue = pixels[row, column]
                counts[max(red, green, blue) - min(red, green, blue)] += 1


@numba.njit(cache=True, nogil=True)
def unblend(
    blended: NDArray[np.uint8],
    below: NDArray[np.uint8],
    chosen: NDArray[np.bool_],
    opacity: np.float32,
    planes: NDArray[np.float32],
) -> None:
    """Colours before they were blended with the grey picture below, clipped to 0 to 255.

    Parameters
    ----------
    blended, below : (height, width, 3) uint8
    chosen : (height, width) bool
        n pixels to look at.
    opacity : float32
        Of the colours, above 0.
    planes : (3, n) float32
        Written: red, green and blue of the chosen pixels, row by row.
    """
    grey_share, third = np.float32(1) - opacity, np.float32(3)
    at = 0
    for row in range(chosen.shape[0]):
        for column in range(chosen.shape[1]):
            if chosen[row, column]:
                under = below[row, column]
                grey = (np.float32(under[0]) + np.float32(under[1]) + np.float32(under[2])) / third
                for channel in range(3):
                    value = np.float32(blended[row, column, channel]) - grey_share * grey
                    value = max(value / opacity, np.float32(0))
                    planes[channel, at] = min(value, np.float32(255))
                at += 1


@numba.njit(cache=True, nogil=True)
def ring_sums(
    light: NDArray[np.uint8],
    rows: NDArray[np.intp],
    columns: NDArray[np.intp],
    total: NDArray[np.int32],
) -> None:
    """Sum of a picture along a line, wherever the line can be put.

    Parameters
    ----------
    light : (height, width) uint8
    rows, columns : (n,) intp
        The line's pixels, from the place where it is put.
    total : (height - reach, width - reach) int32
        Written: the sum with the line put at each pixel.
    """
    # Point by point of the line: the inner loop runs along a row, many pixels at a time.
    for row in range(total.shape[0]):
        sums = total[row]
        sums[:] = 0
        for k in range(len(rows)):
            along = light[row + rows[k], columns[k] : columns[k] + len(sums)]
            for i in range(len(sums)):
                sums[i] += along[i]
