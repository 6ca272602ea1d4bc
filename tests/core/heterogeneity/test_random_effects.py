"""Random effects, held to metafor's published example and to R."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlre_core.heterogeneity.random_effects import pooled_auc, random_effects

# Colditz's 13 trials of BCG, as metafor's dat.bcg: vaccinated and controls, with and without tuberculosis.
VACCINATED = ([4, 6, 3, 62, 33, 180, 8, 505, 29, 17, 186, 5, 27],)
VACCINATED += ([119, 300, 228, 13536, 5036, 1361, 2537, 87886, 7470, 1699, 50448, 2493, 16886],)
CONTROLS = ([11, 29, 11, 248, 47, 372, 10, 499, 45, 65, 141, 3, 29],)
CONTROLS += ([128, 274, 209, 12619, 5761, 1079, 619, 87892, 7232, 1600, 27197, 2338, 17825],)


def bcg() -> tuple[np.ndarray, np.ndarray]:
    """Log relative risks and their variances."""
    (a, b), (c, d) = (np.array(group, dtype=float) for group in (VACCINATED, CONTROLS))
    return np.log(a / (a + b) / (c / (c + d))), 1 / a - 1 / (a + b) + 1 / c - 1 / (c + d)


def test_the_published_example_of_bcg():
    """Viechtbauer (J Stat Softw 2010;36(3), doi:10.18637/jss.v036.i03) prints, with confint and test = "knha":

    rma(yi, vi, method = "REML", test = "knha"): -0.7145 (-1.1084 to -0.3206), tau^2 0.3132 (0.1197 to 1.1115),
    I^2 92.22 %, Q(12) = 152.2330. All digits are base R's, with w <- 1 / (v + t):
      m <- sum(w * y) / sum(w); t: uniroot(function(t) sum(w^2 * (y - m)^2) - sum(w) + sum(w^2) / sum(w), c(0, 100))
      se <- sqrt(sum(w * (y - m)^2) / 12 / sum(w)); m + c(-1, 1) * qt(.975, 12) * se
      limits of t: uniroot(function(t) sum(w * (y - m)^2) - qchisq(c(.975, .025), 12)[i], c(0, 1000))
      m + c(-1, 1) * qt(.975, 11) * sqrt(t + se^2); typ <- 12 * sum(1/v) / (sum(1/v)^2 - sum(1/v^2)); t / (t + typ)
    """
    found = random_effects(*bcg())
    one, tau = found.estimate, found.tau
    assert (one.value, one.low, one.high) == pytest.approx(
        (-0.714532342158, -1.108443713686, -0.320620970631), rel=1e-10
    )
    assert [tau.value**2, tau.low**2, tau.high**2] == pytest.approx(
        [0.313243258136, 0.119718361141, 1.111479084061], rel=1e-10
    )
    assert found.prediction == pytest.approx((-2.009057650371, 0.579992966055), rel=1e-10)
    assert (found.q, found.i_squared) == pytest.approx((152.233008082, 0.922213845213), rel=1e-10)
    assert found.q_p_value == pytest.approx(1.99676459085e-26, rel=1e-8)


def test_aucs_are_pooled_as_logits():
    """R, as above, on log(a / (1 - a)), v / (a (1 - a))^2; a <- c(.7, .8, .95, .9); v <- c(.004, .002, .0006, .001)."""
    found = pooled_auc([0.7, 0.8, 1.0, 0.95, 0.9, 0.6], [0.004, 0.002, 0.01, 0.0006, 0.001, np.nan])
    assert found.groups == 4
    expected = [1 / (1 + math.exp(-x)) for x in (1.781555249989, 0.352209324913, 3.210901175064)]
    assert [found.estimate.value, found.estimate.low, found.estimate.high] == pytest.approx(expected, rel=1e-9)
    expected = [1 / (1 + math.exp(-x)) for x in (-2.17133268236, 5.73444318234)]
    assert found.prediction == pytest.approx(expected, rel=1e-9)
    assert found.tau.value**2 == pytest.approx(0.642305486425, rel=1e-9)
    assert found.i_squared == pytest.approx(0.844951000085, rel=1e-9)


def test_what_cannot_be_pooled_says_why():
    assert pooled_auc([0.8], [0.01]).estimate.reason == "1 hospital with an interval: nothing to pool"
    assert pooled_auc([], []).tau.reason == "0 hospitals with an interval: nothing to pool"
    assert math.isnan(pooled_auc([0.8, 0.9], [0.01, 0.01]).prediction[0])
    with pytest.raises(ValueError, match="above 0"):
        random_effects([1.0, 2.0], [1.0, 0.0])


def test_hospitals_that_are_alike_have_no_spread_and_an_interval_not_narrower_than_walds():
    alike = random_effects([0.5, 0.5, 0.5], [0.03, 0.03, 0.03])
    assert (alike.tau.value, alike.tau.low, alike.i_squared, alike.q) == (0, 0, 0, 0)
    # Student's quantile with 2 degrees of freedom, 4.302653, times the root of 0.01.
    assert alike.estimate.high - alike.estimate.value == pytest.approx(0.4302653, rel=1e-6)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.floats(-5, 5), st.floats(0.001, 5)), min_size=2, max_size=12),
)
def test_the_restricted_likelihood_is_at_its_maximum(groups):
    y, v = (np.array(column) for column in zip(*groups, strict=True))

    def likelihood(between):
        w = 1 / (v + between)
        m = (w * y).sum() / w.sum()
        return -0.5 * (np.log(v + between).sum() + np.log(w.sum()) + (w * (y - m) ** 2).sum())

    between = random_effects(y, v).tau.value ** 2
    for other in (between * 1.01 + 1e-6, max(between * 0.99 - 1e-6, 0)):
        assert likelihood(between) >= likelihood(other) - 1e-9


# Simulated hospitals, variances from 0.05 to 0.5: how often intervals of the mean, a new hospital and tau hold
# the truth. That of a new hospital does so too rarely, as the spread is often estimated as 0: Partlett and Riley, Stat
# Med 2017;36:301-317.
@pytest.mark.parametrize(("tau", "k", "wanted"), [(0.5, 10, (0.95, 0.88, 0.95)), (1.0, 10, (0.95, 0.94, 0.95))])
def test_what_the_intervals_cover(tau, k, wanted):
    rng = np.random.default_rng(6)
    v = np.linspace(0.05, 0.5, k)
    held = []
    for _ in range(1000):
        y = 1.5 + tau * rng.normal(size=k) + np.sqrt(v) * rng.normal(size=k)
        found = random_effects(y, v)
        new = 1.5 + tau * rng.normal()
        held.append(
            (
                found.estimate.low <= 1.5 <= found.estimate.high,
                found.prediction[0] <= new <= found.prediction[1],
                found.tau.low <= tau <= found.tau.high,
            )
        )
    assert np.mean(held, axis=0) == pytest.approx(wanted, abs=0.02)
