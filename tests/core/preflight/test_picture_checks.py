"""What a check says of pictures before a study: examinations, links, anonymisers' UIDs."""

import pytest
import yaml

from dlre_core.patients.cohort_folder import linked_folders, not_read
from dlre_core.preflight.folder_check import check_folder, main
from dlre_core.preflight.picture_checks import doubts_text
from tests.helpers import elastogram_files as files
from tests.helpers.clinical_csv import GOOD
from tests.workflow.study import ROOT


@pytest.fixture
def folder(tmp_path):
    """One patient, examined on the day of the files that `elastogram_files` makes, with five pictures."""
    row = GOOD | {"patient_id": "A0001", "hospital": "A", "elastography_date": "2016-03-02"}
    row |= {"biopsy_date": "2016-03-02", "serology_date": "2016-03-02"}
    lines = [",".join(row), ",".join(row.values())]
    (tmp_path / "clinical.csv").write_text("\n".join(lines) + "\n")
    for number in range(5):
        files.write_elastogram(tmp_path / f"dicom/A/A0001/{number}.dcm", number)
    return tmp_path


def add(folder, name, seed, **elements):
    dataset = files.make_dataset(files.draw_screen(seed), uid=f"1.2.{seed}")
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    files.save(dataset, folder / "dicom/A" / name)


def test_a_sound_folder_has_no_finding(folder):
    assert check_folder(folder).empty


def test_pictures_of_another_examination_are_named_and_do_not_count(folder):
    add(folder, "A0001/later.dcm", 9, AcquisitionDate="20170302")
    (row,) = check_folder(folder).to_dict("records")
    assert row["code"] == "other_examination"
    assert "1 of 6 pictures of A0001 are of 2017-03-02" in row["problem"]
    for number in range(2):
        add(folder, f"A0001/{number}.dcm", number, AcquisitionDate="20170302")
    found = check_folder(folder).set_index("code")["problem"]
    assert "3 pictures of the examination; 5 are needed" in found["too_few_pictures"]


def test_without_a_date_in_the_table_several_examinations_are_named(folder):
    table = folder / "clinical.csv"
    header, row = table.read_text().splitlines()
    cells = dict(zip(header.split(","), row.split(","), strict=True)) | {"elastography_date": ""}
    table.write_text(f"{header}\n{','.join(cells.values())}\n")
    assert "several_examinations" not in set(check_folder(folder)["code"])
    add(folder, "A0001/later.dcm", 9, AcquisitionDate="20170302")
    found = check_folder(folder).set_index("code")["problem"]
    assert "elastography_date is unknown" in found["several_examinations"]
    assert "too_few_pictures" in found


def test_one_uid_for_different_files_names_the_anonymiser(folder):
    for number in range(5):
        add(folder, f"A0001/{number}.dcm", number, SOPInstanceUID="1.2.3")
    (row,) = check_folder(folder).to_dict("records")
    assert row["code"] == "constant_uid"
    assert "5 files" in row["problem"]
    assert "trust_uids: false" in row["remedy"]


def test_copies_of_one_file_are_no_anonymisers_doing(folder):
    for number in range(7):
        add(folder, f"A0001/again {number}.dcm", 8)
    assert check_folder(folder).empty


def test_a_patient_folder_that_is_a_link_is_named_before_and_at_the_start(folder):
    real = folder / "elsewhere"
    (folder / "dicom/A/A0001").rename(real)
    (folder / "dicom/A/A0001").symlink_to(real)
    found = check_folder(folder).set_index("code")
    assert "such as A0001" in found.loc["linked_folder", "problem"]
    assert "Copy the folder" in found.loc["linked_folder", "remedy"]
    (folder / "dicom/stray.dcm").touch()
    first, second = not_read(folder)
    assert "dicom/stray.dcm lie in no hospital" in first
    assert "dicom/A/A0001 are links to folders" in second


def test_a_hospital_folder_that_is_a_link_is_read(folder):
    (folder / "dicom/A").rename(folder / "elsewhere")
    (folder / "dicom/A").symlink_to(folder / "elsewhere")
    assert check_folder(folder).empty
    assert linked_folders(folder) == []


def test_no_more_than_some_of_what_is_not_read_is_listed(tmp_path):
    for number in range(8):
        (tmp_path / "dicom/A").mkdir(parents=True, exist_ok=True)
        (tmp_path / f"dicom/A/{number}").symlink_to(tmp_path)
    (sentence,) = not_read(tmp_path, shown=2)
    assert sentence.startswith("Not read: dicom/A/0, dicom/A/1 and 6 more are links")


def test_pictures_without_a_date_are_named_and_every_number_is_said(folder, capsys):
    assert doubts_text(check_folder(folder)).count(": 0.") == 3
    add(folder, "A0001/undated.dcm", 9, AcquisitionDate="")
    (row,) = check_folder(folder).to_dict("records")
    assert row["code"] == "no_date"
    assert "1 of 6 pictures of A0001 have no date" in row["problem"]
    add(folder, "A0001/later.dcm", 10, AcquisitionDate="20170302")
    main([str(folder)])
    said = capsys.readouterr().out
    assert "Patients with pictures without a date, of which nobody knows the examination: 1.\n" in said
    assert "Patients with pictures of another examination, which do not count: 1.\n" in said
    assert "SOP Instance UIDs that an anonymiser gave to several pictures: 0.\n" in said


def test_untrusted_uids_are_no_finding(folder, monkeypatch):
    for number in range(5):
        add(folder, f"A0001/{number}.dcm", number, SOPInstanceUID="1.2.3")
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    config["ingestion"]["trust_uids"] = False
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    (folder / "rules").symlink_to(ROOT / "rules")
    monkeypatch.chdir(folder)
    assert main([str(folder)]) == 0
    config["ingestion"]["trust_uids"] = "no"
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    assert main([str(folder)]) == 1
