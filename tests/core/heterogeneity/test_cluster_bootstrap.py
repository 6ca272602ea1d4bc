"""The bootstrap that draws hospitals, against drawing them patient by patient."""

import numpy as np
import pytest

from dlre_core.heterogeneity.cluster_bootstrap import cluster_aucs, clustered_auc
from dlre_core.statistics.roc import roc_analysis


def hospitals(k=8, size=20, between=1.0, seed=2):
    rng = np.random.default_rng(seed)
    member = np.repeat(np.arange(k), size)
    labels = rng.integers(0, 2, k * size)
    slope = 1.2 + between * rng.normal(size=k)
    # Tenths, so that some tie.
    scores = np.round(slope[member] * labels + rng.normal(size=k * size), 1)
    return labels, scores, member


def test_replicates_are_those_of_patients_drawn_with_their_hospital():
    labels, scores, member = hospitals()
    found = cluster_aucs(labels, scores, member, replicates=30, seed=5)
    drawn = np.random.default_rng(5).multinomial(8, np.full(8, 1 / 8), size=30)
    for row, auc in zip(drawn, found, strict=True):
        patients = np.concatenate([np.flatnonzero(member == c) for c in range(8) for _ in range(row[c])])
        assert auc == pytest.approx(roc_analysis(labels[patients], scores[patients]).auc, abs=1e-12)


def test_the_interval_is_that_of_the_replicates_and_missing_scores_are_left_out():
    labels, scores, member = hospitals()
    found = clustered_auc(labels, scores, member, replicates=500, seed=1, confidence=0.9)
    aucs = cluster_aucs(labels, scores, member, replicates=500, seed=1)
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(aucs, [0.05, 0.95])))
    assert found.value == roc_analysis(labels, scores).auc
    more = np.append(labels, 1), np.append(scores, np.nan), np.append(member, 99)
    assert clustered_auc(*more, replicates=500, seed=1, confidence=0.9) == found


def test_hospitals_that_differ_widen_the_interval():
    def ratio(between):
        labels, scores, member = hospitals(k=10, size=60, between=between, seed=3)
        found = clustered_auc(labels, scores, member, replicates=2000, seed=1)
        low, high = roc_analysis(labels, scores).auc_interval
        return (found.high - found.low) / (high - low)

    assert ratio(0.0) == pytest.approx(1, abs=0.35)
    assert ratio(1.5) > 2


def test_what_has_no_interval_says_why():
    labels, scores, member = hospitals(k=4)
    found = clustered_auc(labels, scores, member, replicates=50, seed=1)
    assert found.defined
    assert np.isnan(found.low)
    assert found.reason == "no interval: 4 hospitals, fewer than 5"
    labels, scores, member = hospitals()
    few = np.where(np.arange(len(labels)) < 4, 1, 0)
    assert clustered_auc(few, scores, member, replicates=50, seed=1).reason == "no interval: 4 cases, fewer than 5"
    assert clustered_auc(0 * few, scores, member, replicates=50, seed=1).reason == "no cases"
    same = clustered_auc(labels, labels.astype(float), member, replicates=50, seed=1)
    assert same.reason == "no interval: nothing varies between hospitals"
    with pytest.raises(ValueError, match="one length"):
        clustered_auc(labels, scores, member[1:], replicates=50, seed=1)


def test_replicates_without_cases_are_no_number():
    found = cluster_aucs(np.array([1, 0, 0]), np.array([2.0, 1.0, 3.0]), np.array([0, 1, 2]), replicates=200, seed=1)
    assert np.isnan(found).any()
    assert set(found[~np.isnan(found)]) <= {0.0, 0.5, 1.0, 1 / 3, 2 / 3}
