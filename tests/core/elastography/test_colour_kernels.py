"""The colour kernels against naive twins, compiled and interpreted."""

import numpy as np
import pytest
from scipy import signal

from dlre_core.elastography import colour_kernels as kernels
from dlre_core.elastography.colour_map import colour_table


@pytest.mark.parametrize("nearest", [kernels.nearest_colours, kernels.nearest_colours.py_func])
def test_the_nearest_colour_is_the_naive_twins(nearest):
    # More than a block, and no whole number of blocks.
    n = kernels.BLOCK + 7
    colours = np.random.default_rng(0).uniform(-50, 300, (3, n)).astype(np.float32)
    table = colour_table().astype(np.float32)
    # Twice the same colour: the first counts.
    table[200] = table[10]
    colours[:, 0] = table[10]
    index, squared = np.empty(n, np.int32), np.empty(n, np.float32)
    nearest(colours, table, index, squared)
    every = ((colours.T[:, None, :] - table[None]) ** 2).sum(axis=2)
    assert index[0] == 10
    np.testing.assert_allclose(squared, every.min(axis=1), rtol=1e-4, atol=1e-2)
    np.testing.assert_allclose(every[np.arange(n), index], every.min(axis=1), rtol=1e-4, atol=1e-2)


@pytest.mark.parametrize("chroma", [kernels.chroma, kernels.chroma.py_func])
def test_chroma_is_the_sum_of_the_distances_between_channels(chroma):
    pixels = np.random.default_rng(1).integers(0, 256, (9, 11, 3), dtype=np.uint8)
    pixels[0, 0], pixels[0, 1] = (255, 0, 0), (7, 7, 7)
    # A part of a picture is not contiguous.
    part = pixels[1:8, 2:10]
    for given in (pixels, part):
        out = np.empty(given.shape[:2], np.int16)
        chroma(given, out)
        red, green, blue = (given[..., c].astype(int) for c in range(3))
        expected = abs(red - green) + abs(red - blue) + abs(green - blue)
        np.testing.assert_array_equal(out, expected)
    assert expected.max() > 255


@pytest.mark.parametrize("ring_sums", [kernels.ring_sums, kernels.ring_sums.py_func])
def test_ring_sums_are_a_correlation(ring_sums):
    generator = np.random.default_rng(3)
    light = generator.integers(0, 256, (23, 31)).astype(np.uint8)
    line = generator.random((7, 9)) < 0.3
    rows, columns = np.nonzero(line)
    total = np.full((17, 23), -1, dtype=np.int32)
    ring_sums(light, rows, columns, total)
    expected = signal.correlate2d(light.astype(np.int64), line.astype(np.int64), mode="valid")
    assert total.tolist() == expected.tolist()


@pytest.mark.parametrize("unblend", [kernels.unblend, kernels.unblend.py_func])
def test_unblending_undoes_blending(unblend):
    generator = np.random.default_rng(4)
    colour = generator.integers(0, 256, (8, 9, 3)).astype(np.float64)
    below = np.repeat(generator.integers(0, 256, (8, 9, 1)), 3, axis=2).astype(np.uint8)
    blended = np.rint(0.6 * colour + 0.4 * below).astype(np.uint8)
    chosen = generator.random((8, 9)) < 0.5
    planes = np.full((3, chosen.sum()), np.nan, dtype=np.float32)
    unblend(blended, below, chosen, np.float32(0.6), planes)
    # Half a grey level of rounding, divided by the opacity.
    np.testing.assert_allclose(planes, colour[chosen].T, atol=0.5 / 0.6 + 1e-3)
    assert planes.min() >= 0
    assert planes.max() <= 255


@pytest.mark.parametrize("count", [kernels.count_contrasts, kernels.count_contrasts.py_func])
def test_contrasts_are_counted_where_they_are_asked_for(count):
    generator = np.random.default_rng(5)
    pixels = generator.integers(0, 256, (9, 14, 3), dtype=np.uint8)[1:, 2:]
    chosen = generator.random((8, 12)) < 0.6
    counts = np.zeros(256, dtype=np.int64)
    count(pixels, chosen, counts)
    expected = np.bincount(np.ptp(pixels[chosen].astype(int), axis=1), minlength=256)
    assert counts.tolist() == expected.tolist()


@pytest.mark.parametrize("weave", [kernels.weave, kernels.weave.py_func])
def test_woven_channels_are_numpys_transpose(weave):
    planes = np.random.default_rng(6).integers(0, 256, (3, 7, 11), dtype=np.uint8)
    pixels = np.empty((7, 11, 3), dtype=np.uint8)
    weave(planes, pixels)
    assert pixels.tolist() == planes.transpose(1, 2, 0).tolist()
