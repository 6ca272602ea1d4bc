"""The clinical table: typed when right, and every mistake named with row, column and remedy."""

from datetime import date
from pathlib import Path

import pytest

from dlre_core.foundation.errors import ClinicalTableError
from dlre_core.patients.clinical_table import read_clinical, rejected_rows
from dlre_core.user_tables.data_contract import (
    CLINICAL_COLUMNS,
    MEASUREMENT_COLUMNS,
    OPTIONAL_CLINICAL_COLUMNS,
    contract_table,
    template,
)
from tests.helpers.clinical_csv import write


def problem(table, code):
    found = table.problems[table.problems["code"] == code]
    assert len(found) >= 1, table.problems
    assert (found["remedy"].str.len() > 5).all()
    return found.iloc[0]


def test_a_good_row_is_typed(tmp_path):
    table = read_clinical(write(tmp_path, {}), ["A"])
    assert table.problems.empty
    row = table.patients.iloc[0]
    assert row["fibrosis_stage"] == 2
    assert row["elastography_date"] == date(2015, 3, 2)
    assert row["weight_kg"] == 65.9
    assert list(table.patients) == [column.name for column in CLINICAL_COLUMNS]


@pytest.mark.parametrize(
    ("change", "code", "column", "effect"),
    [
        ({"fibrosis_stage": "F2-3"}, "not_one_grade", "fibrosis_stage", "row rejected"),
        ({"fibrosis_stage": "7"}, "impossible_value", "fibrosis_stage", "row rejected"),
        ({"fibrosis_stage": ""}, "missing_value", "fibrosis_stage", "row rejected"),
        ({"hospital": ""}, "missing_value", "hospital", "row rejected"),
        ({"hospital": "Z"}, "unknown_hospital", "hospital", "row rejected"),
        ({"biopsy_date": "42065"}, "excel_date", "biopsy_date", "flagged"),
        ({"biopsy_date": "4/3/2015"}, "day_or_month", "biopsy_date", "value removed"),
        ({"fasting_glucose_mmol_l": "5,1"}, "decimal_comma", "fasting_glucose_mmol_l", "value removed"),
        ({"platelets_10e9_l": "180000"}, "impossible_value", "platelets_10e9_l", "value removed"),
        ({"ast_iu_l": "-3"}, "impossible_value", "ast_iu_l", "value removed"),
        ({"ast_iu_l": "nan"}, None, None, None),
        ({"alt_iu_l": "high"}, "not_a_number", "alt_iu_l", "value removed"),
        ({"albumin_g_l": "556.0"}, "implausible_value", "albumin_g_l", "flagged"),
        ({"height_cm": "65.9", "weight_kg": "170"}, "impossible_value", "height_cm", "value removed"),
        ({"weight_kg": "90"}, "bmi_disagrees", "bmi_kg_m2", "flagged"),
        ({"direct_bilirubin_umol_l": "40"}, "bilirubin_disagrees", "total_bilirubin_umol_l", "flagged"),
        ({"sex": "X"}, "not_a_sex", "sex", "value removed"),
        ({"portal_tracts": "7.5"}, "not_whole", "portal_tracts", "value removed"),
        ({"hbeag_positive": "2"}, "not_yes_or_no", "hbeag_positive", "value removed"),
    ],
)
def test_each_mistake_is_named(tmp_path, change, code, column, effect):
    others = [{"hbeag_positive": "0"}] * 10
    table = read_clinical(write(tmp_path, {}, change, *others), ["A"])
    if code is None:
        assert table.problems.empty
        return
    found = problem(table, code)
    assert (found["row"], found["column"], found["effect"]) == (3, column, effect)
    assert len(table.patients) == (11 if effect == "row rejected" else 12)
    assert rejected_rows(table.problems) == 12 - len(table.patients)


def test_stage_may_be_written_with_its_letter(tmp_path):
    table = read_clinical(write(tmp_path, {"fibrosis_stage": "F4", "inflammation_grade": "a3"}))
    assert table.problems.empty
    assert table.patients.loc[0, ["fibrosis_stage", "inflammation_grade"]].tolist() == [4, 3]


def test_both_rows_of_a_duplicate_are_rejected(tmp_path):
    table = read_clinical(write(tmp_path, {}, {"patient_id": "A0001"}, {}))
    assert (table.problems["code"] == "duplicate_patient").sum() == 2
    assert table.patients["patient_id"].tolist() == ["A0003"]


def test_whole_column_in_another_unit(tmp_path):
    table = read_clinical(write(tmp_path, *[{"height_cm": "1.70"}] * 3))
    assert problem(table, "wrong_unit")["row"] == 0
    assert "Metres" in problem(table, "wrong_unit")["remedy"]


def test_encoding_and_delimiter_are_read_and_reported(tmp_path):
    path = write(tmp_path, {"patient_id": "王0001"}, encoding="gb18030", separator=";")
    table = read_clinical(path)
    assert {"not_utf8", "delimiter"} == set(table.problems["code"])
    assert table.patients["patient_id"].tolist() == ["王0001"]


def test_blank_rows_and_unknown_columns(tmp_path):
    path = write(tmp_path, {}, {})
    lines = path.read_text().splitlines()
    lines = [lines[0] + ",name", lines[1] + ",Wang Wei", "," * 32, lines[2] + ",Li"]
    path.write_text("\n".join(lines))
    table = read_clinical(path)
    assert set(table.problems["code"]) == {"unknown_column", "blank_row"}
    assert len(table.patients) == 2
    assert not table.problems.astype(str).apply(lambda c: c.str.contains("Wang")).any(axis=None)


@pytest.mark.parametrize("content", [b"", b"patient_id,hospital\n1,A\n", b"PK\x03\x04zip"])
def test_a_table_that_cannot_be_used_says_why(tmp_path, content):
    path = tmp_path / "clinical.csv"
    path.write_bytes(content)
    with pytest.raises(ClinicalTableError):
        read_clinical(path)


def test_missing_table(tmp_path):
    with pytest.raises(ClinicalTableError, match="cannot be read"):
        read_clinical(tmp_path / "none.csv")


def test_template_and_documentation_name_every_column():
    assert template().strip().split(",") == [column.name for column in CLINICAL_COLUMNS]
    assert all(f"`{column.name}`" in contract_table() for column in CLINICAL_COLUMNS)


@pytest.mark.parametrize("columns", [CLINICAL_COLUMNS, OPTIONAL_CLINICAL_COLUMNS, MEASUREMENT_COLUMNS])
def test_the_documented_contract_is_the_contract(columns):
    document = Path(__file__).parents[3] / "docs/reference/data_contract.md"
    assert contract_table(columns) in document.read_text(encoding="utf-8")


def test_a_hospital_may_be_called_NA_and_a_patient_unknown(tmp_path):
    path = write(tmp_path, {"hospital": "NA"}, {"hospital": "none", "patient_id": "unknown"})
    table = read_clinical(path, ["NA", "none"])
    assert list(table.patients["hospital"]) == ["NA", "none"]
    assert table.problems.empty
    empty = read_clinical(write(tmp_path, {"hospital": ""}, {}), ["A"])
    assert list(empty.problems["code"]) == ["missing_value"]


def test_decimal_commas_are_numbers_where_semicolons_separate(tmp_path):
    change = {"albumin_g_l": "43,5", "ast_iu_l": "40,0", "portal_tracts": "9,0"}
    path = write(tmp_path, change, {"albumin_g_l": "n/a"}, separator=";")
    path.write_text(path.read_text().replace('"', ""))
    table = read_clinical(path)
    assert table.patients.loc[0, ["albumin_g_l", "ast_iu_l", "portal_tracts"]].tolist() == [
        43.5,
        40,
        9,
    ]
    assert list(table.problems["code"]) == ["decimal_comma", "delimiter"]
    assert table.problems["problem"].str.startswith("3 decimal commas").any()
