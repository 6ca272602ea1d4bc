"""Paired tests at cut-offs against R (binom.test, DTComPair, contingencytables), papers and simulation."""

import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar

from dlre_core.clinical_decisions.paired_accuracy_table import paired_accuracy_table, printed_paired_accuracy
from dlre_core.clinical_decisions.paired_proportions import NEVER_DIFFER, compare_paired_proportions
from dlre_core.clinical_decisions.relative_predictive_values import relative_predictive_value
from dlre_core.statistics.comparisons import holm
from dlre_core.tables.table_2_accuracy import table_2
from tests.helpers.score_table import SETTINGS, scores


@pytest.mark.parametrize(
    ("b", "c", "exact", "mid"),
    [
        # R 4.2.2: binom.test(b, b + c)$p.value; with k = min(b, c), n = b + c: 2 * pbinom(k, n, .5) - dbinom(k, n, .5).
        (78, 22, 1.59053284738e-08, 1.01213475536e-08),
        (53, 22, 0.000449647971644, 0.000312978600837),
        (6, 16, 0.0524787902832, 0.0346896648407),
        (1, 7, 0.0703125, 0.0390625),
        (0, 3, 0.25, 0.125),
        (12, 2, 0.012939453125, 0.00738525390625),
        # b = c: 1 - dbinom(5, 10, .5) / 2.
        (5, 5, 1.0, 0.876953125),
    ],
)
def test_mcnemar(b, c, exact, mid):
    found = compare_paired_proportions(9, b, c, 9)
    assert found.exact_p == pytest.approx(exact, rel=1e-9)
    assert found.mid_p == pytest.approx(mid, rel=1e-9)
    assert found.exact_p == pytest.approx(mcnemar([[9, b], [c, 9]], exact=True).pvalue, rel=1e-9)


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        # R, contingencytables: Newcombe_square_and_add_CI_paired_2x2(matrix(c(59, 6, 16, 80), 2, byrow=TRUE)) prints
        # -0.0621 (-0.1186 to -0.0046); all digits by the formula with prop.test(x, n, correct=FALSE)$conf.int.
        ((59, 6, 16, 80), (-0.0621118012, -0.1186211956, -0.0046251139)),
        # Newcombe 1998, and Fagerland 2013 (airway hyper-responsiveness before and after transplantation).
        ((36, 12, 2, 0), (0.2, 0.0569295840, 0.3404276030)),
        ((1, 1, 7, 12), (-0.2857142857, -0.5069202267, -0.0255591242)),
        ((20, 0, 0, 5), (0.0, -0.1082319421, 0.1082319421)),
        ((155, 53, 22, 31), (0.1187739464, 0.0544943041, 0.1820531610)),
    ],
)
def test_newcombes_interval(counts, expected):
    found = compare_paired_proportions(*counts).difference
    np.testing.assert_allclose((found.value, found.low, found.high), expected, atol=1e-9)
    # The other way round it is its mirror image.
    a, b, c, d = counts
    swapped = compare_paired_proportions(a, c, b, d).difference
    np.testing.assert_allclose((swapped.high, swapped.low), (-found.low, -found.high), atol=1e-12)


def test_mid_p_keeps_its_level_and_newcombe_covers():
    """40 cases of whom 30 % tell the tests apart, to both sides alike: the level, by adding up all outcomes."""
    level = exact_level = 0.0
    for pairs in range(1, 41):
        weight = stats.binom.pmf(pairs, 40, 0.3)
        for b in range(pairs + 1):
            found = compare_paired_proportions(20, b, pairs - b, 20)
            chance = weight * stats.binom.pmf(b, pairs, 0.5)
            level += chance * (found.mid_p < 0.05)
            exact_level += chance * (found.exact_p < 0.05)
    assert 0.03 < level <= 0.05
    assert exact_level < level
    drawn = np.random.default_rng(2).multinomial(40, [0.6, 0.2, 0.1, 0.1], 2000)
    intervals = [compare_paired_proportions(*counts).difference for counts in drawn.tolist()]
    assert 0.935 < np.mean([found.low <= 0.1 <= found.high for found in intervals]) < 0.97


@pytest.mark.parametrize(
    ("cases", "controls", "ppv", "npv"),
    [
        # R 4.2.2 with DTComPair 1.2.6, whose ratios are test 2 over test 1, so that its test 2 is the first here:
        # pv.rpv(tab)$ppv (test2, test1, rppv, lcl, ucl, p.value), pv.wgs(tab)$ppv["p.value"]; then the NPV.
        # Its own data set Paired1.
        (
            (319, 22, 78, 32),
            (31, 22, 53, 155),
            (
                0.865482233503,
                0.825363825364,
                1.04860693782,
                1.00847050304,
                1.09034077519,
                0.0171461221861,
                0.0193912041447,
            ),
            (
                0.654088050314,
                0.766233766234,
                0.853640336851,
                0.792625788687,
                0.919351647524,
                2.8855681085e-05,
                4.77501160068e-05,
            ),
        ),
        # Coronary Artery Surgery Study: history of chest pain against exercise test (Leisenring et al. 2000).
        (
            (786, 183, 29, 25),
            (69, 176, 46, 151),
            (
                0.798187808896,
                0.876344086022,
                0.910815536532,
                0.886658894451,
                0.935630315987,
                9.66765498462e-12,
                4.97119012621e-11,
            ),
            (
                0.784860557769,
                0.611214953271,
                1.2840990777,
                1.1897348566,
                1.38594782878,
                1.35283576541e-10,
                5.35049859973e-09,
            ),
        ),
        (
            (10, 3, 1, 4),
            (2, 1, 5, 40),
            (0.8125, 0.611111111111, 1.32954545455, 0.971119882333, 1.82026045173, 0.0755476496329, 0.0613042647253),
            (0.9, 0.854166666667, 1.05365853659, 0.969285456512, 1.14537601308, 0.219672968336, 0.207289318527),
        ),
    ],
)
def test_relative_predictive_values_are_those_of_dtcompair(cases, controls, ppv, npv):
    counts = compare_paired_proportions(*cases), compare_paired_proportions(*controls)
    for negative, expected in ((False, ppv), (True, npv)):
        found = relative_predictive_value(*counts, negative=negative)
        ours = (found.first, found.second, found.ratio.value, found.ratio.low, found.ratio.high, found.p_value)
        np.testing.assert_allclose(ours, expected[:-1], rtol=1e-9)
        # R takes 1 - pchisq(...), which leaves an absolute error.
        assert found.score_p == pytest.approx(expected[-1], rel=1e-9, abs=1e-16)


def test_relative_predictive_values_keep_their_level():
    """300 patients, PPVs of both tests alike by exchange: 5 % of the tests find a difference, the interval covers 1."""
    cells = np.array([0.20, 0.06, 0.06, 0.08, 0.05, 0.08, 0.08, 0.39])
    drawn = np.random.default_rng(6).multinomial(300, cells, 1500).tolist()
    found = [
        relative_predictive_value(
            compare_paired_proportions(*counts[:4]), compare_paired_proportions(*counts[4:]), negative=negative
        )
        for counts in drawn
        for negative in (False, True)
    ]
    for rejected in ([one.p_value < 0.05 for one in found], [one.score_p < 0.05 for one in found]):
        assert 0.037 < np.mean(rejected) < 0.063
    assert 0.937 < np.mean([one.ratio.low <= 1 <= one.ratio.high for one in found]) < 0.963


def test_what_has_no_test_says_why():
    same = compare_paired_proportions(10, 0, 0, 3)
    assert (math.isnan(same.exact_p), same.reason, same.difference.value) == (True, NEVER_DIFFER, 0)
    assert compare_paired_proportions(0, 0, 0, 0).reason == "nobody to count"
    with pytest.raises(ValueError, match="not negative"):
        compare_paired_proportions(1, -1, 0, 0)
    nobody = relative_predictive_value(compare_paired_proportions(0, 3, 0, 5), compare_paired_proportions(0, 1, 0, 9))
    assert nobody.ratio.reason == "nobody is positive by one test"
    sure = relative_predictive_value(compare_paired_proportions(9, 1, 1, 1), compare_paired_proportions(0, 0, 0, 9))
    assert (sure.ratio.value, sure.ratio.reason, math.isnan(sure.p_value)) == (1, "zero variance of the ratio", True)
    never = relative_predictive_value(compare_paired_proportions(0, 3, 0, 5), compare_paired_proportions(0, 1, 2, 9))
    assert never.ratio.reason == "a predictive value of 0"


def test_the_table_compares_patients_with_both_scores_at_the_frozen_cutoffs():
    data = scores()
    data.loc[85:89, "lsm"] = np.nan
    accuracy = table_2(data, SETTINGS)
    table = paired_accuracy_table(data, accuracy)
    assert len(table) == 3 * 3 * 2
    row = table.set_index(["stage", "method", "cohort"]).loc["ge_f3", "lsm", "validation"]
    cutoffs = accuracy.set_index(["stage", "method", "cohort"])["cutoff"]
    part = data[(data["cohort"] == "validation") & data["lsm"].notna()]
    first = part["dlre_ge_f3"] >= cutoffs["ge_f3", "dlre", "training"]
    second = part["lsm"] >= cutoffs["ge_f3", "lsm", "training"]
    cases = part["fibrosis_stage"] >= 3
    assert (row["n"], row["n_cases"]) == (35, cases.sum())
    assert row["sensitivity"] == pytest.approx(first[cases].mean() - second[cases].mean())
    assert row["specificity"] == pytest.approx(second[~cases].mean() - first[~cases].mean())
    assert row["sensitivity_first_only"] == (first & ~second & cases).sum()
    assert row["specificity_first_only"] == (~first & second & ~cases).sum()
    assert row["ppv_ratio"] == pytest.approx(cases[first].mean() / cases[second].mean())
    assert row["npv_ratio"] == pytest.approx((~cases)[~first].mean() / (~cases)[~second].mean())
    # One family: the validation cohort's tests of the table; training belongs to none.
    tests = ["sensitivity_mid_p", "specificity_mid_p", "ppv_ratio_p", "npv_ratio_p"]
    adjusted = [f"{name}_holm" for name in tests]
    validation = table[table["cohort"] == "validation"]
    np.testing.assert_allclose(validation[adjusted].to_numpy().ravel(), holm(validation[tests].to_numpy().ravel()))
    assert table.loc[table["cohort"] == "training", adjusted].isna().all(axis=None)
    page = printed_paired_accuracy(table, 0.95, True)
    assert "nan" not in page.html() + page.latex()
    assert "simulated data" in page.caption


def test_a_class_that_is_too_small_has_words():
    data = scores()
    cases = (data["cohort"] == "validation") & (data["fibrosis_stage"] == 4)
    data = data[~cases | (cases.cumsum() <= 4)]
    table = paired_accuracy_table(data, table_2(data, SETTINGS))
    table = table[(table["stage"] == "f4") & (table["cohort"] == "validation")]
    assert table[["sensitivity", "sensitivity_mid_p", "ppv_ratio", "npv_ratio_p"]].isna().all(axis=None)
    assert table["specificity"].notna().all()
    assert table["notes"].str.contains("sensitivity: 4 cases, fewer than 5").all()
    page = printed_paired_accuracy(paired_accuracy_table(data, table_2(data, SETTINGS)), 0.95, False)
    assert [row[2] for row in page.blocks[0].rows] == ["too few"] * 3
    # Too few controls leave the sensitivity its test.
    rare = (data["cohort"] == "validation") & (data["fibrosis_stage"] == 1)
    rest = data[~rare | (rare.cumsum() <= 3)]
    row = paired_accuracy_table(rest, table_2(rest, SETTINGS)).set_index("stage").loc["ge_f2"].iloc[1]
    assert [math.isnan(row[name]) for name in ("sensitivity", "specificity", "ppv_ratio")] == [False, True, True]
    # A method without a cut-off is compared in nothing.
    without = table_2(data, SETTINGS)
    without.loc[without["method"] == "apri", "cutoff"] = np.nan
    notes = paired_accuracy_table(data, without).set_index("method").loc["apri", "notes"]
    assert set(notes) == {"no cut-off"}
