"""The real ultrasound files of pydicom and pydicom-data; none of them is an elastogram."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pydicom
from numpy.typing import NDArray

from dlre_core.dicom.reader import ReadLimits, read_dicom

PACKAGES = (("pydicom", "data/test_files"), ("data_store", "data"))
ULTRASOUND = ("1.2.840.10008.5.1.4.1.1.6", "1.2.840.10008.5.1.4.1.1.3")


def real_ultrasound() -> list[Path]:
    """Ultrasound files of the packages that are installed, by content."""
    found = []
    for package, folder in PACKAGES:
        specification = importlib.util.find_spec(package)
        if specification is None:
            continue
        root = Path(next(iter(specification.submodule_search_locations))) / folder
        for path in sorted(root.rglob("*.dcm")):
            try:
                header = pydicom.dcmread(path, stop_before_pixels=True)
            except pydicom.errors.InvalidDicomError:
                continue
            if str(header.get("SOPClassUID", "")).startswith(ULTRASOUND):
                found.append(path)
    return found


def real_pictures() -> Iterator[NDArray[np.uint8]]:
    """Every file's picture, of a clip the most coloured ones, (height, width, 3) uint8."""
    for path in real_ultrasound():
        for image in read_dicom(path, ReadLimits()):
            yield image.pixels
