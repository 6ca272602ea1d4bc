"""Pictures through a real PACS: sent, listed, pulled and received as they are, or said why not."""

import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pydicom
import pytest

from dlre_core.dicom.reader import ReadLimits
from dlre_core.foundation.errors import ServerUnavailable
from dlre_core.pacs.dicomweb import PacsSettings
from dlre_core.pacs.files import picture_name
from dlre_core.pacs.pull import pull_hospital
from dlre_core.pacs.storage import serving
from tests.helpers import elastogram_files as files
from tests.helpers.orthanc import PASSWORD, PLUGIN, STORESCU, USER, Orthanc, free_port, own_loopback

pytestmark = pytest.mark.skipif(
    not (shutil.which("Orthanc") and PLUGIN.exists() and Path(STORESCU).exists()),
    reason="Orthanc is not installed: apt-get install orthanc orthanc-dicomweb dcmtk",
)
KINDS = ("explicit", "implicit", "rle", "jpeg_baseline_422", "jpeg_2000")


def study_of(patient: int) -> str:
    return f"1.2.826.0.1.3680043.8.498.77.{patient}"


def write_hospital(folder: Path, patients: int = 3) -> Path:
    """Patients A0001.. with pictures of five transfer syntaxes, one study each, and a report."""
    for patient in range(1, patients + 1):
        for number, kind in enumerate(KINDS, start=1):
            dataset, _ = files.encode(files.draw_screen(10 * patient + number), kind)
            uid = f"{study_of(patient)}.1.{number}"
            dataset.SOPInstanceUID, dataset.StudyInstanceUID = uid, study_of(patient)
            dataset.file_meta.MediaStorageSOPInstanceUID = uid
            dataset.SeriesInstanceUID, dataset.Modality = f"{study_of(patient)}.1", "US"
            dataset.PatientID, dataset.PatientName = f"A{patient:04d}", f"Doe^{patient}"
            dataset.AccessionNumber, dataset.InstanceNumber = f"ACC{patient}", number
            files.save(dataset, folder / f"A{patient:04d}" / f"{number}.dcm")
    return folder


@pytest.fixture(scope="module")
def loopback():
    with own_loopback():
        yield


@pytest.fixture(scope="module")
def sent(loopback, tmp_path_factory):
    root = tmp_path_factory.mktemp("orthanc")
    orthanc = Orthanc(root / "server", inbox_port=free_port())
    try:
        orthanc.send(write_hospital(root / "dicom/A"))
        yield root / "dicom/A", orthanc
    finally:
        orthanc.stop()


@pytest.fixture(autouse=True)
def _credentials(monkeypatch):
    monkeypatch.setenv("DICOMWEB_USER", USER)
    monkeypatch.setenv("DICOMWEB_PASSWORD", PASSWORD)
    monkeypatch.setattr("dlre_core.pacs.dicomweb.LONGEST_WAIT_SECONDS", 0.01)


def pull(cohort: Path, url: str, rows: list[str], **limits: int) -> tuple[dict, pd.DataFrame]:
    cohort.mkdir(exist_ok=True)
    header = "hospital,study_instance_uid,patient_id,accession_number"
    (cohort / "studies.csv").write_text("\n".join([header, *rows]) + "\n")
    pull_hospital(
        cohort,
        "A",
        settings=PacsSettings(url, attempts=2, timeout_seconds=20),
        limits=ReadLimits(**limits),
        counts_csv=cohort / "out/counts.csv",
        failures_csv=cohort / "out/failures.csv",
    )
    counts = pd.read_csv(cohort / "out/counts.csv").iloc[0].to_dict()
    return counts, pd.read_csv(cohort / "out/failures.csv")


def same_pictures(original: Path, pulled: Path) -> None:
    """Every picture is there under its hashed name, in its own transfer syntax, pixels unchanged."""
    paths = sorted(original.rglob("*.dcm"))
    assert {p.name for p in pulled.iterdir()} >= {picture_name(pydicom.dcmread(p).SOPInstanceUID) for p in paths}
    for path in paths:
        was = pydicom.dcmread(path)
        is_now = pydicom.dcmread(pulled / picture_name(was.SOPInstanceUID))
        assert is_now.file_meta.TransferSyntaxUID == was.file_meta.TransferSyntaxUID
        assert is_now.PixelData == was.PixelData


def test_pulled_by_uid_patient_and_accession_number_and_once_only(sent, tmp_path, caplog):
    original, orthanc = sent
    caplog.set_level("DEBUG")
    rows = [f"A,{study_of(1)},,", "A,,A0002,", "A,,,ACC3"]
    counts, failures = pull(tmp_path / "c", orthanc.url, rows)
    assert failures.empty
    assert (counts["fetched"], counts["lines_complete"]) == (15, 3)
    same_pictures(original, tmp_path / "c/dicom/A")
    before = {p: p.stat().st_mtime_ns for p in (tmp_path / "c/dicom/A").iterdir()}
    next(iter(before)).unlink()
    counts, _ = pull(tmp_path / "c", orthanc.url, rows)
    assert (counts["fetched"], counts["already_there"]) == (1, 14)
    assert {p.name for p in before} == {p.name for p in (tmp_path / "c/dicom/A").iterdir()}
    assert not list((tmp_path / "c/.arriving").iterdir())
    said = caplog.text + (tmp_path / "c/out/counts.csv").read_text()
    for secret in (study_of(1), "A0002", "ACC3", "Doe", PASSWORD):
        assert secret not in said


def test_a_picture_under_another_name_is_not_fetched_again(sent, tmp_path):
    original, orthanc = sent
    by_hand = tmp_path / "c/dicom/A/by hand"
    shutil.copytree(original / "A0001", by_hand)
    counts, _ = pull(tmp_path / "c", orthanc.url, [f"A,{study_of(1)},,"])
    assert (counts["fetched"], counts["already_there"]) == (0, 5)


def test_a_study_that_fails_becomes_a_row_and_stops_no_other(sent, tmp_path):
    rows = [
        "A,1.2.3.4,,",
        "A,../../system,,",
        "A,,A*,",
        f"A,{study_of(1)},A0002,",
        f"A,{study_of(1)},,",
    ]
    counts, failures = pull(tmp_path / "c", sent[1].url, rows)
    assert failures[["line", "code"]].to_numpy().tolist() == [
        [2, "not_found"],
        [3, "bad_line"],
        [4, "bad_line"],
        [5, "other_patient"],
    ]
    assert failures["remedy"].str.len().min() > 10
    assert counts["fetched"] == 5


def test_a_picture_above_the_limit_is_left_out(sent, tmp_path):
    rows = [f"A,{study_of(1)},,"]
    counts, failures = pull(tmp_path / "c", sent[1].url, rows, bytes_per_file=600_000)
    assert failures["code"].tolist() == ["too_large"]
    assert counts["fetched"] == 5 - failures["pictures"].item() > 0


def test_wrong_credentials_and_a_server_that_is_down_stop_the_pull(sent, tmp_path, monkeypatch):
    rows = [f"A,{study_of(1)},,"]
    monkeypatch.setenv("DICOMWEB_PASSWORD", "guess")
    with pytest.raises(ServerUnavailable, match="DICOMWEB_USER"):
        pull(tmp_path / "c", sent[1].url, rows)
    with pytest.raises(ServerUnavailable, match="1 studies in a row"):
        pull(tmp_path / "c", f"http://127.0.0.1:{free_port()}/dicom-web", rows)


def test_orthanc_and_storescu_send_to_the_inbox(loopback, tmp_path):
    port = free_port()
    original = write_hospital(tmp_path / "dicom/A", patients=1)
    orthanc = Orthanc(tmp_path / "server", inbox_port=port)
    try:
        orthanc.send(original)
        with serving(tmp_path / "c", "A", port, ReadLimits()) as (_, inbox):
            orthanc.rest("modalities/inbox/store", {"Resources": orthanc.rest("instances")})
            assert inbox.numbers == {"received": 5}
            same_pictures(original, tmp_path / "c/dicom/A")
            # Pulling what was received fetches nothing.
            counts, _ = pull(tmp_path / "c", orthanc.url, [f"A,{study_of(1)},,"])
            assert (counts["fetched"], counts["already_there"]) == (0, 5)
    finally:
        orthanc.stop()
    report = pydicom.dcmread(original / "A0001/1.dcm")
    report.SOPClassUID = report.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.88.11"
    report.save_as(tmp_path / "report.dcm")
    with serving(tmp_path / "d", "A", port, ReadLimits(bytes_per_file=600_000)) as (_, inbox):
        for path in (tmp_path / "report.dcm", original / "A0001/1.dcm"):
            command = [STORESCU, "-aec", "DLRE", "127.0.0.1", str(port), str(path)]
            assert subprocess.run(command, capture_output=True).returncode != 0
    assert list((tmp_path / "d/dicom/A").iterdir()) == []
