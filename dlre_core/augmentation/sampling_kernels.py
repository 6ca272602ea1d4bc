"""Numba loops over pixels, and nothing else. Every one has a naive twin in the tests."""

import numba
import numpy as np
from numpy.typing import NDArray

from dlre_core.augmentation.blend_kernels import blend_pixel, blend_pixels
from dlre_core.augmentation.pixel_kernels import FRACTION_BITS, ONE, PIXELS, encoded
from dlre_core.augmentation.row_kernels import copy_pixels

# What is read next is fetched so many rows before, which the processor does not do where rows run against columns.
ROWS_AHEAD = 4


@numba.njit(cache=True, nogil=True)
def _clamp(value: int, last: int) -> int:
    return 0 if value < 0 else (last if value > last else value)


@numba.njit(cache=True, nogil=True)
def inner_span(start: int, step: int, low: int, high: int, n: int) -> tuple[int, int]:
    """First and one past the last k of 0 to n - 1 with low <= start + k * step < high; integers."""
    if step == 0:
        return (0, n) if low <= start < high else (0, 0)
    if step < 0:
        start, step, low, high = -start, -step, 1 - high, 1 - low
    first, past = -((start - low) // step), (high - 1 - start) // step + 1
    first, past = max(first, 0), min(past, n)
    return (first, past) if first < past else (0, 0)


@numba.njit(cache=True, nogil=True)
def _is_exact(matrix: NDArray[np.int64]) -> bool:
    """True for flips and whole-pixel shifts along the axes, which need no interpolation."""
    if matrix[0, 1] != 0 or matrix[1, 0] != 0:
        return False
    if abs(matrix[0, 0]) != ONE or abs(matrix[1, 1]) != ONE:
        return False
    return matrix[0, 2] % ONE == 0 and matrix[1, 2] % ONE == 0


@numba.njit(cache=True, nogil=True)
def _copy_exact(image, matrix, tone, out, shape):
    """Copy by whole pixels, many at a time; columns beyond the picture repeat its border."""
    height, width = image.shape[0], image.shape[1]
    rows, columns = shape
    step, start = 3 * (matrix[0, 0] >> FRACTION_BITS), matrix[0, 2] >> FRACTION_BITS
    pixels = image.reshape(-1)
    first, past = inner_span(matrix[0, 2], matrix[0, 0], 0, width << FRACTION_BITS, columns)
    if past - first < PIXELS:
        first = past = columns
    ahead = ROWS_AHEAD * 3 * width * (1 if matrix[1, 1] > 0 else -1)
    for row in range(rows):
        source_row = (matrix[1, 1] * row + matrix[1, 2]) >> FRACTION_BITS
        begin, at = 3 * width * _clamp(source_row, height - 1), 3 * row * columns
        for column in range(first):
            border = begin + 3 * _clamp(start + step // 3 * column, width - 1)
            _copy_pixel(pixels, border, tone, out, at + 3 * column)
        source = begin + 3 * start
        for column in range(first, past - PIXELS + 1, PIXELS):
            copy_pixels(pixels, source + step * column, step, ahead, tone, out, at + 3 * column)
        if past > first:
            # The last ones again, with those before them that make up the number.
            column = past - PIXELS
            copy_pixels(pixels, source + step * column, step, ahead, tone, out, at + 3 * column)
        for column in range(past, columns):
            border = begin + 3 * _clamp(start + step // 3 * column, width - 1)
            _copy_pixel(pixels, border, tone, out, at + 3 * column)


@numba.njit(cache=True, nogil=True)
def _copy_pixel(pixels, source, tone, out, first):
    gain, bias, low, high = tone
    for channel in range(3):
        value = np.float32(pixels[source + channel]) * gain + bias
        out[first + channel] = encoded(min(max(value, low), high), out)


@numba.njit(cache=True, nogil=True)
def _sample_bilinear(image, matrix, tone, out, shape):
    """Bilinear sampling, many pixels at a time; beyond the picture its border repeats."""
    rows, columns = shape
    pixels, size = image.reshape(-1), (image.shape[0], image.shape[1])
    step_x, step_y = matrix[0, 0], matrix[1, 0]
    ahead = ROWS_AHEAD * 3 * size[1] * (1 if matrix[1, 1] > 0 else -1)
    many = columns >= PIXELS and min(size) > 1 and image.size < 1 << 31
    for row in range(rows):
        x, y = matrix[0, 1] * row + matrix[0, 2], matrix[1, 1] * row + matrix[1, 2]
        at = 3 * row * columns
        if many:
            for begin in range(0, columns, PIXELS):
                # The last ones again, with those before them that make up the number.
                column = min(begin, columns - PIXELS)
                track = (x + step_x * column, y + step_y * column, step_x, step_y)
                blend_pixels(pixels, size, track, ahead, tone, out, at + 3 * column)
        else:
            for column in range(columns):
                here = (x + step_x * column, y + step_y * column)
                blend_pixel(pixels, size, here[0], here[1], tone, out, at + 3 * column)


@numba.njit(cache=True, nogil=True)
def _sample_image(image, matrix, tones, out, shape):
    tone = (tones[0], tones[1], tones[2], tones[3])
    if _is_exact(matrix):
        _copy_exact(image, matrix, tone, out, shape)
    else:
        _sample_bilinear(image, matrix, tone, out, shape)


@numba.njit(cache=True, nogil=True)
def sample_images(
    images: NDArray[np.uint8],
    indices: NDArray[np.int64],
    matrices: NDArray[np.int64],
    tones: NDArray[np.float32],
    out: NDArray,
    shape: tuple[int, int],
) -> None:
    """Fill ``out`` (mutated) with images sampled through affine transforms.

    Parameters
    ----------
    images : (m, height, width, 3) uint8
        Contiguous.
    indices : (n,) int64
        Which image each output is made from.
    matrices : (n, 2, 3) int64
        From output (x, y, 1) to source (x, y), pixels with 32 fractional bits; outside, the border
        pixel repeats. No coordinate may leave 63 bits.
    tones : (n, 4) float32
        Gain, bias, low and high of every image: min(max(colour * gain + bias, low), high).
    out : (n, rows * columns * 3) float32, uint16 (bfloat16's bits) or uint8
        Written whole.
    shape : rows, columns
    """
    for n in range(indices.shape[0]):
        _sample_image(images[indices[n]], matrices[n], tones[n], out[n], shape)
