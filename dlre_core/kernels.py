"""Numba loops over pixels, and nothing else. Every one has a naive twin in the tests."""

import numba
import numpy as np
from numpy.typing import NDArray


@numba.njit(cache=True, nogil=True, inline="always")
def _clamp(value: int, last: int) -> int:
    return 0 if value < 0 else (last if value > last else value)


@numba.njit(cache=True, nogil=True)
def _is_exact(matrix: NDArray[np.float32]) -> bool:
    """True for flips and whole-pixel shifts along the axes, which need no interpolation."""
    if matrix[0, 1] != 0.0 or matrix[1, 0] != 0.0:
        return False
    if abs(matrix[0, 0]) != 1.0 or abs(matrix[1, 1]) != 1.0:
        return False
    return matrix[0, 2] == np.floor(matrix[0, 2]) and matrix[1, 2] == np.floor(matrix[1, 2])


@numba.njit(cache=True, nogil=True)
def _copy_exact(
    image: NDArray[np.uint8],
    matrix: NDArray[np.float32],
    table: NDArray[np.float32],
    out: NDArray[np.float32],
) -> None:
    height, width = image.shape[0], image.shape[1]
    step, start = int(matrix[0, 0]), int(matrix[0, 2])
    for row in range(out.shape[0]):
        source = image[_clamp(int(matrix[1, 1]) * row + int(matrix[1, 2]), height - 1)]
        for column in range(out.shape[1]):
            pixel = source[_clamp(step * column + start, width - 1)]
            out[row, column, 0] = table[pixel[0]]
            out[row, column, 1] = table[pixel[1]]
            out[row, column, 2] = table[pixel[2]]


@numba.njit(cache=True, nogil=True)
def _sample_bilinear(
    image: NDArray[np.uint8],
    matrix: NDArray[np.float32],
    scale: np.float32,
    offset: np.float32,
    out: NDArray[np.float32],
) -> None:
    last_row, last_column = image.shape[0] - 1, image.shape[1] - 1
    for row in range(out.shape[0]):
        for column in range(out.shape[1]):
            x = matrix[0, 0] * column + matrix[0, 1] * row + matrix[0, 2]
            y = matrix[1, 0] * column + matrix[1, 1] * row + matrix[1, 2]
            x = min(max(x, np.float32(0)), np.float32(last_column))
            y = min(max(y, np.float32(0)), np.float32(last_row))
            left, top = int(x), int(y)
            right, bottom = min(left + 1, last_column), min(top + 1, last_row)
            dx, dy = x - np.float32(left), y - np.float32(top)
            for channel in range(3):
                upper = image[top, left, channel] + dx * (
                    np.float32(image[top, right, channel]) - np.float32(image[top, left, channel])
                )
                lower = image[bottom, left, channel] + dx * (
                    np.float32(image[bottom, right, channel])
                    - np.float32(image[bottom, left, channel])
                )
                out[row, column, channel] = (upper + dy * (lower - upper)) * scale + offset


def _sample_images(
    images: NDArray[np.uint8],
    indices: NDArray[np.int64],
    matrices: NDArray[np.float32],
    table: NDArray[np.float32],
    out: NDArray[np.float32],
) -> None:
    """Fill ``out`` (mutated) with images sampled through affine transforms.

    Parameters
    ----------
    images : (m, height, width, 3) uint8
    indices : (n,) int64
        Which image each output is made from.
    matrices : (n, 2, 3) float32
        From output (x, y, 1) to source (x, y), pixels; outside, the border pixel repeats.
    table : (256,) float32
        Output value of each colour value; must be linear.
    out : (n, rows, columns, 3) float32
        Written whole. Every image is made by one thread, so threads do not change a bit.
    """
    offset = table[0]
    scale = (table[255] - table[0]) / np.float32(255)
    for n in numba.prange(indices.shape[0]):
        if _is_exact(matrices[n]):
            _copy_exact(images[indices[n]], matrices[n], table, out[n])
        else:
            _sample_bilinear(images[indices[n]], matrices[n], scale, offset, out[n])


sample_images = numba.njit(cache=True, nogil=True)(_sample_images)
# Not to be called from several threads at once: numba's own thread pool forbids it.
sample_images_parallel = numba.njit(cache=True, nogil=True, parallel=True)(_sample_images)


@numba.njit(cache=True, nogil=True)
def crop_square(
    screen: NDArray[np.uint8], row: int, column: int, size: int, out: NDArray[np.uint8]
) -> None:
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
