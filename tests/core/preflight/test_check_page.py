"""What ``make check-data`` prints: a page to act on, with what the study itself will do."""

import re

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from dlre_core.dicom.reject_reasons import Reason
from dlre_core.foundation.errors import ClinicalTableError
from dlre_core.ingestion.usable_picture import IngestionSettings
from dlre_core.patients.clinical_table import read_clinical
from dlre_core.patients.doubts import doubts
from dlre_core.patients.other_tables import check_tables, other_problems, other_tables
from dlre_core.preflight.folder_check import check_folder, look_at_pictures, main, unusable_text
from dlre_core.preflight.problems_page import problems_text
from dlre_core.user_tables.csv_input import PROBLEM_COLUMNS
from tests.helpers import elastogram_files as files
from tests.helpers.clean_table import DATA, clean_rows, write_rows
from tests.helpers.spoiled_folder import spoiled_folder

SENTENCES = [
    # What stops the study.
    "The column ast_iu_l stands in the header 2 times: as columns 18 and 34",
    "line 19: A double quote is opened in line 19",
    "cells of fibrosis_stage cannot be read, more than a tenth",
    "Ishak 0 is F0, 1 and 2 are F1, 3 is F2, 4 is F3, 5 and 6 are F4",
    # Rows that are refused.
    "line 17: The row has 35 cells below 34 columns",
    "line 18: The row has 33 cells below 34 columns",
    "line 14: A cell has more than 10,000 characters",
    "lines 15-16: [A A0015] The same hospital and patient_id stand in more than one row",
    "2 rows from line 49 on are not read",
    "line 10: [A A0009] fibrosis_stage: between two stages. Cell: 'F3-4'. (row rejected)",
    # What cannot be read never enrols.
    "The criterion 'Any other liver disease' cannot be applied to this patient, who is therefore not enrolled",
    "line 2: [A A0001] other_liver_disease: neither yes nor no. The patient is not enrolled. Cell: 'maybe'",
    "line 3: [A A0002] viral_coinfection: said to be unknown. The patient is not enrolled. Cell: '未查'",
    "43 of 43 cells of liver_transplantation are empty, which counts as no",
    # Values.
    "line 4: [A A0003] alt_iu_l: the point may separate thousands",
    "line 5: [A A0004] alt_iu_l: a decimal comma. Cell: '1,234'",
    "line 8: [A A0007] age_years: a code that stands for a missing value. Cell: '999'",
    "line 9: [A A0008] height_cm: outside 100 to 230 cm. Cell: '1.70'",
    "hbeag_positive is written in several ways: 1/0 in 29 cells, 阳性/阴性 in 14 cells",
    # Dates.
    "line 7: [A A0006] biopsy_date: day and month cannot be told apart. Cell: '5/4/2015'",
    "serology_date: 14 dates are written like 5/3/2015: the day comes first, as lines 38, 40,",
    "line 6: [A A0005] biopsy_date: a spreadsheet's day number, read as a date. Cell: '42100'",
    # Units.
    "platelets_10e9_l of hospital B: the median of 14 values is 14.25 (9.2 to 35.1), where 50 to 450 10^9/L is usual, "
    "and other hospitals have 181. The unit is "
    "likely 10^4/uL",
    "write {column: platelets_10e9_l, hospital: B, unit: 10^4/uL} under units in config.yaml",
    "q_box_mean_kpa of hospital A: the median of 28 values is 1.975 (1.49 to 2.97), where 3.5 to 75 kPa is usual, and "
    "other hospitals have 8.4. The unit is likely "
    "m/s",
    "kPa = 3 x c^2",
    # The other tables.
    "lines 35-36: [B B0003] q_box_mean_kpa: a code that stands for a missing value. Cells: '999', '-1'",
    "lines 37, 137: [B B0003] The same file stands in more than one row",
    "line 3: [A] row: not a whole number. Cell: '10.5'",
    # Numbers.
    "Pictures whose colour scale is unknown, so that no stiffness is read from them: 0 of 0.",
    "Units doubted, whose values are not used: 2 (platelets_10e9_l (B), q_box_mean_kpa (A)).",
]


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = spoiled_folder(tmp_path_factory.mktemp("spoiled"))
    return folder, problems_text(check_folder(folder))


def test_all_faults_at_once_are_a_page_to_act_on(page, capsys):
    folder, _ = page
    assert main([str(folder)]) == 1
    said = capsys.readouterr().out
    flowing = re.sub(r"\s+", " ", said)
    for sentence in SENTENCES:
        assert sentence in flowing, sentence
    # Every kind of problem has its remedy, and what stops the study stands first.
    kinds = re.findall(r"^\S+: .+ \(\d+\)$", said, re.MULTILINE)
    assert said.count("What to do:") == len(kinds) > 25
    places = [said.index(title) for title in ("DOES NOT START", "LEAVES OUT", "LOOK AT THIS")]
    assert places == sorted(places)
    assert max(len(line) for line in said.splitlines() if "config" not in line) <= 110
    assert not re.search(r"\b1 (patients|cells|dates|rows)\b", flowing)


def test_the_check_says_what_the_study_does(page):
    folder, _ = page
    with pytest.raises(ClinicalTableError) as caught:
        check_tables(folder)
    stops = [p for p in check_folder(folder).query("effect == 'study stopped'")["problem"]]
    for problem in stops[:3]:
        assert problem in str(caught.value)


CASES = sorted(path.name for path in DATA.glob("*.csv") if path.stem != "clean_measurements")


@pytest.mark.parametrize("case", CASES)
def test_problems_of_the_check_are_those_of_the_study(tmp_path, case):
    (tmp_path / "dicom" / "A").mkdir(parents=True)
    (tmp_path / "clinical.csv").write_bytes((DATA / case).read_bytes())
    checked = check_folder(tmp_path)
    stopped = checked["effect"].eq("study stopped").any()
    try:
        table = read_clinical(tmp_path / "clinical.csv", ["A"])
    except ClinicalTableError:
        assert stopped
        return
    assert not stopped
    here = checked[checked["file"] == "clinical.csv"][PROBLEM_COLUMNS].reset_index(drop=True)
    pd.testing.assert_frame_equal(here, table.problems)


def test_zero_is_said_as_zero(tmp_path, capsys):
    (tmp_path / "dicom" / "A").mkdir(parents=True)
    write_rows(tmp_path, [row for row in clean_rows() if row["hospital"] == "A"])
    main([str(tmp_path)])
    said = capsys.readouterr().out
    for sentence in (
        "no stiffness is read from them: 0 of 0.",
        "Values removed from the tables: 0.",
        "Units doubted, whose values are not used: 0.",
        "Patients excluded because a cell could not be read: 0.",
    ):
        assert sentence in said


def test_pictures_whose_scale_is_unknown_are_counted(tmp_path):
    for number in range(3):
        dataset = files.make_dataset(files.draw_screen(number, labelled=False), uid=f"1.2.{number}")
        files.save(dataset, tmp_path / "dicom" / "A" / "A0001" / f"{number}.dcm")
    settings = IngestionSettings()
    seen = look_at_pictures(tmp_path, settings, seconds=300)
    assert (seen.sources, seen.unusable, seen.left) == (["unknown"] * 3, {}, 0)
    assert "cannot be used: 0 of 3 looked at." in unusable_text(seen)
    hurried = look_at_pictures(tmp_path, settings, seconds=-1)
    assert (hurried.sources, hurried.left) == ([], 3)


def test_pictures_that_cannot_be_used_are_said_with_what_to_do(tmp_path):
    folder = tmp_path / "dicom" / "A" / "A0001"
    folder.mkdir(parents=True)
    for name in ("1.png", "2.png", "square.png"):
        Image.fromarray(np.full((300, 400, 3), 90, np.uint8)).save(folder / name)
    files.save(files.make_dataset(files.draw_screen(1, fill=0.0)), folder / "failed.dcm")
    (folder / "notes.txt").write_text("notes")
    (tmp_path / "roi.csv").write_text("file,row,column,size\nA/A0001/square.png,10,10,100\n")
    seen = look_at_pictures(tmp_path, IngestionSettings(), seconds=300)
    assert seen.sources == ["unknown"]
    said = " ".join(unusable_text(seen).split())
    assert "cannot be used: 3 of 4 looked at." in said
    assert "no_elastogram (2, such as A/A0001/1.png)" in said
    assert Reason.NO_ELASTOGRAM.remedy in said
    assert said.index("no_elastogram") < said.index("little_signal (A/A0001/failed.dcm)")


def test_numbers_of_the_report_count_both_tables(page):
    folder, _ = page
    clinical = check_folder(folder).query("file == 'clinical.csv'")
    (folder / "roi.csv").unlink()
    others = other_problems(other_tables(folder), ["A", "B"])
    enrolment = pd.DataFrame({"all_reasons": ["unreadable_cell;too_young", "", None, "too_young"]})
    sources = pd.Series(["file", "unknown", "label"])
    counted = doubts(clinical, others, enrolment, sources)
    assert (counted.scale_unknown, counted.scale_known) == (1, 3)
    assert counted.values_removed == (clinical["effect"] == "value removed").sum() + 2
    assert counted.units_doubted == ("platelets_10e9_l (B)", "q_box_mean_kpa (A)")
    assert counted.patients_unread == 1
