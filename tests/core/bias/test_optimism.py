"""The .632+ bootstrap and the variance of repeated splits."""

import math

import numpy as np
import pytest
from scipy import stats
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from dlre_core.bias.optimism import (
    bootstrap_632_plus,
    corrected_resampled,
    linear_predictors,
    plus_estimate,
    weighted_auc,
)


def data(n=60, k=4, signal=1.0, seed=1):
    generator = np.random.default_rng(seed)
    labels = np.repeat([0, 1], n // 2)
    return labels, generator.normal(size=(n, k)) + signal * labels[:, None] * np.eye(k)[0]


def test_the_regressions_are_scikit_learns_however_often_patients_are_drawn():
    labels, features = data()
    drawn = np.random.default_rng(2).integers(0, 60, size=(5, 60))
    weights = np.stack([np.bincount(rows, minlength=60) for rows in drawn]).astype(float)
    ours = linear_predictors(labels, features * [1, 10, 0.1, 1] + 5, weights)
    for rows, predicted in zip(drawn, ours, strict=True):
        model = make_pipeline(StandardScaler(), LogisticRegression(tol=1e-10, max_iter=10_000))
        model.fit((features * [1, 10, 0.1, 1] + 5)[rows], labels[rows])
        np.testing.assert_allclose(predicted, model.decision_function(features * [1, 10, 0.1, 1] + 5), atol=1e-5)


def test_the_weighted_auc_is_scikit_learns():
    labels, features = data()
    scores, weights = np.round(features[:, 0], 1), np.random.default_rng(3).integers(0, 4, 60).astype(float)
    expected = roc_auc_score(labels, scores, sample_weight=weights)
    assert weighted_auc(labels, scores, weights) == pytest.approx(expected, rel=1e-12)
    assert math.isnan(weighted_auc(labels, scores, 1.0 * labels))


def test_the_estimate_is_a_plain_loop_over_samples_with_scikit_learn():
    labels, features = data(n=40, k=2)
    # Sampling errors of two runs with other samples: 400 samples, SD of the out-of-bag AUC about 0.08.
    ours = bootstrap_632_plus(labels, features, replicates=2000, seed=1)
    generator, outside, own = np.random.default_rng(9), [], []
    for _ in range(400):
        rows = np.concatenate([generator.choice(20, 20), 20 + generator.choice(20, 20)])
        out = np.setdiff1d(np.arange(40), rows)
        model = make_pipeline(StandardScaler(), LogisticRegression()).fit(features[rows], labels[rows])
        outside.append(roc_auc_score(labels[out], model.decision_function(features[out])))
        own.append(roc_auc_score(labels[rows], model.decision_function(features[rows])))
    assert ours.out_of_bag == pytest.approx(np.mean(outside), abs=0.015)
    shift = ours.corrected.value - ours.apparent
    assert ours.corrected.value == plus_estimate(ours.apparent, ours.out_of_bag)
    assert [ours.corrected.low, ours.corrected.high] == pytest.approx(
        np.clip(np.quantile(own, [0.025, 0.975]) + shift, 0, 1), abs=0.03
    )


def test_what_has_no_signal_goes_towards_one_half_and_one_feature_keeps_its_auc():
    # 20 features without signal fit 40 patients well, and others not at all.
    found = bootstrap_632_plus(*data(n=40, k=20, signal=0, seed=4), replicates=300, seed=1)
    assert found.apparent > 0.85
    assert abs(found.corrected.value - 0.5) < 0.15
    one = bootstrap_632_plus(*data(n=200, k=1, signal=1.5), replicates=300, seed=1)
    assert abs(one.apparent - one.corrected.value) < 0.005


def test_efron_and_tibshiranis_limits():
    assert plus_estimate(0.9, 0.9) == 0.9
    # R = 1: the whole weight lies on the out-of-bag estimate, which is taken for 0.5 at least.
    assert plus_estimate(0.9, 0.3) == 0.5
    assert plus_estimate(0.7, 0.8) == pytest.approx(0.368 * 0.7 + 0.632 * 0.8)


def test_the_same_seed_gives_the_same_numbers_and_few_patients_none():
    labels, features = data()
    first, second = (bootstrap_632_plus(labels, features, replicates=50, seed=7) for _ in range(2))
    assert first == second
    few = bootstrap_632_plus(labels[26:], np.where(labels[:, None] == 2, np.nan, features)[26:], replicates=5, seed=1)
    assert few.corrected.reason == "4 controls, fewer than 5"


def test_nadeau_and_bengios_interval_is_wider_than_students_by_their_factor():
    values = [0.91, 0.88, 0.95, 0.90, 0.93]
    found, p = corrected_resampled(values, 1 / 2)
    student = stats.t.interval(0.95, 4, np.mean(values), stats.sem(values))
    factor = math.sqrt((1 / 5 + 1 / 2) / (1 / 5))
    assert found.high - found.value == pytest.approx((student[1] - np.mean(values)) * factor)
    assert p == pytest.approx(stats.ttest_1samp(np.array(values), 0).pvalue, abs=1e-4)
    same, none = corrected_resampled([0.9, 0.9], 0.5)
    assert same.value == 0.9
    assert math.isnan(same.low)
    assert math.isnan(none)
