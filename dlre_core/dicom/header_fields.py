"""Single facts of a DICOM data set, read leniently: what is missing or wrong becomes a default."""

from collections.abc import Iterator
from datetime import date, datetime, time

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLSNearLossless,
    SecondaryCaptureImageStorage,
)

from dlre_core.elastography.screen_layout import Rectangle, UltrasoundRegion

CENTIMETRES = 3
LOSSY = (JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLSNearLossless, JPEG2000, HTJ2K)
LEAST_MM, MOST_MM = 0.005, 5.0
LARGEST_COORDINATE = 1 << 20
# Ids and UIDs have at most 64 characters; some archives are generous.
LONGEST_TEXT = 256


def text(dataset: Dataset, name: str) -> str:
    """An element as text without padding; empty where it is missing or longer than any can be."""
    value = dataset.get(name)
    # A character set that the file itself names, such as UTF-7, may give halves of characters.
    found = "" if value is None else str(value).encode("utf-8", "replace").decode("utf-8")
    return "" if len(found) > LONGEST_TEXT else found.strip(" \t\r\n\0")


def integer(dataset: Dataset, name: str, otherwise: int) -> int:
    """An element as a whole number; ``otherwise`` where it is missing or is none."""
    try:
        return int(text(dataset, name))
    except ValueError:
        return otherwise


def number(dataset: Dataset, name: str) -> float | None:
    """An element as a finite number; None where it is missing or is none.

    Examples
    --------
    >>> dataset = Dataset()
    >>> dataset.PatientWeight, dataset.PatientAge = "61.5", "043Y"
    >>> number(dataset, "PatientWeight"), number(dataset, "PatientAge")
    (61.5, None)
    """
    try:
        value = float(text(dataset, name))
    except ValueError:
        return None
    return value if np.isfinite(value) else None


def regions(dataset: Dataset) -> Iterator[UltrasoundRegion]:
    """Items of Sequence of Ultrasound Regions (0018,6011) that are rectangles at all.

    They may still reach out of the picture; `dlre_core.elastography.elastogram.find_layout` clamps them.
    """
    for item in dataset.get("SequenceOfUltrasoundRegions") or []:
        left, top, last_column, last_row = (
            integer(item, f"RegionLocation{side}", -1) for side in ("MinX0", "MinY0", "MaxX1", "MaxY1")
        )
        if not (0 <= left < last_column and 0 <= top < last_row):
            continue
        if max(last_column, last_row) > LARGEST_COORDINATE:
            continue
        spacing = None
        if integer(item, "PhysicalUnitsXDirection", 0) == CENTIMETRES:
            delta = number(item, "PhysicalDeltaX")
            spacing = 10 * abs(delta) if delta else None
            # What no scanner has is damage: sizes in pixels are computed with it.
            spacing = spacing if spacing and LEAST_MM <= spacing <= MOST_MM else None
        yield UltrasoundRegion(
            # The file's last row and column are inclusive.
            rectangle=Rectangle(left, top, last_column + 1, last_row + 1),
            spatial_format=integer(item, "RegionSpatialFormat", 0),
            data_type=integer(item, "RegionDataType", 0),
            pixel_spacing_mm=spacing,
        )


def acquired_at(dataset: Dataset) -> datetime | None:
    """When the picture was acquired, by the most specific pair of elements that is sound."""
    combined = text(dataset, "AcquisitionDateTime")
    for day, clock in (
        (combined[:8], combined[8:]),
        (text(dataset, "AcquisitionDate"), text(dataset, "AcquisitionTime")),
        (text(dataset, "ContentDate"), text(dataset, "ContentTime")),
        (text(dataset, "StudyDate"), text(dataset, "StudyTime")),
    ):
        found = moment(day, clock)
        if found is not None:
            return found
    return None


def examined_on(dataset: Dataset) -> date | None:
    """Day of the examination: of the acquisition, else of the study, else of the content.

    A screenshot's content may be younger than what it shows.
    """
    names = ("AcquisitionDateTime", "AcquisitionDate", "StudyDate", "ContentDate")
    found = (moment(text(dataset, name)[:8], "") for name in names)
    return next((day.date() for day in found if day is not None), None)


def is_derived(dataset: Dataset) -> bool:
    """Whether a file calls itself made from another: by Image Type (0008,0008), or as a Secondary Capture."""
    kinds = dataset.get("ImageType") or ""
    first = str(kinds if isinstance(kinds, str) else kinds[0]).strip().upper()
    captured = f"{text(dataset, 'SOPClassUID')}.".startswith(f"{SecondaryCaptureImageStorage}.")
    return first == "DERIVED" or captured


def is_lossy(dataset: Dataset) -> bool:
    """Whether pixels were ever compressed with loss: by Lossy Image Compression (0028,2110), or as they are now."""
    syntax = dataset.file_meta.get("TransferSyntaxUID")
    return text(dataset, "LossyImageCompression") == "01" or syntax in LOSSY


def moment(day: str, clock: str) -> datetime | None:
    """A DICOM date (DA) and time (TM); None unless the date is a day from 1980 to 2100.

    Examples
    --------
    >>> moment("20170301", "101530.25").isoformat()
    '2017-03-01T10:15:30.250000'
    >>> moment("19000101", "101530") is None
    True
    """
    try:
        parsed = date(int(day[:4]), int(day[4:6]), int(day[6:8]))
        whole, _, fraction = clock.partition(".")
        padded = (whole + "000000")[:6]
        microseconds = int((fraction[:6] + "000000")[:6]) if fraction[:6].isdigit() else 0
        clock_time = time(int(padded[:2]), int(padded[2:4]), min(int(padded[4:6]), 59), microseconds)
    except ValueError:
        return None
    return datetime.combine(parsed, clock_time) if 1980 <= parsed.year <= 2100 else None
