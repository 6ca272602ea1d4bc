"""What goes back to a PACS when headers are odd."""

import shutil
import subprocess

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
    return read(folder).elements


def read(folder):
    (file,) = find_files(folder, 10**9)
    return pacs.read_identity(file, Archives(ReadLimits()))


def with_raw_name(folder, raw, character_set=None, element="PatientName"):
    """A file whose name is these bytes, whatever the character set says."""
    dataset = pydicom.dcmread(get_testdata_file("CT_small.dcm"))
    if "SpecificCharacterSet" in dataset:
        del dataset.SpecificCharacterSet
    placeholder = "X" * len(raw)
    setattr(dataset, element, placeholder)
    if character_set is not None:
        with disable_value_validation():
            dataset.SpecificCharacterSet = character_set
    dataset.save_as(folder / "file.dcm")
    content = (folder / "file.dcm").read_bytes()
    assert content.count(placeholder.encode()) == 1
    (folder / "file.dcm").write_bytes(content.replace(placeholder.encode(), raw))
    return folder


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
            [found], {"f4": 0.5}, stiffness_kpa=[5.0], stage="F2", simulated=True, model="m"
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


@pytest.mark.parametrize(
    ("raw", "character_set", "kept"),
    [
        ("王建国=".encode("gb18030"), None, ""),
        ("王建国 ".encode("gb18030"), "ISO_IR 6", ""),
        ("Müller".encode("latin-1"), "", ""),
        ("Müller ".encode(), None, ""),
        (b"\x1b$B;3ED\x1b(B^", None, ""),
        ("王建国 ".encode("gb18030"), "ISO_IR 192", ""),
        ("王建国 ".encode("gb18030"), "CHINESE", ""),
        ("王建国=".encode("gb18030"), "GB18030", "王建国"),
        ("Müller".encode("latin-1"), "ISO_IR 100", "Müller"),
        (b"Meier^Anna", None, "Meier^Anna"),
    ],
)
def test_a_name_in_a_character_set_that_nobody_declared_is_left_out_and_named(
    tmp_path, recwarn, raw, character_set, kept
):
    with pacs.odd_headers_named():
        found = read(with_raw_name(tmp_path, raw, character_set))
    assert str(found.elements.PatientName) == kept
    assert found.left_out == (() if kept else ("Patient's Name",))
    assert found.elements.PatientID == "1CT1"
    assert not recwarn.list


def test_an_id_in_a_character_set_that_nobody_declared_makes_no_report(tmp_path):
    with_raw_name(tmp_path, "患者一 ".encode("gb18030"), element="PatientID")
    with pytest.raises(UnreadableDicom, match="character set") as caught:
        read(tmp_path)
    assert "Specific Character Set" in caught.value.remedy


def measured(report):
    """Name, derivation, method, value and unit of every number of a report."""
    found = []

    def walk(items):
        for item in items:
            if item.ValueType == "NUM":
                (number,) = item.MeasuredValueSequence
                said = {
                    inner.ConceptNameCodeSequence[0].CodeMeaning: inner.ConceptCodeSequence[0].CodeValue
                    for inner in item.get("ContentSequence", [])
                    if inner.ValueType == "CODE"
                }
                name, unit = item.ConceptNameCodeSequence[0], number.MeasurementUnitsCodeSequence[0]
                code = f"{name.CodingSchemeDesignator} {name.CodeValue}"
                value = float(number.NumericValue)
                found.append((code, said.get("Derivation"), said.get("Measurement Method"), value, unit.CodeValue))
            walk(item.get("ContentSequence", []))

    walk(report.ContentSequence)
    return found


def report_of(folder, stiffness):
    picture = identity(folder)
    return pacs.structured_report(
        [picture], {"f4": 0.25}, stiffness_kpa=stiffness, stage="F2", simulated=True, model="m"
    )


def test_stiffness_has_the_codes_of_the_standard_and_only_dlre_private_ones(tmp_path):
    # Quartiles of 4, 5, 6, 8 and 20 are 5, 6 and 8: interquartile range 3, half of the median.
    numbers = measured(report_of(tmp_path, [6.0, 4.0, np.nan, 20.0, 5.0, 8.0]))
    assert numbers == [
        ("99DLRE probability_f4", None, None, 0.25, "1"),
        ("DCM 110830", "373099004", "130609", 6.0, "kPa"),
        ("DCM 110830", "130614", "130609", 3.0, "kPa"),
        ("DCM 110830", "130615", "130609", 0.5, "1"),
    ]


@pytest.mark.parametrize(("stiffness", "derivations"), [([], []), ([np.nan], []), ([5.0, np.nan], ["373099004"])])
def test_what_was_not_measured_is_not_reported(tmp_path, stiffness, derivations):
    assert [number[1] for number in measured(report_of(tmp_path, stiffness))[1:]] == derivations


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="Debian's dicom3tools is missing")
def test_the_report_passes_dciodvfy(tmp_path):
    pacs.write_private_dicom(report_of(tmp_path, [6.0, 4.0, 5.0]), tmp_path / "report.dcm")
    said = subprocess.run(["dciodvfy", tmp_path / "report.dcm"], capture_output=True, text=True)
    assert said.returncode == 0, said.stderr
    assert "Error" not in said.stderr
    assert "ComprehensiveSR" in said.stdout + said.stderr
