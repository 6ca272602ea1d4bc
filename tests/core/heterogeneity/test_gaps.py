"""Differences of independent estimates, held to Newcombe's examples, to R and to adding variances."""

import math

import numpy as np
import pytest

from dlre_core.heterogeneity.gaps import gap, proportion_gap
from dlre_core.statistics.estimates import Estimate, undefined


# Newcombe 1998, table II, method 10, contrasts (a) and (d) print .0524 to .3339 and .1705 to .8090; with all digits, R:
#   L <- prop.test(a, n, correct = FALSE)$conf.int; M <- prop.test(b, m, correct = FALSE)$conf.int; p <- a/n; q <- b/m
#   c(p - q - sqrt((p - L[1])^2 + (M[2] - q)^2), p - q + sqrt((L[2] - p)^2 + (q - M[1])^2))
@pytest.mark.parametrize(
    ("first", "second", "low", "high"),
    [
        ((56, 70), (48, 80), 0.0524314724024, 0.3338726540369),
        ((9, 10), (3, 10), 0.170522723935, 0.809017973535),
        ((10, 10), (20, 20), -0.277532799863, 0.161125158053),
        ((5, 56), (0, 29), -0.0381371479035, 0.1925600138551),
    ],
)
def test_newcombes_examples(first, second, low, high):
    found = proportion_gap(first, second)
    assert found.value == pytest.approx(first[0] / first[1] - second[0] / second[1])
    assert (found.low, found.high) == pytest.approx((low, high), rel=1e-10)
    other = proportion_gap(second, first)
    assert (other.low, other.high) == pytest.approx((-high, -low), rel=1e-10)


def test_symmetrical_limits_add_their_variances():
    found = gap(Estimate(0.5, 0.5 - 1.96 * 0.3, 0.5 + 1.96 * 0.3), Estimate(-0.2, -0.2 - 1.96 * 0.4, -0.2 + 1.96 * 0.4))
    assert (found.value, found.low, found.high) == pytest.approx((0.7, 0.7 - 1.96 * 0.5, 0.7 + 1.96 * 0.5))


def test_a_gap_without_both_intervals_says_why():
    known = Estimate(0.5, 0.4, 0.6)
    assert gap(known, undefined("no cases")).reason == "no cases"
    assert gap(Estimate(0.5, math.nan, math.nan), known).reason == "a group has no interval"
    assert proportion_gap((0, 0), (3, 5)).reason == "nobody to count"


def test_the_interval_covers():
    """Shares of 0.8 and 0.7 in 30 and 40 patients: 4,000 intervals hold 0.1 in 95 %, within Monte Carlo's error."""
    rng = np.random.default_rng(8)
    held = [
        found.low <= 0.1 <= found.high
        for a, b in zip(rng.binomial(30, 0.8, 4000), rng.binomial(40, 0.7, 4000), strict=True)
        for found in [proportion_gap((int(a), 30), (int(b), 40))]
    ]
    assert np.mean(held) == pytest.approx(0.95, abs=0.012)
