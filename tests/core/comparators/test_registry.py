"""Comparators of the registry, by worked examples of other hands and by hand."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dlre_core.comparators.registry import (
    COMPARATORS,
    UpperLimit,
    comparator,
    comparator_scores,
    comparator_table,
    cut_off_table,
    given_column,
)
from dlre_core.user_tables.data_contract import EVERY_CLINICAL_COLUMN

LIMITS = {"ast_iu_l": UpperLimit(40, {"B": 50}), "ggt_iu_l": UpperLimit(40, {"B": 60})}
# Stiffness, platelets, AST, ALT, diabetes, sex and age are those of a calculator's test cases of the Agile scores.
PATIENT = {
    "hospital": "A",
    "lsm": 9.5,
    "age_years": 55.0,
    "sex": "M",
    "bmi_kg_m2": 28.0,
    "ast_iu_l": 40.0,
    "alt_iu_l": 50.0,
    "ggt_iu_l": 90.0,
    "platelets_10e9_l": 180.0,
    "albumin_g_l": 40.0,
    "cholesterol_mmol_l": 5.0,
    "inr": 1.1,
    "diabetes": 1,
    "fasting_glucose_mmol_l": 5.0,
    "vcte_stiffness_kpa": 12.0,
    "cap_db_m": 250.0,
    "fibrotest": 0.58,
}


def score(name, **changes):
    patients = pd.DataFrame([PATIENT | changes])
    return comparator_scores(patients, [comparator(name)], LIMITS)[name].item()


def test_agile_and_fast_give_the_probabilities_of_a_calculators_test_cases():
    """Sanyal 2023 and Newsome 2020 as logits 1.288, -1.312 and -0.592, probabilities to three digits."""
    assert score("agile_3_plus") == pytest.approx(0.784, abs=5e-4)
    assert score("agile_4") == pytest.approx(0.212, abs=5e-4)
    assert score("fast", vcte_stiffness_kpa=8.0) == pytest.approx(0.356, abs=5e-4)


def test_agile_of_a_woman_without_diabetes_by_hand():
    # 3+: -3.92368 + 2.29714 ln 8 - 0.00902 x 250 - 0.98633 x 30/40 + 0.03018 x 60 = -0.3309; 1 / (1 + e^0.3309)
    woman = {
        "sex": "F",
        "diabetes": 0,
        "vcte_stiffness_kpa": 8.0,
        "ast_iu_l": 40.0,
        "alt_iu_l": 30.0,
        "platelets_10e9_l": 250.0,
        "age_years": 60.0,
    }
    assert score("agile_3_plus", **woman) == pytest.approx(0.41803, abs=5e-5)
    # 4: 7.50139 - 15.42498 / 2.828427 - 0.01378 x 250 - 1.41149 x 30/40 = -2.45579
    assert score("agile_4", **woman) == pytest.approx(0.07901, abs=5e-5)


def test_forns_index_takes_cholesterol_in_mg_dl():
    # A calculator's case: 30 years, GGT 20, platelets 280, cholesterol 220 mg/dL: 1.22.
    case = {"age_years": 30.0, "ggt_iu_l": 20.0, "platelets_10e9_l": 280.0, "cholesterol_mmol_l": 220 / 38.67}
    assert score("forns", **case) == pytest.approx(1.22, abs=5e-3)


def test_kings_score_and_nafld_fibrosis_score():
    # A calculator's case: 45 x 60 x 1.1 / 200.
    assert score("kings", age_years=45.0, ast_iu_l=60.0, platelets_10e9_l=200.0) == pytest.approx(14.85)
    # -1.675 + 1.85 + 2.632 + 0 + 0.99 - 2.6 - 2.64, with albumin 4.0 g/dL.
    case = {"age_years": 50.0, "ast_iu_l": 30.0, "alt_iu_l": 30.0, "platelets_10e9_l": 200.0}
    assert score("nfs", diabetes=0, fasting_glucose_mmol_l=5.0, **case) == pytest.approx(-1.443)
    assert score("nfs", diabetes=0, fasting_glucose_mmol_l=6.1, **case) == pytest.approx(-1.443 + 1.13)


def test_ratios_by_hand():
    # 90/40*100/180, and with the other hospital's limit 90/60*100/180.
    assert score("gpr") == pytest.approx(1.25)
    assert score("gpr", hospital="B") == pytest.approx(5 / 6)
    assert score("aar") == pytest.approx(0.8)
    assert score("apri", hospital="B") == pytest.approx(100 * 40 / (50 * 180))


def test_a_given_column_is_what_stands_there():
    assert (score("lsm"), score("vcte_stiffness_kpa"), score("fibrotest")) == (9.5, 12.0, 0.58)
    own = given_column("elf", "ELF", direction=-1)
    assert comparator_scores(pd.DataFrame({"elf": [9.8, np.nan]}), [own])["elf"].tolist()[0] == 9.8
    assert own.direction == -1
    with pytest.raises(ValueError, match="neither 1"):
        given_column("elf", "ELF", direction=0)


@pytest.mark.parametrize(("name", "column"), [(name, c) for name, one in COMPARATORS.items() for c in one.columns])
def test_without_a_value_or_a_column_there_is_no_number(name, column):
    assert np.isfinite(score(name))
    patients = pd.DataFrame([PATIENT | {"diabetes": 0}])
    without = comparator_scores(patients.drop(columns=column), [comparator(name)], LIMITS)
    assert without[name].isna().all()
    # Integers and flags of the contract are Int64 with pd.NA, sexes None.
    patients = patients.astype({"diabetes": "Int64"})
    patients.loc[0, column] = None if column == "sex" else pd.NA if column == "diabetes" else np.nan
    assert comparator_scores(patients, [comparator(name)], LIMITS)[name].isna().all()


@pytest.mark.parametrize("name", ["fib4", "gpr", "aar", "forns", "kings", "fast", "agile_3_plus", "agile_4"])
def test_a_value_that_is_not_positive_has_no_number(name):
    zero = {"ast_iu_l", "platelets_10e9_l", "alt_iu_l"} & set(comparator(name).columns)
    divisor = {"fast": "ast_iu_l", "agile_3_plus": "ast_iu_l", "agile_4": "ast_iu_l", "aar": "alt_iu_l"}
    column = divisor.get(name, "platelets_10e9_l")
    assert column in zero
    assert np.isnan(score(name, **{column: 0.0}))


def test_known_diabetes_needs_no_glucose():
    assert np.isfinite(score("nfs", fasting_glucose_mmol_l=np.nan))
    assert np.isnan(score("nfs", diabetes=0, fasting_glucose_mmol_l=np.nan))


def test_a_limit_that_is_not_given_and_a_sex_that_is_none_are_refused():
    patients = pd.DataFrame([PATIENT])
    with pytest.raises(ValueError, match="GPR needs the upper limit of normal of ggt_iu_l"):
        comparator_scores(patients, [comparator("gpr")], {"ast_iu_l": UpperLimit(40)})
    with pytest.raises(ValueError, match="'male' is none of M, F"):
        score("agile_4", sex="male")
    with pytest.raises(ValueError, match="'fib5' is no comparator; there are lsm, apri"):
        comparator("fib5")


def test_every_column_is_one_of_the_contract():
    contract = {column.name for column in EVERY_CLINICAL_COLUMN} | {"lsm"}
    assert {name for one in COMPARATORS.values() for name in one.columns} <= contract


def test_cut_offs_are_ordered_and_have_a_source():
    for one in COMPARATORS.values():
        assert "" not in (one.name, one.label, one.formula, *one.columns)
        for source in (one.source, *(cut.source for cut in one.cut_offs)):
            assert "doi:10." in source or "PMID" in source
        for cut in one.cut_offs:
            limits = [limit for limit in (cut.rule_out, cut.rule_in) if limit is not None]
            assert limits
            assert limits == sorted(limits)
            assert cut.lowest_stage is None or f"F{cut.lowest_stage}" in cut.question or "advanced" in cut.question


def test_the_documented_registry_is_the_registry():
    document = Path(__file__).parents[3] / "docs/reference/comparators.md"
    text = document.read_text(encoding="utf-8")
    assert comparator_table() in text
    assert cut_off_table() in text
