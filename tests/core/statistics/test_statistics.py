"""Statistics by hand, by scipy and by their properties; pROC's numbers are in tests/oracles."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.integrate import trapezoid
from statsmodels.stats.proportion import proportion_confint

from dlre_core.statistics.comparisons import compare_paired_aucs, compare_unpaired_aucs, holm, log_t_tails
from dlre_core.statistics.cutoffs import sensitivity_cutoff, specificity_cutoff, youden_cutoff
from dlre_core.statistics.diagnostic import diagnostic_accuracy, diagnostic_accuracy_from_counts
from dlre_core.statistics.proportions import logit_predictive_value, proportion
from dlre_core.statistics.roc import roc_analysis

scored = st.lists(st.tuples(st.integers(0, 1), st.integers(-5, 5).map(float)), min_size=4, max_size=40)
counts = st.tuples(*[st.integers(0, 60)] * 4)


def split(pairs):
    labels, scores = np.array([p[0] for p in pairs]), np.array([p[1] for p in pairs])
    assume(0 < labels.sum() < len(labels))
    return labels, scores


def naive_auc(labels, scores):
    wins = [(a > b) + 0.5 * (a == b) for a in scores[labels == 1] for b in scores[labels == 0]]
    return np.mean(wins)


@settings(max_examples=100, deadline=None)
@given(scored)
def test_auc_is_mann_whitney(pairs):
    labels, scores = split(pairs)
    roc = roc_analysis(labels, scores)
    assert roc.auc == pytest.approx(naive_auc(labels, scores), abs=1e-12)
    u = stats.mannwhitneyu(scores[labels == 1], scores[labels == 0]).statistic
    assert roc.auc == pytest.approx(u / (roc.n_cases * roc.n_controls))
    # the curve's area is the AUC
    area = trapezoid(roc.sensitivity[::-1], 1 - roc.specificity[::-1])
    assert area == pytest.approx(roc.auc)


@settings(max_examples=60, deadline=None)
@given(scored)
def test_auc_and_variance_survive_monotone_maps_and_complement(pairs):
    labels, scores = split(pairs)
    first = roc_analysis(labels, scores)
    mapped = roc_analysis(labels, np.exp(scores) * 3 + 1)
    flipped = roc_analysis(labels, -scores)
    assert mapped.auc == pytest.approx(first.auc)
    assert flipped.auc == pytest.approx(1 - first.auc)
    for other in (mapped, flipped):
        np.testing.assert_allclose(other.auc_variance, first.auc_variance, atol=1e-14)


@pytest.mark.parametrize("interval", ["delong", "logit", "exact_binomial_n"])
@settings(max_examples=40, deadline=None)
@given(pairs=scored)
def test_intervals_contain_their_estimate_and_stay_in_range(interval, pairs):
    roc = roc_analysis(*split(pairs), interval=interval)
    low, high = roc.auc_interval
    if not math.isnan(low):
        assert 0 <= low <= roc.auc + 1e-12
        assert roc.auc - 1e-12 <= high <= 1


@settings(max_examples=60, deadline=None)
@given(scored, st.integers(0, 2**31))
def test_paired_test_is_antisymmetric_and_a_score_equals_itself(pairs, seed):
    labels, scores = split(pairs)
    assume(2 <= labels.sum() <= len(labels) - 2)
    other = scores + np.random.default_rng(seed).normal(0, 2, len(scores))
    there = compare_paired_aucs(labels, scores, other)
    back = compare_paired_aucs(labels, other, scores)
    assert there.difference == pytest.approx(-back.difference)
    if not there.degenerate:
        assert there.statistic == pytest.approx(-back.statistic)
        assert there.p_value == pytest.approx(back.p_value)
        assert math.copysign(1, there.statistic or 1) == math.copysign(1, there.difference or 1)
    same = compare_paired_aucs(labels, scores, scores * 2)
    assert (same.statistic, same.p_value, same.degenerate) == (0, 1, True)


def test_log_p_of_student_survives_underflow():
    labels = np.repeat([0, 1], 6000)
    generator = np.random.default_rng(0)
    good, bad = labels + 0.2 * generator.normal(size=12000), generator.normal(size=12000)
    test = compare_unpaired_aucs(labels, good, labels, bad)
    assert test.p_value == 0
    assert -1e6 < test.log_p_value < -745
    for degrees, t in ((3.5, 8.0), (40.0, 12.0), (8478.0, 20.0)):
        assert log_t_tails(degrees, t) == pytest.approx(math.log(2 * stats.t.sf(t, degrees)), rel=1e-9)


def test_log_p_survives_underflow():
    labels = np.repeat([0, 1], 20000)
    generator = np.random.default_rng(0)
    good, bad = labels + 0.2 * generator.normal(size=40000), generator.normal(size=40000)
    test = compare_paired_aucs(labels, good, bad)
    assert test.p_value == 0
    assert -1e6 < test.log_p_value < -745


@pytest.mark.parametrize(
    ("labels", "scores", "reason"),
    [
        ([1, 1, 1], [1, 2, 3], "no controls"),
        ([0, 0], [1, 2], "no cases"),
        ([], [], "no patients"),
        ([0, 1], [math.nan, 1], "no controls"),
    ],
)
def test_undefined_auc_says_why(labels, scores, reason):
    roc = roc_analysis(labels, scores)
    assert math.isnan(roc.auc)
    assert roc.reason == reason
    assert math.isnan(youden_cutoff(labels, scores).threshold)


def test_one_case_has_an_auc_but_no_variance():
    roc = roc_analysis([0, 0, 0, 1], [1, 2, 3, 2.5])
    assert roc.auc == pytest.approx(2 / 3)
    assert math.isnan(roc.auc_variance)
    assert "one case" in roc.reason
    test = compare_unpaired_aucs([0, 0, 0, 1], [1, 2, 3, 2.5], [0, 1, 0, 1], [1, 2, 3, 4])
    assert math.isnan(test.p_value)
    assert test.reason


def test_perfect_separation_is_degenerate_with_an_exact_bound():
    roc = roc_analysis([0, 0, 0, 1, 1], [1, 2, 3, 4, 5])
    assert (roc.auc, roc.auc_variance, roc.degenerate) == (1, 0, True)
    # the smaller class, two cases: lower 95 % bound of 2 of 2 is 0.05 ** (1 / 2)
    assert roc.one_sided_bound == pytest.approx(0.05**0.5)


def test_infinite_scores_have_a_rank():
    roc = roc_analysis([0, 1, 0, 1], [-math.inf, math.inf, 0, 1])
    assert roc.auc == 1
    assert np.isfinite(roc.sensitivity).all()


@pytest.mark.parametrize("bad", [([0, 2], [1, 2]), ([0, 1], [1, 2, 3])])
def test_wrong_arguments_are_refused(bad):
    with pytest.raises(ValueError, match="labels"):
        roc_analysis(*bad)
    with pytest.raises(ValueError, match="interval"):
        roc_analysis([0, 1], [1, 2], interval="magic")


def test_youden_takes_the_highest_sensitivity_of_ties():
    labels, scores = [0, 1, 0, 1], [1, 2, 3, 4]
    cutoff = youden_cutoff(labels, scores)
    assert (cutoff.threshold, cutoff.sensitivity, cutoff.specificity) == (1.5, 1.0, 0.5)


def test_fixed_sensitivity_and_specificity():
    labels = np.repeat([0, 1], 10)
    scores = np.concatenate([np.arange(10), np.arange(5, 15)]).astype(float)
    assert sensitivity_cutoff(labels, scores).sensitivity == 0.9
    assert sensitivity_cutoff(labels, scores).specificity == 0.6
    assert specificity_cutoff(labels, scores).specificity == 0.9
    assert specificity_cutoff(labels, scores).sensitivity == 0.6


@pytest.mark.parametrize(
    ("ours", "theirs"), [("clopper-pearson", "beta"), ("wilson", "wilson"), ("jeffreys", "jeffreys")]
)
@settings(max_examples=60, deadline=None)
@given(st.integers(1, 400), st.floats(0, 1), st.sampled_from([0.9, 0.95, 0.99]))
def test_proportions_agree_with_statsmodels(ours, theirs, total, share, confidence):
    successes = round(share * total)
    estimate = proportion(successes, total, confidence=confidence, method=ours)
    low, high = proportion_confint(successes, total, alpha=1 - confidence, method=theirs)
    if ours == "jeffreys":
        low, high = (0.0 if successes == 0 else low), (1.0 if successes == total else high)
    assert estimate.low == pytest.approx(max(low, 0), abs=1e-9)
    assert estimate.high == pytest.approx(min(high, 1), abs=1e-9)


def test_the_papers_comparators():
    accuracy = diagnostic_accuracy_from_counts(28, 4, 76, 24)
    shown = [
        round(100 * x, 1) for x in (accuracy.sensitivity.value, accuracy.sensitivity.low, accuracy.sensitivity.high)
    ]
    assert shown == [87.5, 71.0, 96.5]
    shown = [
        round(100 * x, 1) for x in (accuracy.specificity.value, accuracy.specificity.low, accuracy.specificity.high)
    ]
    assert shown == [76.0, 66.4, 84.0]
    ratios = diagnostic_accuracy_from_counts(16, 16, 93, 7)
    positive, negative = ratios.positive_likelihood_ratio, ratios.negative_likelihood_ratio
    assert [round(x, 2) for x in (positive.value, positive.low, positive.high)] == [
        7.14,
        3.23,
        15.8,
    ]
    assert [round(x, 2) for x in (negative.value, negative.low, negative.high)] == [
        0.54,
        0.38,
        0.76,
    ]


@settings(max_examples=150, deadline=None)
@given(
    counts,
    st.sampled_from(["clopper-pearson", "wilson", "jeffreys", "mercaldo-logit"]),
    st.sampled_from(["simel", "published"]),
)
def test_accuracy_is_consistent_whatever_the_counts(table, interval, ratio_interval):
    tp, fn, tn, fp = table
    accuracy = diagnostic_accuracy_from_counts(
        tp, fn, tn, fp, interval=interval, likelihood_ratio_interval=ratio_interval
    )
    assert accuracy.n == sum(table)
    for name in (
        "sensitivity",
        "specificity",
        "positive_predictive_value",
        "negative_predictive_value",
        "positive_likelihood_ratio",
        "negative_likelihood_ratio",
    ):
        estimate = getattr(accuracy, name)
        if not estimate.defined:
            assert estimate.reason
        elif not math.isnan(estimate.low):
            assert estimate.low <= estimate.value + 1e-9
            assert estimate.value - 1e-9 <= estimate.high
            assert estimate.low >= 0
    # exchanging the classes exchanges the measures
    mirrored = diagnostic_accuracy_from_counts(tn, fp, tp, fn, interval=interval)
    np.testing.assert_allclose(mirrored.sensitivity.high, accuracy.specificity.high)
    np.testing.assert_allclose(mirrored.positive_predictive_value.value, accuracy.negative_predictive_value.value)


def test_zero_cells_give_what_arithmetic_gives_and_never_a_false_interval():
    perfect = diagnostic_accuracy_from_counts(10, 0, 20, 0)
    assert math.isinf(perfect.positive_likelihood_ratio.value)
    assert math.isinf(perfect.positive_likelihood_ratio.high)
    assert 0 < perfect.positive_likelihood_ratio.low < math.inf
    everybody = diagnostic_accuracy_from_counts(32, 0, 0, 100).positive_likelihood_ratio
    assert everybody.value == 1
    assert everybody.low < 1 < everybody.high
    assert "zero cell" in everybody.reason
    assert perfect.negative_likelihood_ratio.value == 0
    assert perfect.negative_likelihood_ratio.high > 0
    nobody = diagnostic_accuracy_from_counts(0, 5, 7, 0)
    assert math.isnan(nobody.positive_predictive_value.value)
    assert nobody.positive_predictive_value.reason


def test_threshold_is_inclusive_and_missing_scores_are_counted():
    accuracy = diagnostic_accuracy([0, 1, 1, 0], [1, 2, math.nan, 2], 2)
    assert (accuracy.true_positives, accuracy.false_positives, accuracy.n_missing) == (1, 1, 1)
    with pytest.raises(ValueError, match="NaN"):
        diagnostic_accuracy([0, 1], [1, 2], math.nan)


def test_mercaldo_by_hand():
    # se 0.9 of 100, sp 0.8 of 100, prevalence 0.5: PPV = 0.9 / 1.1
    estimate = logit_predictive_value((90, 100), (80, 100), 0.5)
    assert estimate.value == pytest.approx(0.9 / 1.1)
    half = 1.959963984540054 * math.sqrt(0.1 / 0.9 / 100 + 0.8 / 0.2 / 100)
    logit = math.log(0.9 / 0.2)
    assert estimate.low == pytest.approx(1 / (1 + math.exp(half - logit)))


def test_holm_by_hand():
    np.testing.assert_allclose(holm([0.01, 0.04, math.nan, 0.03]), [0.03, 0.06, math.nan, 0.06])


def test_the_negative_predictive_values_limits_by_hand():
    estimate = logit_predictive_value((90, 100), (80, 120), 0.3, negative=True, confidence=0.9)
    se, sp = 90 / 100, 80 / 120
    assert estimate.value == pytest.approx(sp * 0.7 / (sp * 0.7 + (1 - se) * 0.3))
    # Mercaldo's variance of the logit: se / ((1 - se) n of cases) + (1 - sp) / (sp n of controls).
    variance = se / ((1 - se) * 100) + (1 - sp) / (sp * 120)
    logit = math.log(estimate.value / (1 - estimate.value))
    limits = [logit + sign * stats.norm.ppf(0.95) * math.sqrt(variance) for sign in (-1, 1)]
    assert (estimate.low, estimate.high) == pytest.approx(tuple(1 / (1 + np.exp(-np.array(limits)))))


def test_only_mercaldos_choice_gives_predictive_values_logit_limits():
    by = {
        name: diagnostic_accuracy_from_counts(20, 5, 60, 15, interval=name)
        for name in ("clopper-pearson", "wilson", "mercaldo-logit")
    }
    assert by["wilson"].positive_predictive_value == proportion(20, 35, method="wilson")
    assert by["mercaldo-logit"].positive_predictive_value == logit_predictive_value((20, 25), (60, 75), 0.25)
    expected = logit_predictive_value((20, 25), (60, 75), 0.25, negative=True)
    assert by["mercaldo-logit"].negative_predictive_value == expected
    assert by["mercaldo-logit"].sensitivity == by["clopper-pearson"].sensitivity
    # Without controls there is no prevalence to carry them to.
    alone = diagnostic_accuracy_from_counts(3, 2, 0, 0, interval="mercaldo-logit")
    assert alone.positive_predictive_value == proportion(3, 3)


def test_cutoffs_keep_what_was_asked_to_the_last_digit():
    labels, scores = np.repeat([1, 0], 10), np.append(np.arange(10.0), np.arange(10.0) - 4.5)
    # Nine of ten is 0.9 up to rounding: the wanted share itself is enough.
    asked = sensitivity_cutoff(labels, scores, 0.3 * 3)
    assert asked.sensitivity == 0.9
    assert specificity_cutoff(labels, scores, 0.1 * 7 + 0.2).specificity == 0.9
    assert sensitivity_cutoff(labels, scores, 0.95).sensitivity == 1.0
    youden = youden_cutoff(labels, scores)
    assert youden.youden == pytest.approx(youden.sensitivity + youden.specificity - 1)
    assert (asked.method, specificity_cutoff(labels, scores).method) == ("sensitivity_90", "specificity_90")
