"""A new patient's report goes to that patient, whatever other files lie in the inbox."""

import pandas as pd
import pydicom
import pytest

from dlre_core.dicom.file_search import find_files
from dlre_core.dicom.reader import ReadLimits, read_header
from dlre_core.foundation.errors import ConfigurationError
from dlre_core.ingestion.hospital import HospitalFolder, IngestedFiles, examination_named, ingest_hospital
from dlre_core.ingestion.usable_picture import IngestionSettings
from dlre_core.patients.pseudonyms import Pseudonymiser
from dlre_core.serving.through_triton import ServingSettings
from dlre_core.staging.inbox import Inbox, IngestedInbox, StagedFiles, files_by_image, stage_inbox
from tests.helpers import elastogram_files as files
from tests.helpers.frozen import study


def examinations(folder):
    """By file, whose and which examination."""
    return {file.name: examination_named(read_header(file.path), file) for file in find_files(folder, 10**9)}


def ingested(folder):
    made = folder.parent / "made"
    made.mkdir()
    ingest_hospital(
        HospitalFolder("inbox", folder),
        IngestedFiles(
            shard=made / "inbox.h5",
            acquisitions_csv=made / "acquisitions.csv",
            rejects_csv=made / "rejects.csv",
            counts_csv=made / "counts.csv",
            private_map_csv=made / "private.csv",
        ),
        Pseudonymiser(bytes(range(32)), 365),
        IngestionSettings(),
    )
    return pd.read_csv(made / "acquisitions.csv")


def test_a_rejected_file_with_the_same_uid_is_not_taken_for_the_picture(tmp_path):
    names = Pseudonymiser(bytes(range(32)), 365)
    folder = tmp_path / "inbox"
    # Comes first by name, is cut off and so rejected, and names somebody else.
    other = files.write_elastogram(folder / "a" / "0.dcm", patient_id="TWO", uid="1.2.3")
    other.write_bytes(other.read_bytes()[:-1000])
    files.write_elastogram(folder / "q" / "0.dcm", patient_id="ONE", uid="1.2.3")
    one = names.patient("inbox", examinations(folder)["q/0.dcm"])
    image_id = names.image("inbox", "1.2.3", 1)
    chosen = pd.DataFrame({"image_id": [image_id], "patient": [one], "frame": [1]})
    inbox = Inbox(folder, "inbox", names, ReadLimits(), tmp_path / "outbox")
    found, whose = files_by_image(inbox, chosen)
    assert [file.name for file in found.values()] == ["q/0.dcm"]
    assert whose[one][0] == "ONE"


def test_files_with_an_anonymisers_uid_are_told_apart_by_name(tmp_path):
    names = Pseudonymiser(bytes(range(32)), 365)
    folder = tmp_path / "inbox"
    for number in range(3):
        files.write_elastogram(folder / f"{number}.dcm", number, patient_id="ONE", uid="1.2.3")
    one = names.patient("inbox", examinations(folder)["0.dcm"])
    ids = [names.image("inbox", f"{number}.dcm", 1) for number in range(3)]
    chosen = pd.DataFrame({"image_id": ids, "patient": one, "frame": 1})
    inbox = Inbox(folder, "inbox", names, ReadLimits(), tmp_path / "outbox", trust_uids=False)
    found, _ = files_by_image(inbox, chosen)
    assert [found[image_id].name for image_id in ids] == ["0.dcm", "1.dcm", "2.dcm"]


def test_people_and_examinations_with_one_patient_id_are_several(tmp_path):
    folder = tmp_path / "inbox"
    for seed, name in enumerate(("a/0.dcm", "a/1.dcm", "b/0.dcm", "c/0.dcm", "d/0.dcm", "e/0.dcm")):
        files.write_elastogram(folder / name, seed, patient_id="0001")
    for name, changes in {
        "b/0.dcm": {"StudyInstanceUID": "1.7"},
        "c/0.dcm": {"StudyInstanceUID": "1.7", "PatientName": "MEIER^ANNA"},
        "d/0.dcm": {"StudyInstanceUID": "1.7"},
    }.items():
        dataset = pydicom.dcmread(folder / name)
        for keyword, value in changes.items():
            setattr(dataset, keyword, value)
        dataset.save_as(folder / name)
    found = examinations(folder)
    # Without a study's UID the folder says what belongs together; with one it does not matter.
    assert found["a/0.dcm"] == found["a/1.dcm"] != found["e/0.dcm"]
    assert found["b/0.dcm"] == found["d/0.dcm"] != found["c/0.dcm"]
    assert len(set(found.values())) == 4
    # Ingestion tells them apart by the same words.
    table = ingested(folder)
    assert table.groupby("patient").size().sort_values().to_list() == [1, 1, 2, 2]


def test_pictures_of_another_scale_than_the_frozen_studys_are_not_staged(tmp_path, monkeypatch):
    monkeypatch.setattr("dlre_core.staging.inbox.read_frozen_study", lambda model: study())
    inbox = Inbox(tmp_path, "inbox", Pseudonymiser(bytes(32), 365), ReadLimits(), tmp_path / "out")
    none = tmp_path / "none"
    ingested = IngestedInbox(*[none] * 5, images_per_patient=2, scale_maximum_kpa=60.0)
    written = StagedFiles(*[none] * 4)
    with pytest.raises(ConfigurationError, match="scale of 40 kPa"):
        stage_inbox(inbox, ingested, written, tmp_path, ServingSettings(), none)
