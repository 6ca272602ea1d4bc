"""A hospital group's own folder, from check to report: nothing simulated, and nobody named."""

import re
import stat
import subprocess
import sys

import pandas as pd

from dlre_core.check_data import check_folder
from tests.workflow.study import ROOT, Study


def test_a_users_folder_from_check_to_report(tmp_path):
    cohort = tmp_path / "cohort"
    command = [sys.executable, "-m", "dlre_core.simulation", "--size", "24", "--seed", "4"]
    subprocess.run([*command, "--out", str(cohort), "--processes", "2"], cwd=ROOT, check=True)
    for hospital in list((cohort / "dicom").iterdir()):
        if not any(hospital.iterdir()):
            hospital.rmdir()
    findings = check_folder(cohort)
    assert set(findings["code"]) <= {"too_few_pictures", "picture_missing"}
    study = Study.create(tmp_path / "study", cohort={"source": "folder", "folder": str(cohort)})
    study.keep_arms("overall_5_images")
    study.run()
    results = study.folder / "results"
    assert pd.read_csv(results / "enrolment/enrolment.csv")["enrolled"].sum() == 24
    assert "SIMULATED DATA" not in (results / "report.html").read_text()
    key = study.folder / ".dlre/pseudonym.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    secret = key.read_text().strip().encode()
    ids = re.compile(rb"(?<![0-9A-Za-z+/])[A-L]0\d{3}(?![0-9A-Za-z+/])")
    for path in sorted(path for path in results.rglob("*") if path.is_file()):
        content = path.read_bytes()
        assert b"SIM^" not in content, path
        assert secret not in content, path
        if path.suffix in (".csv", ".html", ".json", ".log", ".txt", ".tsv", ".svg", ".tex"):
            assert not ids.search(content), (path, ids.search(content))
    assert study.pending() == set()
