"""Write screens as DICOM the way scanners and archives do: several syntaxes, with and without tags."""

import io
import uuid
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydicom import config as pydicom_config
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.tag import Tag
from pydicom.uid import (
    JPEG2000,
    UID,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGBaseline8Bit,
    RLELossless,
    UltrasoundImageStorage,
    UltrasoundMultiFrameImageStorage,
)

from dlre_core.dicom.supersonic_block import BLOB, CREATOR, GROUP
from dlre_core.elastography.screen_layout import Rectangle
from dlre_core.simulation.screen_designs import DESIGNS, ScreenDesign

PADDING = 65536
SYNTAXES = {
    "jpeg": JPEGBaseline8Bit,
    "plain": ExplicitVRLittleEndian,
    "rle": RLELossless,
    "jpeg2000": JPEG2000,
    "implicit": ImplicitVRLittleEndian,
}
NAMESPACE = uuid.UUID("0b1f2d3c-5a46-4c58-9f43-6c6f2d5e8a10")


@dataclass(frozen=True)
class Patient:
    """What the header says of a patient; invented, like everything here."""

    hospital: str
    patient_id: str
    sex: str
    age_years: int
    height_cm: float
    weight_kg: float


@dataclass(frozen=True)
class Instance:
    """Whose picture a file holds, and which: instance number and SOP Instance UID."""

    patient: Patient
    acquired_at: datetime
    number: int
    uid: UID


@dataclass(frozen=True)
class Export:
    """How a file is written.

    ``syntax`` is a key of `SYNTAXES`; ``regions`` whether the region tags are there; ``ssi_block``
    the private block or None; ``design`` whose screen it is.
    """

    syntax: str
    regions: bool
    ssi_block: bytes | None
    design: ScreenDesign = DESIGNS["stacked"]


def make_uid(*parts: object) -> UID:
    """A UID that depends on nothing but its parts (2.25 and a name-based UUID)."""
    return UID(f"2.25.{uuid.uuid5(NAMESPACE, '/'.join(map(str, parts))).int}")


def write_dicom(
    path: Path,
    frames: list[NDArray[np.uint8]],
    instance: Instance,
    export: Export,
    box: Rectangle | None,
    pixel_mm: float,
) -> None:
    """Write frames (height, width, 3) uint8 RGB as one file, padded so that its size says little.

    Parameters
    ----------
    path : path
    frames : list of (height, width, 3) uint8
        One for a still; more for a clip.
    instance : Instance
    export : Export
    box : Rectangle or None
        For the region tags.
    pixel_mm : float
        Pixel size of the pictures on the full screen, mm.
    """
    width = frames[0].shape[1]
    design = export.design
    dataset = _header(instance, len(frames), design)
    if export.regions and box is not None:
        scale = width / design.columns
        # Only the 2019 scanner lists its box. No region can be said to be an elastogram: another maker's is tissue.
        pictures = [(design.elastogram, 1), (box, 2) if design.name == "stacked" else (design.quality_map, 1)]
        pictures.append((design.twin, 1))
        dataset.SequenceOfUltrasoundRegions = Sequence(
            [
                *(_region(place, 1, kind, pixel_mm, scale) for place, kind in pictures if place is not None),
                _region(design.colour_bar, 5, 0x0E, None, scale),
            ]
        )
    if export.ssi_block is not None:
        # The scanner reserves block 13 hexadecimal of its group.
        dataset.add_new(Tag(GROUP, BLOB.element >> 8), "LO", CREATOR)
        dataset.add_new(BLOB, "OB", export.ssi_block)
    _pixels(dataset, frames, export.syntax)
    path.parent.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    path.write_bytes(_padded(buffer.getvalue(), implicit=export.syntax == "implicit"))


def _padded(content: bytes, *, implicit: bool) -> bytes:
    """The file with Data Set Trailing Padding (FFFC,FFFC) up to a whole number of `PADDING` bytes.

    Written by hand: the length is known only when all else is written, and writing twice takes twice
    the time. Implicit VR has a header of 8 bytes, explicit OB one of 12.
    """
    header = 8 if implicit else 12
    length = -(len(content) + header) % PADDING
    tag = b"\xfc\xff\xfc\xff" + (b"" if implicit else b"OB\0\0")
    return content + tag + length.to_bytes(4, "little") + bytes(length)


def _header(instance: Instance, n_frames: int, design: ScreenDesign) -> Dataset:
    dataset = Dataset()
    patient, moment = instance.patient, instance.acquired_at
    kind = UltrasoundImageStorage if n_frames == 1 else UltrasoundMultiFrameImageStorage
    dataset.SOPClassUID, dataset.SOPInstanceUID = kind, instance.uid
    dataset.StudyInstanceUID = make_uid("study", patient.patient_id)
    dataset.SeriesInstanceUID = make_uid("series", patient.patient_id)
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "ABDOMINAL"]
    dataset.BodyPartExamined, dataset.PatientOrientation = "LIVER", ""
    dataset.Modality, dataset.Manufacturer = "US", design.manufacturer
    dataset.ManufacturerModelName = design.model
    dataset.InstitutionName = f"Simulated Hospital {patient.hospital}"
    dataset.PatientID, dataset.PatientName = patient.patient_id, f"SIM^{patient.patient_id}"
    dataset.PatientSex, dataset.PatientAge = patient.sex, f"{patient.age_years:03d}Y"
    dataset.PatientSize, dataset.PatientWeight = patient.height_cm / 100, patient.weight_kg
    dataset.PatientBirthDate = ""
    dataset.PatientIdentityRemoved, dataset.DeidentificationMethod = "YES", "Synthetic data"
    dataset.ImageComments = "SIMULATED IMAGE - NOT A PATIENT - NOT FOR CLINICAL USE"
    dataset.BurnedInAnnotation = "YES"
    dataset.StudyDate = dataset.AcquisitionDate = dataset.ContentDate = f"{moment:%Y%m%d}"
    dataset.StudyTime = dataset.AcquisitionTime = dataset.ContentTime = f"{moment:%H%M%S}"
    dataset.StudyID, dataset.SeriesNumber, dataset.InstanceNumber = "1", 1, instance.number
    dataset.AccessionNumber = dataset.ReferringPhysicianName = ""
    if n_frames > 1:
        dataset.NumberOfFrames, dataset.FrameTime = n_frames, 52.6
        dataset.FrameIncrementPointer = 0x00181063
    return dataset


def _region(place: Rectangle, spatial_format: int, data_type: int, pixel_mm: float | None, scale: float) -> Dataset:
    item = Dataset()
    item.RegionSpatialFormat, item.RegionDataType, item.RegionFlags = spatial_format, data_type, 2
    item.RegionLocationMinX0, item.RegionLocationMinY0 = (
        round(place.left * scale),
        round(place.top * scale),
    )
    item.RegionLocationMaxX1 = round(place.right * scale) - 1
    item.RegionLocationMaxY1 = round(place.bottom * scale) - 1
    unit = 0 if pixel_mm is None else 3
    item.PhysicalUnitsXDirection = item.PhysicalUnitsYDirection = unit
    delta = 0.0 if pixel_mm is None else pixel_mm / 10 / scale
    item.PhysicalDeltaX = item.PhysicalDeltaY = delta
    return item


def _pixels(dataset: Dataset, frames: list[NDArray[np.uint8]], syntax: str) -> None:
    height, width = frames[0].shape[:2]
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = SYNTAXES[syntax]
    dataset.Rows, dataset.Columns, dataset.SamplesPerPixel = height, width, 3
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit, dataset.PixelRepresentation, dataset.PlanarConfiguration = 7, 0, 0
    dataset.PhotometricInterpretation = "RGB"
    if syntax in ("plain", "implicit"):
        dataset.PixelData = b"".join(frame.tobytes() for frame in frames)
        if len(dataset.PixelData) % 2:
            dataset.PixelData += b"\0"
    elif syntax == "rle":
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dataset.PixelData = b"".join(frame.tobytes() for frame in frames)
        dataset.compress(RLELossless, generate_instance_uid=False)
    else:
        lossy = syntax == "jpeg"
        dataset.PhotometricInterpretation = "YBR_FULL_422" if lossy else "YBR_RCT"
        options = (
            {"format": "JPEG", "quality": 90, "subsampling": "4:2:2"}
            if lossy
            else {"format": "JPEG2000", "irreversible": False, "mct": 1, "no_jp2": True}
        )
        dataset.PixelData = encapsulate([_compressed(frame, options) for frame in frames])
        dataset["PixelData"].VR = "OB"
        if lossy:
            dataset.LossyImageCompression = "01"
            dataset.LossyImageCompressionMethod = "ISO_10918_1"


def _compressed(frame: NDArray[np.uint8], options: dict[str, object]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(frame).save(buffer, **options)
    return buffer.getvalue()


# Values are ours and valid; checking each of them takes a tenth of the time of a file.
pydicom_config.settings.writing_validation_mode = pydicom_config.IGNORE
