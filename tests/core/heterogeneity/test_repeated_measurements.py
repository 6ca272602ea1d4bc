"""Intraclass correlations and within-patient deviations, held to Shrout and Fleiss and to R."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlre_core.heterogeneity.repeated_measurements import measurements_needed, reliability_of_mean, repeatability

# Shrout and Fleiss 1979, table 2: six targets, four judges. They print ICC(1,1) .17 and ICC(1,4) .44.
SHROUT_FLEISS = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
# R 4.2.2, x a vector of values and g of patients:
#   m <- summary(aov(x ~ factor(g)))[[1]]; B <- m$"Mean Sq"[1]; W <- m$"Mean Sq"[2]; d <- m$Df; n <- table(g)
#   k <- (sum(n) - sum(n^2) / sum(n)) / d[1]; f <- B / W; fl <- f / qf(.975, d[1], d[2]); fu <- f * qf(.975, d[2], d[1])
#   c((f - 1) / (f + k - 1), (fl - 1) / (fl + k - 1), (fu - 1) / (fu + k - 1)); c(1 - 1 / f, 1 - 1 / fl, 1 - 1 / fu)
#   sqrt(c(W, W * d[2] / qchisq(.975, d[2]), W * d[2] / qchisq(.025, d[2])))
BALANCED = {
    "single": (0.165741768405, -0.132932324875, 0.722560062328),
    "average": (0.442797133679, -0.884442155238, 0.912415420341),
    "within": (2.50277623628, 1.89112934204, 3.70116690655),
}
KPA = [5.1, 5.4, 4.9, 7.2, 7.9, 6.1, 6.0, 6.6, 6.3, 12.0, 10.1, 8.8, 9.4, 9.0]
WHOSE = [1, 1, 1, 2, 2, 3, 3, 3, 3, 4, 4, 5, 5, 5]
UNBALANCED = {
    "single": (0.945420055494, 0.771939071091, 0.993675652649),
    "average": (0.979438594489, 0.902989675588, 0.997690944337),
    "within": (0.534720418467, 0.367799529589, 0.976191040755),
}


@pytest.mark.parametrize(
    ("values", "patients", "wanted", "k"),
    [
        (np.ravel(SHROUT_FLEISS), np.repeat(range(6), 4), BALANCED, 4),
        (KPA, WHOSE, UNBALANCED, 2.75),
    ],
)
def test_r_gives_the_same(values, patients, wanted, k):
    found = repeatability(values, patients)
    assert found.per_patient == pytest.approx(k)
    for name, numbers in wanted.items():
        estimate = getattr(found, name)
        assert (estimate.value, estimate.low, estimate.high) == pytest.approx(numbers, rel=1e-10), name
    coefficient = found.repeatability
    expected = [1.959963984540054 * math.sqrt(2) * number for number in wanted["within"]]
    assert [coefficient.value, coefficient.low, coefficient.high] == pytest.approx(expected, rel=1e-10)


def test_missing_values_and_patients_measured_once_are_left_out():
    found = repeatability([*KPA, math.nan, 50.0], [*WHOSE, 1, 6])
    assert (found.patients, found.measurements) == (5, 14)
    assert found.single.value == pytest.approx(UNBALANCED["single"][0])


def test_what_cannot_be_said_is_a_word():
    few = repeatability([1.0, 2, 3, 4, 5, 6, 7, 8], np.repeat(range(4), 2))
    assert few.single.reason == few.within.reason == "4 patients measured twice, fewer than 5"
    assert not few.average.defined
    assert repeatability([], []).single.reason == "0 patients measured twice, fewer than 5"
    alike = repeatability([3.0] * 10, np.repeat(range(5), 2))
    assert alike.single.reason == "measurements do not vary"
    same = repeatability(np.repeat(range(5), 2), np.repeat(range(5), 2))
    assert (same.single.value, same.within.value) == (1, 0)
    assert math.isnan(same.single.low)
    level = repeatability([-1.0, 1.0] * 5, np.repeat(range(5), 2))
    assert level.single.value == -1
    assert level.average.reason == "all patients have the same mean"
    with pytest.raises(ValueError, match="one length"):
        repeatability([1.0], [1, 2])


def test_the_interval_of_a_single_measurement_covers():
    """True ICC 0.8, 20 patients with 5 measurements: 95 % of 2,000 intervals hold it, within Monte Carlo's error."""
    rng = np.random.default_rng(4)
    patients = np.repeat(range(20), 5)
    held = []
    for _ in range(2000):
        values = 2 * rng.normal(size=20)[patients] + rng.normal(size=100)
        found = repeatability(values, patients)
        held.append((found.single.low <= 0.8 <= found.single.high, found.within.low <= 1 <= found.within.high))
    assert np.mean(held, axis=0) == pytest.approx([0.95, 0.95], abs=0.015)


@settings(max_examples=50, deadline=None)
@given(st.floats(0.01, 0.99), st.floats(0.5, 0.99))
def test_the_number_of_measurements_is_the_first_that_reaches_what_is_wanted(single, wanted):
    k = measurements_needed(single, wanted)
    assert reliability_of_mean(single, [k])[0] >= wanted - 1e-9
    assert k == 1 or reliability_of_mean(single, [k - 1])[0] < wanted


def test_no_number_of_measurements_helps_where_patients_do_not_differ():
    assert measurements_needed(0.0, 0.9) is measurements_needed(math.nan, 0.9) is None
    assert measurements_needed(0.5, 0.9) == 9
    with pytest.raises(ValueError, match="between 0 and 1"):
        measurements_needed(0.5, 1.0)


def test_the_mean_of_k_measurements_has_the_analysis_of_variances_own_icc():
    found = repeatability(np.ravel(SHROUT_FLEISS), np.repeat(range(6), 4))
    assert reliability_of_mean(found.single.value, [4])[0] == pytest.approx(found.average.value)
