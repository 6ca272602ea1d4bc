"""One acquisition's files: a DICOM file as scanners and archives write it, or a PNG; a hand-drawn square; the truth."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from dlre_core.dicom.supersonic_block import build_ssi_block
from dlre_core.elastography.colour_map import colour_table
from dlre_core.elastography.scale import KPA, Scale
from dlre_core.elastography.screen_layout import NATIVE_WIDTH, TOP_PICTURE
from dlre_core.foundation.study_terms import SQUARE_SIDE
from dlre_core.simulation.export import Export, Instance, Patient, make_uid, write_dicom
from dlre_core.simulation.other_screens import DrawnScreen
from dlre_core.simulation.screen import STATEMENT
from dlre_core.simulation.screen_designs import MachineSettings, ScreenDesign

SYNTAX_SHARES = {"jpeg": 0.62, "plain": 0.18, "implicit": 0.05, "rle": 0.12, "jpeg2000": 0.03}
# Clips are exported at half the size, where that leaves enough to see.
LEAST_COLUMNS_TO_HALVE = 1200
# Standard deviation of a hand-drawn square's place, as a share of its side.
HAND_JITTER = 0.03


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
