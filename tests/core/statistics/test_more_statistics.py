"""Bootstrap, calibration, decision curves, agreement and group tests against independent answers."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, cohen_kappa_score

from dlre_core.statistics.agreement import obuchowski, weighted_kappa
from dlre_core.statistics.bootstrap import bootstrap_aucs, compare_overlapping_aucs, rank_scores, replicate_aucs
from dlre_core.statistics.calibration import (
    calibration,
    grouped_calibration,
    logistic_probabilities,
    smooth_calibration,
)
from dlre_core.statistics.comparisons import compare_paired_aucs, compare_unpaired_aucs
from dlre_core.statistics.decision import net_benefit, net_benefit_of_all
from dlre_core.statistics.groups import compare_means, compare_shares, student_t
from dlre_core.statistics.roc import roc_analysis


def sample(n=200, seed=1):
    generator = np.random.default_rng(seed)
    labels = (generator.random(n) < 0.4).astype(int)
    common = generator.normal(size=n)
    return labels, common + labels + generator.normal(size=n), common + 0.6 * labels


def naive_auc(labels, scores, weights):
    won = total = 0.0
    for i in np.flatnonzero(labels == 1):
        for j in np.flatnonzero(labels == 0):
            pair = weights[i] * weights[j]
            won += pair * ((scores[i] > scores[j]) + 0.5 * (scores[i] == scores[j]))
            total += pair
    return won / total if total else math.nan


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 1), st.integers(-3, 3), st.booleans()), min_size=3, max_size=14),
    st.integers(0, 2**31),
)
def test_the_bootstrap_kernel_is_the_weighted_mann_whitney(rows, seed):
    labels = np.array([row[0] for row in rows], dtype=np.int32)
    scores = np.array([float(row[1]) if row[2] else np.nan for row in rows])[:, None]
    generator = np.random.default_rng(seed)
    drawn = generator.integers(0, len(rows), (5, len(rows))).astype(np.int32)
    out = np.empty((5, 1))
    replicate_aucs(drawn, np.arange(len(rows)), labels, *rank_scores(scores, ~np.isnan(scores)), out)
    for replicate in range(5):
        weights = np.bincount(drawn[replicate], minlength=len(rows)) * ~np.isnan(scores[:, 0])
        expected = naive_auc(labels, np.nan_to_num(scores[:, 0]), weights)
        assert out[replicate, 0] == pytest.approx(expected, nan_ok=True, abs=1e-12)


def test_the_bootstrap_agrees_with_delong_and_repeats():
    labels, a, b = sample()
    drawn = bootstrap_aucs(labels, np.column_stack([a, b]), replicates=4000, seed=7)
    roc, test = roc_analysis(labels, a), compare_paired_aucs(labels, a, b)
    assert drawn[:, 0].mean() == pytest.approx(roc.auc, abs=0.002)
    assert drawn[:, 0].std() == pytest.approx(math.sqrt(roc.auc_variance), rel=0.05)
    difference = drawn[:, 0] - drawn[:, 1]
    assert difference.std() == pytest.approx(test.difference / test.statistic, rel=0.05)
    again = bootstrap_aucs(labels, np.column_stack([a, b]), replicates=4000, seed=7)
    assert np.array_equal(drawn, again)


def test_overlapping_cohorts_have_paired_and_unpaired_as_limits():
    labels, a, b = sample(400)
    same = compare_overlapping_aucs(labels, a, b, replicates=4000, seed=1)
    paired = compare_paired_aucs(labels, a, b)
    assert same.difference == pytest.approx(paired.difference)
    assert same.statistic == pytest.approx(paired.statistic, rel=0.06)
    half = np.arange(400) < 200
    apart = compare_overlapping_aucs(
        labels, np.where(half, a, np.nan), np.where(half, np.nan, b), replicates=4000, seed=1
    )
    unpaired = compare_unpaired_aucs(labels[half], a[half], labels[~half], b[~half])
    assert apart.statistic == pytest.approx(unpaired.statistic, rel=0.06)
    assert abs(apart.covariance) < 0.2 * abs(same.covariance)


def test_equal_scores_give_p_1_and_an_empty_class_a_reason():
    labels, a, _ = sample(60)
    same = compare_overlapping_aucs(labels, a, a, replicates=50, seed=1)
    assert (same.p_value, same.statistic, same.degenerate) == (1.0, 0.0, True)
    none = compare_overlapping_aucs(np.zeros(5, int), np.arange(5.0), np.arange(5.0), replicates=5)
    assert (math.isnan(none.p_value), none.reason) == (True, "no cases")
    with pytest.raises(ValueError, match="needed"):
        bootstrap_aucs([0, 1], [1.0, 2.0], replicates=1, seed=0)
    with pytest.raises(ValueError, match="must be 0"):
        bootstrap_aucs([0, 2], [[1.0], [2.0]], replicates=1, seed=0)


def test_unpaired_logits_keep_the_difference_and_refuse_perfection():
    labels, a, b = sample()
    plain = compare_unpaired_aucs(labels, a, labels, b)
    logit = compare_unpaired_aucs(labels, a, labels, b, scale="logit")
    assert (logit.difference, logit.interval) == (plain.difference, plain.interval)
    parts = [roc_analysis(labels, x) for x in (a, b)]
    error = math.sqrt(sum(r.auc_variance / (r.auc * (1 - r.auc)) ** 2 for r in parts))
    expected = (math.log(parts[0].auc / (1 - parts[0].auc)) - math.log(parts[1].auc / (1 - parts[1].auc))) / error
    assert logit.statistic == pytest.approx(expected)
    assert logit.p_value == pytest.approx(2 * stats.norm.sf(abs(expected)))
    perfect = compare_unpaired_aucs([0, 0, 1, 1], [1, 2, 3, 4], labels, a, scale="logit")
    assert "no logit" in perfect.reason
    with pytest.raises(ValueError, match="scale"):
        compare_unpaired_aucs(labels, a, labels, b, scale="probit")


def test_calibration_agrees_with_scikit_learn():
    generator = np.random.default_rng(5)
    logit = generator.normal(size=300)
    labels = (generator.random(300) < 1 / (1 + np.exp(-(0.5 + 0.7 * logit)))).astype(int)
    p = 1 / (1 + np.exp(-logit))
    found = calibration(labels, p)
    model = LogisticRegression(C=np.inf, tol=1e-10).fit(logit[:, None], labels)
    assert found.slope.value == pytest.approx(model.coef_[0, 0], rel=1e-5)
    assert found.intercept.value == pytest.approx(model.intercept_[0], rel=1e-4)
    assert found.brier == pytest.approx(brier_score_loss(labels, p), rel=1e-12)
    assert found.slope.low < found.slope.value < found.slope.high
    # At this shift expected cases equal observed ones.
    shifted = 1 / (1 + np.exp(-(logit + found.in_the_large.value)))
    assert shifted.sum() == pytest.approx(labels.sum())
    assert found.observed_expected == pytest.approx(labels.sum() / p.sum())


def test_calibration_of_separated_constant_or_one_sided_data_says_why():
    separated = calibration([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9])
    assert (math.isnan(separated.slope.value), separated.slope.reason) == (
        True,
        "cases and controls separate",
    )
    assert not math.isnan(separated.in_the_large.value)
    assert calibration([0, 1], [0.5, 0.5]).slope.reason == "all probabilities are equal"
    assert calibration([0, 0], [0.1, 0.2]).slope.reason == "no cases"
    assert calibration([1, 1, 0], [0.0, 1.0, np.nan]).n_missing == 1
    with pytest.raises(ValueError, match="0 to 1"):
        calibration([0, 1], [0.5, 1.5])
    assert len(smooth_calibration([0, 1], [0.5, 0.5])[0]) == 0
    groups = grouped_calibration([0, 1, 1], [0.1, 0.2, 0.9])
    assert [round(mean, 1) for mean, _ in groups] == [0.1, 0.2, 0.9]


def test_a_scores_probabilities_are_fitted_elsewhere():
    labels = np.array([0, 0, 1, 0, 1, 1])
    new = logistic_probabilities(labels, [1.0, 2, 3, 4, 5, 6], [1.0, 6.0, -1.0, np.nan])
    model = LogisticRegression(C=np.inf, tol=1e-10).fit(np.log([[1.0], [2], [3], [4], [5], [6]]), labels)
    assert new[:2] == pytest.approx(model.predict_proba(np.log([[1.0], [6.0]]))[:, 1], rel=1e-4)
    assert np.isnan(new[2:]).all()
    assert np.isnan(logistic_probabilities([1, 1], [1.0, 2.0], [1.0])).all()


def test_net_benefit_by_hand():
    # 4 patients, threshold 0.25: 2 true and 1 false positive, 2/4 - 1/4 * 1/3.
    benefit = net_benefit([1, 1, 0, 0], [0.9, 0.3, 0.25, 0.1], [0.25])
    assert benefit[0] == pytest.approx(2 / 4 - 1 / 4 / 3)
    assert net_benefit_of_all([1, 0, 0, 0], [0.5])[0] == pytest.approx(0.25 - 0.75)
    assert np.isnan(net_benefit([], [], [0.5])).all()
    with pytest.raises(ValueError, match="thresholds"):
        net_benefit([1], [0.5], [1.0])


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=6, max_size=60))
def test_weighted_kappa_agrees_with_scikit_learn(pairs):
    a, b = (np.array(column) for column in zip(*pairs, strict=True))
    table = np.zeros((4, 4), int)
    np.add.at(table, (a, b), 1)
    assume(len(set(a) | set(b)) > 1)
    expected = cohen_kappa_score(a, b, labels=range(4), weights="quadratic")
    assert weighted_kappa(table).value == pytest.approx(expected, abs=1e-9)


def test_obuchowski_by_hand_and_its_interval():
    stages, scores = [0, 0, 1, 2], [1.0, 2.0, 1.5, 3.0]
    # Pairs: 0-1 one of two wrong (penalty 1/2), 0-2 right, 1-2 right; 2 + 2 + 1 pairs.
    assert obuchowski(stages, scores, replicates=0).value == pytest.approx(1 - 0.5 / 5)
    labels, a, _ = sample(120)
    binary = obuchowski(labels, a, replicates=500, seed=1)
    assert binary.value == pytest.approx(roc_analysis(labels, a).auc)
    assert binary.low < binary.value < binary.high
    assert obuchowski([1, 1], [0.1, 0.2]).reason == "fewer than two stages"
    assert obuchowski([0, 1, 1], [np.nan, 0.2, 0.3]).reason == "fewer than two stages"


def test_the_papers_example_of_a_share():
    found = compare_shares(175, 266, 90, 132)
    assert (found.test, round(found.p_value, 3)) == ("χ²", 0.634)
    p, q = 175 / 266, 90 / 132
    assert found.standardised_mean_difference == pytest.approx((p - q) / math.sqrt((p * (1 - p) + q * (1 - q)) / 2))


def test_small_expected_counts_call_for_fisher():
    found = compare_shares(1, 20, 5, 20)
    assert (found.test, found.p_value) == ("Fisher", pytest.approx(stats.fisher_exact([[1, 19], [5, 15]]).pvalue))
    assert compare_shares(0, 10, 0, 10).reason == "the same in everybody"
    assert compare_shares(0, 0, 3, 10).reason == "nobody in a cohort"
    with pytest.raises(ValueError, match="no shares"):
        compare_shares(5, 4, 1, 2)


def test_numbers_choose_student_or_mann_whitney():
    generator = np.random.default_rng(1)
    normal, skewed = generator.normal(size=(2, 80)), generator.lognormal(size=(2, 80))
    student, rank = compare_means(*normal), compare_means(*skewed)
    assert (student.test, rank.test) == ("Student t", "Mann-Whitney")
    assert student.p_value == pytest.approx(stats.ttest_ind(*normal).pvalue)
    assert rank.p_value == pytest.approx(stats.mannwhitneyu(*skewed).pvalue)
    assert student_t(*skewed) == pytest.approx(stats.ttest_ind(*skewed).pvalue)
    assert compare_means([1.0], [1.0, 2.0]).reason.startswith("fewer than two")
    assert compare_means([1.0, 1.0], [1.0, np.nan, 1.0]).reason == "all values are equal"
    assert math.isnan(student_t([1.0], [2.0]))
