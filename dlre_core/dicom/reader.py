"""Read ultrasound DICOM by its content: pictures in RGB, region tags, times; nothing is trusted.

These functions decode in the calling process. A study reads through `dlre_core.dicom.guarded_reader`, which
runs them in a process that may be killed.
"""

import hashlib
import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError
from pydicom.tag import Tag
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, MediaStorageDirectoryStorage

from dlre_core.dicom.frame_count import frames_by_length
from dlre_core.dicom.header_fields import (
    acquired_at,
    examined_on,
    integer,
    is_derived,
    is_lossy,
    regions,
    text,
)
from dlre_core.dicom.pixel_decoding import damage_means, pictures
from dlre_core.dicom.reject_reasons import Reason, Unusable
from dlre_core.dicom.supersonic_block import BLOB, GROUP, SsiBlock, read_ssi_block
from dlre_core.elastography.scale import Scale
from dlre_core.elastography.screen_layout import (
    BOTTOM_PICTURE,
    NATIVE_WIDTH,
    TOP_PICTURE,
    Rectangle,
    UltrasoundRegion,
    tagged_parts,
)

# What tells people apart who have one Patient ID, as in the exports of two hospitals.
PERSON = ("PatientName", "PatientBirthDate")
HEADER_TAGS = [
    "PatientID",
    "SOPInstanceUID",
    "AcquisitionDateTime",
    "AcquisitionDate",
    "AcquisitionTime",
    "ContentDate",
    "ContentTime",
    "StudyDate",
    "StudyTime",
    "InstanceNumber",
    "StudyInstanceUID",
    "ImageType",
    "SOPClassUID",
    "LossyImageCompression",
    *PERSON,
]
# To tell screens apart; as the file has them, these leave ingestion only where they are known names.
DEVICE = {"manufacturer": "Manufacturer", "model": "ManufacturerModelName", "software": "SoftwareVersions"}
PICTURE_TAGS = [
    *DEVICE.values(),
    "Rows",
    "Columns",
    "NumberOfFrames",
    "SamplesPerPixel",
    "BitsAllocated",
    "BitsStored",
    "PhotometricInterpretation",
    "PlanarConfiguration",
    "SequenceOfUltrasoundRegions",
    *(
        f"{colour}PaletteColorLookupTable{part}"
        for colour in ("Red", "Green", "Blue")
        for part in ("Descriptor", "Data")
    ),
    *(f"Segmented{colour}PaletteColorLookupTableData" for colour in ("Red", "Green", "Blue")),
]
STIFFNESS_TAGS = [Tag(GROUP, 0x0013), BLOB]
PHOTOMETRIC_INTERPRETATIONS = {
    "RGB",
    "YBR_FULL",
    "YBR_FULL_422",
    "YBR_ICT",
    "YBR_RCT",
    "PALETTE COLOR",
    "MONOCHROME1",
    "MONOCHROME2",
}
COLOURED = 60
LONGEST_FIRST_VALUE = 1024
CANDIDATES = 4
# A place on the screen, and how much a coloured pixel there speaks for an elastogram; below 0 against it.
JudgedPlace = tuple[Rectangle, int]


@dataclass(frozen=True)
class ReadLimits:
    """Limits within which any file must decode."""

    pixels_per_frame: int = 33_000_000
    frames_per_file: int = 4000
    bytes_per_file: int = 2_000_000_000
    seconds_per_file: float = 60.0


@dataclass(frozen=True)
class Header:
    """What matching and ordering need, read without the pixels.

    ``person`` is a digest of name and date of birth; ``examined_on`` the day of the examination; ``derived`` says
    that the file calls itself made from another picture, as a screenshot does, ``lossy`` that pixels lost something.
    """

    patient_id: str
    sop_instance_uid: str
    acquired_at: datetime | None
    instance_number: int
    study_instance_uid: str = ""
    person: str = ""
    examined_on: date | None = None
    derived: bool = False
    lossy: bool = False


def header_facts(header: Header | None) -> dict[str, object] | None:
    """A header as JSON holds it."""
    if header is None:
        return None
    days = {name: getattr(header, name) for name in ("acquired_at", "examined_on")}
    return {**vars(header), **{name: day and day.isoformat() for name, day in days.items()}}


def header_of(facts: dict[str, Any] | None) -> Header | None:
    """The header that `header_facts` wrote."""
    if facts is None:
        return None
    when, day = facts["acquired_at"], facts["examined_on"]
    days = {
        "acquired_at": datetime.fromisoformat(when) if when else None,
        "examined_on": date.fromisoformat(day) if day else None,
    }
    return Header(**{**facts, **days})


@dataclass(frozen=True)
class SweImage:
    """One decoded frame and the facts of its file.

    ``pixels`` is (height, width, 3) uint8 RGB; ``frame`` is 1-based; ``complete`` is False where
    later frames of the file could not be decoded. ``opacity`` (0 to 1) and ``scale`` are
    None unless the file's private block states them. ``transfer_syntax`` and
    ``photometric_interpretation`` are empty unless they are terms of the standard, since anything
    else may be free text, as ``manufacturer``, ``model`` and ``software`` are: they are what the file says, or empty.
    """

    pixels: NDArray[np.uint8]
    frame: int
    frames: int
    complete: bool
    transfer_syntax: str
    photometric_interpretation: str
    regions: tuple[UltrasoundRegion, ...]
    opacity: float | None
    scale: Scale | None
    manufacturer: str = ""
    model: str = ""
    software: str = ""


def read_header(source: str | Path | BinaryIO) -> Header | None:
    """Read ids and times.

    Returns
    -------
    Header or None
        None where the content is no DICOM file, or the index of a medium (DICOMDIR).

    Raises
    ------
    Unusable
        If it is DICOM but its header is damaged.
    """
    with opened_stream(source) as stream, damage_means(Reason.DAMAGED_DICOM):
        dataset = parse(stream, HEADER_TAGS)
        if dataset is None:
            return None
        if dataset.file_meta.get("MediaStorageSOPClassUID") == MediaStorageDirectoryStorage:
            return None
        return Header(
            patient_id=text(dataset, "PatientID"),
            sop_instance_uid=text(dataset, "SOPInstanceUID"),
            acquired_at=acquired_at(dataset),
            instance_number=integer(dataset, "InstanceNumber", 0),
            study_instance_uid=text(dataset, "StudyInstanceUID"),
            person=_person(dataset),
            examined_on=examined_on(dataset),
            derived=is_derived(dataset),
            lossy=is_lossy(dataset),
        )


def _person(dataset: Dataset) -> str:
    """Digest of the bytes of name and date of birth, however they are padded; empty without both."""
    values = [dataset.get_item(name) for name in PERSON if name in dataset]
    # As they lie in the file: decoded, an odd name would be told in a warning.
    raw = [v.value if isinstance(v.value, bytes) else str(v.value).encode() for v in values]
    said = [value.strip(b" ^=\0").lower() for value in raw if value]
    return hashlib.sha256(b"\n".join(said)).hexdigest()[:16] if any(said) else ""


def read_dicom(source: str | Path | BinaryIO, limits: ReadLimits, judged: Sequence[JudgedPlace] = ()) -> list[SweImage]:
    """Decode a file.

    Parameters
    ----------
    source : path or seekable binary file
    limits : ReadLimits
    judged : sequence of JudgedPlace
        Of a clip: where colours speak for an elastogram, or against it. Where nothing is given, in the box, or,
        without tags, in the upper picture of the 2019 scanner's screen and not the lower.

    Returns
    -------
    list of SweImage
        One for a still. Of a clip, at most four frames with the most coloured pixels in these places, the fullest
        first; where neither tags nor ``judged`` say where the box is, also the one with most colour anywhere, on which
        the layout may be found. Of frames with equally many, the first: between two shear-wave frames (2 a second) a
        clip repeats the same map.

    Raises
    ------
    Unusable
        If it has no picture, is damaged, cannot be decoded or is over the limits.
    """
    with opened_stream(source) as stream, damage_means(Reason.DAMAGED_DICOM):
        dataset = parse(stream, PICTURE_TAGS)
        if dataset is None:
            raise Unusable(Reason.DAMAGED_DICOM)
        height, width = integer(dataset, "Rows", 0), integer(dataset, "Columns", 0)
        frames = integer(dataset, "NumberOfFrames", 0)
        syntax = UID(str(dataset.file_meta.get("TransferSyntaxUID", "")))
        places = tuple(regions(dataset))
        device = {name: text(dataset, keyword) for name, keyword in DEVICE.items()}
        # Parsing stopped where the pixels begin, or at the end of a file that has none.
        at = stream.tell()
        pixels_follow = syntax == DeflatedExplicitVRLittleEndian or stream.read(1)
        if height <= 0 or width <= 0 or not pixels_follow:
            raise Unusable(Reason.NO_PIXELS)
        if frames < 1:
            stream.seek(at)
            frames = dataset.NumberOfFrames = frames_by_length(stream, dataset)
        if height * width > limits.pixels_per_frame or frames > limits.frames_per_file:
            raise Unusable(Reason.TOO_MANY_PIXELS)
        anywhere = not judged and tagged_parts(places) is None
        weighed = _coloured_places(places, height, width, judged) if frames > 1 else None
        chosen, complete = _fullest(pictures(stream, dataset), weighed, anywhere)
        ssi = _stiffness_block(stream)
        photometric = text(dataset, "PhotometricInterpretation")
    return [
        SweImage(
            pixels=pixels,
            frame=number,
            frames=frames,
            complete=complete,
            transfer_syntax=str(syntax) if syntax.is_transfer_syntax else "",
            photometric_interpretation=photometric if photometric in PHOTOMETRIC_INTERPRETATIONS else "",
            regions=places,
            opacity=ssi.opacity if ssi else None,
            scale=ssi.scale if ssi else None,
            **device,
        )
        for number, pixels in chosen
    ]


def _coloured_places(
    places: Sequence[UltrasoundRegion], height: int, width: int, judged: Sequence[JudgedPlace]
) -> list[JudgedPlace]:
    """Where colours speak for an elastogram and where against it, with the weight of each.

    Where nobody says so: for it in the box, or, without tags, in the upper picture; against it beside the box and in
    the lower picture, which colour Doppler colours as well.
    """
    tagged = tagged_parts(places)
    if judged:
        weighed = list(judged)
    elif tagged is not None:
        upper, box, lower = (part.rectangle for part in tagged)
        weighed = [(box, 2), (upper, -1), (lower, -1)]
    else:
        scale = width / NATIVE_WIDTH
        weighed = [(TOP_PICTURE.scaled(scale), 1), (BOTTOM_PICTURE.scaled(scale), -1)]
    return [(place.clamped(height, width), weight) for place, weight in weighed]


def _fullest(
    frames: Iterator[NDArray[np.uint8]], places: Sequence[JudgedPlace] | None, anywhere: bool
) -> tuple[list[tuple[int, NDArray[np.uint8]]], bool]:
    """The most coloured frames and their 1-based numbers, and whether all frames decoded.

    ``places`` are those of `_coloured_places`; None for a still, which is not judged. With ``anywhere``, the frame with
    most colour comes last.
    """
    best: list[tuple[int, int, NDArray[np.uint8]]] = []
    most: tuple[int, int, NDArray[np.uint8]] | None = None
    complete = True
    try:
        for number, picture in enumerate(frames, start=1):
            if anywhere and places is not None:
                height, width = picture.shape[:2]
                colours = _coloured(picture, Rectangle(0, 0, width, height))
                if most is None or colours > most[0]:
                    most = (colours, number, picture)
            colours = sum(weight * _coloured(picture, place) for place, weight in places or ())
            entry = (colours, -number, picture)
            if places is not None and any(colours == known for known, *_ in best):
                continue
            if len(best) < CANDIDATES:
                heapq.heappush(best, entry)
            elif entry[:2] > best[0][:2]:
                heapq.heapreplace(best, entry)
    except Unusable:
        if not best:
            raise
        complete = False
    if not best:
        raise Unusable(Reason.NO_PIXELS)
    chosen = [(-number, picture) for _, number, picture in sorted(best, reverse=True)]
    if most is not None and most[1] not in (number for number, _ in chosen):
        chosen.append(most[1:])
    return chosen, complete


def _coloured(picture: NDArray[np.uint8], place: Rectangle) -> int:
    part = picture[place.top : place.bottom, place.left : place.right]
    values = part[::4, ::4].astype(np.int16)
    return int((values.max(axis=2) - values.min(axis=2) > COLOURED / 2).sum())


def _stiffness_block(stream: BinaryIO) -> SsiBlock | None:
    """The private block of stiffness, which stands behind the pixels; None unless it is sound."""
    stream.seek(0)
    try:
        with damage_means(Reason.DAMAGED_DICOM):
            dataset = pydicom.dcmread(stream, specific_tags=STIFFNESS_TAGS, force=True)
            return read_ssi_block(dataset)
    except Unusable:
        return None


def parse(stream: BinaryIO, tags: list) -> Dataset | None:
    """Read some elements, up to the pixels; None where the content is no DICOM."""
    try:
        return pydicom.dcmread(stream, stop_before_pixels=True, specific_tags=tags, force=_has_no_preamble(stream))
    except InvalidDicomError:
        return None


def _has_no_preamble(stream: BinaryIO) -> bool:
    """True where a data set begins at once, as older archives write it.

    It begins with an element of group 2, or of group 8 in either byte order: (0008,00xx), and then two capitals, the
    kind of value, or, where kinds are left out, a length.
    """
    start = stream.read(132)
    stream.seek(0)
    if start[128:] == b"DICM" or len(start) < 8:
        return False
    little, big = start[:2] in (b"\x02\0", b"\x08\0") and start[3] == 0, start[:3] == b"\0\x08\0"
    kind = start[4:6]
    if kind.isalpha() and kind.isupper():
        return little or big
    return little and int.from_bytes(start[4:8], "little") <= LONGEST_FIRST_VALUE


class opened_stream:
    """Context manager: a file opened for reading, or the open file that was given."""

    def __init__(self, source: str | Path | BinaryIO) -> None:
        self._own = isinstance(source, str | Path)
        self._file = open(source, "rb") if self._own else source  # noqa: SIM115

    def __enter__(self) -> BinaryIO:
        self._file.seek(0)
        return self._file

    def __exit__(self, *exception: object) -> None:
        if self._own:
            self._file.close()
