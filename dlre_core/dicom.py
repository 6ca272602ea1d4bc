"""Read ultrasound DICOM by its content: pictures in RGB, region tags, times; nothing is trusted."""

import io
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError
from pydicom.pixels import apply_color_lut, iter_pixels

from dlre_core.errors import UnreadableDicom
from dlre_core.layout import Rectangle, UltrasoundRegion
from dlre_core.rejects import Reason
from dlre_core.ssi import SsiBlock, read_ssi_block

CENTIMETRES = 3
HEADER_TAGS = [
    "PatientID", "SOPInstanceUID", "AcquisitionDateTime", "AcquisitionDate", "AcquisitionTime",
    "ContentDate", "ContentTime", "StudyDate", "StudyTime", "InstanceNumber", "Rows", "Columns",
    "NumberOfFrames", "SamplesPerPixel", "BitsAllocated",
]  # fmt: skip


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
    """One decoded file: its facts, and its frames on demand.

    ``pixel_spacing_mm`` is None where no region states it in centimetres.
    """

    height: int
    width: int
    frames: int
    transfer_syntax: str
    photometric_interpretation: str
    regions: tuple[UltrasoundRegion, ...]
    ssi: SsiBlock | None
    dataset: Dataset

    def pictures(self) -> Iterator[NDArray[np.uint8]]:
        """Frames in order, (height, width, 3) uint8 RGB, one held at a time.

        Raises
        ------
        UnreadableDicom
            If a frame cannot be decoded.
        """
        # Decoders raise nearly anything on hostile input, so all of it means: not decodable.
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                for frame in iter_pixels(self.dataset):
                    yield _to_rgb(frame, self.dataset)
        except GeneratorExit:
            raise
        except Exception as error:
            raise UnreadableDicom(Reason.UNDECODABLE.code, type(error).__name__) from None


def read_header(source: str | Path | bytes) -> Header | None:
    """Read ids and times; None where the content is no DICOM file.

    Raises
    ------
    UnreadableDicom
        If it is DICOM but its header is damaged.
    """
    dataset = _read(source, stop_before_pixels=True, specific_tags=HEADER_TAGS)
    if dataset is None:
        return None
    return Header(
        patient_id=_text(dataset, "PatientID"),
        sop_instance_uid=_text(dataset, "SOPInstanceUID"),
        acquired_at=_acquired_at(dataset),
        instance_number=_integer(dataset, "InstanceNumber", 0),
    )


def read_dicom(source: str | Path | bytes, limits: ReadLimits) -> SweImage:
    """Read a file's facts; the pixels are decoded when its pictures are asked for.

    Parameters
    ----------
    source : path or bytes
        A file, or its content (from an archive).
    limits : ReadLimits

    Returns
    -------
    SweImage

    Raises
    ------
    UnreadableDicom
        With a code of `dlre_core.rejects.Reason` as message, if the file has no picture, is damaged
        or is over the limits.
    """
    dataset = _read(source)
    if dataset is None:
        raise UnreadableDicom(Reason.DAMAGED_DICOM.code)
    height, width = _integer(dataset, "Rows", 0), _integer(dataset, "Columns", 0)
    frames = max(_integer(dataset, "NumberOfFrames", 1), 1)
    if "PixelData" not in dataset or not height or not width:
        raise UnreadableDicom(Reason.NO_PIXELS.code)
    if height * width > limits.pixels_per_frame or frames > limits.frames_per_file:
        raise UnreadableDicom(Reason.TOO_MANY_PIXELS.code)
    return SweImage(
        height=height,
        width=width,
        frames=frames,
        transfer_syntax=str(dataset.file_meta.get("TransferSyntaxUID", "")),
        photometric_interpretation=_text(dataset, "PhotometricInterpretation"),
        regions=tuple(_regions(dataset)),
        ssi=read_ssi_block(dataset),
        dataset=dataset,
    )


def _read(source: str | Path | bytes, **options: object) -> Dataset | None:
    stream = io.BytesIO(source) if isinstance(source, bytes) else source
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dataset = pydicom.dcmread(stream, **options)
            # Values are parsed when first touched: touch them here, where damage is expected.
            for element in dataset:
                _ = element.value
    except InvalidDicomError:
        return None
    except OSError as error:
        if error.errno is not None:
            raise
        raise UnreadableDicom(Reason.DAMAGED_DICOM.code) from None
    # pydicom raises nearly anything on hostile input; all of it means: damaged.
    except Exception:
        raise UnreadableDicom(Reason.DAMAGED_DICOM.code) from None
    return dataset


def _to_rgb(frame: NDArray, dataset: Dataset) -> NDArray[np.uint8]:
    """One decoded frame as RGB; pydicom has turned YBR into RGB already."""
    kind = _text(dataset, "PhotometricInterpretation")
    if kind == "PALETTE COLOR":
        frame = apply_color_lut(frame, dataset)
        if frame.dtype != np.uint8:
            frame = (frame >> 8).astype(np.uint8)
    elif frame.dtype != np.uint8:
        bits = _integer(dataset, "BitsStored", 8)
        frame = np.clip(frame.astype(np.float64) * (255 / (2**bits - 1)), 0, 255).astype(np.uint8)
    if frame.ndim == 2:
        frame = np.repeat((255 - frame if kind == "MONOCHROME1" else frame)[:, :, None], 3, axis=2)
    if frame.ndim != 3 or frame.shape[2] != 3:
        raise ValueError(f"a frame of shape {frame.shape} is no picture")
    return frame


def _regions(dataset: Dataset) -> Iterator[UltrasoundRegion]:
    for item in dataset.get("SequenceOfUltrasoundRegions") or []:
        left, top = (
            _integer(item, "RegionLocationMinX0", -1),
            _integer(item, "RegionLocationMinY0", -1),
        )
        right, bottom = (
            _integer(item, "RegionLocationMaxX1", -1),
            _integer(item, "RegionLocationMaxY1", -1),
        )
        spacing = None
        if _integer(item, "PhysicalUnitsXDirection", 0) == CENTIMETRES:
            delta = _number(item, "PhysicalDeltaX")
            spacing = 10 * abs(delta) if delta else None
        if 0 <= left < right and 0 <= top < bottom:
            yield UltrasoundRegion(
                # The file's last row and column are inclusive.
                rectangle=Rectangle(left, top, right + 1, bottom + 1),
                spatial_format=_integer(item, "RegionSpatialFormat", 0),
                data_type=_integer(item, "RegionDataType", 0),
                pixel_spacing_mm=spacing,
            )


def _acquired_at(dataset: Dataset) -> datetime | None:
    combined = _text(dataset, "AcquisitionDateTime")
    for day, clock in (
        (combined[:8], combined[8:]),
        (_text(dataset, "AcquisitionDate"), _text(dataset, "AcquisitionTime")),
        (_text(dataset, "ContentDate"), _text(dataset, "ContentTime")),
        (_text(dataset, "StudyDate"), _text(dataset, "StudyTime")),
    ):
        moment = _moment(day, clock)
        if moment is not None:
            return moment
    return None


def _moment(day: str, clock: str) -> datetime | None:
    try:
        parsed = date(int(day[:4]), int(day[4:6]), int(day[6:8]))
        padded = (clock.split(".")[0] + "000000")[:6]
        return datetime.combine(
            parsed, time(int(padded[:2]), int(padded[2:4]), min(int(padded[4:6]), 59))
        )
    except ValueError:
        return None


def _text(dataset: Dataset, name: str) -> str:
    value = dataset.get(name)
    return "" if value is None else str(value).strip().strip("\0")


def _integer(dataset: Dataset, name: str, otherwise: int) -> int:
    try:
        return int(str(dataset.get(name)).split("\\")[0])
    except ValueError:
        return otherwise


def _number(dataset: Dataset, name: str) -> float | None:
    try:
        value = float(dataset.get(name))  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return value if np.isfinite(value) else None
