"""Read ultrasound DICOM by its content: pictures in RGB, region tags, times; nothing is trusted.

These functions decode in the calling process. A study reads through `dlre_core.dicom_guard`, which
runs them in a process that may be killed.
"""

import heapq
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError
from pydicom.pixels import apply_color_lut, iter_pixels
from pydicom.tag import Tag
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, MediaStorageDirectoryStorage

from dlre_core.dicom_fields import acquired_at, integer, regions, text
from dlre_core.layout import UltrasoundRegion
from dlre_core.rejects import Reason, Unusable
from dlre_core.ssi import BLOB, GROUP, read_ssi_block

HEADER_TAGS = [
    "PatientID", "SOPInstanceUID", "AcquisitionDateTime", "AcquisitionDate", "AcquisitionTime",
    "ContentDate", "ContentTime", "StudyDate", "StudyTime", "InstanceNumber",
]  # fmt: skip
PICTURE_TAGS = [
    "Rows", "Columns", "NumberOfFrames", "SamplesPerPixel", "BitsAllocated", "BitsStored",
    "PhotometricInterpretation", "PlanarConfiguration", "SequenceOfUltrasoundRegions",
    *(f"{colour}PaletteColorLookupTable{part}" for colour in ("Red", "Green", "Blue")
      for part in ("Descriptor", "Data")),
    *(f"Segmented{colour}PaletteColorLookupTableData" for colour in ("Red", "Green", "Blue")),
    Tag(GROUP, 0x0013), BLOB,
]  # fmt: skip
PHOTOMETRIC_INTERPRETATIONS = {
    "RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT", "PALETTE COLOR", "MONOCHROME1",
    "MONOCHROME2",
}  # fmt: skip
COLOURED = 60
CANDIDATES = 3


@dataclass(frozen=True)
class ReadLimits:
    """Limits within which any file must decode."""

    pixels_per_frame: int = 33_000_000
    frames_per_file: int = 4000
    bytes_per_file: int = 2_000_000_000
    seconds_per_file: float = 60.0


@dataclass(frozen=True)
class Header:
    """What matching and ordering need, read without the pixels."""

    patient_id: str
    sop_instance_uid: str
    acquired_at: datetime | None
    instance_number: int


@dataclass(frozen=True)
class SweImage:
    """One decoded frame and the facts of its file.

    ``pixels`` is (height, width, 3) uint8 RGB; ``frame`` is 1-based; ``complete`` is False where
    later frames of the file could not be decoded. ``opacity`` (0 to 1) and ``scale_maximum_kpa`` are
    None unless the file's private block states them. ``transfer_syntax`` and
    ``photometric_interpretation`` are empty unless they are terms of the standard, since anything
    else may be free text.
    """

    pixels: NDArray[np.uint8]
    frame: int
    frames: int
    complete: bool
    transfer_syntax: str
    photometric_interpretation: str
    regions: tuple[UltrasoundRegion, ...]
    opacity: float | None
    scale_maximum_kpa: float | None


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
    with _stream(source) as stream:
        dataset = _parse(stream, HEADER_TAGS)
        if dataset is None:
            return None
        if dataset.file_meta.get("MediaStorageSOPClassUID") == MediaStorageDirectoryStorage:
            return None
        with _damage_means(Reason.DAMAGED_DICOM):
            return Header(
                patient_id=text(dataset, "PatientID"),
                sop_instance_uid=text(dataset, "SOPInstanceUID"),
                acquired_at=acquired_at(dataset),
                instance_number=integer(dataset, "InstanceNumber", 0),
            )


def read_dicom(source: str | Path | BinaryIO, limits: ReadLimits) -> list[SweImage]:
    """Decode a file.

    Parameters
    ----------
    source : path or seekable binary file
    limits : ReadLimits

    Returns
    -------
    list of SweImage
        One for a still. Of a clip, at most three frames with the most coloured pixels, the fullest
        first and the earlier first among equals: between two shear-wave frames (2 a second) a clip
        repeats the same map, so all others are poorer copies.

    Raises
    ------
    Unusable
        If it has no picture, is damaged, cannot be decoded or is over the limits.
    """
    with _stream(source) as stream:
        dataset = _parse(stream, PICTURE_TAGS)
        if dataset is None:
            raise Unusable(Reason.DAMAGED_DICOM)
        with _damage_means(Reason.DAMAGED_DICOM):
            height, width = integer(dataset, "Rows", 0), integer(dataset, "Columns", 0)
            frames = max(integer(dataset, "NumberOfFrames", 1), 1)
            syntax = UID(str(dataset.file_meta.get("TransferSyntaxUID", "")))
            places = tuple(regions(dataset))
            ssi = read_ssi_block(dataset)
        if height <= 0 or width <= 0 or not stream.read(1):
            raise Unusable(Reason.NO_PIXELS)
        if height * width > limits.pixels_per_frame or frames > limits.frames_per_file:
            raise Unusable(Reason.TOO_MANY_PIXELS)
        chosen, complete = _fullest(_pictures(stream, dataset))
    photometric = text(dataset, "PhotometricInterpretation")
    return [
        SweImage(
            pixels=pixels,
            frame=number,
            frames=frames,
            complete=complete,
            transfer_syntax=str(syntax) if syntax.is_transfer_syntax else "",
            photometric_interpretation=photometric
            if photometric in PHOTOMETRIC_INTERPRETATIONS
            else "",
            regions=places,
            opacity=ssi.opacity if ssi else None,
            scale_maximum_kpa=ssi.scale_maximum_kpa if ssi else None,
        )
        for number, pixels in chosen
    ]


def _fullest(
    pictures: Iterator[NDArray[np.uint8]],
) -> tuple[list[tuple[int, NDArray[np.uint8]]], bool]:
    """The most coloured frames and their 1-based numbers, and whether all frames decoded."""
    best: list[tuple[int, int, NDArray[np.uint8]]] = []
    complete = True
    try:
        for number, picture in enumerate(pictures, start=1):
            entry = (_coloured(picture), -number, picture)
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
    return [(-number, picture) for _, number, picture in sorted(best, reverse=True)], complete


def _coloured(picture: NDArray[np.uint8]) -> int:
    values = picture[::4, ::4].astype(np.int16)
    return int((values.max(axis=2) - values.min(axis=2) > COLOURED / 2).sum())


def _pictures(stream: BinaryIO, dataset: Dataset) -> Iterator[NDArray[np.uint8]]:
    """Frames in order, (height, width, 3) uint8 RGB, one at a time."""
    with _damage_means(Reason.UNDECODABLE):
        for frame in iter_pixels(_pixel_source(stream, dataset)):
            yield _to_rgb(frame, dataset)


def _pixel_source(stream: BinaryIO, dataset: Dataset) -> BinaryIO | Dataset:
    """The file itself, read frame by frame, or all of it where it must be mended first."""
    syntax = dataset.file_meta.get("TransferSyntaxUID")
    samples = integer(dataset, "SamplesPerPixel", 0)
    photometric = text(dataset, "PhotometricInterpretation")
    whole = samples and photometric and (samples == 1 or "PlanarConfiguration" in dataset)
    if syntax and whole and syntax != DeflatedExplicitVRLittleEndian:
        return stream
    stream.seek(0)
    mended = pydicom.dcmread(stream, force=True)
    mended.file_meta.setdefault("TransferSyntaxUID", _guessed_syntax(mended))
    mended.setdefault("SamplesPerPixel", 1)
    colours = mended.SamplesPerPixel == 3
    if not text(mended, "PhotometricInterpretation"):
        mended.PhotometricInterpretation = "RGB" if colours else "MONOCHROME2"
    if colours:
        mended.setdefault("PlanarConfiguration", 0)
    return mended


def _guessed_syntax(dataset: Dataset) -> UID:
    implicit, little = dataset.original_encoding
    if not little:
        return pydicom.uid.ExplicitVRBigEndian
    return pydicom.uid.ImplicitVRLittleEndian if implicit else pydicom.uid.ExplicitVRLittleEndian


def _to_rgb(frame: NDArray, dataset: Dataset) -> NDArray[np.uint8]:
    """One decoded frame as RGB; pydicom has turned YBR into RGB already."""
    kind = text(dataset, "PhotometricInterpretation")
    if kind == "PALETTE COLOR":
        frame = apply_color_lut(frame, dataset)
        # Some writers keep 8-bit colours in 16-bit tables.
        frame = frame if frame.dtype == np.uint8 or frame.max() < 256 else frame >> 8
        frame = frame.astype(np.uint8)
    elif frame.dtype != np.uint8 or frame.ndim == 2:
        stored = max(integer(dataset, "BitsStored", 8), 1)
        if stored != 8 or frame.dtype != np.uint8:
            scaled = frame.astype(np.float32) * np.float32(255 / (2**stored - 1))
            frame = np.clip(np.rint(scaled), 0, 255).astype(np.uint8)
    if frame.ndim == 2:
        frame = np.repeat((255 - frame if kind == "MONOCHROME1" else frame)[:, :, None], 3, axis=2)
    if frame.ndim != 3 or frame.shape[2] != 3 or kind.startswith("YBR_PARTIAL"):
        raise ValueError(f"{kind} of shape {frame.shape} is no picture")
    return frame


def _parse(stream: BinaryIO, tags: list) -> Dataset | None:
    """Read some elements, up to the pixels; None where the content is no DICOM."""
    with _damage_means(Reason.DAMAGED_DICOM):
        try:
            return pydicom.dcmread(
                stream, stop_before_pixels=True, specific_tags=tags, force=_has_no_preamble(stream)
            )
        except InvalidDicomError:
            return None


def _has_no_preamble(stream: BinaryIO) -> bool:
    """True where a data set begins at once, as older archives write it (element 0008,00xx)."""
    start = stream.read(132)
    stream.seek(0)
    return start[128:] != b"DICM" and start[:2] == b"\x08\x00" and start[2:4] in (
        b"\x00\x00", b"\x01\x00", b"\x05\x00", b"\x08\x00", b"\x12\x00", b"\x16\x00", b"\x18\x00",
    )  # fmt: skip


class _stream:
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


class _damage_means:
    """Context manager: whatever a parser or decoder raises on its input means this reason.

    pydicom and the codecs raise nearly any exception on hostile input. Errors of the operating
    system pass, since they say something about the disk and not about the file.
    """

    def __init__(self, reason: Reason) -> None:
        self._reason = reason
        self._quiet = warnings.catch_warnings()

    def __enter__(self) -> None:
        self._quiet.__enter__()
        warnings.simplefilter("ignore")

    def __exit__(self, kind: type | None, error: BaseException | None, trace: object) -> None:
        self._quiet.__exit__(None, None, None)
        if isinstance(error, MemoryError):
            raise Unusable(Reason.OVER_MEMORY) from None
        from_system = isinstance(error, OSError) and error.errno is not None
        if isinstance(error, Exception) and not isinstance(error, Unusable) and not from_system:
            raise Unusable(self._reason) from None
