"""AUCs standardised for the shares of the stages."""

import math

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from dlre_core.bias.spectrum import dana, dana_adjusted_auc, standardised_auc
from dlre_core.statistics.roc import roc_analysis


def cohort(seed, counts=(12, 30, 18, 9, 14)):
    generator = np.random.default_rng(seed)
    stages = np.repeat(np.arange(5), counts)
    return stages, np.round(0.6 * stages + generator.normal(size=len(stages)), 1)


def test_dana_is_the_difference_of_the_mean_stages():
    # Cases F2, F3, F3, F4 have a mean of 3, controls F0, F1, F1 of 2/3.
    assert dana([0, 1, 1, 2, 3, 3, 4], 2) == pytest.approx(3 - 2 / 3)
    assert [dana(np.arange(5), lowest) for lowest in (1, 2, 3, 4)] == [2.5] * 4
    assert math.isnan(dana([2, 3], 2))
    # Cases of cirrhosis against F0 and F1: a wider spectrum, so that the AUC goes down.
    assert dana_adjusted_auc(0.90, dana([0, 1, 4, 4], 2)) == pytest.approx(0.90 - 0.1056)
    assert dana_adjusted_auc(0.99, 1.5) == 1


@pytest.mark.parametrize("lowest", [2, 3, 4])
def test_the_standardised_auc_is_scikit_learns_with_weights(lowest):
    stages, scores = cohort(3)
    classes = np.maximum(stages, 1)
    weights = 1 / np.bincount(classes)[classes]
    expected = roc_auc_score(stages >= lowest, scores, sample_weight=weights)
    assert standardised_auc(stages, scores, lowest).value == pytest.approx(expected, rel=1e-12)


def test_with_one_class_on_each_side_it_is_delongs():
    stages, scores = np.repeat([0, 1], (20, 30)), cohort(5)[1][:50]
    stages, scores = np.append(stages, [2, 3, 4] * 8), np.append(scores, cohort(6)[1][:24] + 1)
    # Those with F0 are one class if the question is F1 or more; its cases here are weighed alike.
    auc, known = standardised_auc(stages, scores, 1), roc_analysis(stages >= 1, scores).estimate
    assert auc.value != known.value
    same = np.repeat([1, 4], (30, 24))
    two = standardised_auc(np.append(same, [2, 2, 3, 3]), np.append(scores[:54], [np.nan] * 4), 4)
    assert two.reason == "no patient with F2, F3"


def test_missing_scores_and_small_classes():
    stages, scores = cohort(4)
    holes = np.where(np.arange(len(scores)) % 7 == 0, np.nan, scores)
    kept = ~np.isnan(holes)
    assert standardised_auc(stages, holes, 3) == standardised_auc(stages[kept], scores[kept], 3)
    one = standardised_auc(*cohort(4, (10, 10, 1, 6, 6)), 3)
    assert (one.defined, one.reason) == (True, "one patient of a stage")
    assert math.isnan(one.low)
    assert "4 cases" in standardised_auc(*cohort(4, (10, 10, 9, 9, 4)), 4).reason


def test_its_interval_covers_the_auc_of_even_stages():
    # Normal scores, so that the true value is the mean of those of two classes.
    from scipy.stats import norm

    stages = np.repeat(np.arange(5), (0, 25, 20, 12, 18))
    true = np.mean([norm.cdf(0.8 * (case - control) / np.sqrt(2)) for case in (3, 4) for control in (1, 2)])
    generator, covered = np.random.default_rng(1), 0
    for _ in range(1000):
        found = standardised_auc(stages, 0.8 * stages + generator.normal(size=len(stages)), 3)
        covered += found.low <= true <= found.high
    assert 0.92 < covered / 1000 < 0.97
