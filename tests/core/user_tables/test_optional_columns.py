"""Optional columns of the clinical table: absent without effect, present by the same rules as all others."""

import pandas as pd
import pytest

from dlre_core.foundation.csv_tables import read_table, write_table
from dlre_core.patients.clinical_table import pseudonymise, read_clinical
from dlre_core.patients.pseudonyms import Pseudonymiser
from dlre_core.user_tables.data_contract import CLINICAL_COLUMNS, OPTIONAL_CLINICAL_COLUMNS, template
from dlre_core.user_tables.units import given_units
from dlre_core.user_tables.vocabulary import COUNTRIES
from tests.helpers.clean_table import DATA, clean_rows, codes, enrolled, examined, found, same_values

CLEAN = read_clinical(DATA / "clean.csv").patients
OPTIONAL = {column.name: column for column in OPTIONAL_CLINICAL_COLUMNS}
# A usual value of each, as it is written and as it is read.
USUAL = {
    "aetiology": ("MASLD", "masld"),
    "country": ("jp", "JP"),
    "diabetes": ("yes", 1),
    "cholesterol_mmol_l": ("5.2", 5.2),
    "triglycerides_mmol_l": ("1.4", 1.4),
    "inr": ("1.05", 1.05),
    "cap_db_m": ("287", 287.0),
    "vcte_stiffness_kpa": ("8.8", 8.8),
    "vcte_iqr_kpa": ("1.1", 1.1),
    "spleen_stiffness_kpa": ("24", 24.0),
    "alcohol_g_week": ("0", 0.0),
    "fibrotest": ("0.48", 0.48),
    "steatosis_grade": ("2", 2),
    "nafld_activity_score": ("5", 5),
}
# Units that hospitals send, by the factor to the column's own.
OTHERS = [("cholesterol_mmol_l", "mg/dL", 1 / 38.67), ("triglycerides_mmol_l", "mg/dL", 1 / 88.57)]


def with_columns(change=lambda n, name, cell: cell, names=tuple(USUAL)):
    return [row | {name: change(n, name, USUAL[name][0]) for name in names} for n, row in enumerate(clean_rows())]


def one_cell(name, cell):
    return with_columns(lambda n, column, usual: cell if (n, column) == (3, name) else usual)


def test_the_template_and_a_table_without_them_are_as_before():
    assert template().strip().split(",") == [column.name for column in CLINICAL_COLUMNS]
    assert set(OPTIONAL).isdisjoint(CLEAN)
    assert not any(column.required for column in OPTIONAL_CLINICAL_COLUMNS)
    assert set(USUAL) == set(OPTIONAL)


def test_usual_values_are_read_and_nobody_is_enrolled_or_left_out_by_them(tmp_path):
    table = examined(tmp_path, with_columns())
    assert table.problems.empty
    for name, (_, value) in USUAL.items():
        assert set(table.patients[name]) == {value}, name
    assert same_values(table.patients, CLEAN, list(CLEAN))
    assert enrolled(table.patients) == enrolled(CLEAN)


def test_empty_cells_are_missing_without_a_word(tmp_path):
    table = examined(tmp_path, with_columns(lambda *_: ""))
    assert table.problems.empty
    assert table.patients[list(USUAL)].isna().all(axis=None)


@pytest.mark.parametrize(
    ("name", "cell", "code"),
    [
        ("aetiology", "NAFLD", "not_a_category"),
        ("aetiology", "9", "missing_code"),
        ("country", "UK", "not_a_category"),
        ("country", "Deutschland", "not_a_category"),
        ("diabetes", "perhaps", "not_yes_or_no"),
        ("inr", "0.1", "impossible_value"),
        ("inr", "9", "missing_code"),
        ("cap_db_m", "450", "impossible_value"),
        ("vcte_stiffness_kpa", "80", "impossible_value"),
        ("fibrotest", "48", "impossible_value"),
        ("nafld_activity_score", "4.5", "not_whole"),
        ("steatosis_grade", "=A1", "formula"),
        ("cholesterol_mmol_l", "5,2", "decimal_comma"),
    ],
)
def test_what_cannot_be_read_is_removed_and_named_and_the_patient_stays(tmp_path, name, cell, code):
    table = examined(tmp_path, one_cell(name, cell))
    said = found(table, code)
    assert (said["column"], said["effect"]) == (name, "value removed")
    assert len(said["remedy"]) > 20
    assert pd.isna(table.patients.loc[3, name])
    assert table.patients[name].notna().sum() == len(CLEAN) - 1
    assert enrolled(table.patients) == enrolled(CLEAN)


def test_a_category_says_what_it_may_be(tmp_path):
    remedy = found(examined(tmp_path, one_cell("aetiology", "NASH")), "not_a_category")["remedy"]
    assert "hbv, hcv, masld" in remedy
    assert "where its criteria hold" in remedy
    assert "two letters" in found(examined(tmp_path, one_cell("country", "GER")), "not_a_category")["remedy"]


@pytest.mark.parametrize(
    ("name", "cell", "value"),
    [("aetiology", "Hepatitis B", "hbv"), ("aetiology", "丙肝", "hcv"), ("country", "Namibia", "NA")],
)
def test_other_words_for_the_same(tmp_path, name, cell, value):
    table = examined(tmp_path, one_cell(name, cell))
    assert table.problems.empty
    assert table.patients.loc[3, name] == value


def test_countries_are_those_of_iso_3166():
    assert len(COUNTRIES) == len(set(COUNTRIES)) == 249
    assert {"CN", "JP", "DE", "FR", "GB", "IT", "ES", "AT", "RO"} <= set(COUNTRIES)
    assert all(len(code) == 2 and code.isupper() for code in COUNTRIES)


@pytest.mark.parametrize(("name", "unit", "factor"), OTHERS)
def test_another_unit_is_doubted_and_converted_only_when_given(tmp_path, name, unit, factor):
    rows = with_columns(lambda n, column, usual: f"{float(usual) / factor:.5g}" if column == name else usual)
    doubted = examined(tmp_path, rows)
    assert f"likely {unit}" in found(doubted, "wrong_unit")["problem"]
    assert doubted.patients[name].isna().all()
    converted = examined(tmp_path, rows, units=given_units([{"column": name, "unit": unit}]))
    assert converted.patients[name].to_numpy() == pytest.approx(float(USUAL[name][0]), rel=1e-3)
    assert set(codes(converted)) == {"unit_converted"}


def test_spleen_stiffness_in_m_s_and_alcohol_by_the_day(tmp_path):
    written = {"spleen_stiffness_kpa": "2.5", "alcohol_g_week": "20"}
    rows = with_columns(lambda n, column, usual: written.get(column, usual))
    assert "likely m/s" in found(examined(tmp_path, rows), "wrong_unit")["problem"]
    units = given_units(
        [{"column": "spleen_stiffness_kpa", "unit": "m/s"}, {"column": "alcohol_g_week", "unit": "g/day"}]
    )
    patients = examined(tmp_path, rows, units=units).patients
    assert set(patients["spleen_stiffness_kpa"]) == {18.75}
    assert set(patients["alcohol_g_week"]) == {140.0}


def test_they_pass_to_the_pseudonymised_table_as_they_are(tmp_path):
    patients = examined(tmp_path, one_cell("country", "Namibia")).patients
    write_table(pseudonymise(patients, Pseudonymiser(b"k" * 32, 30)), tmp_path / "patients.csv")
    again = read_table(tmp_path / "patients.csv")
    assert sorted(set(again["country"])) == ["JP", "NA"]
    assert set(again["aetiology"]) == {"masld"}
    assert set(again["vcte_stiffness_kpa"]) == {8.8}
