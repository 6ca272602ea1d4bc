"""One acquisition's files: DICOM as scanners and archives write it, or PNG; a hand-drawn square; the truth."""

import io
import uuid
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo
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

from dlre_core.dicom.supersonic_block import BLOB, CREATOR, GROUP, build_ssi_block
from dlre_core.elastography.colour_map import colour_table
from dlre_core.elastography.scale import KPA, Scale
from dlre_core.elastography.screen_layout import NATIVE_WIDTH, TOP_PICTURE, Rectangle
from dlre_core.foundation.study_terms import SQUARE_SIDE
from dlre_core.simulation.other_screens import DrawnScreen
from dlre_core.simulation.screen import STATEMENT
from dlre_core.simulation.screen_designs import DESIGNS, MachineSettings, ScreenDesign

PADDING = 65536
SYNTAXES = {
    "jpeg": JPEGBaseline8Bit,
    "plain": ExplicitVRLittleEndian,
    "rle": RLELossless,
    "jpeg2000": JPEG2000,
    "implicit": ImplicitVRLittleEndian,
}
SYNTAX_SHARES = {"jpeg": 0.62, "plain": 0.18, "implicit": 0.05, "rle": 0.12, "jpeg2000": 0.03}
# Clips are exported at half the size, where that leaves enough to see.
LEAST_COLUMNS_TO_HALVE = 1200
# Standard deviation of a hand-drawn square's place, as a share of its side.
HAND_JITTER = 0.03
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


@dataclass(frozen=True)
class Acquisition:
    """What a file says besides its picture, and what becomes of it.

    ``kind`` is good, failed, surplus, wrong_scale, recoded (as one archive does) or clip.
    """

    patient: Patient
    acquired_at: datetime
    number: int
    kind: str
    pixel_mm: float
    design: ScreenDesign
    settings: MachineSettings


def write_acquisition(
    path: Path, drawn: DrawnScreen, acquisition: Acquisition, seed: int, generator: np.random.Generator
) -> None:
    """Write one acquisition as DICOM, or as PNG where the name ends so.

    A picture file shows the screen, or what an archive made of it; it holds no clip. Only the 2019 scanner writes the
    private block. Whatever the file, the generator is used alike, so that the next acquisition is the same.
    """
    syntax = str(generator.choice(list(SYNTAX_SHARES), p=list(SYNTAX_SHARES.values())))
    has_block, has_regions = generator.random() < 0.30, generator.random() < 0.93
    frames, block, kind = [drawn.screen], None, acquisition.kind
    if acquisition.design.name == "stacked" and (has_block or kind == "wrong_scale"):
        block = _block(drawn, acquisition)
    if kind == "recoded":
        frames, block, has_regions, syntax = [_recoded(drawn.screen)], None, False, "implicit"
    elif kind == "clip" and path.suffix == ".dcm":
        halved = drawn.screen.shape[1] >= LEAST_COLUMNS_TO_HALVE
        small = np.asarray(Image.fromarray(drawn.screen).reduce(2 if halved else 1))
        frames, syntax, block = [small, small, small, small], "jpeg", None
    if path.suffix == ".png":
        _write_png(path, frames[0], acquisition)
        return
    uid = make_uid(seed, acquisition.patient.patient_id, acquisition.number)
    instance = Instance(acquisition.patient, acquisition.acquired_at, acquisition.number, uid)
    export = Export(syntax, has_regions, block, acquisition.design)
    write_dicom(path, frames, instance, export, drawn.box, acquisition.pixel_mm)


def hand_drawn_square(drawn: DrawnScreen, generator: np.random.Generator) -> tuple[int, int, int]:
    """Row, column and side of a square as a reader would draw it around the box: 250 pixels on a screen of 1440."""
    height, width = drawn.screen.shape[:2]
    box = drawn.box
    side = max(round(SQUARE_SIDE * width / NATIVE_WIDTH), box.width, box.height)
    down, right = generator.normal(0, HAND_JITTER * side, 2)
    row = (box.top + box.bottom - side) / 2 + down
    column = (box.left + box.right - side) / 2 + right
    return round(float(np.clip(row, 0, height - side))), round(float(np.clip(column, 0, width - side))), side


def write_truth(path: Path, drawn: DrawnScreen, settings: MachineSettings, severity: float) -> None:
    """Write what the pipeline must not see: stiffness, masks, places and scale of one picture, and its opacity."""
    path.parent.mkdir(parents=True, exist_ok=True)
    box = drawn.box
    np.savez_compressed(
        path,
        kpa=drawn.kpa,
        sector=drawn.sector,
        coloured=drawn.coloured,
        box=np.array([box.left, box.top, box.right, box.bottom]),
        q_box=np.array(drawn.q_box),
        q_box_centre=np.array(drawn.q_box_centre),
        severity=np.array(severity),
        scale=np.array([drawn.scale.low, drawn.scale.high]),
        scale_unit=np.array(drawn.scale.unit),
        opacity=np.array(settings.opacity),
    )


def _write_png(path: Path, screen: NDArray[np.uint8], acquisition: Acquisition) -> None:
    """A picture file; its text names the invented patient, as exports from a scanner's memory stick do."""
    text = PngInfo()
    text.add_text("Comment", STATEMENT)
    text.add_text("Title", f"SIM^{acquisition.patient.patient_id} {acquisition.acquired_at:%Y-%m-%d %H:%M:%S}")
    Image.fromarray(screen).save(path, pnginfo=text, compress_level=3)


def _block(drawn: DrawnScreen, acquisition: Acquisition) -> bytes:
    """The private block: stiffness as numbers, lines of depth samples, at every second pixel."""
    kpa = np.where(drawn.coloured, drawn.kpa, 0)[::2, ::2].T
    quality = drawn.coloured[::2, ::2].T.astype(np.float32)
    box, pixel = drawn.box, acquisition.pixel_mm
    rectangle = (box.left, box.top, box.width, box.height)
    millimetres = (
        (box.left - TOP_PICTURE.left) * pixel,
        (box.top - TOP_PICTURE.top) * pixel,
        box.width * pixel,
        box.height * pixel,
    )
    return build_ssi_block(
        kpa,
        quality,
        rectangle=rectangle,
        rectangle_mm=millimetres,
        opacity=100 * acquisition.settings.opacity,
        scale=Scale(0.0, acquisition.settings.scale.high, KPA, "file"),
        table=colour_table(),
    )


def _recoded(screen: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """What one archive did: 586 x 444 pixels, black turned into (60, 76, 54)."""
    small = np.array(Image.fromarray(screen).resize((586, 444), Image.Resampling.BILINEAR))
    return np.maximum(small, np.array([60, 76, 54], dtype=np.uint8))
