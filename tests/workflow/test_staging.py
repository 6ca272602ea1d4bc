"""The four example patients, staged as a person with the README does it."""

import re
import shutil
import stat
import subprocess

import pandas as pd
import pydicom
import pytest
from pydicom.data import get_testdata_file

from dlre_core.staging.tables import IMPLIED

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
    assert set(patients["implied_stage"]) <= set(IMPLIED)
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
    pd.testing.assert_frame_equal(found, expected)
    codes = pd.read_csv(results / "rejects.csv")["code"].value_counts()
    before = pd.read_csv(examples / "rejects.csv")["code"].value_counts()
    assert codes.sub(before, fill_value=0).loc[lambda change: change != 0].to_dict() == {
        "no_elastogram": 1
    }
    assert "1 more is not DICOM" in (study.folder / STAGED).read_text()


def test_a_changed_study_is_not_run_again_to_stage(staged, tmp_path):
    study = staged.copy(tmp_path / "changed")
    study.configure(training={"epochs": 3})
    (study.folder / STAGED).unlink()
    planned = study.snakemake("--dry-run", "--cores", "2", "--", STAGED).stdout
    assert "rule stage_inbox:" in planned
    assert "rule train:" not in planned
