"""Identities planted into files, and the search for them in what was written."""

import base64
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import h5py
from pydicom.dataset import Dataset

NAMES = ("Szczepanska", "張三豐", "Åsa-Müller", "王建国")
PATIENT_ID = "QX7731940"
BIRTH, EXAMINATION = "19531207", "20160302"
INSTITUTION = "Ruijin-7-Clinic"
UID_ROOT = "1.2.392.200036.9116.77"
NEEDLES = (*NAMES, PATIENT_ID, BIRTH, "1953-12-07", EXAMINATION, "2016-03-02", INSTITUTION, UID_ROOT, "DOCTOR-HOWSER")
ENCODINGS = ("utf-8", "gb18030", "utf-16-le", "latin-1")


@cache
def spellings() -> set[bytes]:
    found = set()
    for needle in NEEDLES:
        for encoding in ENCODINGS:
            for text in (needle, needle.upper(), needle.lower()):
                content = text.encode(encoding, "ignore")
                if len(content) >= 4:
                    found.add(content)
    return found


def plant_identity(dataset: Dataset, seed: int, patient_id: str) -> None:
    """Put identities into standard, private and nested elements."""
    dataset.PatientID = patient_id
    dataset.SpecificCharacterSet = "GB18030" if seed % 2 else "ISO_IR 192"
    dataset.PatientName = f"{NAMES[0]}={NAMES[1]}"
    dataset.OtherPatientNames = NAMES[3]
    dataset.PatientBirthDate, dataset.StudyDate = BIRTH, EXAMINATION
    dataset.StudyInstanceUID = f"{UID_ROOT}.99"
    dataset.InstitutionName, dataset.ImageComments = INSTITUTION, f"seen {NAMES[2]} {EXAMINATION}"
    dataset.ReferringPhysicianName = "DOCTOR-HOWSER"
    item = Dataset()
    item.PatientID, item.PatientName = PATIENT_ID, NAMES[0]
    inner = Dataset()
    inner.ReferencedSOPInstanceUID, inner.PersonName = f"{UID_ROOT}.5", NAMES[3]
    item.ReferencedImageSequence = [inner]
    dataset.RequestAttributesSequence = [item]
    private = dataset.private_block(0x0011, "MAKER OF THINGS", create=True)
    private.add_new(0x01, "LT", f"{NAMES[0]} {PATIENT_ID}")
    private.add_new(0x02, "OB", NAMES[1].encode("gb18030") * 2)


def everything_written(root: Path) -> Iterator[tuple[str, bytes]]:
    """Place and bytes of every file; HDF5 datasets unpacked, and what HTML pages hold in base64."""
    for path in (path for path in root.rglob("*") if path.is_file()):
        content = path.read_bytes()
        yield str(path), content
        if path.suffix == ".h5":
            yield from ((f"{path}/{name}", part) for name, part in unpacked(path))
        if path.suffix == ".html":
            for number, found in enumerate(re.findall(rb";base64,([0-9A-Za-z+/=]+)", content)):
                yield f"{path} {number}", base64.b64decode(found)


def unpacked(path: Path) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of the datasets, pictures one by one without their black; links give nothing new."""
    with h5py.File(path) as file:
        for name, data in file.items():
            if data.ndim < 4:
                yield name, data[()].tobytes()
            elif not data.is_virtual:
                for index, picture in enumerate(data):
                    red, green, blue = (picture[..., channel] for channel in range(3))
                    yield f"{name} {index}", picture[(red | green | blue) > 0].tobytes()


def identities_in(written: Iterable[tuple[str, bytes]], root: Path) -> set[tuple[str, bytes]]:
    """Where a planted identity stands, in content or below ``root`` in a file's name."""
    wanted = spellings()
    return {
        (place, spelling)
        for place, content in written
        for spelling in wanted
        if spelling in content or spelling in place.removeprefix(str(root)).encode()
    }
