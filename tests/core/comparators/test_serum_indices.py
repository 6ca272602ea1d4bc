"""APRI and FIB-4 by hand."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from dlre_core.comparators.serum_indices import apri, fib4


def test_by_hand():
    # AST 80, upper limit 40, platelets 160: 80/40*100/160 = 1.25
    assert apri(80, 160) == pytest.approx(1.25)
    assert apri(80, 160, 50) == pytest.approx(1.0)
    # 50 years, AST 80, ALT 64, platelets 100: 50*80/(100*8) = 5
    assert fib4(50, 80, 64, 100) == pytest.approx(5.0)


def test_equal_indices_are_equal_numbers():
    """Ties count half in an AUC; rounded three times, 33 / 222 and 22 / 148 were two numbers."""
    pairs = np.array(list(product(range(10, 90), range(60, 260))), dtype=float)
    exact = {Fraction(int(ast), int(platelets)) for ast, platelets in pairs}
    assert len(np.unique(apri(*pairs.T))) == len(exact)
    assert len(np.unique(apri(*pairs.T, 35))) == len(exact)
    squared = {Fraction(int(ast) ** 2, int(platelets) ** 2 * 31) for ast, platelets in pairs}
    ast, platelets = pairs.T
    assert len(np.unique(fib4(47, ast, 31, platelets))) == len(squared)


def test_undefined_is_nan():
    values = apri([80, np.nan, 80], [0, 100, np.nan])
    assert np.isnan(values).all()
    assert np.isnan(fib4([50, 50], [80, 80], [0, 64], [100, 0])).all()
