"""Give a simulated cohort identities everywhere, and one hospital everything that goes wrong."""

import os
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pydicom
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian

from dlre_core.elastography.screen_layout import COLOUR_BAR
from tests.helpers.planted_identity import (
    BIRTH,
    EXAMINATION,
    NAMES,
    PATIENT_ID,
    UID_ROOT,
    plant_identity,
)

HOSPITAL = "A"


def plant_everywhere(cohort: Path) -> None:
    """Names, ids and dates in tables, folder and file names, and every element that may hold some.

    Folders and files then name nobody who is in the clinical table: the header does. What scanners burn
    in is on the simulated screens already.
    """
    tables = [cohort / name for name in ("clinical.csv", "measurements.csv", "roi.csv")]
    for folder in sorted((cohort / "dicom").glob("*/*")):
        known, new = folder.name, f"{PATIENT_ID}-{folder.name}"
        for table in (table for table in tables if table.exists()):
            table.write_text(table.read_text().replace(known, new))
        for path in sorted(folder.iterdir()):
            dataset = pydicom.dcmread(path)
            plant_identity(dataset, len(known) + int(known[1:]), new)
            dataset.save_as(path)
        folder.rename(folder.with_name(f"{NAMES[0]}_{new}_{NAMES[3]}"))
    for table in (table for table in tables if table.exists()):
        lines = table.read_text().splitlines()
        if "file" in lines[0].split(","):
            for folder in (cohort / "dicom").glob("*/*"):
                known = folder.name.removeprefix(f"{NAMES[0]}_").removesuffix(f"_{NAMES[3]}")
                lines = [line.replace(f"/{known}/", f"/{folder.name}/") for line in lines]
        comments = ["comment", *[f"{NAMES[2]} born {BIRTH}"] * (len(lines) - 1)]
        table.write_text("".join(f"{a},{b}\n" for a, b in zip(lines, comments, strict=True)))


def add_what_goes_wrong(folder: Path) -> dict[str, list[str]]:
    """Put a file of every kind of trouble into a hospital's folder.

    Parameters
    ----------
    folder : path
        ``dicom/<hospital>`` with sound pictures below it.

    Returns
    -------
    dict
        Names below ``folder`` by the code of the reject list; ``ignored`` for what is no picture.
    """
    sound = next(path for path in sorted(folder.glob("*/*")) if _is_plain(path))
    made: dict[str, list[str]] = {}
    place = folder / f"from {NAMES[3]}"
    place.mkdir()

    def note(code: str, *names: str) -> None:
        made.setdefault(code, []).extend(f"{place.name}/{name}" for name in names)

    (place / "cut off.jpg").write_bytes(sound.read_bytes()[:-900_000])
    note("undecodable", "cut off.jpg")
    (place / "header only").write_bytes(sound.read_bytes()[:900])
    note("no_pixels", "header only")
    shutil.copy(sound, place / f"{NAMES[0]} again.tmp")
    note("duplicate", f"{NAMES[0]} again.tmp")
    with zipfile.ZipFile(place / "stick.zip", "w") as archive:
        archive.write(sound, "new/IM1")
        archive.writestr("../../outside", b"x")
    note("duplicate", "stick.zip/new/IM1")
    (place / "broken.zip").write_bytes(b"PK\3\4" + NAMES[1].encode("gb18030") * 50)
    note("bad_archive", "stick.zip/../../outside", "broken.zip")
    os.mkfifo(place / "pipe")
    os.symlink(sound, place / "link")
    note("not_a_file", "pipe", "link")
    shutil.copy(get_testdata_file("DICOMDIR"), place / "DICOMDIR")
    (place / "read me.txt").write_text(f"{NAMES[2]}, {PATIENT_ID}, {EXAMINATION}")
    made["ignored"] = ["DICOMDIR", "read me.txt"]
    for code, names in _pictures(sound, place).items():
        note(code, *names)
    for code, names in _redrawn(sound, place).items():
        note(code, *names)
    return made


def _pictures(sound: Path, place: Path) -> dict[str, list[str]]:
    """Picture files, with names in their texts, and what is none."""
    screen, text, exif = Image.fromarray(pydicom.dcmread(sound).pixel_array), PngInfo(), Image.Exif()
    text.add_itxt("Patient", f"{NAMES[0]} {PATIENT_ID} {BIRTH}")
    exif[0x010E] = exif[0x013B] = f"{NAMES[0]} {PATIENT_ID}"
    screen.save(place / f"{NAMES[1]}.png", pnginfo=text, exif=exif)
    screen.convert("CMYK").save(place / f"{NAMES[2]}.jpg", exif=exif)
    screen.save(place / "two pages.tif", save_all=True, append_images=[screen], description=NAMES[0])
    (place / "clip.avi").write_bytes(b"RIFF\0\1\0\0AVI LIST" + NAMES[0].encode() * 40)
    (place / "moving.gif").write_bytes(b"GIF89a" + NAMES[0].encode() * 40)
    (place / "letter.jpeg").write_text(f"{NAMES[2]}, {PATIENT_ID}, {EXAMINATION}")
    return {
        # Its folder is nobody's.
        "no_patient": [f"{NAMES[1]}.png"],
        "odd_colours": [f"{NAMES[2]}.jpg"],
        "several_pages": ["two pages.tif"],
        "film": ["clip.avi"],
        "other_picture": ["moving.gif"],
        "not_what_it_says": ["letter.jpeg"],
    }


def _is_plain(path: Path) -> bool:
    dataset = pydicom.dcmread(path, stop_before_pixels=True)
    still = int(dataset.get("NumberOfFrames", 1)) == 1
    plain = dataset.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    return plain and still and "SequenceOfUltrasoundRegions" in dataset and dataset.Columns == 1440


def _redrawn(sound: Path, place: Path) -> dict[str, list[str]]:
    """Copies of a picture under new UIDs, with other pixels or for somebody else."""
    screen = pydicom.dcmread(sound).pixel_array
    box = pydicom.dcmread(sound).SequenceOfUltrasoundRegions[1]
    inside = (
        slice(box.RegionLocationMinY0, box.RegionLocationMaxY1 + 1),
        slice(box.RegionLocationMinX0, box.RegionLocationMaxX1 + 1),
    )
    empty, saturated, black, bare = (screen.copy() for _ in range(4))
    empty[inside] = screen[inside].min(axis=2, keepdims=True)
    # Some pure colour, from which the opacity is estimated.
    saturated[inside] = np.where(np.arange(saturated[inside].shape[0])[:, None, None] < 12, (0, 255, 255), (137, 3, 2))
    black[screen.max(axis=2) == 0] = (60, 76, 54)
    bare[COLOUR_BAR.top : COLOUR_BAR.bottom, COLOUR_BAR.left : COLOUR_BAR.right] = 0
    bare[inside] = empty[inside]
    twins = [np.roll(screen, shift, axis=1) for shift in (3, 4)]
    pictures = {
        "little_signal": [(empty, {})],
        "saturated": [(saturated, {})],
        "recoloured": [(black, {})],
        "no_elastogram": [(bare, {"SequenceOfUltrasoundRegions": None})],
        "no_patient": [(screen, {"PatientID": f"{PATIENT_ID}-of nobody"})],
        "conflict": [(twin, {"SOPInstanceUID": f"{UID_ROOT}.13"}) for twin in twins],
    }
    made: dict[str, list[str]] = {}
    for code, variants in pictures.items():
        for number, (pixels, changes) in enumerate(variants):
            dataset = pydicom.dcmread(sound)
            # Before all others, so that five good ones do not make it one too many.
            dataset.AcquisitionDate, dataset.SOPInstanceUID = (
                "20010101",
                f"{UID_ROOT}.14.{len(made)}",
            )
            dataset.PixelData = pixels.tobytes()
            # Archives drop private elements, which would contradict the new pixels.
            dataset.remove_private_tags()
            _change(dataset, changes)
            name = f"{NAMES[0]} {len(made)}{number}.dcm"
            dataset.save_as(place / name)
            made.setdefault(code, []).append(name)
    return made


def _change(dataset: Dataset, changes: dict[str, object]) -> None:
    for name, value in changes.items():
        if value is None:
            delattr(dataset, name)
        else:
            setattr(dataset, name, value)
