"""Bootstrap, calibration, decision curves, agreement and group tests against independent answers."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, cohen_kappa_score

from dlre_core.statistics.agreement import obuchowski, obuchowski_by_chance, rescaled, weighted_kappa
from dlre_core.statistics.bootstrap import bootstrap_aucs, rank_scores, replicate_aucs
from dlre_core.statistics.calibration import (
    calibration,
    calibration_band,
    grouped_calibration,
    logistic_probabilities,
    smooth_calibration,
)
from dlre_core.statistics.comparisons import compare_overlapping_aucs, compare_paired_aucs, compare_unpaired_aucs
from dlre_core.statistics.cutoffs import cutoff_interval, youden_cutoff
from dlre_core.statistics.decision import net_benefit, net_benefit_band
from dlre_core.statistics.diagnostic import diagnostic_accuracy_from_counts
from dlre_core.statistics.estimates import Estimate, too_few
from dlre_core.statistics.groups import compare_means, compare_shares, student_t
from dlre_core.statistics.roc import roc_analysis, roc_band


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
    same = compare_overlapping_aucs(labels, a, b)
    paired = compare_paired_aucs(labels, a, b)
    assert same.difference == pytest.approx(paired.difference)
    assert same.statistic == pytest.approx(paired.statistic, rel=1e-12)
    assert same.covariance == pytest.approx(paired.covariance, rel=1e-12)
    half = np.arange(400) < 200
    apart = compare_overlapping_aucs(labels, np.where(half, a, np.nan), np.where(half, np.nan, b))
    unpaired = compare_unpaired_aucs(labels[half], a[half], labels[~half], b[~half])
    assert apart.statistic == pytest.approx(unpaired.statistic, rel=1e-12)
    assert apart.covariance == 0
    # Half of the patients in both cohorts: a bootstrap that draws them finds the same standard error.
    third = [np.where(np.arange(400) % 3 == gone, np.nan, x) for gone, x in ((0, a), (1, b))]
    part = compare_overlapping_aucs(labels, *third)
    drawn = bootstrap_aucs(labels, np.column_stack(third), replicates=4000, seed=3)
    assert part.difference / part.statistic == pytest.approx((drawn[:, 0] - drawn[:, 1]).std(), rel=0.05)
    assert 0 < part.covariance < same.covariance


def test_degrees_of_freedom_are_satterthwaites_of_cases_and_controls():
    labels, a, b = np.repeat([1, 0], [6, 20]), *np.random.default_rng(4).normal(size=(2, 26))
    found = compare_overlapping_aucs(labels, a, b)
    first, second = (roc_analysis(labels, x) for x in (a, b))
    cases = np.var(first.placements_cases - second.placements_cases, ddof=1) / 6
    controls = np.var(first.placements_controls - second.placements_controls, ddof=1) / 20
    degrees = (cases + controls) ** 2 / (cases**2 / 5 + controls**2 / 19)
    assert found.degrees_of_freedom == pytest.approx(degrees)
    t = (first.auc - second.auc) / math.sqrt(cases + controls)
    assert found.p_value == pytest.approx(2 * stats.t.sf(abs(t), degrees))


@pytest.mark.parametrize("cases", [1, 2, 4])
def test_significance_is_never_taken_from_a_few_patients(cases):
    labels = np.repeat([1, 0], [cases, 44])
    scores = np.concatenate([np.full(cases, 50.0), np.arange(44)])
    other = np.concatenate([np.arange(cases) + 9.5, np.arange(44)])
    for test in (compare_overlapping_aucs(labels, scores, other), compare_paired_aucs(labels, scores, other)):
        assert math.isnan(test.reported.p_value)
        assert all(map(math.isnan, test.reported.interval))
        assert test.reported.reason == f"{cases} case{'s' * (cases > 1)}, fewer than 5"
    estimate = roc_analysis(labels, other).estimate
    assert math.isnan(estimate.low)


def test_an_auc_of_one_is_not_known_exactly():
    labels = np.repeat([1, 0], [20, 44])
    perfect, weak = labels + np.linspace(0, 0.5, 64), np.random.default_rng(1).normal(size=64)
    assert compare_paired_aucs(labels, perfect, weak).reported.reason == "an AUC of 0 or 1 has no variance"
    both = compare_paired_aucs(labels, perfect, perfect * 2).reported
    assert math.isnan(both.p_value)
    assert all(map(math.isnan, both.interval))
    equal = compare_paired_aucs(labels, weak, weak * 2).reported
    assert (math.isnan(equal.p_value), equal.reason) == (True, "no variance of the difference")
    weaker = compare_paired_aucs(labels, weak, np.random.default_rng(2).normal(size=64))
    assert weaker.reported is weaker


@pytest.mark.parametrize("cases", [5, 22])
def test_tests_of_the_tables_keep_their_level(cases):
    """5 % under the null, at most 8 % in 500 samples (three standard errors); a bootstrap's z had 13 % at 5 cases."""
    generator = np.random.default_rng(cases)
    labels = np.repeat([1, 0], [cases, 44])
    rejected = dict.fromkeys(("paired", "overlapping", "apart"), 0)
    for _ in range(500):
        common = generator.normal(size=len(labels)) * 0.7
        a, b = (common + 0.7 * generator.normal(size=len(labels)) + 1.2 * labels for _ in range(2))
        place = generator.permutation(len(labels))
        out = [np.where(np.argsort(np.argsort(place)) % 4 == gone, np.nan, x) for gone, x in ((0, a), (1, b))]
        new = generator.normal(size=len(labels)) + 1.2 * labels
        tests = {
            "paired": compare_paired_aucs(labels, a, b),
            "overlapping": compare_overlapping_aucs(labels, *out),
            "apart": compare_overlapping_aucs(
                np.tile(labels, 2), np.append(a, np.full(len(a), np.nan)), np.append(np.full(len(a), np.nan), new)
            ),
        }
        for name, test in tests.items():
            rejected[name] += test.reported.p_value < 0.05
    assert max(rejected.values()) <= 0.08 * 500, rejected


def test_equal_scores_give_p_1_and_an_empty_class_a_reason():
    labels, a, _ = sample(60)
    same = compare_overlapping_aucs(labels, a, a)
    assert (same.p_value, same.statistic, same.degenerate) == (1.0, 0.0, True)
    none = compare_overlapping_aucs(np.zeros(5, int), np.arange(5.0), np.arange(5.0))
    assert (math.isnan(none.p_value), none.reason) == (True, "no cases")
    # Nobody has a score: that is no variance of zero.
    absent = compare_paired_aucs(labels, np.full(60, np.nan), a)
    assert (math.isnan(absent.p_value), absent.reason, absent.degenerate) == (True, "no patients", False)
    with pytest.raises(ValueError, match="needed"):
        bootstrap_aucs([0, 1], [1.0, 2.0], replicates=1, seed=0)
    with pytest.raises(ValueError, match="must be 0"):
        bootstrap_aucs([0, 2], [[1.0], [2.0]], replicates=1, seed=0)


def test_a_constant_score_has_no_bound_and_a_cutoff_that_says_so():
    labels = np.repeat([0, 1], 10)
    estimate = roc_analysis(labels, np.ones(20)).estimate
    assert (estimate.value, estimate.reason) == (0.5, "no interval: all scores tie")
    assert math.isnan(estimate.low)
    cutoff = youden_cutoff(labels, np.ones(20))
    assert (cutoff.threshold, cutoff.reason) == (-math.inf, "everybody is positive")
    assert all(map(math.isnan, cutoff_interval(labels, np.ones(20))))


def test_the_interval_of_a_cutoff_is_that_of_choosing_it_anew():
    generator = np.random.default_rng(3)
    labels = np.repeat([0, 1], [40, 20])
    scores = generator.normal(size=60) + labels
    scores[[3, 50]] = np.nan
    low, high = cutoff_interval(labels, scores, replicates=600, seed=2)
    known = ~np.isnan(scores)
    y, x = labels[known], scores[known]
    chosen = []
    for _ in range(600):
        rows = np.concatenate([generator.choice(np.flatnonzero(y == value), (y == value).sum()) for value in (0, 1)])
        # Of the thresholds between all patients, as the interval has them; ties go to the highest sensitivity.
        thresholds = roc_analysis(y, x).thresholds
        youden = [(x[rows][y[rows] == 1] >= t).mean() + (x[rows][y[rows] == 0] < t).mean() for t in thresholds]
        chosen.append(thresholds[int(np.argmax(np.round(youden, 12)))])
    expected = np.quantile(chosen, [0.025, 0.975])
    spread = np.ptp(expected)
    assert low == pytest.approx(expected[0], abs=0.15 * spread)
    assert high == pytest.approx(expected[1], abs=0.15 * spread)
    assert low <= youden_cutoff(labels, scores).threshold <= high
    assert too_few(5, 5) == ""
    assert math.isnan(cutoff_interval([0, 0, 0, 0, 0, 0, 1, 1, 1, 1], np.arange(10.0))[0])


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
    assert found.brier.value == pytest.approx(brier_score_loss(labels, p), rel=1e-12)
    assert found.slope.low < found.slope.value < found.slope.high
    # At this shift expected cases equal observed ones.
    shifted = 1 / (1 + np.exp(-(logit + found.in_the_large.value)))
    assert shifted.sum() == pytest.approx(labels.sum())
    assert found.observed_expected.value == pytest.approx(labels.sum() / p.sum())


def test_separated_probabilities_get_firths_estimate_and_say_so():
    found = calibration([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9])
    assert "Firth" in found.slope.reason
    # The penalised likelihood is highest there: no neighbour on a fine grid is better.
    x = np.log([1 / 9, 1 / 4, 4, 9])

    def penalised(a, b):
        p = 1 / (1 + np.exp(-(a + b * x)))
        w = p * (1 - p)
        information = np.array([[w.sum(), (w * x).sum()], [(w * x).sum(), (w * x * x).sum()]])
        y = np.array([0, 0, 1, 1])
        return (y * np.log(p) + (1 - y) * np.log(1 - p)).sum() + 0.5 * np.log(np.linalg.det(information))

    best = penalised(found.intercept.value, found.slope.value)
    assert all(
        penalised(found.intercept.value + da, found.slope.value + db) < best
        for da in (-0.01, 0, 0.01)
        for db in (-0.01, 0, 0.01)
        if da or db
    )
    # At its limits the profile has fallen by half of the chi-squared quantile, 1.92.
    for limit in (found.slope.low, found.slope.high):
        profile = max(penalised(a, limit) for a in np.linspace(-3, 3, 1201))
        assert best - profile == pytest.approx(stats.chi2.ppf(0.95, 1) / 2, abs=1e-3)
    assert found.slope.low < found.slope.value < found.slope.high < 20
    assert not math.isnan(found.in_the_large.value)


def test_probabilities_of_0_and_1_print_no_nonsense():
    generator = np.random.default_rng(0)
    labels = np.repeat([0, 1], 30)
    certain = np.where(generator.random(60) < 0.2, 1 - labels, labels).astype(float)
    found = calibration(labels, certain)
    assert found.n_clipped == 60
    assert found.in_the_large.reason == "all probabilities are next to 0 or 1: no shift can be told"
    assert abs(found.slope.high - found.slope.low) < 1
    # 0.0001 and 0.9999 are the last that count as themselves.
    assert calibration([0, 1, 0, 1], [0.0001, 0.9999, 0.00009, 0.4]).n_clipped == 1


def test_observed_over_expected_and_brier_have_limits():
    labels, p = np.repeat([0, 1], [30, 10]), np.repeat([0.1, 0.5], [30, 10])
    found = calibration(labels, p, confidence=0.9)
    share = stats.beta.ppf([0.05, 0.95], [10, 11], [31, 30])
    assert (found.observed_expected.low, found.observed_expected.high) == pytest.approx(tuple(share * 40 / 8))
    errors = (p - labels) ** 2
    half = stats.norm.ppf(0.95) * errors.std(ddof=1) / math.sqrt(40)
    assert found.brier.high == pytest.approx(errors.mean() + half)
    assert found.brier.low == pytest.approx(errors.mean() - half)
    assert calibration([0, 0], [0.0, 0.0]).observed_expected.reason == "no case is expected"


def test_calibration_of_constant_or_one_sided_data_says_why():
    assert calibration([0, 1], [0.5, 0.5]).slope.reason == "all probabilities are equal"
    assert calibration([0, 0], [0.1, 0.2]).slope.reason == "no cases"
    assert calibration([1, 1, 0], [0.0, 1.0, np.nan]).n_missing == 1
    with pytest.raises(ValueError, match="0 to 1"):
        calibration([0, 1], [0.5, 1.5])
    assert len(smooth_calibration([0, 1], [0.5, 0.5])[0]) == 0
    groups = grouped_calibration([0, 1, 1], [0.1, 0.2, 0.9])
    assert [round(mean, 1) for mean, _ in groups] == [0.1, 0.2, 0.9]


def test_the_band_holds_the_smoothed_curve_and_needs_patients():
    generator = np.random.default_rng(2)
    p = generator.uniform(size=300)
    labels = (generator.random(300) < p).astype(int)
    places, low, high = calibration_band(labels, p, seed=1)
    curve = np.interp(places, *smooth_calibration(labels, p))
    assert ((low <= curve) & (curve <= high)).mean() > 0.95
    assert 0.05 < np.median(high - low) < 0.4
    assert len(calibration_band([0, 0, 0, 0, 0, 1, 1, 1, 1], np.linspace(0, 1, 9))[0]) == 0


def test_a_scores_probabilities_are_fitted_elsewhere():
    labels = np.array([0, 0, 1, 0, 1, 1])
    new, note = logistic_probabilities(labels, [1.0, 2, 3, 4, 5, 6], [1.0, 6.0, -1.0, np.nan])
    model = LogisticRegression(C=np.inf, tol=1e-10).fit(np.log([[1.0], [2], [3], [4], [5], [6]]), labels)
    assert new[:2] == pytest.approx(model.predict_proba(np.log([[1.0], [6.0]]))[:, 1], rel=1e-4)
    assert np.isnan(new[2:]).all()
    assert note == ""
    nothing, why = logistic_probabilities([1, 1], [1.0, 2.0], [1.0])
    assert np.isnan(nothing).all()
    assert why == "no probabilities: one class in training"
    assert logistic_probabilities([0, 1], [2.0, 2.0], [1.0])[1] == "no probabilities: one value in training"


def test_a_score_that_separates_training_gives_no_certainty():
    labels = np.repeat([0, 1], 20)
    p, note = logistic_probabilities(labels, np.linspace(4, 20, 40), [4.0, 12.0, 20.0])
    assert "Firth" in note
    # Maximum likelihood would give 0, 1/2 and 1 to the last bit, and a slope that grows with the iterations.
    assert 1e-15 < p[0] < 0.05
    assert p[1] == pytest.approx(0.5, abs=0.1)
    assert 0.9 < p[2] < 1 - 1e-9


def test_net_benefit_by_hand():
    # 4 patients, threshold 0.25: 2 true and 1 false positive, 2/4 - 1/4 * 1/3.
    benefit = net_benefit([1, 1, 0, 0], [0.9, 0.3, 0.25, 0.1], [0.25])
    assert benefit[0] == pytest.approx(2 / 4 - 1 / 4 / 3)
    assert net_benefit([1, 0, 0, 0], np.ones(4), [0.5])[0] == pytest.approx(0.25 - 0.75)
    assert np.isnan(net_benefit([], [], [0.5])).all()
    with pytest.raises(ValueError, match="thresholds"):
        net_benefit([1], [0.5], [1.0])


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=6, max_size=60))
def test_weighted_kappa_agrees_with_scikit_learn(pairs):
    a, b = (np.array(column) for column in zip(*pairs, strict=True))
    table = np.zeros((4, 4), int)
    np.add.at(table, (a, b), 1)
    assume(len(set(a) | set(b)) > 1)
    expected = cohen_kappa_score(a, b, labels=range(4), weights="quadratic")
    assert weighted_kappa(table).value == pytest.approx(expected, abs=1e-9)


def test_kappa_has_limits_that_hold_at_the_edge():
    lazy = weighted_kappa([[5, 0, 0], [7, 0, 0], [3, 0, 0]])
    assert (lazy.value, lazy.reason) == (0, "kappa: one rater uses one stage only")
    assert math.isnan(lazy.low)
    perfect = weighted_kappa(np.diag([10, 5, 7]))
    # 1 - 0.05^(1/22) may disagree, by the largest distance at worst; chance alone gives the mean penalty.
    share = np.array([10, 5, 7]) / 22
    penalty = np.subtract.outer(range(3), range(3)) ** 2 / 4
    by_chance = (penalty * np.outer(share, share)).sum()
    assert perfect.low == pytest.approx(1 - (1 - 0.05 ** (1 / 22)) / by_chance)
    assert perfect.high == 1
    nearly = weighted_kappa(np.diag([10, 5, 7]) + np.eye(3, k=1), confidence=0.9)
    assert nearly.low < nearly.value < nearly.high < 1


def test_obuchowskis_measure_stands_beside_what_chance_gives():
    stages = np.repeat([0, 1, 2, 3], [48, 20, 18, 14])
    chance = obuchowski_by_chance(stages, np.arange(100.0))
    sizes, levels = np.array([48, 20, 18, 14]), np.arange(4)
    pairs = np.outer(sizes, sizes) * (levels[:, None] < levels)
    penalty = np.abs(levels[:, None] - levels) / 3
    assert chance == pytest.approx(1 - 0.5 * (pairs * penalty).sum() / pairs.sum())
    assert 0.7 < chance < 0.75
    constant = obuchowski(stages, np.zeros(100), replicates=50)
    assert constant.value == pytest.approx(chance)
    assert rescaled(constant, chance).value == pytest.approx(0.5)
    assert rescaled(Estimate(1.0, chance, 1.0), chance).low == pytest.approx(0.5)
    perfect = obuchowski(stages, stages.astype(float), replicates=50)
    assert (perfect.value, perfect.reason) == (1, "Obuchowski: no variance, no interval")
    assert math.isnan(perfect.low)
    assert rescaled(perfect, chance).value == 1


def test_net_benefit_limits_are_those_of_drawn_patients():
    generator = np.random.default_rng(5)
    labels = np.repeat([1, 0], [30, 70])
    p = np.clip(0.3 * labels + generator.uniform(0, 0.7, 100), 0, 1)
    low, high = net_benefit_band(labels, p, [0.2, 0.5], replicates=800, seed=1)
    drawn = [net_benefit(labels[rows], p[rows], [0.2, 0.5]) for rows in generator.integers(0, 100, (800, 100))]
    assert np.column_stack([low, high]) == pytest.approx(np.quantile(drawn, [0.025, 0.975], axis=0).T, abs=0.025)
    assert np.isnan(net_benefit_band([1, 1, 0, 0], [0.9, 0.1, 0.2, 0.3], [0.5])[0]).all()


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


def test_the_roc_band_is_campbells_rectangles():
    """Every point of the curve, moved by Kolmogorov's limits; the band is what no rectangle leaves."""
    generator = np.random.default_rng(3)
    labels = np.repeat([0, 1], [23, 9])
    roc = roc_analysis(labels, generator.integers(0, 12, 32) + 4 * labels)
    up, across = stats.kstwo.ppf(0.9**0.5, 9), stats.kstwo.ppf(0.9**0.5, 23)
    places = generator.uniform(0, 1, 40)
    low, high = roc_band(roc, places, confidence=0.9)
    points = list(zip(1 - roc.specificity, roc.sensitivity, strict=True))
    for x, bottom, top in zip(places, low, high, strict=True):
        assert top == pytest.approx(min(1, max(y for at, y in points if at <= x + across) + up))
        assert bottom == pytest.approx(max(0, min(y for at, y in points if at >= x - across) - up))
    empty = roc_band(roc_analysis([1, 1], [0.2, 0.4]), places)
    assert np.isnan(empty).all()


def test_the_roc_band_holds_the_whole_curve_as_often_as_it_says():
    generator = np.random.default_rng(8)
    places = np.linspace(0.001, 0.999, 199)
    truth = stats.norm.sf(stats.norm.isf(places) - 1.2)
    held = 0
    for _ in range(300):
        labels = np.repeat([0, 1], [40, 25])
        low, high = roc_band(roc_analysis(labels, generator.normal(size=65) + 1.2 * labels), places, confidence=0.8)
        held += bool(((low <= truth) & (truth <= high)).all())
    # Of 300 bands at 80 % at least 72 % with probability 0.999; a rectangle for each point holds more.
    assert held / 300 > 0.72
    assert held < 300


def test_choices_at_their_limits():
    # Expected counts of exactly five allow the chi-squared test, four and a half do not.
    assert compare_shares(5, 10, 5, 10).test == "χ²"
    assert compare_shares(4, 9, 5, 9).test == "Fisher"
    # Two values a group are enough for a test, three for normality.
    assert compare_means([1.0, 2.0], [2.0, 5.0]).test == "Mann-Whitney"
    assert compare_means([1.0, 2.0, 3.0], [2.0, 5.0, 8.5]).test == "Student t"
    assert compare_means([1.0], [2.0, 5.0]).reason == "fewer than two values in a cohort"
    assert compare_means([1.0, 2.0], [2.0, 5.0]).standardised_mean_difference == pytest.approx(-2 / 2.5**0.5)
    with pytest.raises(ValueError, match="no shares"):
        compare_shares(11, 10, 5, 10)
    assert math.isnan(compare_shares(0, 0, 5, 10).p_value)
    assert math.isnan(compare_shares(5, 10, 0, 0).p_value)
    assert compare_shares(10, 10, 10, 10).standardised_mean_difference == 0
    assert compare_shares(10, 10, 0, 10).standardised_mean_difference == math.inf


def test_a_probability_at_the_threshold_is_acted_on_and_thresholds_lie_inside():
    assert net_benefit([1, 0], [0.5, 0.2], [0.5]).tolist() == [0.5]
    low, high = net_benefit_band([1] * 5 + [0] * 5, [0.5] * 10, [0.5], replicates=2)
    assert np.isfinite([*low, *high]).all()
    assert np.isnan(net_benefit_band([1] * 5 + [0] * 5, [0.5] * 10, [0.5], replicates=1)).all()
    for wrong in (0.0, 1.0):
        with pytest.raises(ValueError, match="between 0 and 1"):
            net_benefit([1, 0], [0.5, 0.2], [wrong])


def test_a_cutoff_has_limits_from_two_replicates_and_five_of_a_class_on():
    labels, scores = np.repeat([1, 0], 5), np.arange(10.0)[::-1]
    assert np.isfinite(cutoff_interval(labels, scores, replicates=2)).all()
    assert np.isnan(cutoff_interval(labels, scores, replicates=1)).all()
    assert np.isnan(cutoff_interval(labels, np.ones(10), replicates=2)).all()
    assert np.isnan(cutoff_interval(labels[1:], scores[1:], replicates=2)).all()


def test_an_auc_of_zero_is_bounded_from_above():
    found = roc_analysis([1, 1, 1, 0, 0], [1.0, 2.0, 3.0, 4.0, 5.0]).estimate
    # Two controls, none of them below a case: the exact upper limit of 0 of 2.
    assert (found.value, found.low) == (0.0, 0.0)
    assert found.high == pytest.approx(1 - 0.05**0.5)
    perfect = roc_analysis([0, 0, 1, 1, 1], [1.0, 2.0, 3.0, 4.0, 5.0]).estimate
    assert (perfect.value, perfect.high) == (1.0, 1.0)
    assert perfect.low == pytest.approx(0.05**0.5)


def test_kappa_of_raters_of_one_stage_says_which_of_them():
    assert weighted_kappa([[5, 0], [0, 0]]).reason == "both raters use one stage only"
    assert weighted_kappa([[0, 5], [0, 0]]).reason == "both raters use one stage only"
    assert weighted_kappa([[5, 3], [0, 0]]).reason == "kappa: one rater uses one stage only"
    assert weighted_kappa([[5, 0], [3, 0]]).reason == "kappa: one rater uses one stage only"


def test_prevalence_and_the_papers_interval_by_hand():
    found = diagnostic_accuracy_from_counts(3, 1, 10, 6)
    assert (found.n, found.prevalence) == (20, 4 / 20)
    assert math.isnan(diagnostic_accuracy_from_counts(0, 0, 0, 0).prevalence)
    # Clopper and Pearson on AUC x n of n: 0.75 of 12 patients.
    roc = roc_analysis([0, 0, 1, 1] * 3, [0.1, 0.4, 0.35, 0.8] * 3, interval="exact_binomial_n")
    assert roc.auc == 0.75
    assert roc.auc_interval == pytest.approx((stats.beta.ppf(0.025, 9, 4), stats.beta.ppf(0.975, 10, 3)))
