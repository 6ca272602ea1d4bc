"""AUC over independent groups: heterogeneity, every pair, their level, and who is left out."""

from itertools import product

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.meta_analysis import combine_effects

from dlre_core.statistics.comparisons import (
    auc_heterogeneity,
    compare_every_two_groups,
    compare_overlapping_aucs,
    compare_unpaired_aucs,
)

NAMES = ("A", "B", "C", "D")


def drawn(shifts, n=60, seed=3, share=0.4):
    """Patients of as many groups as shifts: controls normal, cases shifted."""
    generator = np.random.default_rng(seed)
    groups = np.repeat(NAMES[: len(shifts)], n)
    labels = (generator.random(len(groups)) < share).astype(int)
    scores = generator.normal(size=len(groups)) + labels * np.repeat(shifts, n)
    return labels, scores, groups


def naive(labels, scores):
    """AUC and DeLong's variance from all pairs of a case and a control."""
    cases, controls = scores[labels == 1], scores[labels == 0]
    won = np.array([[(x > y) + 0.5 * (x == y) for y in controls] for x in cases])
    variance = won.mean(axis=1).var(ddof=1) / len(cases) + won.mean(axis=0).var(ddof=1) / len(controls)
    return won.mean(), variance


def test_by_hand_with_variances_from_all_pairs():
    labels, scores, groups = drawn([1.5, 0.9, 0.3], n=40)
    scores = scores.round(1)
    found = auc_heterogeneity(labels, scores, groups, NAMES[:3])
    areas, variances = np.array([naive(labels[groups == g], scores[groups == g]) for g in NAMES[:3]]).T
    weights = 1 / variances
    middle = (weights * areas).sum() / weights.sum()
    statistic = (weights * (areas - middle) ** 2).sum()
    assert found.statistic == pytest.approx(statistic, rel=1e-10)
    assert found.degrees_of_freedom == 2
    assert found.p_value == pytest.approx(stats.chi2.sf(statistic, 2), rel=1e-10)
    assert found.pooled == pytest.approx(middle, rel=1e-12)
    assert (found.groups, found.left_out, found.reason) == (NAMES[:3], (), "")
    # The Wald test of two contrasts is the same test.
    contrasts = np.array([[1.0, -1.0, 0.0], [1.0, 0.0, -1.0]])
    middle_part = np.linalg.inv(contrasts @ np.diag(variances) @ contrasts.T)
    assert found.statistic == pytest.approx(contrasts @ areas @ middle_part @ (contrasts @ areas), rel=1e-10)


@pytest.mark.parametrize("scale", ["auc", "logit"])
def test_cochrans_q_of_statsmodels(scale):
    labels, scores, groups = drawn([1.4, 1.0, 0.6, 1.2])
    found = auc_heterogeneity(labels, scores, groups, NAMES, scale=scale)
    areas, variances = np.array([naive(labels[groups == g], scores[groups == g]) for g in NAMES]).T
    if scale == "logit":
        areas, variances = np.log(areas / (1 - areas)), variances / (areas * (1 - areas)) ** 2
    theirs = combine_effects(areas, variances)
    assert found.statistic == pytest.approx(theirs.q, rel=1e-9)
    assert found.degrees_of_freedom == theirs.df == 3


def test_of_two_groups_it_is_the_square_of_z():
    labels, scores, groups = drawn([1.5, 0.7])
    first, second = groups == "A", groups == "B"
    for scale in ("auc", "logit"):
        found = auc_heterogeneity(labels, scores, groups, ["A", "B"], scale=scale)
        z = compare_unpaired_aucs(labels[first], scores[first], labels[second], scores[second], scale=scale).statistic
        assert found.statistic == pytest.approx(z**2, rel=1e-10)


def test_groups_that_are_equal_give_one():
    labels, scores, _ = drawn([1.0])
    found = auc_heterogeneity(np.tile(labels, 3), np.tile(scores, 3), np.repeat(["A", "B", "C"], len(labels)), "ABC")
    assert (found.statistic, found.p_value) == (0.0, 1.0)


def test_who_cannot_be_tested_is_left_out_with_the_reason():
    labels, scores, groups = drawn([1.2, 0.8, 0.5, 1.0])
    whole = auc_heterogeneity(labels, scores, groups, ["A", "B"])
    # C separates perfectly, D has four cases only, and some scores of A's are missing.
    scores = np.where((groups == "C") & (labels == 1), 99.0, scores)
    few = np.flatnonzero((groups == "D") & (labels == 1))[4:]
    labels[few] = 0
    found = auc_heterogeneity(labels, scores, groups, NAMES)
    assert found.groups == ("A", "B")
    assert found.left_out == (("C", "an AUC of 0 or 1 has no variance"), ("D", "4 cases, fewer than 5"))
    assert (found.statistic, found.degrees_of_freedom) == (whole.statistic, 1)
    alone = auc_heterogeneity(labels, scores, groups, ["A", "C", "D"])
    assert alone.reason == "1 group with a variance: nothing to compare"
    assert np.isnan(alone.p_value)
    none = auc_heterogeneity(labels, scores, groups, ["Z"])
    assert none.left_out == (("Z", "no patients"),)


def test_missing_scores_and_patients_of_no_group_do_not_count():
    labels, scores, groups = drawn([1.2, 0.8, 0.5])
    gone = np.arange(0, len(scores), 7)
    without = auc_heterogeneity(*(np.delete(column, gone) for column in (labels, scores, groups)), "ABC")
    missing = scores.copy()
    missing[gone] = np.nan
    assert auc_heterogeneity(labels, missing, groups, "ABC") == without
    elsewhere = groups.astype(object).copy()
    elsewhere[gone] = "unknown"
    assert auc_heterogeneity(labels, scores, elsewhere, "ABC") == without


def test_a_constant_score_has_no_variance():
    labels, _, groups = drawn([1.0, 1.0])
    found = auc_heterogeneity(labels, np.ones(len(labels)), groups, "AB")
    assert [reason for _, reason in found.left_out] == ["zero variance"] * 2


def test_a_scale_that_does_not_exist_is_refused():
    labels, scores, groups = drawn([1.0, 1.0])
    with pytest.raises(ValueError, match="neither auc nor logit"):
        auc_heterogeneity(labels, scores, groups, "AB", scale="probit")


def test_every_pair_is_the_unpaired_test_and_holm_counts_all_of_them():
    labels, scores, groups = drawn([1.6, 0.9, 0.2], n=80)
    pairs = compare_every_two_groups(labels, scores, groups, "ABC")
    assert [(pair.first, pair.second) for pair in pairs] == [("A", "B"), ("A", "C"), ("B", "C")]
    for pair in pairs:
        columns = [np.where(groups == name, scores, np.nan) for name in (pair.first, pair.second)]
        assert pair.comparison == compare_overlapping_aucs(labels, *columns)
    p = [pair.comparison.p_value for pair in pairs]
    # Holm by hand: the smallest times 3, the next times 2, the largest once, never falling.
    expected, last = {}, 0.0
    for factor, place in zip((3, 2, 1), np.argsort(p), strict=True):
        last = max(last, min(factor * p[place], 1.0))
        expected[place] = last
    assert [pair.p_holm for pair in pairs] == pytest.approx([expected[place] for place in range(3)])
    assert pairs[1].p_holm < 0.05


def test_a_pair_without_p_is_not_counted_by_holm():
    labels, scores, groups = drawn([1.6, 0.9, 0.2])
    labels[np.flatnonzero((groups == "C") & (labels == 1))[4:]] = 0
    pairs = compare_every_two_groups(labels, scores, groups, "ABC")
    assert pairs[0].p_holm == pairs[0].comparison.p_value
    assert np.isnan(pairs[1].p_holm)
    assert "fewer than 5" in pairs[1].comparison.reason


@pytest.mark.parametrize(("scale", "shift"), list(product(["auc", "logit"], [0.0, 1.0])))
def test_level_of_the_test_by_simulation(scale, shift):
    """Three groups of 100, 40 % cases: 5 % of 1,000 studies, three standard errors either way."""
    generator = np.random.default_rng(11)
    groups, labels = np.repeat(["A", "B", "C"], 100), np.tile([1, 1, 0, 0, 0], 60)
    rejected = 0
    for _ in range(1000):
        scores = generator.normal(size=300) + shift * labels
        rejected += auc_heterogeneity(labels, scores, groups, "ABC", scale=scale).p_value < 0.05
    assert 30 <= rejected <= 70


def test_it_finds_what_is_there():
    generator = np.random.default_rng(12)
    groups, labels = np.repeat(["A", "B", "C"], 200), np.tile([1, 1, 0, 0, 0], 120)
    shift = np.repeat([2.0, 1.2, 1.2], 200)
    found = [
        auc_heterogeneity(labels, generator.normal(size=600) + shift * labels, groups, "ABC").p_value < 0.05
        for _ in range(200)
    ]
    assert np.mean(found) > 0.8
