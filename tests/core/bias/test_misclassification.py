"""What errors of the biopsy make of an AUC."""

import math

import numpy as np
import pytest

from dlre_core.bias.misclassification import corrected_auc, highest_auc, predictive_values
from dlre_core.statistics.estimates import Estimate, undefined


def test_the_best_case_of_mehta_and_lower_accuracies():
    # Their abstract: with 40 % diseased and a biopsy right in 90 %, a perfect marker has 0.90.
    assert round(highest_auc(0.42, 0.9, 0.9), 1) == 0.9
    assert highest_auc(0.4 * 0.8 + 0.6 * 0.2, 0.8, 0.8) == pytest.approx((0.32 / 0.44 + 0.48 / 0.56) / 2)
    assert highest_auc(0.3, 1, 1) == 1


def test_predictive_values_are_those_of_a_table_of_counts():
    # 1,000 patients, 300 with the stage: 240 + 140 by biopsy, of sensitivity 0.8 and specificity 0.8.
    ppv, npv = predictive_values(0.38, 0.8, 0.8)
    assert (ppv, npv) == (pytest.approx(240 / 380), pytest.approx(560 / 620))
    with pytest.raises(ValueError, match="alone would explain"):
        predictive_values(0.1, 0.9, 0.9)
    with pytest.raises(ValueError, match="not of a biopsy"):
        predictive_values(0.4, 0.5, 0.5)


def test_the_corrected_auc_is_that_against_the_truth():
    generator, n = np.random.default_rng(2), 40_000
    truth = generator.random(n) < 0.35
    score = truth * 1.4 + generator.normal(size=n)
    biopsy = np.where(truth, generator.random(n) < 0.85, generator.random(n) > 0.9)

    def auc(labels):
        ranks = score.argsort().argsort() + 1
        return (ranks[labels].sum() - labels.sum() * (labels.sum() + 1) / 2) / (labels.sum() * (~labels).sum())

    found = corrected_auc(Estimate(auc(biopsy), 0.7, 0.8), float(biopsy.mean()), 0.85, 0.9)
    assert abs(found.value - auc(truth)) < 0.01 < auc(truth) - auc(biopsy)


def test_an_auc_at_the_ceiling_becomes_1_and_one_above_it_says_that_it_cannot_be():
    ceiling = highest_auc(0.42, 0.9, 0.9)
    found = corrected_auc(Estimate(ceiling - 1e-12, ceiling - 0.05, 0.95), 0.42, 0.9, 0.9)
    assert found.value == pytest.approx(1)
    assert found.high == 1
    above = corrected_auc(Estimate(0.97, 0.94, 0.99), 0.42, 0.9, 0.9)
    assert math.isnan(above.value)
    assert above.reason.startswith("above 1")
    below = corrected_auc(Estimate(0.2, 0.1, 0.3), 0.42, 0.75, 0.75)
    assert not below.defined
    assert below.reason.startswith("below 0")
    nothing = undefined("no cases")
    assert corrected_auc(nothing, 0.42, 0.9, 0.9).reason == "no cases"
    assert corrected_auc(Estimate(0.9, 0.8, 0.95), 0.05, 0.9, 0.9).reason.endswith("patients with the stage")
    half = corrected_auc(Estimate(0.5, 0.4, 0.6), 0.42, 0.8, 0.8)
    assert half.value == 0.5
