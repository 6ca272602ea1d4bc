"""APRI and FIB-4 by hand."""

import numpy as np
import pytest

from dlre_core.biomarkers import apri, fib4


def test_by_hand():
    # AST 80, upper limit 40, platelets 160: 80/40*100/160 = 1.25
    assert apri(80, 160) == pytest.approx(1.25)
    assert apri(80, 160, 50) == pytest.approx(1.0)
    # 50 years, AST 80, ALT 64, platelets 100: 50*80/(100*8) = 5
    assert fib4(50, 80, 64, 100) == pytest.approx(5.0)


def test_undefined_is_nan():
    values = apri([80, np.nan, 80], [0, 100, np.nan])
    assert np.isnan(values).all()
    assert np.isnan(fib4([50, 50], [80, 80], [0, 64], [100, 0])).all()
