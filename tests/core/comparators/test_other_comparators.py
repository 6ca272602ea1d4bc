"""Comparators of the registry in a cohort, and published cut-offs applied, against counting by hand."""

import numpy as np
import pandas as pd
import pytest

from dlre_core.comparators.other_comparators import other_comparators_table, printed_other_comparators
from dlre_core.comparators.registry import UpperLimit

LIMITS = {"ast_iu_l": UpperLimit(40)}


@pytest.fixture(scope="module")
def cohort() -> tuple[pd.DataFrame, pd.DataFrame]:
    chance = np.random.default_rng(7)
    n = 60
    stage = np.tile([0, 1, 2, 3, 4], n // 5)
    keys = {"hospital": "A", "patient": [f"P{i}" for i in range(n)]}
    scores = pd.DataFrame(
        keys | {"cohort": "validation", "fibrosis_stage": stage, "lsm": 5 + stage + chance.normal(0, 1, n)}
    )
    for name in ("f4", "ge_f3", "ge_f2"):
        scores[f"dlre_{name}"] = stage + chance.normal(0, 1, n)
    patients = pd.DataFrame(
        keys
        | {
            "age_years": chance.integers(30, 80, n).astype(float),
            "ast_iu_l": 30.0 + 10 * stage,
            "alt_iu_l": 40.0,
            "platelets_10e9_l": chance.integers(80, 250, n).astype(float),
            "ggt_iu_l": 50.0,
        }
    )
    training = scores.assign(cohort="training", patient="Q" + scores["patient"])
    return pd.concat([scores, training]), pd.concat([patients, patients.assign(patient="Q" + patients["patient"])])


@pytest.fixture(scope="module")
def table(cohort) -> pd.DataFrame:
    return other_comparators_table(*cohort, LIMITS)


def test_published_cut_offs_are_counted_by_hand(cohort, table):
    scores, patients = (part[:60] for part in cohort)
    apri = 100 * patients["ast_iu_l"] / 40 / patients["platelets_10e9_l"]
    row = table[(table["stage"] == "f4") & (table["comparator"] == "APRI") & (table["limit"] == "rule_in")].iloc[0]
    cases = scores["fibrosis_stage"] == 4
    assert row["cutoff"] == 2
    assert row["sensitivity"] == pytest.approx((apri[cases] >= 2).mean())
    assert row["specificity"] == pytest.approx((apri[~cases] < 2).mean())


def test_a_cut_off_for_the_old_is_for_the_old(cohort, table):
    row = table[table["published"].str.contains("65 years", na=False)].iloc[0]
    assert row["n"] == (cohort[1][:60]["age_years"] >= 65).sum()


def test_the_auc_is_of_the_validation_cohort_alone(cohort, table):
    scores, patients = (part[:60] for part in cohort)
    fib4 = patients["age_years"] * patients["ast_iu_l"] / patients["platelets_10e9_l"] / 40**0.5
    cases = (scores["fibrosis_stage"] >= 2).to_numpy()
    pairs = fib4.to_numpy()[cases][:, None] - fib4.to_numpy()[~cases][None]
    row = table[(table["stage"] == "ge_f2") & (table["comparator"] == "FIB-4") & table["published"].isna()].iloc[0]
    assert row["auc"] == pytest.approx(((pairs > 0) + 0.5 * (pairs == 0)).mean())
    assert row["n"] == 60


def test_what_cannot_be_computed_has_its_reason_and_no_number(table):
    absent = table[table["n"].isna()].drop_duplicates("comparator").set_index("comparator")
    assert absent.loc["GPR", "notes"] == "needs the upper limit of normal of ggt_iu_l"
    assert absent.loc["Forns index", "notes"] == "no patient has cholesterol_mmol_l"
    assert absent["auc"].isna().all()


def test_p_is_adjusted_over_a_questions_comparators(table):
    part = table[(table["stage"] == "f4") & table["p_value"].notna()].sort_values("p_value")
    assert part["p_holm"].iloc[0] == pytest.approx(min(1, len(part) * part["p_value"].iloc[0]))
    assert (part["p_holm"] >= part["p_value"]).all()


def test_print_names_sources_and_what_is_absent(table):
    printed = printed_other_comparators(table, 0.95, simulated=True)
    assert len(printed.blocks) == 3
    assert any("GPR is not given" in note for note in printed.footnotes)
    assert any("doi:10.1053/jhep.2003.50346" in note for note in printed.footnotes)
    assert {len(row) for block in printed.blocks for row in block.rows} == {7}
