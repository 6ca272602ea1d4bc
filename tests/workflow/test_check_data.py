"""A folder with the ten mistakes that people make: each is found, with what to change."""

import shutil
import zipfile

import pytest
import yaml

from dlre_core.patients.cohort_folder import hospital_codes
from dlre_core.preflight.folder_check import check_folder, main
from dlre_core.preflight.proposed_config import proposed_configuration
from dlre_core.workflow.configuration import check_configuration
from dlre_core.workflow.contradictions import check_hospitals
from dlre_core.workflow.study_design import apply_design
from tests.helpers.clinical_csv import GOOD
from tests.helpers.cohort_folders import patients, write_dicom, write_folder
from tests.workflow.study import ROOT


def test_a_good_folder_has_no_findings(tmp_path, capsys):
    folder = write_folder(tmp_path, patients(3))
    assert check_folder(folder).empty
    assert main([str(folder)]) == 0
    said = capsys.readouterr().out
    assert "No problems found" in said
    pasted = yaml.safe_load(said[said.index("cohort: {") :])
    assert pasted["cohort"]["folder"] == str(folder)
    assert {arm["split"] for arm in pasted["arms"].values()} == {"overall"}


def test_the_ten_mistakes(tmp_path, capsys):
    rows = patients(10)
    for row in rows:
        row["platelets_10e9_l"] = "180000"  # 1 wrong unit
    rows[1]["height_cm"], rows[1]["weight_kg"] = rows[1]["weight_kg"], rows[1]["height_cm"]  # 2
    rows[2]["biopsy_date"] = "42065"  # 3 spreadsheet date
    rows[3]["fasting_glucose_mmol_l"] = "5,1"  # 4 decimal comma
    rows[4]["patient_id"] = "A0004"  # 5 duplicate patient
    rows[5]["hospital"] = ""  # 6 missing hospital
    rows[6]["fibrosis_stage"] = "F2-3"  # 7
    rows[7]["sex"] = "男"  # 8 with GB18030: not UTF-8
    rows.append(dict.fromkeys(GOOD, ""))  # 9 blank row
    folder = write_folder(tmp_path, rows, encoding="gb18030")
    write_dicom(tmp_path / "dicom" / "A" / "unknown" / "1.dcm", "A9999")  # 10
    problems = check_folder(folder)
    by_code = problems.groupby("code")["remedy"].first()
    expected = {
        "wrong_unit": "Divide by 1,000",
        "impossible_value": "in cm",
        "excel_date": "YYYY-MM-DD",
        "decimal_comma": "decimal point",
        "duplicate_patient": "one row",
        "missing_value": "Fill in code of the hospital",
        "not_one_grade": "one whole stage",
        "not_utf8": "UTF-8",
        "blank_row": "Delete",
        "pictures_without_patient": "Add the patient's row",
    }
    assert set(expected) <= set(by_code.index), problems
    height = problems[(problems["column"] == "height_cm") & (problems["row"] == 3)].iloc[0]
    assert "in cm" in height["remedy"]
    for code, words in expected.items():
        assert any(words in r for r in problems.loc[problems["code"] == code, "remedy"]), code
    assert main([str(folder)]) == 1
    assert "What to do:" in capsys.readouterr().out


@pytest.mark.parametrize("spoil", ["no_dicom", "no_table"])
def test_missing_parts_are_named(tmp_path, spoil):
    folder = write_folder(tmp_path, patients(1))
    if spoil == "no_table":
        (folder / "clinical.csv").unlink()
    else:
        (folder / "dicom").rename(folder / "DICOM-export")
    code = {"no_dicom": "no_hospitals", "no_table": "unusable_table"}[spoil]
    assert code in set(check_folder(folder)["code"])


def test_files_beside_the_hospitals_are_told(tmp_path):
    folder = write_folder(tmp_path, patients(1))
    (folder / "dicom" / "B.zip").write_bytes(b"PK")
    (folder / "dicom" / ".DS_Store").touch()
    (row,) = check_folder(folder).to_dict("records")
    assert row["code"] == "outside_hospitals"
    assert "B.zip" in row["problem"]


def test_measurements_that_name_no_picture(tmp_path):
    folder = write_folder(tmp_path, patients(1))
    (folder / "measurements.csv").write_text(
        "hospital,patient_id,file,q_box_mean_kpa\nA,A0001,A/A0001/0.dcm,1000\nA,A0001,A/A0001/9.dcm,7.2\n"
    )
    assert set(check_folder(folder)["code"]) == {"picture_missing", "impossible_value"}


def test_a_list_of_studies_is_checked_before_anything_is_pulled(tmp_path):
    folder = write_folder(tmp_path, patients(1))
    (folder / "studies.csv").write_text("hospital,patient_id\nA,A0001\nB,B*\n")
    found = check_folder(folder).set_index("code")
    assert set(found.index) == {"bad_line", "not_pulled"}
    assert found.loc["bad_line", "row"] == 3
    assert "make pull" in found.loc["not_pulled", "remedy"]
    (folder / "studies.csv").write_text("clinic\nA\n")
    assert set(check_folder(folder)["file"]) == {"studies.csv"}


def test_pictures_in_archives_are_found(tmp_path):
    folder = write_folder(tmp_path, patients(1))
    pictures = sorted((folder / "dicom/A/A0001").glob("*.dcm"))
    with zipfile.ZipFile(folder / "dicom/A/export.zip", "w") as archive:
        for path in pictures:
            archive.write(path, path.name)
            path.unlink()
    assert check_folder(folder).empty


def test_squares_are_checked(tmp_path):
    folder = write_folder(tmp_path, patients(1))
    squares = folder / "roi.csv"
    squares.write_text("file,row,column,size\nA/A0001/0.dcm,1,2,250\nA/A0001/1.dcm,1.5,2,250\nA/9.dcm,1,2,3\n")
    assert set(check_folder(folder)["code"]) == {
        "not_whole",
        "column_unreadable",
        "picture_missing",
    }
    squares.write_text("file,top,left,size\n")
    assert set(check_folder(folder)["code"]) == {"unusable_table"}


def test_a_folder_without_pictures_is_named_once(tmp_path, capsys):
    folder = write_folder(tmp_path, patients(1))
    (folder / "dicom/empty").mkdir()
    assert main([str(folder)]) == 1
    assert capsys.readouterr().out.count("holds no picture") == 1


def test_what_a_pacs_is_to_send_gets_its_sections_before_it_is_pulled(tmp_path, capsys):
    folder = write_folder(tmp_path, [row | {"hospital": "aalen"} for row in patients(3)])
    shutil.rmtree(folder / "dicom")
    (folder / "studies.csv").write_text("hospital,patient_id\naalen,A0001\nbern,B0001\n")
    assert main([str(folder)]) == 1
    said = capsys.readouterr().out
    assert "Nothing was pulled yet for aalen, bern" in said
    assert "then `make pull` and `make study`" in said
    pasted = yaml.safe_load(said[said.index("cohort: {") :])
    assert pasted["cohort"]["source"] == "dicomweb"
    config = yaml.safe_load((ROOT / "config.yaml").read_text()) | pasted
    apply_design(config)
    check_configuration(config, ROOT / "rules/schemas/config.schema.yaml")
    check_hospitals(config, hospital_codes(config["cohort"]))


def test_hospitals_are_halved_for_the_splits():
    text = proposed_configuration("/x", {"a": 9, "b": 5, "c": 4, "d": 1, "nobody": 0})
    splits = yaml.safe_load(text)["splits"]
    assert splits["combination_1"]["training"] == ["a", "d"]
    assert splits["combination_2"]["training"] == ["b", "c"]


@pytest.mark.parametrize(("images", "numbers"), [(5, [5, 3, 1]), (3, [3, 1]), (1, [1])])
def test_no_arm_has_more_pictures_than_patients_are_enrolled_with(images, numbers):
    arms = yaml.safe_load(proposed_configuration("/x", {"a": 9}, images=images))["arms"]
    assert [arm["images"] for arm in arms.values()] == numbers


def test_a_wrong_configuration_is_named_after_the_findings(tmp_path, capsys, monkeypatch):
    folder = write_folder(tmp_path, patients(3))
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    config["enrolment"] = {"minimum_age_years": "18"}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    (tmp_path / "rules").symlink_to(ROOT / "rules")
    monkeypatch.chdir(tmp_path)
    assert main([str(folder)]) == 1
    said = capsys.readouterr().out
    assert "enrolment.minimum_age_years = '18'" in said
    assert "write 18 without quotes" in said
