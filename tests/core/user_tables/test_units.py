"""Units: a hospital's column in another unit gives one problem with unit and factor; nothing is converted unasked."""

import random
from pathlib import Path
from statistics import median

import pandas as pd
import pytest

from dlre_core.foundation.errors import ConfigurationError
from dlre_core.patients.clinical_table import examine_table, read_clinical
from dlre_core.patients.other_tables import values_by_file
from dlre_core.simulation.cohort import write_clinical_csv
from dlre_core.user_tables.data_contract import EVERY_CLINICAL_COLUMN, MEASUREMENT_COLUMNS, units_table
from dlre_core.user_tables.units import doubted_units, given_units
from tests.helpers.clean_table import DATA, changed, clean_rows, codes, enrolled, examined, found

CLEAN = read_clinical(DATA / "clean.csv").patients
COLUMNS = {column.name: column for column in (*EVERY_CLINICAL_COLUMN, *MEASUREMENT_COLUMNS)}
# Column, unit as it is named, factor to the column's own.
OTHERS = [
    ("platelets_10e9_l", "10^4/uL", 10, "multiply by 10"),
    ("platelets_10e9_l", "1/uL", 0.001, "divide by 1000"),
    ("ast_iu_l", "ukat/L", 60, "multiply by 60"),
    ("alt_iu_l", "ukat/L", 60, "multiply by 60"),
    ("ggt_iu_l", "ukat/L", 60, "multiply by 60"),
    ("alp_iu_l", "ukat/L", 60, "multiply by 60"),
    ("total_bilirubin_umol_l", "mg/dL", 17.1, "multiply by 17.1"),
    ("direct_bilirubin_umol_l", "mg/dL", 17.1, "multiply by 17.1"),
    ("indirect_bilirubin_umol_l", "mg/dL", 17.1, "multiply by 17.1"),
    ("albumin_g_l", "g/dL", 10, "multiply by 10"),
    ("height_cm", "m", 100, "multiply by 100"),
    ("weight_kg", "lb", 0.45359237, "divide by 2.20462"),
    ("fasting_glucose_mmol_l", "mg/dL", 1 / 18, "divide by 18"),
    ("prothrombin_activity_percent", "fraction", 100, "multiply by 100"),
    ("biopsy_length_mm", "cm", 10, "multiply by 10"),
]


def in_unit(column, factor, hospital=None):
    def change(n, cell):
        here = hospital is None or ROWS[n]["hospital"] == hospital
        return f"{float(cell) / factor:.4g}" if here and cell else cell

    return changed(column, change)


ROWS = clean_rows()
SIZES = pd.Series([row["hospital"] for row in ROWS]).value_counts()
LARGEST = SIZES.index[0]


@pytest.mark.parametrize(("column", "unit", "factor", "rule"), OTHERS)
@pytest.mark.parametrize("hospital", [None, LARGEST])
def test_another_unit_gives_one_problem_with_unit_and_factor(tmp_path, column, unit, factor, rule, hospital):
    table = examined(tmp_path, in_unit(column, factor, hospital))
    named = table.problems[table.problems["column"] == column]
    doubted = named[named["code"] == "wrong_unit"]
    assert len(doubted) == 1, named
    assert f"likely {unit}" in doubted.iloc[0]["problem"]
    words = doubted.iloc[0]["remedy"].lower()
    assert rule in words or "divide by 1,000" in words
    assert f"unit: {unit}" in doubted.iloc[0]["remedy"]
    # Not a problem for every cell, and no value in the wrong unit.
    assert set(named["code"]) == {"wrong_unit"}
    here = table.patients["hospital"].isin(SIZES.index if hospital is None else [hospital])
    assert table.patients.loc[here, column].isna().all()
    assert table.patients.loc[~here, column].equals(CLEAN.loc[~here, column])
    assert enrolled(table.patients) <= enrolled(CLEAN)


@pytest.mark.parametrize(("column", "unit", "factor", "rule"), OTHERS)
def test_a_unit_that_the_user_gives_is_converted_and_said(tmp_path, column, unit, factor, rule):
    units = given_units([{"column": column, "hospital": LARGEST, "unit": unit.upper()}])
    table = examined(tmp_path, in_unit(column, factor, LARGEST), units=units)
    assert table.patients[column].to_numpy() == pytest.approx(CLEAN[column].to_numpy(), rel=1e-3, nan_ok=True)
    said = found(table, "unit_converted")
    assert said["hospital"] == LARGEST
    assert f"from {unit}" in said["problem"]
    assert set(codes(table)) == {"unit_converted"}


def test_what_the_user_says_is_right_is_not_doubted(tmp_path):
    rows = in_unit("platelets_10e9_l", 10, LARGEST)
    units = given_units([{"column": "platelets_10e9_l", "hospital": LARGEST, "unit": "10^9/L"}])
    table = examined(tmp_path, rows, units=units)
    assert "wrong_unit" not in codes(table)
    assert table.patients.loc[table.patients["hospital"] == LARGEST, "platelets_10e9_l"].max() < 50


@pytest.mark.parametrize("name", ["q_box_mean_kpa", "q_box_min_kpa", "q_box_max_kpa"])
def test_stiffness_in_metres_per_second_is_doubted_and_converted_on_demand(tmp_path, name):
    frame = pd.read_csv(DATA / "clean_measurements.csv")
    frame["q_box_mean_kpa"] = frame["q_box_mean_kpa"].fillna(7.0)
    kpa = frame[name].copy()
    frame[name] = (frame[name] / 3) ** 0.5
    path = tmp_path / "measurements.csv"
    frame.to_csv(path, index=False)
    table = examine_table(path, None, MEASUREMENT_COLUMNS, ("file",))
    said = found(table, "wrong_unit")
    assert "likely m/s" in said["problem"]
    assert "kPa = 3 x c^2" in said["remedy"]
    assert table.patients[name].isna().all()
    units = given_units([{"column": name, "unit": "m/s"}])
    first = frame["file"][5]
    values = values_by_file(path, "measurements", first[0], units)
    assert values[first[2:]][name] == pytest.approx(kpa[5])


def test_simulated_cohorts_are_in_the_contracts_units(tmp_path):
    path = tmp_path / "clinical.csv"
    for seed in range(30):
        write_clinical_csv(path, [24, "demo", 60][seed % 3], seed)
        assert not {"wrong_unit", "unusual_median"} & set(codes(examine_table(path))), seed


def test_a_sick_hospital_is_not_in_another_unit():
    generator = random.Random(1)
    platelets, bilirubin = COLUMNS["platelets_10e9_l"], COLUMNS["total_bilirubin_umol_l"]
    others = {h: [generator.gauss(190, 40) for _ in range(20)] for h in "BCD"}
    cirrhosis = [generator.gauss(75, 20) for _ in range(20)]
    assert not doubted_units(platelets, others | {"A": cirrhosis})
    jaundice = {"A": [generator.gauss(60, 20) for _ in range(20)], "B": [15.0] * 9}
    assert not doubted_units(bilirubin, jaundice)


def test_a_single_value_is_doubted_only_where_it_cannot_be_in_the_columns_unit():
    height, platelets = COLUMNS["height_cm"], COLUMNS["platelets_10e9_l"]
    assert [d.unit.name for d in doubted_units(height, {"A": [1.7]})] == ["m"]
    assert not doubted_units(platelets, {"A": [18.7]})
    together = doubted_units(platelets, {"A": [18.7], "B": [15.1, 20.2, 17.3], "C": [190, 200, 180]})
    assert sorted(d.hospital for d in together) == ["A", "B"]


def test_a_median_that_no_unit_explains_is_named_and_kept(tmp_path):
    table = examined(tmp_path, changed("platelets_10e9_l", lambda _, cell: cell and "650.0"))
    assert found(table, "unusual_median")["effect"] == "flagged"
    assert median(table.patients["platelets_10e9_l"].dropna()) == 650


@pytest.mark.parametrize(
    ("section", "says"),
    [
        ([{"column": "age_years", "unit": "months"}], "no column that comes in other units"),
        ([{"column": "albumin_g_l", "unit": "mg/dL"}], "no unit of albumin_g_l"),
        (
            [{"column": "albumin_g_l", "unit": "g/dL"}, {"column": "albumin_g_l", "unit": "g/L"}],
            "already has another unit",
        ),
    ],
)
def test_a_unit_that_is_none_is_refused(section, says):
    with pytest.raises(ConfigurationError, match=says):
        given_units(section)


def test_units_of_a_validation_cohort_are_its_own():
    section = [
        {"column": "albumin_g_l", "unit": "g/dL"},
        {"column": "albumin_g_l", "unit": "g/L", "cohort": "other"},
    ]
    assert [unit.unit for unit in given_units(section)] == ["g/dL"]
    assert [unit.unit for unit in given_units(section, "other")] == ["g/L"]


def test_the_documented_units_are_the_contracts():
    document = Path(__file__).parents[3] / "docs/reference/reading_tables.md"
    assert units_table() in document.read_text(encoding="utf-8")
