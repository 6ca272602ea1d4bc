"""Extended table 15: what each group's numbers are, and words where a group is small."""

import numpy as np
import pandas as pd
import pytest

from dlre_core.foundation.design import stage_labels
from dlre_core.generalisability.fairness import fairness_groupings, fairness_table, printed_fairness
from dlre_core.heterogeneity.gaps import proportion_gap
from dlre_core.statistics.calibration import calibration
from dlre_core.statistics.comparisons import compare_unpaired_aucs
from dlre_core.statistics.roc import roc_analysis
from dlre_core.tables.subanalyses import Grouping
from dlre_core.tables.table_2_accuracy import table_2
from tests.helpers.score_table import SETTINGS, scores

AGE = {"title": "Age", "column": "age_years", "limits": [40], "unit": "years"}


@pytest.fixture(scope="module")
def patients():
    table = scores(300, hospitals="ABC")
    table["sex"] = np.resize(["F", "M", "M", None, "F"], 300)
    table["age_years"] = np.resize([30.0, 35.0, 44.0, 50.0, 61.0, 28.0, 39.0], 300)
    table["manufacturer"] = "GE"
    table["aetiology"] = np.where(np.arange(300) == 299, "hcv", "hbv")
    return table


@pytest.fixture(scope="module")
def cutoffs(patients):
    return table_2(patients, SETTINGS)


@pytest.fixture(scope="module")
def table(patients, cutoffs):
    return fairness_table(patients, cutoffs, fairness_groupings([AGE], patients), SETTINGS)


def test_only_what_divides_the_patients_is_a_grouping(patients):
    assert [g.title for g in fairness_groupings([AGE], patients)] == ["Age", "Sex", "Hospital", "Aetiology"]
    # A column that the clinical table does not have is passed over.
    own = [{"title": "Sex at birth", "column": "sex"}, {"column": "country"}]
    assert [g.title for g in fairness_groupings(own, patients)] == ["Sex at birth", "Age", "Hospital", "Aetiology"]


def test_a_groups_numbers_are_those_of_its_patients(patients, cutoffs, table):
    row = table[(table["stage"] == "ge_f3") & (table["method"] == "dlre") & (table["group"] == "F")].iloc[0]
    part = patients[patients["cohort"] == "validation"]
    here, others = part[part["sex"] == "F"], part[part["sex"] == "M"]
    labels, rest = (stage_labels(one["fibrosis_stage"], "ge_f3") for one in (here, others))
    assert (row["n"], row["n_cases"], row["n_missing"]) == (len(here), labels.sum(), 0)
    roc = roc_analysis(labels, here["dlre_ge_f3"])
    assert row[["auc", "auc_low", "auc_high"]].tolist() == pytest.approx([roc.auc, *roc.auc_interval])
    test = compare_unpaired_aucs(labels, here["dlre_ge_f3"], rest, others["dlre_ge_f3"])
    assert row[["auc_gap", "auc_gap_low", "auc_gap_high"]].tolist() == pytest.approx([test.difference, *test.interval])
    of_table = (cutoffs["stage"] == "ge_f3") & (cutoffs["method"] == "dlre") & (cutoffs["cohort"] == "validation")
    cutoff = cutoffs.loc[of_table, "cutoff"].item()
    hits = int((here["dlre_ge_f3"] >= cutoff)[labels == 1].sum())
    other_hits = int((others["dlre_ge_f3"] >= cutoff)[rest == 1].sum())
    assert row["sensitivity"] == hits / labels.sum()
    apart = proportion_gap((hits, int(labels.sum())), (other_hits, int(rest.sum())))
    assert row[["sensitivity_gap", "sensitivity_gap_low"]].tolist() == pytest.approx([apart.value, apart.low])
    large = calibration(labels, here["dlre_ge_f3"]).in_the_large
    assert row[["in_the_large", "in_the_large_low"]].tolist() == pytest.approx([large.value, large.low])
    difference = large.value - calibration(rest, others["dlre_ge_f3"]).in_the_large.value
    assert row["in_the_large_gap"] == pytest.approx(difference)


def test_a_small_group_has_words_and_the_gap_of_the_others_says_why(table):
    small = table[(table["group"] == "hcv") & (table["stage"] == "f4") & (table["method"] == "dlre")].iloc[0]
    assert np.isnan(small[["auc", "sensitivity", "specificity", "in_the_large", "auc_gap"]].astype(float)).all()
    assert "auc: 0 controls, fewer than 5" in small["reasons"] or "auc: 1 case, fewer than 5" in small["reasons"]
    large = table[(table["group"] == "hbv") & (table["stage"] == "f4") & (table["method"] == "dlre")].iloc[0]
    assert large["auc"] > 0.5
    assert np.isnan(large["auc_gap"])
    assert "auc, gap: the others:" in large["reasons"]


def test_unknown_patients_are_counted_and_compared_with_nobody(patients, table):
    row = table[(table["group"] == "unknown") & (table["stage"] == "f4") & (table["method"] == "dlre")].iloc[0]
    known = (patients["cohort"] == "validation") & patients["sex"].isna()
    assert (row["n"], row["reasons"]) == (known.sum(), "sex is missing")
    assert np.isnan(row["auc"])


def test_for_print(table):
    printed = printed_fairness(table, SETTINGS, simulated=True)
    assert "Extended table 15" in printed.caption
    assert [block.heading for block in printed.blocks][:2] == ["Cirrhosis (F4): Age", "Cirrhosis (F4): Sex"]
    cells = {row[0]: row for block in printed.blocks[:4] for row in block.rows}
    assert cells["unknown"][2] == "sex is missing"
    assert "fewer than 5" in cells["hcv"][2]
    assert cells["hcv"][4] == "too few"
    assert cells["hbv"][3].startswith("the others: ")
    assert cells["hbv"][5] == "others too few"
    assert all(len(row) == len(printed.columns) for block in printed.blocks for row in block.rows)
    assert "exclude 0" in printed.footnotes[-1]


def test_without_groups_the_table_says_so(patients, cutoffs):
    one = patients.assign(hospital="A", sex="F", age_years=30.0, aetiology="hbv")
    groupings = fairness_groupings([], one)
    assert groupings == []
    table = fairness_table(one, cutoffs, groupings, SETTINGS)
    assert list(table.columns[:4]) == ["stage", "method", "grouping", "group"]
    assert "No column divides" in printed_fairness(table, SETTINGS, simulated=False).footnotes[0]


def test_groups_that_do_not_differ_rarely_have_a_gap():
    """Under no difference about 5 % of the gaps' intervals exclude 0."""
    outside = []
    for seed in range(60):
        table = scores(360, seed=seed, hospitals="AB").assign(sex=np.random.default_rng(seed).permutation(360) % 2)
        table["sex"] = table["sex"].map({0: "F", 1: "M"})
        found = fairness_table(table, table_2_of(table), [Grouping("Sex", "sex")], SETTINGS)
        for name in ("auc", "sensitivity", "specificity", "in_the_large"):
            rows = found[(found["group"] == "F") & found[f"{name}_gap_low"].notna()]
            outside += ((rows[f"{name}_gap_low"] > 0) | (rows[f"{name}_gap_high"] < 0)).tolist()
    assert len(outside) > 1000
    assert np.mean(outside) == pytest.approx(0.05, abs=0.025)


def table_2_of(table: pd.DataFrame) -> pd.DataFrame:
    """Cut-offs that do not depend on the patients."""
    rows = [
        {"stage": stage, "method": method, "cohort": "validation", "cutoff": cutoff}
        for stage in ("f4", "ge_f3", "ge_f2")
        for method, cutoff in (("dlre", 0.5), ("lsm", float(table["lsm"].median())))
    ]
    return pd.DataFrame(rows)
