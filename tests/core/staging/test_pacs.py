"""What goes back to a PACS when headers are odd."""

import numpy as np
import pydicom
import pytest
from pydicom.config import disable_value_validation
from pydicom.data import get_testdata_file

from dlre_core.dicom.decoder_process import Archives
from dlre_core.dicom.file_search import find_files
from dlre_core.dicom.reader import ReadLimits
from dlre_core.foundation.errors import UnreadableDicom
from dlre_core.staging import pacs


def identity(folder, **elements):
    with disable_value_validation():
        dataset = pydicom.dcmread(get_testdata_file("CT_small.dcm"))
        for name, value in elements.items():
            setattr(dataset, name, value)
        dataset.save_as(folder / "file.dcm")
    (file,) = find_files(folder, 10**9)
    return pacs.read_identity(file, Archives(ReadLimits()))


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("PatientBirthDate", "01.02.1960", ""),
        ("PatientBirthDate", "19600201", "19600201"),
        ("StudyDate", "2017-03-01", ""),
        ("StudyTime", "10:15:30", ""),
        ("StudyTime", "101530.25", "101530.25"),
        ("PatientSex", "female", ""),
        ("PatientSex", "F", "F"),
        ("PatientName", ["MEIER^ANNA", "MEIER^A"], "MEIER^ANNA"),
        ("PatientName", "Mustermann", "Mustermann"),
    ],
)
def test_odd_elements_make_a_report_all_the_same(tmp_path, recwarn, name, value, kept):
    with pacs.odd_headers_named():
        found = identity(tmp_path, **{name: value})
        assert str(found[name].value or "") == kept
        report = pacs.structured_report(
            [found], {"f4": 0.5}, liver_stiffness_kpa=5.0, stage="F2", simulated=True, model="m"
        )
        picture = pacs.secondary_capture([found], np.zeros((8, 8, 3), np.uint8), model="m")
        for made in (report, picture):
            pacs.write_private_dicom(made, tmp_path / "made.dcm")
            assert str(pydicom.dcmread(tmp_path / "made.dcm")[name].value or "") == kept
    assert not recwarn.list


def test_what_fits_into_no_report_is_named_without_what_is_in_it():
    with pytest.raises(UnreadableDicom, match=r"no report \(ValueError\)") as caught, pacs.odd_headers_named():
        raise ValueError("Mustermann")
    assert "Mustermann" not in str(caught.value)
    with pytest.raises(OSError, match="full"), pacs.odd_headers_named():
        raise OSError("full")
