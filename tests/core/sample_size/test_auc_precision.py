"""Patients for AUCs and their differences, against pROC, and the power that tests really have."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from dlre_core.sample_size.auc_precision import (
    auc_of_mean,
    auc_variance,
    cases_for_difference,
    cases_for_width,
    least_difference,
    power_of_difference,
    separation,
)
from dlre_core.statistics.comparisons import compare_paired_aucs

aucs = st.floats(0.55, 0.98)


# R 4.2.2, pROC 1.18.0: pROC:::var.params.obuchowski(sqrt(2) * qnorm(auc), 1, kappa)
@pytest.mark.parametrize(("auc", "ratio", "variance"), [(0.8, 1, 0.12001694), (0.95, 4, 0.02553416)])
def test_variance_is_that_of_proc(auc, ratio, variance):
    assert auc_variance(auc, ratio) == pytest.approx(variance, abs=1e-8)


# power.roc.test(list(A1=sqrt(2)*qnorm(first), B1=1, A2=sqrt(2)*qnorm(second), B2=1, rn=r, ra=r,
#                     delta=first-second), power=power, sig.level=.05, kappa=ratio)$ncases
@pytest.mark.parametrize(
    ("first", "second", "correlation", "ratio", "power", "cases"),
    [
        (0.97, 0.86, 0.4, 4, 0.8, 20.027713),
        (0.9, 0.85, 0.6, 1, 0.9, 376.857729),
        (0.85, 0.77, 0.3, 0.5, 0.8, 260.302704),
    ],
)
def test_cases_for_a_difference_are_those_of_proc(first, second, correlation, ratio, power, cases):
    assert cases_for_difference(first, second, ratio, correlation, power) == pytest.approx(cases, abs=1e-6)


def test_power_is_that_of_proc():
    # The same call with ncases=22, ncontrols=110 instead of power and kappa.
    assert power_of_difference(0.97, 0.86, 22, 110, 0.4) == pytest.approx(0.8264544463, abs=1e-9)


def test_the_width_of_an_interval_by_hand():
    # 1.96 standard errors on both sides, variance 0.12001694 for 120 cases and as many controls.
    width = 2 * 1.959964 * math.sqrt(0.12001694 / 120)
    assert cases_for_width(0.8, width, 1) == pytest.approx(120, rel=1e-6)


@given(aucs, aucs, st.floats(0.2, 5), st.floats(0, 0.9), st.floats(0.5, 0.95))
def test_as_many_cases_as_a_power_needs_have_that_power(first, second, ratio, correlation, power):
    if abs(first - second) > 0.01:
        cases = cases_for_difference(first, second, ratio, correlation, power)
        assert power_of_difference(first, second, cases, ratio * cases, correlation) == pytest.approx(power, abs=1e-9)


def test_delongs_test_has_the_power_that_was_planned():
    first, second, correlation, chance = 0.9, 0.8, 0.5, np.random.default_rng(2019)
    cases = math.ceil(cases_for_difference(first, second, 1, correlation))
    labels = np.repeat([1, 0], cases)
    noise = np.array([[1, correlation], [correlation, 1]])
    found = 0
    for _ in range(400):
        scores = chance.multivariate_normal([0, 0], noise, 2 * cases)
        scores[labels == 1] += [separation(first), separation(second)]
        found += compare_paired_aucs(labels, *scores.T).p_value < 0.05
    # Obuchowski's variance is a little too large, so a study of this size finds rather more.
    assert 0.78 < found / 400 < 0.92


@given(st.floats(0.001, 0.2), st.floats(0.55, 0.99), st.floats(0.001, 0.2))
def test_the_least_difference_is_found_as_often_as_its_power_says(error, power, level):
    standard = least_difference(error, power, level) / error
    assert norm.sf(norm.isf(level / 2) - standard) == pytest.approx(power, abs=1e-9)


@given(aucs, st.integers(1, 20), st.floats(0, 1))
def test_more_pictures_never_lower_the_auc(auc, pictures, reliability):
    assert auc_of_mean(auc, 1, reliability) == pytest.approx(auc)
    assert auc_of_mean(auc, pictures + 1, reliability) >= auc_of_mean(auc, pictures, reliability) - 1e-12


@pytest.mark.parametrize("auc", [0.4, 1.0, math.nan])
def test_an_auc_that_cannot_be_planned_for_is_refused(auc):
    with pytest.raises(ValueError, match=r"0\.5 or more, below 1"):
        separation(auc)


def test_equal_aucs_have_no_difference():
    with pytest.raises(ValueError, match="no difference"):
        cases_for_difference(0.8, 0.8, 1, 0.5)
