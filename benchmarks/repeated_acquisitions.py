"""How often real repeats of the simulator are taken for one acquisition, and how often copies are recognised.

PYTHONPATH=. python benchmarks/repeated_acquisitions.py --size 398 --copies 300
"""

import argparse
import io
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations, product
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from dlre_core.dicom.reader import ReadLimits, SweImage, read_dicom
from dlre_core.dicom.reject_reasons import Unusable
from dlre_core.elastography.colour_map import colour_table
from dlre_core.elastography.screen_layout import BOTTOM_PICTURE, NATIVE_WIDTH, TOP_PICTURE
from dlre_core.ingestion.repeated_acquisitions import (
    Fingerprint,
    fingerprint,
    likeness,
    same_acquisition,
)
from dlre_core.ingestion.usable_picture import IngestionSettings, UsablePicture, usable_picture
from dlre_core.simulation.cohort import write_hospital
from dlre_core.simulation.presets import HOSPITAL_SIZES
from dlre_core.simulation.screen import Q_BOX_RADIUS_MM

SEED = 2019
LIMITS, SETTINGS = ReadLimits(), IngestionSettings()
LUT = colour_table(1024)


def print_of(picture: UsablePicture) -> Fingerprint:
    """A usable picture's fingerprint."""
    return fingerprint(picture.image.pixels, picture.layout, picture.colours)


def usable(image: SweImage) -> UsablePicture | None:
    """The picture as ingestion takes it, or None."""
    try:
        return usable_picture([image], SETTINGS)
    except Unusable:
        return None


def through_jpeg(pixels: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    """As an archive stores it again: JPEG 4:2:0."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality, subsampling="4:2:0")
    return np.asarray(Image.open(buffer))


def resized(pixels: NDArray[np.uint8], width: int) -> NDArray[np.uint8]:
    """A screenshot of another size."""
    height = round(width * pixels.shape[0] / pixels.shape[1])
    return np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC))


def without_q_box(image: SweImage, truth: dict[str, NDArray], depth_mm: float) -> NDArray[np.uint8]:
    """The frame before the Q-Box was placed: colours where the circle's line was, no values beside it."""
    pixels = image.pixels.copy()
    left, top, right, bottom = (int(side) for side in truth["box"])
    rows, columns = np.mgrid[top:bottom, left:right]
    row, column = truth["q_box_centre"]
    radius = Q_BOX_RADIUS_MM / (depth_mm / TOP_PICTURE.height)
    line = np.abs(np.hypot(rows - row, columns - column) - radius) < 4
    down = BOTTOM_PICTURE.top - TOP_PICTURE.top
    grey = pixels[top + down : bottom + down, left:right].astype(np.float64)
    place = np.clip(truth["kpa"] * (len(LUT) / truth["scale"][1]), 0, len(LUT) - 1).astype(int)
    opacity = float(truth["opacity"])
    coloured = truth["coloured"][..., None]
    bare = np.where(coloured, opacity * LUT[place] + (1 - opacity) * grey, grey)
    box = pixels[top:bottom, left:right]
    box[line] = np.rint(bare).astype(np.uint8)[line]
    pixels[424:640, 1154:1346] = 0
    return pixels


def copies(picture: UsablePicture, truth: dict[str, NDArray]) -> Iterator[tuple[str, SweImage]]:
    """One acquisition saved again, by how."""
    image = picture.image
    for quality in (90, 75, 50):
        yield f"lossy copy, JPEG {quality}", replace(image, pixels=through_jpeg(image.pixels, quality))
    for width in (1280, 1024, 720):
        shot = replace(image, regions=(), pixels=resized(image.pixels, width), opacity=None)
        yield f"screenshot, {width} pixels wide", shot
        yield f"screenshot, {width} pixels wide, JPEG 85", replace(shot, pixels=through_jpeg(shot.pixels, 85))
    spacing = picture.layout.pixel_spacing_mm
    if spacing and image.pixels.shape[1] == NATIVE_WIDTH:
        bare = without_q_box(image, truth, spacing * TOP_PICTURE.height)
        yield "before the Q-Box", replace(image, pixels=bare)
        yield "before the Q-Box, JPEG 75", replace(image, pixels=through_jpeg(bare, 75))


def measure(size: int, most_copies: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Every pair of a hospital's different acquisitions, and of acquisitions and their copies."""
    repeats, twins = [], []
    scratch = Path(tempfile.mkdtemp(prefix="repeats-"))
    per_hospital = most_copies // len(HOSPITAL_SIZES)
    for hospital in HOSPITAL_SIZES:
        table = write_hospital(scratch, hospital, size, SEED, truth_folder=scratch / "truth")
        prints: dict[str, list[Fingerprint]] = defaultdict(list)
        copied = 0
        for row in table.itertuples():
            path = scratch / "dicom" / row.file
            picture = None
            for image in read_dicom(path, LIMITS)[:1]:
                picture = usable(image)
            if picture is None:
                continue
            own = print_of(picture)
            prints[row.patient_id].append(own)
            if copied < per_hospital:
                copied += 1
                with np.load(scratch / "truth" / row.file.replace(".dcm", ".npz")) as truth:
                    for kind, copy in copies(picture, dict(truth)):
                        other = usable(copy)
                        if other is not None:
                            found = likeness(own, print_of(other))
                            same = same_acquisition(own, print_of(other))
                            twins.append({"kind": kind, "same": same, **vars(found)})
                        else:
                            twins.append({"kind": f"{kind} (not usable)", "same": True})
        for patient, own in prints.items():
            for first, second in combinations(own, 2):
                found = likeness(first, second)
                same = same_acquisition(first, second)
                repeats.append({"kind": "same patient", "same": same, **vars(found)})
            for other in [name for name in prints if name > patient][:20]:
                for first, second in product(own, prints[other]):
                    found = likeness(first, second)
                    same = same_acquisition(first, second)
                    repeats.append({"kind": "other patient", "same": same, **vars(found)})
        shutil.rmtree(scratch)
        scratch.mkdir()
        print(f"hospital {hospital}: {sum(map(len, prints.values()))} pictures", flush=True)
    shutil.rmtree(scratch)
    return pd.DataFrame(repeats), pd.DataFrame(twins)


def summary(pairs: pd.DataFrame) -> pd.DataFrame:
    """Pairs by kind: how many were taken for one acquisition, and the extremes of what decides."""
    return (
        pairs.groupby("kind")
        .agg(
            pairs=("same", "size"),
            taken_for_one=("same", "sum"),
            fewest_bits=("different_bits", "min"),
            most_bits=("different_bits", "max"),
            lowest_correlation=("correlation", "min"),
            highest_correlation=("correlation", "max"),
            even_maps=("correlation", lambda values: int(values.isna().sum())),
            largest_difference=("different_level", "max"),
            least_common=("common", "min"),
        )
        .round(3)
    )


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=398, help="enrolled patients")
    parser.add_argument("--copies", type=int, default=300, help="acquisitions that are copied")
    parser.add_argument("--save", type=Path, help="folder for every pair as CSV")
    options = parser.parse_args()
    repeats, twins = measure(options.size, options.copies)
    if options.save is not None:
        repeats.to_csv(options.save / "repeats.csv", index=False)
        twins.to_csv(options.save / "twins.csv", index=False)
    with pd.option_context("display.width", 200, "display.max_columns", None):
        print(summary(repeats), summary(twins), sep="\n\n")


if __name__ == "__main__":
    main()
