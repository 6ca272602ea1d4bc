"""A hospital group's own folder, from check to report: nothing simulated, and nobody named."""

import subprocess
import sys
from itertools import chain

import pandas as pd
import pytest
from markupsafe import escape

from dlre_core.preflight.folder_check import check_folder
from tests.helpers.planted_identity import everything_written, identities_in
from tests.workflow.hospital_of_horrors import HOSPITAL, add_what_goes_wrong, plant_everywhere
from tests.workflow.study import ROOT, Study


@pytest.mark.timeout(1800)
def test_a_users_folder_from_check_to_report(tmp_path):
    cohort = tmp_path / "cohort"
    command = [sys.executable, "-m", "dlre_core.simulation", "--size", "24", "--seed", "4"]
    subprocess.run([*command, "--out", str(cohort), "--processes", "2"], cwd=ROOT, check=True)
    for hospital in list((cohort / "dicom").iterdir()):
        if not any(hospital.iterdir()):
            hospital.rmdir()
    plant_everywhere(cohort)
    wrong = add_what_goes_wrong(cohort / "dicom" / HOSPITAL)
    findings = check_folder(cohort)
    assert set(findings["code"]) <= {
        "too_few_pictures",
        "picture_missing",
        "unknown_column",
        "pictures_without_patient",
        "not_a_file",
        "bad_archive",
        "other_examination",
        "film",
        "other_picture",
        "not_what_it_says",
    }
    study = Study.create(tmp_path / "study", cohort={"source": "folder", "folder": str(cohort)})
    study.keep_arms("overall_5_images")
    # Under any key some patient's shifted date may be another's true one; not under this.
    key = study.folder / ".dlre/pseudonym.key"
    key.parent.mkdir(mode=0o700)
    key.write_text("5a" * 32 + "\n")
    key.chmod(0o600)
    said = study.run()
    results = study.folder / "results"
    assert pd.read_csv(results / "enrolment/enrolment.csv")["enrolled"].sum() == 24
    assert "SIMULATED DATA" not in (results / "report.html").read_text()
    check_rejects(study, wrong)
    # The private folder is where identities may be.
    key.parent.rename(tmp_path / "private")
    secret = (tmp_path / "private/pseudonym.key").read_text().strip().encode()
    looked_at = 0
    for place, content in chain(everything_written(study.folder), [("terminal", said.encode())]):
        looked_at += 1
        assert not identities_in([(place, content)], study.folder), place
        assert secret not in content, place
    assert looked_at > 500
    (tmp_path / "private").rename(key.parent)
    assert study.pending() == set()


def check_rejects(study: Study, wrong: dict[str, list[str]]) -> None:
    """Each file stands in the table with its reason, and in the report with what to do."""
    private = pd.read_csv(study.folder / f".dlre/rejected_files/{HOSPITAL}.csv")
    rejects = pd.read_csv(study.folder / f"results/store/{HOSPITAL}_rejects.csv")
    names = private.set_index("label")["file"]
    found = {names[row.file]: row.code for row in rejects.itertuples()}
    expected = {name: code for code, files in wrong.items() for name in files if code != "ignored"}
    # Of three files with one picture any may be the one that is kept.
    assert {name: found.get(name) for name in expected} == expected
    counts = pd.read_csv(study.folder / f"results/store/{HOSPITAL}_counts.csv").iloc[0]
    assert counts["ignored"] == len(wrong["ignored"])
    page = (study.folder / "results/report.html").read_text()
    for row in rejects.itertuples():
        assert row.file in page
        assert escape(row.remedy) in page
