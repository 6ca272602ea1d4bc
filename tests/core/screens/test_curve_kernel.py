"""The kernel of curves against a naive twin, compiled and interpreted."""

import numpy as np
import pytest

from dlre_core.screens import curve_kernel


@pytest.mark.parametrize("kernel", [curve_kernel.sum_along_curves, curve_kernel.sum_along_curves.py_func])
def test_sums_along_curves_are_the_naive_twins(kernel):
    generator = np.random.default_rng(2)
    evidence = generator.normal(size=(13, 9)).astype(np.float32)
    rows = np.array([1, 4, 5, 12])
    # Some reach out at the left, at the right, or altogether.
    curves = np.array([[0, 0, 0, 0], [-3, -1, 2, 4], [8, -8, 9, -9], [20, -20, 0, 1]])
    total = np.full((4, 9), np.nan, dtype=np.float32)
    kernel(evidence, rows, curves, total)
    expected = np.zeros((4, 9))
    for curve in range(4):
        for column in range(9):
            for row, away in zip(rows, curves[curve], strict=True):
                if 0 <= column + away < 9:
                    expected[curve, column] += evidence[row, column + away]
    np.testing.assert_allclose(total, expected, atol=1e-5)
