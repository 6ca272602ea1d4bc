"""The four example patients, staged as a person with the README does it."""

import os
import re
import shutil
import stat
import subprocess

import pandas as pd
import pydicom
import pytest
from pydicom.config import disable_value_validation
from pydicom.data import get_testdata_file

from dlre_core.foundation.design import stage_classes

STAGED = "results/staging/index.html"


@pytest.fixture(scope="module")
def staged(finished_study, tmp_path_factory):
    study = finished_study.copy(tmp_path_factory.mktemp("staging") / "tiny")
    study.run("--", STAGED)
    return study


def test_every_patient_has_a_stage_a_page_and_files_for_the_pacs(staged):
    results, outbox = staged.folder / "results/staging", staged.folder / ".dlre/outbox"
    patients = pd.read_csv(results / "patients.csv")
    images = pd.read_csv(results / "images.csv")
    assert len(patients) == 4
    assert set(patients["implied_stage"]) <= set(stage_classes())
    aggregate = images.groupby("patient")[["f4", "ge_f3", "ge_f2"]].mean()
    expected = patients.set_index("patient")[["f4", "ge_f3", "ge_f2"]]
    pd.testing.assert_frame_equal(aggregate, expected)
    assert len(list((results / "patients").glob("*.html"))) == 4
    assert len(list(outbox.glob("*.dcm"))) == 8
    for page in [results / "index.html", *(results / "patients").glob("*.html")]:
        text = page.read_text()
        assert "RESEARCH USE ONLY" in text
        assert "SIMULATED" in text


def test_the_outbox_has_the_last_inbox_only(staged):
    outbox = staged.folder / ".dlre/outbox"
    listed = set(pd.read_csv(outbox / "patients.csv")["patient"])
    earlier, another = outbox / "PEARLIER00000_report.dcm", outbox / "letter.dcm"
    earlier.touch()
    another.touch()
    staged.run("--forcerun", "stage_inbox", "--", STAGED)
    assert not earlier.exists()
    assert {path.name.partition("_")[0] for path in outbox.glob("P*.dcm")} == listed
    another.unlink()


def test_the_files_for_the_pacs_are_valid_and_name_the_patient(staged):
    outbox = staged.folder / ".dlre/outbox"
    assert stat.S_IMODE(outbox.stat().st_mode) == 0o700
    studies = {
        str(pydicom.dcmread(path, stop_before_pixels=True).StudyInstanceUID)
        for path in (staged.folder / "results/example_inbox").rglob("*.dcm")
    }
    for path in sorted(outbox.glob("*.dcm")):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        dataset = pydicom.dcmread(path)
        assert dataset.StudyInstanceUID in studies
        assert "EXAMPLE" in dataset.PatientID
        assert "RESEARCH USE ONLY" in dataset.SeriesDescription


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="Debian's dicom3tools is missing")
def test_the_files_for_the_pacs_pass_dciodvfy(staged):
    for path in sorted((staged.folder / ".dlre/outbox").glob("*.dcm")):
        said = subprocess.run(["dciodvfy", path], capture_output=True, text=True)
        assert said.returncode == 0, said.stderr
        assert "Error" not in said.stderr, said.stderr
        assert re.search("ComprehensiveSR|SCImage", said.stdout + said.stderr)


def test_the_inbox_shares_no_private_file_with_a_hospital(staged):
    private = staged.folder / ".dlre"
    assert (private / "rejected_files/staging/inbox.csv").exists()
    assert (private / "ingested/staging/inbox.sqlite").exists()
    assert not list(private.glob("*/inbox.*"))


def test_another_model_with_the_same_times_is_asked(staged):
    path = staged.folder / "results/serving/frozen_study.json"
    content, times = path.read_text(), os.stat(path)
    path.write_text(content.replace('"title": "', '"title": "Another: '))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert staged.pending(STAGED) == {"stage_inbox"}
    path.write_text(content)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert staged.pending(STAGED) == set()


def test_no_identity_stays_in_results(staged):
    for path in (staged.folder / "results/staging").rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert b"EXAMPLE" not in content, path
            assert b"SIM^" not in content, path


def test_a_users_folder_of_any_depth_with_other_files_in_it(staged, tmp_path):
    study, inbox = staged.copy(tmp_path / "mixed"), tmp_path / "inbox"
    pictures = sorted((study.folder / "results/example_inbox").rglob("*.dcm"))
    for number, picture in enumerate(pictures):
        place = inbox.joinpath(*"abc"[: number % 4])
        place.mkdir(parents=True, exist_ok=True)
        shutil.copy(picture, place / f"{number:03}")
    shutil.copy(get_testdata_file("CT_small.dcm"), inbox / "a/scan.dcm")
    (inbox / "a/notes.txt").write_text("no picture")
    study.configure(staging={"inbox": str(inbox)})
    study.run("--", STAGED)
    results, examples = (s.folder / "results/staging" for s in (study, staged))
    found, expected = (pd.read_csv(folder / "patients.csv") for folder in (results, examples))
    # Whose only file is no elastogram is told, too.
    assert found["notes"].to_list()[4:] == ["no usable picture"]
    pd.testing.assert_frame_equal(found[:4], expected, check_dtype=False)
    codes = pd.read_csv(results / "rejects.csv")["code"].value_counts()
    before = pd.read_csv(examples / "rejects.csv")["code"].value_counts()
    assert codes.sub(before, fill_value=0).loc[lambda change: change != 0].to_dict() == {"no_elastogram": 1}
    assert "1 more is no picture" in (study.folder / STAGED).read_text()


def copied(pictures, folder, uid_end=".7", **elements):
    """Copy pictures with other elements and a new UID."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, picture in enumerate(pictures):
        dataset = pydicom.dcmread(picture)
        dataset.SOPInstanceUID += uid_end
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        # Odd values are what is wanted.
        with disable_value_validation():
            for name, value in elements.items():
                setattr(dataset, name, value)
            dataset.save_as(folder / f"{number}.dcm")


@pytest.fixture(scope="module")
def mixed_up(staged, tmp_path_factory):
    """An inbox in which headers are what they are in practice."""
    folder = tmp_path_factory.mktemp("mixed_up")
    study, inbox = staged.copy(folder / "study"), folder / "inbox"
    by_patient = {}
    for picture in sorted((study.folder / "results/example_inbox").rglob("*.dcm")):
        patient = pydicom.dcmread(picture, stop_before_pixels=True).PatientID
        by_patient.setdefault(patient, []).append(picture)
    first, second, third, fourth = (by_patient[name] for name in sorted(by_patient))
    # Two people of two hospitals with one Patient ID.
    same = {"PatientID": "0001"}
    copied(first, inbox / "schulz", **same, PatientName="SCHULZ^OTTO", PatientBirthDate="19410101")
    copied(
        second,
        inbox / "meier",
        **same,
        PatientName="Mustermann",
        PatientBirthDate="01.02.1960",
        PatientSex="female",
        StudyTime="10:15:30",
    )
    # Two examinations of one patient.
    copied(
        third[:3],
        inbox / "early",
        StudyInstanceUID="1.2.3.4",
        StudyDate="20150101",
        AcquisitionDate="20150101",
        AcquisitionDateTime="20150101101500",
    )
    copied(third[3:], inbox / "late", StudyInstanceUID="1.2.3.5")
    # One patient's pictures under another name, too.
    copied(fourth, inbox / "right")
    copied(fourth, inbox / "wrong", PatientID="B0099", StudyInstanceUID="1.2.9", uid_end=".8")
    (inbox / "other").mkdir()
    scan = pydicom.dcmread(get_testdata_file("CT_small.dcm"))
    scan.PatientName = "Unsichtbar"
    scan.save_as(inbox / "other/scan.dcm")
    study.configure(staging={"inbox": str(inbox)})
    study.run("--", STAGED)
    return study


def test_every_examination_of_everybody_is_staged_alone(mixed_up):
    outbox = pd.read_csv(mixed_up.folder / ".dlre/outbox/patients.csv", dtype=str)
    found = pd.read_csv(mixed_up.folder / "results/staging/patients.csv").merge(outbox, on="patient")
    counts = found.groupby("patient_id")["images"].apply(lambda n: sorted(n)[::-1])
    assert counts["0001"] == [5, 5]
    third = found[found["patient_id"].str.contains("EXAMPLE3")]
    assert sorted(third["images"]) == [3, 3]
    assert "2015-01-01" in set(third["examined_on"])
    reports = [pydicom.dcmread(p) for p in (mixed_up.folder / ".dlre/outbox").glob("*_report.dcm")]
    named = {(str(r.PatientName), r.StudyInstanceUID) for r in reports if r.PatientID == "0001"}
    assert {name for name, _ in named} == {"SCHULZ^OTTO", "Mustermann"}
    assert len({study for _, study in named}) == 2
    early = next(r for r in reports if r.StudyInstanceUID == "1.2.3.4")
    assert (
        len(early.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence[0].ReferencedSOPSequence) == 3
    )


def test_pictures_sent_for_two_patients_stage_neither(mixed_up):
    outbox = pd.read_csv(mixed_up.folder / ".dlre/outbox/patients.csv", dtype=str)
    found = pd.read_csv(mixed_up.folder / "results/staging/patients.csv").merge(outbox, on="patient")
    both = found[found["patient_id"].str.contains("EXAMPLE4|B0099")]
    assert len(both) == 2
    assert both["implied_stage"].isna().all()
    assert both["f4"].isna().all()
    notes = set(both["notes"])
    assert notes == {"a picture was sent for another patient, too", "no usable picture"}
    for pseudonym in both["patient"]:
        assert not list((mixed_up.folder / ".dlre/outbox").glob(f"{pseudonym}*"))
        assert not (mixed_up.folder / f"results/staging/patients/{pseudonym}.html").exists()
    page = (mixed_up.folder / STAGED).read_text()
    assert "4 examinations staged" in page
    assert all(pseudonym in page for pseudonym in found["patient"])
    assert len(found) == 7


def test_odd_headers_stop_nobody_and_are_told_nobody(mixed_up):
    outbox = mixed_up.folder / ".dlre/outbox"
    reports = [pydicom.dcmread(path) for path in outbox.glob("*_report.dcm")]
    assert len(reports) == 4
    odd = next(report for report in reports if report.PatientName == "Mustermann")
    assert (odd.PatientBirthDate, odd.PatientSex, odd.StudyTime) == ("", "", "")
    results = [path for path in (mixed_up.folder / "results").rglob("*") if path.is_file()]
    for path in [*results, *(mixed_up.folder / ".snakemake/log").glob("*")]:
        if "example_inbox" not in path.parts:
            content = path.read_bytes()
            for word in (b"Mustermann", b"SCHULZ", b"01.02.1960", b"Unsichtbar", b"B0099"):
                assert word not in content, (word, path)


def test_a_changed_study_is_not_run_again_to_stage(staged, tmp_path):
    study = staged.copy(tmp_path / "changed")
    study.configure(training={"epochs": 3})
    (study.folder / STAGED).unlink()
    planned = study.snakemake("--dry-run", "--cores", "2", "--", STAGED).stdout
    assert "rule stage_inbox:" in planned
    assert "rule train:" not in planned
