"""A study whose pictures come from a PACS gives the tables that the same folder gives."""

import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pydicom
import pytest

from tests.helpers.orthanc import PASSWORD, PLUGIN, STORESCU, USER, Orthanc, free_port, own_loopback
from tests.workflow.study import ROOT, Study

TARGETS = ("--", "results/store/acquisitions.csv", "results/pacs/failures.csv")


@pytest.mark.skipif(
    not (shutil.which("Orthanc") and PLUGIN.exists() and Path(STORESCU).exists()),
    reason="Orthanc is not installed: apt-get install orthanc orthanc-dicomweb dcmtk",
)
def test_the_same_tables_from_the_pacs_as_from_the_folder(tmp_path, monkeypatch):
    cohort, copy = tmp_path / "cohort", tmp_path / "from_pacs"
    command = [sys.executable, "-m", "dlre_core.simulation", "--size", "12", "--seed", "4"]
    subprocess.run([*command, "--out", str(cohort), "--processes", "2"], cwd=ROOT, check=True)
    for hospital in list((cohort / "dicom").iterdir()):
        if hospital.name not in "AB":
            shutil.rmtree(hospital)
    for patient in [p for h in "AB" for p in sorted((cohort / "dicom" / h).iterdir())[1:]]:
        shutil.rmtree(patient)
    paths = [p for p in sorted((cohort / "dicom").rglob("*")) if p.is_file()]
    studies = {(p.relative_to(cohort / "dicom").parts[0], pydicom.dcmread(p).StudyInstanceUID) for p in paths}
    copy.mkdir()
    shutil.copy(cohort / "clinical.csv", copy)
    lines = ["hospital,study_instance_uid", *(f"{h},{uid}" for h, uid in sorted(studies))]
    (copy / "studies.csv").write_text("\n".join([*lines, "A,1.2.3"]) + "\n")
    monkeypatch.setenv("DICOMWEB_USER", USER)
    monkeypatch.setenv("DICOMWEB_PASSWORD", PASSWORD)
    key = tmp_path / "key/pseudonym.key"
    splits = {f"combination_{k}": {"method": "hospitals", "training": ["A"]} for k in (1, 2, 3)}
    with own_loopback():
        orthanc = Orthanc(tmp_path / "server", inbox_port=free_port())
        try:
            orthanc.send(cohort / "dicom")
            pulled = Study.create(
                tmp_path / "pulled",
                privacy={"key_file": str(key)},
                splits=splits,
                cohort={"source": "dicomweb", "folder": str(copy), "dicomweb": {"url": orthanc.url}},
            )
            pulled.run(*TARGETS)
            # A picture gone from the folder comes again.
            next((copy / "dicom/B").iterdir()).unlink()
            pulled.run("--forcerun", "pull_hospital", *TARGETS)
            counts = pd.read_csv(pulled.folder / "results/pacs/counts.csv")
            assert counts["fetched"].tolist() == [0, 1]
            left = pulled.snakemake("-n", *TARGETS).stdout
            assert "rule ingest" not in left
            assert "checkpoint pull" not in left
        finally:
            orthanc.stop()
    (cohort / "measurements.csv").unlink()
    folder = Study.create(
        tmp_path / "folder",
        privacy={"key_file": str(key)},
        splits=splits,
        cohort={"source": "folder", "folder": str(cohort)},
    )
    folder.run("--", "results/store/acquisitions.csv")
    for name in ("store/acquisitions.csv", "store/counts.csv"):
        assert (pulled.folder / "results" / name).read_bytes() == (folder.folder / "results" / name).read_bytes(), name
    failures = pd.read_csv(pulled.folder / "results/pacs/failures.csv")
    assert failures[["hospital", "code"]].to_numpy().tolist() == [["A", "not_found"]]
    for path in (pulled.folder / "results/pacs").glob("*"):
        assert not any(uid in path.read_text() for _, uid in studies)
    for path in (pulled.folder / "results/logs").rglob("*.log"):
        assert not any(uid in path.read_text() or PASSWORD in path.read_text() for _, uid in studies)
