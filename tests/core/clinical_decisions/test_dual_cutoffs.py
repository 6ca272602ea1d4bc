"""Two cut-offs against pROC, against every threshold tried by hand, and against counting."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dlre_core.clinical_decisions.decision_table import decision_settings, decision_table, printed_decisions, strategies
from dlre_core.clinical_decisions.dual_cutoffs import (
    ONE_CUTOFF,
    DualCutoffs,
    Target,
    dual_cutoff_intervals,
    dual_cutoffs,
    stepwise_zones,
    zones,
)
from dlre_core.clinical_decisions.outcomes import strategy_outcomes
from dlre_core.foundation.design import Design, Method, Question, use_design
from dlre_core.statistics.cutoffs import sensitivity_cutoff
from tests.helpers.score_table import scores

DATA = Path(__file__).parents[2] / "oracles/proc/data"
SENSITIVITY, SPECIFICITY = Target("sensitivity", 0.95), Target("specificity", 0.95)
DECISIONS = {
    "rule_out": {"measure": "sensitivity", "at_least": 0.9},
    "rule_in": {"measure": "specificity", "at_least": 0.9},
    "steps": ["fib4", "lsm", "dlre"],
}


def settings(**changed):
    return decision_settings(DECISIONS | changed, confidence=0.95, replicates=50, seed=1)


def every_threshold(labels, values, rule_out, rule_in, distinct=None):
    """Both cut-offs by trying all places between scores, without anything of the library."""
    labels, values = np.asarray(labels), np.asarray(values, dtype=float)
    distinct = np.unique(values) if distinct is None else distinct
    cases, controls = int((labels == 1).sum()), int((labels == 0).sum())
    found = []
    for place in (distinct[:-1] + distinct[1:]) / 2:
        fn, tn = (int(((values < place) & (labels == value)).sum()) for value in (1, 0))
        tp, fp = cases - fn, controls - tn
        if 0 in (fn + tn, tp + fp):
            continue
        shares = {"sensitivity": tp / cases, "specificity": tn / controls}
        shares |= {"npv": tn / (tn + fn), "ppv": tp / (tp + fp)}
        reached = [shares[target.measure] >= target.at_least - 1e-12 for target in (rule_out, rule_in)]
        found.append((place, fn, tn, tp, fp, *reached))
    outs = sorted((row for row in found if row[5] and row[1] + row[2] >= 5), key=lambda r: (-r[2], r[1]))
    ins = sorted((row for row in found if row[6] and row[3] + row[4] >= 5), key=lambda r: (-r[3], r[4]))
    low, high = (rows[0][0] if rows else math.nan for rows in (outs, ins))
    if high < low:
        between = [row for row in found if high <= row[0] <= low]
        assert any(row[5] and row[6] for row in between)
        low = high = max(between, key=lambda r: (r[3] * controls + r[2] * cases, -r[0]))[0]
    return low, high


@pytest.mark.parametrize(
    ("name", "score", "out", "npv", "inside", "ppv"),
    [
        # R 4.2.2, pROC 1.18.0: k <- coords(roc(y, p, levels=c(0,1), direction="<"), "all", ret=c("threshold",
        # "sensitivity", "specificity", "npv", "ppv", "tn", "fn", "tp", "fp")); of the finite thresholds with five
        # patients on the side that reach 0.95 (ppv: 0.9), the first by order(-tn, fn), or order(-tp, fp).
        ("n132_F4", "p1", 0.2783362881, 0.5334592086, 0.6450291017, 0.6450291017),
        ("n132_F4", "p2", 6.35, 8.2, 13.8, math.nan),
        ("n266_F3", "p2", 6.65, 5.35, 13.25, 12.9),
    ],
)
def test_cutoffs_are_those_that_proc_lists(name, score, out, npv, inside, ppv):
    table = pd.read_csv(DATA / f"{name}.csv")
    of_each = dual_cutoffs(table["y"], table[score], SENSITIVITY, SPECIFICITY)
    of_those = dual_cutoffs(table["y"], table[score], Target("npv", 0.95), Target("ppv", 0.9))
    ours = [of_each.rule_out, of_those.rule_out, of_each.rule_in, of_those.rule_in]
    np.testing.assert_allclose(ours, [out, npv, inside, ppv], rtol=1e-9)
    # The table's other rule finds the same place.
    assert of_each.rule_out == sensitivity_cutoff(table["y"], table[score], 0.95).threshold


@pytest.mark.parametrize(
    "out", [Target("sensitivity", 0.9), Target("npv", 0.6), Target("npv", 0.8), Target("npv", 1.0)]
)
@pytest.mark.parametrize(
    "inside", [Target("specificity", 0.9), Target("ppv", 0.3), Target("ppv", 0.75), Target("specificity", 1.0)]
)
def test_no_other_threshold_is_better(out, inside):
    generator = np.random.default_rng(4)
    crossed = 0
    for number in range(40):
        labels = np.resize([0, 1, 0], 45)
        values = np.round(labels * generator.uniform(0, 3) + generator.normal(size=45), number % 3)
        found = dual_cutoffs(labels, values, out, inside)
        expected = every_threshold(labels, values, out, inside)
        np.testing.assert_allclose((found.rule_out, found.rule_in), expected, rtol=1e-12)
        assert not found.rule_in < found.rule_out
        crossed += ONE_CUTOFF in found.reason
    if (out.measure, inside.at_least) == ("sensitivity", 0.9):
        assert crossed > 0


def test_where_the_targets_cross_one_cutoff_reaches_both():
    """The end of the overlap may be the best of it."""
    sure = dual_cutoffs([0] * 10 + [1] * 10, range(20), Target("sensitivity", 0.8), Target("specificity", 0.9))
    assert (sure.rule_out, sure.rule_in, sure.reason) == (9.5, 9.5, ONE_CUTOFF)
    labels = [0] * 5 + [1] * 2 + [0] * 5 + [1] * 8
    # From 8.5 to 12.5 the targets cross; only 11.5 has no control above it.
    late = dual_cutoffs(labels, range(20), Target("sensitivity", 0.8), Target("specificity", 1.0))
    assert (late.rule_out, late.rule_in) == (11.5, 11.5)


def test_what_cannot_be_chosen_is_said():
    few = dual_cutoffs([1] * 4 + [0] * 20, range(24), SENSITIVITY, SPECIFICITY)
    assert (math.isnan(few.rule_out), few.reason) == (True, "4 cases, fewer than 5")
    # Scores that say nothing: nobody can be ruled out or in.
    flat = dual_cutoffs([0, 1] * 10, [1.0] * 20, SENSITIVITY, SPECIFICITY)
    assert math.isnan(flat.rule_out)
    assert "can be ruled out" in flat.reason
    assert "can be ruled in" in flat.reason
    assert dual_cutoff_intervals([0, 1] * 10, [1.0] * 20, (SENSITIVITY, SPECIFICITY))[0] == pytest.approx(
        (math.nan, math.nan), nan_ok=True
    )
    for wrong in (Target("specificity", 0.9), Target("sensitivity", 0.0), Target("sensitivity", 1.1)):
        with pytest.raises(ValueError, match=r"measure|at_least"):
            dual_cutoffs([0, 1], [0.0, 1.0], wrong, SPECIFICITY)


def test_intervals_are_percentiles_of_cutoffs_chosen_anew():
    generator = np.random.default_rng(8)
    labels = np.resize([0, 1, 0], 90)
    values = np.round(labels * 1.5 + generator.normal(size=90), 1)
    targets = (SENSITIVITY, SPECIFICITY)
    found = dual_cutoff_intervals(labels, values, targets, replicates=2000, seed=3)
    rows = [np.flatnonzero(labels == value) for value in (0, 1)]
    drawn = []
    for _ in range(1000):
        chosen = np.concatenate([generator.choice(part, len(part)) for part in rows])
        drawn.append(every_threshold(labels[chosen], values[chosen], *targets, np.unique(values)))
    limits = np.nanquantile(np.array(drawn), [0.025, 0.975], axis=0).T
    # Other replicates: one step of the scores, which are tenths.
    np.testing.assert_allclose(found, limits, atol=0.11)
    point = dual_cutoffs(labels, values, *targets)
    assert found[0][0] <= point.rule_out <= found[0][1]
    assert found == dual_cutoff_intervals(labels, values, targets, replicates=2000, seed=3)


def test_zones_and_steps():
    first = zones([1.0, 2.0, 2.5, np.nan, np.nan], DualCutoffs(2.0, 3.0))
    assert first.tolist() == ["ruled out", "grey zone", "grey zone", "no score", "no score"]
    second = zones([9.0, np.nan, 9.0, 0.0, np.nan], DualCutoffs(math.nan, 5.0))
    assert second.tolist() == ["ruled in", "no score", "ruled in", "grey zone", "no score"]
    assert stepwise_zones([first, second]).tolist() == ["ruled out", "grey zone", "ruled in", "grey zone", "no score"]
    assert stepwise_zones([second, first]).tolist() == ["ruled in", "grey zone", "ruled in", "grey zone", "no score"]


def test_outcomes_are_counts_and_their_exact_intervals():
    # 30 patients, 8 cases: 20 ruled out (1 case), 7 ruled in (1 control), 2 in the grey zone, 1 without a score.
    labels = [1] + [0] * 19 + [1] * 6 + [0] + [1, 0] + [0]
    given = ["ruled out"] * 20 + ["ruled in"] * 7 + ["grey zone"] * 2 + ["no score"]
    found = strategy_outcomes(labels, given)
    assert (found.n, found.ruled_out, found.ruled_in, found.grey_zone, found.no_score) == (
        30,
        (1, 19),
        (6, 1),
        (1, 1),
        (0, 1),
    )
    # R: binom.test(27, 30)$conf.int, binom.test(1, 30)$conf.int and 1 - rev(binom.test(1, 20)$conf.int).
    expected = {
        "avoided": (900, 734.71155, 978.88286),
        "missed": (100 / 3, 0.84357, 172.16946),
        "overcalled": (100 / 3, 0.84357, 172.16946),
        "npv": (0.95, 0.75126724, 0.99873491),
    }
    for name, values in expected.items():
        estimate = found.estimates[name]
        np.testing.assert_allclose((estimate.value, estimate.low, estimate.high), values, rtol=1e-5)
    assert found.sensitivity.value == 7 / 8
    assert found.specificity.value == 21 / 22
    assert found.unclassified.value == 3 / 30
    few = strategy_outcomes([1] * 4 + [0] * 9, ["ruled out"] * 13)
    assert (few.missed.defined, few.missed.reason) == (False, "4 cases, fewer than 5")
    with pytest.raises(ValueError, match="'grey' are none of"):
        strategy_outcomes([0, 1], ["grey", "ruled in"])


def test_the_table_counts_everybody_once_and_freezes_what_training_chose():
    data = scores()
    data.loc[100:104, "fib4"] = np.nan
    held_back = data[data["cohort"] == "training"].copy()
    for name in ("dlre_f4", "dlre_ge_f3", "dlre_ge_f2"):
        held_back[name] = 1 - 0.9 * (1 - held_back[name])
    table = decision_table(data, settings(), held_back)
    zone_columns = [name for name in table if name.endswith(("_cases", "_controls")) and name != "n_cases"]
    assert (table[zone_columns].sum(axis=1) == table["n"]).all()
    assert table.groupby("cohort")["n"].unique().map(list).to_dict() == {"training": [80], "validation": [40]}
    by = table.set_index(["stage", "strategy", "cohort"])
    last = by.loc["ge_f3", "fib4+lsm+dlre", "validation"]
    # By hand: each test decides those whom the ones before did not.
    part = data[data["cohort"] == "validation"]
    decided = pd.Series("", index=part.index)
    for method, column in (("fib4", "fib4"), ("lsm", "lsm"), ("dlre", "dlre_ge_f3")):
        limits = by.loc["ge_f3", method, "training"]
        undecided = decided == ""
        decided[undecided & (part[column] < limits["rule_out"])] = "out"
        decided[undecided & (part[column] >= limits["rule_in"])] = "in"
    cases = part["fibrosis_stage"] >= 3
    assert last["ruled_out_cases"] == ((decided == "out") & cases).sum()
    assert last["ruled_in_controls"] == ((decided == "in") & ~cases).sum()
    assert last["avoided"] == 1000 * (decided != "").sum() / 40
    assert last["missed"] == 1000 * ((decided == "out") & cases).sum() / 40
    assert math.isnan(last["rule_out"])
    # Targets are reached where the cut-offs were chosen, on out-of-fold predictions, by every method.
    alone = table[(table["cohort"] == "training") & ~table["strategy"].str.contains("+", regex=False)]
    assert (alone["sensitivity"] >= 0.9).all()
    assert (alone["specificity"] >= 0.9).all()
    apparent = decision_table(data, settings()).set_index(["stage", "strategy", "cohort"])
    at = ("f4", "dlre", "training")
    assert by.loc[at, "rule_out"] != apparent.loc[at, "rule_out"]
    assert (by.loc[at, "predictions"], apparent.loc[at, "predictions"]) == ("out of fold", "apparent")
    assert by.loc[(*at[:2], "validation"), "rule_out"] == by.loc[at, "rule_out"]
    # What validation patients are like changes no cut-off.
    other = data.copy()
    other.loc[other["cohort"] == "validation", "lsm"] *= 3
    again = decision_table(other, settings(), held_back)
    pd.testing.assert_frame_equal(again[["rule_out", "rule_in"]], table[["rule_out", "rule_in"]])
    page = printed_decisions(table, settings(), True)
    assert "FIB-4, then 2D-SWE, then DLRE" in page.html()
    assert "out of fold" in page.html()
    assert "nan" not in page.html() + page.latex()


def test_too_few_is_a_word():
    data = scores()
    cases = (data["cohort"] == "validation") & (data["fibrosis_stage"] == 4)
    table = decision_table(data[~cases | (cases.cumsum() <= 3)], settings())
    page = printed_decisions(table, settings(), False)
    block = next(block for block in page.blocks if block.heading.startswith("Cirrhosis"))
    assert [row[-1] for row in block.rows] == ["too few"] * 6
    assert "3 cases, fewer than 5" in page.footnotes[-1]
    # Nor can a cut-off be chosen on so few.
    cases = (data["cohort"] == "training") & (data["fibrosis_stage"] == 4)
    poor = decision_table(data[~cases], settings())
    row = poor[(poor["stage"] == "f4") & (poor["strategy"] == "lsm") & (poor["cohort"] == "validation")].iloc[0]
    assert (math.isnan(row["rule_out"]), row["notes"]) == (True, "cut-offs: 0 cases, fewer than 5")


def test_strategies_follow_the_steps():
    alone = [("dlre",), ("lsm",), ("apri",), ("fib4",)]
    assert strategies(("fib4", "lsm", "dlre")) == [*alone, ("fib4", "lsm"), ("fib4", "lsm", "dlre")]
    assert strategies(()) == strategies(("lsm",)) == alone


def test_steps_that_a_study_does_not_compare_are_passed_over():
    """Two questions, and stiffness with a score of the study's own."""
    questions = (Question("cacld", "cACLD", "cACLD", 3), Question("f2", "Significant fibrosis", "≥F2", 2))
    use_design(Design(questions, (Method("lsm", "2D-SWE"), Method("elf", "ELF")), "MASLD"))
    data = scores().rename(columns={"dlre_ge_f3": "dlre_cacld", "dlre_ge_f2": "dlre_f2", "apri": "elf"})
    table = decision_table(data, settings())
    assert list(dict.fromkeys(table["strategy"])) == ["dlre", "lsm", "elf", "lsm+dlre"]
    page = printed_decisions(table, settings(), True)
    assert [block.heading.partition(":")[0] for block in page.blocks] == ["cACLD", "Significant fibrosis"]
    assert [row[0] for row in page.blocks[0].rows] == ["DLRE", "2D-SWE", "ELF", "2D-SWE, then DLRE"]
