"""A new patient's report goes to that patient, whatever other files lie in the inbox."""

import pandas as pd

from dlre_core.deidentify import Pseudonymiser
from dlre_core.dicom import ReadLimits
from dlre_core.staging.inbox import Inbox, _files_by_image
from tests.core import elastogram_files as files


def test_a_rejected_file_with_the_same_uid_is_not_taken_for_the_picture(tmp_path):
    names = Pseudonymiser(bytes(range(32)), 365)
    folder = tmp_path / "inbox"
    # Comes first by name, is cut off and so rejected, and names somebody else.
    other = files.write_elastogram(folder / "a" / "0.dcm", patient_id="TWO", uid="1.2.3")
    other.write_bytes(other.read_bytes()[:-1000])
    files.write_elastogram(folder / "q" / "0.dcm", patient_id="ONE", uid="1.2.3")
    chosen = pd.DataFrame(
        {
            "image_id": [names.image("inbox", "1.2.3", 1)],
            "patient": [names.patient("inbox", "ONE")],
            "frame": [1],
        }
    )
    inbox = Inbox(folder, "inbox", names, ReadLimits(), tmp_path / "outbox")
    found, whose = _files_by_image(inbox, chosen)
    assert [file.name for file in found.values()] == ["q/0.dcm"]
    assert whose[names.patient("inbox", "ONE")] == "ONE"
