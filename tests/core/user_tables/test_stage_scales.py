"""Stages on named scales: mapped to METAVIR where the user says so, the label kept, anything else refused."""

from pathlib import Path

import pandas as pd
import pytest

from dlre_core.foundation.csv_tables import read_table, write_table
from dlre_core.foundation.errors import ConfigurationError
from dlre_core.patients.clinical_table import read_clinical
from dlre_core.preflight.folder_check import check_folder
from dlre_core.user_tables.stage_scales import STAGE_SCALES, scales_table
from dlre_core.user_tables.units import given_units
from tests.helpers.clean_table import DATA, changed, clean_rows, codes, examined, found, same_values, write_rows

ROWS = clean_rows()
CLEAN = read_clinical(DATA / "clean.csv").patients
FIRST, LAST = ROWS[0]["hospital"], ROWS[-1]["hospital"]
# What a pathologist may write for METAVIR 0, 1, 2, 3 and 4.
WRITTEN = {
    "ishak": [("0",), ("1", "2", "F1", "2/6"), ("3",), ("4", "stage 4"), ("5", "6", "6/6")],
    "batts_ludwig": [("0",), ("1", "F1"), ("2",), ("3/4",), ("4",)],
    "scheuer": [("S0",), ("s1", "1"), ("S2",), ("S3",), ("S4", "4.0")],
    "nash_crn": [("0",), ("1", "1a", "F1B", "1c"), ("2",), ("3", "F3"), ("4",)],
    "laennec": [("0",), ("1",), ("2",), ("3",), ("4", "4A", "F4b", "4 C")],
}


def scale(name, hospital=""):
    entry = {"column": "fibrosis_stage", "unit": name}
    return given_units([entry | ({"hospital": hospital} if hospital else {})])


@pytest.mark.parametrize("name", WRITTEN)
def test_every_label_of_a_named_scale_gives_its_stage_and_stays(tmp_path, name):
    def write(n, cell):
        labels = WRITTEN[name][int(cell)]
        return labels[n % len(labels)]

    table = examined(tmp_path, changed("fibrosis_stage", write), units=scale(name))
    assert same_values(table.patients, CLEAN, list(CLEAN))
    labels = [write(n, row["fibrosis_stage"]) for n, row in enumerate(ROWS)]
    assert list(table.patients["fibrosis_stage_given"]) == labels
    assert set(table.patients["fibrosis_scale"]) == {name}
    said = table.problems[table.problems["code"] == "scale_mapped"]
    assert len(said) == len({row["hospital"] for row in ROWS})
    assert said["problem"].str.contains(STAGE_SCALES[name].label).all()


def test_the_mappings_are_those_of_the_literature():
    mapped = {name: list(one.stages.values()) for name, one in STAGE_SCALES.items()}
    assert mapped["ishak"] == [0, 1, 1, 2, 3, 4, 4]
    assert mapped["nash_crn"] == [0, 1, 1, 1, 1, 2, 3, 4]
    assert mapped["laennec"] == [0, 1, 2, 3, 4, 4, 4, 4]
    assert mapped["batts_ludwig"] == mapped["scheuer"] == mapped["metavir"] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("name", "cell"),
    [("ishak", "7"), ("nash_crn", "5"), ("nash_crn", "1d"), ("laennec", "3a"), ("batts_ludwig", "S2"), ("ishak", "1a")],
)
def test_what_a_scale_does_not_have_is_refused_with_its_stages(tmp_path, name, cell):
    rows = changed("fibrosis_stage", lambda n, c: cell if n == 3 else c)
    table = examined(tmp_path, rows, units=scale(name))
    said = found(table, "not_on_scale")
    assert (said["effect"], said["patient_id"]) == ("row rejected", ROWS[3]["patient_id"])
    assert f"{STAGE_SCALES[name].label} (0, 1" in said["problem"]
    assert "under units" in said["remedy"]
    assert ROWS[3]["patient_id"] not in set(table.patients["patient_id"])


def test_a_code_for_missing_is_no_stage_of_any_scale(tmp_path):
    table = examined(tmp_path, changed("fibrosis_stage", lambda n, c: "9" if n == 3 else c), units=scale("ishak"))
    assert codes(table)["missing_code"] == 1
    # What is no stage of the scale is not kept either.
    assert "9" not in set(table.patients["fibrosis_stage_given"])


def test_one_hospital_on_another_scale_leaves_the_others(tmp_path):
    rows = [row | {"fibrosis_stage": "6"} if row["hospital"] == LAST else row for row in ROWS]
    table = examined(tmp_path, rows, units=scale("Ishak", LAST))
    there = table.patients["hospital"] == LAST
    assert set(table.patients.loc[there, "fibrosis_stage"]) == {4}
    assert set(table.patients.loc[there, "fibrosis_stage_given"]) == {"6"}
    assert set(table.patients["fibrosis_scale"]) == {"ishak", "metavir"}
    others = CLEAN[CLEAN["hospital"] != LAST].reset_index(drop=True)
    assert same_values(table.patients[~there].reset_index(drop=True), others, list(CLEAN))


def test_metavir_is_the_default_and_adds_nothing(tmp_path):
    for units in ((), scale("metavir"), scale("METAVIR", FIRST)):
        table = examined(tmp_path, ROWS, units=units)
        assert list(table.patients) == list(CLEAN)
        assert table.problems.empty


def test_the_label_survives_the_file_between_rules(tmp_path):
    table = examined(tmp_path, ROWS, units=scale("batts_ludwig"))
    write_table(table.patients[["patient_id", "fibrosis_stage_given", "fibrosis_scale"]], tmp_path / "patients.csv")
    again = read_table(tmp_path / "patients.csv")
    assert list(again["fibrosis_stage_given"]) == [row["fibrosis_stage"] for row in ROWS]


def test_a_scale_that_does_not_exist_is_refused_with_those_that_do():
    with pytest.raises(ConfigurationError, match="no scale of fibrosis_stage") as caught:
        scale("knodell")
    assert "nash_crn, laennec" in caught.value.remedy


def test_two_scales_of_one_hospital_are_refused():
    entry = {"column": "fibrosis_stage", "hospital": "A", "unit": "ishak"}
    with pytest.raises(ConfigurationError, match="already has another unit"):
        given_units([entry, entry | {"unit": "scheuer"}])


def test_check_data_says_what_the_study_does(tmp_path):
    for hospital in {row["hospital"] for row in ROWS}:
        (tmp_path / "dicom" / hospital).mkdir(parents=True)
    write_rows(tmp_path, changed("fibrosis_stage", lambda n, c: "1d" if n == 3 else c))
    problems = check_folder(tmp_path, units=scale("nash_crn"))
    refused = problems[problems["code"] == "not_on_scale"]
    assert list(refused["cell"]) == ["1d"]
    assert pd.Series(["scale_mapped"]).isin(problems["code"]).all()


def test_a_longer_scale_that_is_not_named_is_told_how_to_name_it(tmp_path):
    rows = changed("fibrosis_stage", lambda n, c: "6" if n == 0 else c)
    assert "unit: ishak" in found(examined(tmp_path, rows), "other_scale")["remedy"]


def test_the_documented_scales_are_the_scales():
    document = Path(__file__).parents[3] / "docs/reference/reading_tables.md"
    assert scales_table() in document.read_text(encoding="utf-8")
