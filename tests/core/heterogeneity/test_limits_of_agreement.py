"""Limits of agreement and the intraclass correlation, by hand and by an analysis of variance."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm

from dlre_core.heterogeneity.limits_of_agreement import measured_agreement


def test_by_hand():
    found = measured_agreement([4.0, 6, 9, 11, np.nan], [5.0, 5, 10, 10, 3], ["a", "a", "b", "c", "c"])
    assert (found.n, found.patients) == (4, 3)
    assert found.bias.value == 0
    assert found.sd == pytest.approx((4 / 3) ** 0.5)
    assert found.upper.value == -found.lower.value == pytest.approx(1.959964 * (4 / 3) ** 0.5)
    assert np.isnan(found.bias.low)
    assert found.bias.reason == "an interval needs 5 patients"


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(4, 30))
def test_icc_is_that_of_the_two_way_analysis_of_variance(seed, n):
    rng = np.random.default_rng(seed)
    a = rng.normal(8, 3, n)
    b = a + rng.normal(0.5, 1, n)
    long = pd.DataFrame({"value": [*a, *b], "picture": [*range(n)] * 2, "reader": ["1"] * n + ["2"] * n})
    square = anova_lm(ols("value ~ C(picture) + C(reader)", long).fit())["mean_sq"]
    rows, readers, rest = square["C(picture)"], square["C(reader)"], square["Residual"]
    icc = (rows - rest) / (rows + rest + 2 / n * (readers - rest))
    found = measured_agreement(a, b, range(n))
    assert found.icc.value == pytest.approx(icc, abs=1e-8)
    other = measured_agreement(b, a, range(n))
    assert other.icc.value == pytest.approx(found.icc.value)
    assert other.bias.value == pytest.approx(-found.bias.value)


def test_the_interval_of_the_mean_is_students_and_clusters_widen_it():
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=(2, 30))
    found = measured_agreement(a, b, range(30))
    half = 2.045229642 * (a - b).std(ddof=1) / 30**0.5
    assert found.bias.high - found.bias.value == pytest.approx(half)
    # The same picture five times tells no more than once.
    clustered = measured_agreement(np.tile(a, 5), np.tile(b, 5), [*range(30)] * 5)
    assert clustered.bias.low == pytest.approx(found.bias.low)
    apart = measured_agreement(np.tile(a, 5), np.tile(b, 5), range(150))
    assert apart.icc.high - apart.icc.low < 0.6 * (found.icc.high - found.icc.low)


def test_what_does_not_exist_says_why():
    same = measured_agreement([1.0, 2, 3, 4, 5], [1.0, 2, 3, 4, 5], range(5))
    assert (same.icc.value, same.icc.reason) == (1, "an interval needs a difference")
    assert measured_agreement([2.0, 2], [2.0, 2], [1, 2]).icc.reason == "measurements do not vary"
    assert measured_agreement([2.0], [2.0], [1]).bias.reason == "fewer than two pictures were measured by both"
    assert measured_agreement([], [], []).n == 0
