"""The colour kernels against naive twins, compiled and interpreted."""

import numpy as np
import pytest

from dlre_core import colour_kernels as kernels
from dlre_core.colour_scale import colour_table


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
