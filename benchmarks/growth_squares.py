"""Look-alike check and training on squares of very large studies, made up: what memory they need.

    PYTHONPATH=. python benchmarks/growth_squares.py FOLDER [--patients 398 4000 40000]

FOLDER takes 0.94 MB per patient (38 GB for 40,000). Squares are random mosaics, five per patient; two thirds of the
patients train. Every number of patients and every step is a process of its own; training is 100 steps of each of the
three networks, with the memory that the workflow's job has. Prints a Markdown table.
"""

import argparse
import json
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).parents[1]))

from dlre_core.foundation.csv_tables import read_table, write_table
from dlre_core.foundation.design import study_questions
from dlre_core.foundation.picture_store import write_rois
from dlre_core.ingestion.look_alikes import check_split
from dlre_core.patients.splits import make_split
from dlre_core.training.arm_training import ArmFiles, train_arm
from dlre_core.training.settings import TrainingSettings

IMAGES, STEPS = 5, 100
# Of rule train.
JOB_MEMORY_MB = 6000
TILES, TILE = 25, 10


def mosaics(number: int) -> Iterator[NDArray[np.uint8]]:
    """Random squares (250, 250, 3) uint8, no two alike."""
    generator = np.random.default_rng(1)
    for _ in tqdm(range(number), desc="writing squares", disable=None):
        tiles = generator.integers(0, 256, (TILES, TILES, 3), dtype=np.uint8)
        yield tiles.repeat(TILE, axis=0).repeat(TILE, axis=1)


def make_study(folder: Path, patients: int) -> None:
    """Store, tables and split as the workflow has them."""
    folder.mkdir(parents=True)
    generator = np.random.default_rng(2)
    people = pd.DataFrame(
        {
            "hospital": "A",
            "patient": [f"P{number:07d}" for number in range(patients)],
            "fibrosis_stage": generator.integers(1, 5, patients),
        }
    )
    rule = {"method": "random", "training_fraction": 2 / 3}
    write_table(make_split(people, rule, seed=1), folder / "split.csv")
    table = people.loc[people.index.repeat(IMAGES), ["hospital", "patient"]].reset_index(drop=True)
    table["acquisition"] = np.tile(np.arange(1, IMAGES + 1), patients)
    table["image_id"] = [f"{number:016x}" for number in range(len(table))]
    table["q_box_mean_kpa"] = generator.uniform(4, 20, len(table)).round(1)
    table["pixel_digest"] = table["image_id"]
    write_table(table, folder / "rois.csv")
    write_rois(folder / "rois.h5", list(table["image_id"]), mosaics(len(table)))


def look_alikes(folder: Path) -> None:
    """The leak check of a split."""
    table = read_table(folder / "rois.csv")
    check_split(read_table(folder / "split.csv"), table, table, folder / "rois.h5")


def training(folder: Path) -> None:
    """Three networks of an arm, few steps."""
    settings = TrainingSettings(
        epochs=2,
        minimum_epochs=1,
        minimum_steps=STEPS,
        maximum_steps=STEPS,
        device="cpu",
        stopping_fraction=0.1,
        stiffness_balance=0.5,
        augmentation={
            "shift_pixels": 32,
            "rotation_degrees": 20,
            "scale": 0.15,
            "flip_horizontal": True,
            "flip_vertical": True,
        },
    )
    train_arm(
        ArmFiles(
            rois=folder / "rois.h5",
            rois_table=folder / "rois.csv",
            split=folder / "split.csv",
            weights={stage: folder / f"{stage}.safetensors" for stage in study_questions()},
            history=folder / "history.csv",
            speed=folder / "speed.csv",
            checkpoints=folder / "checkpoints",
        ),
        "large",
        IMAGES,
        settings,
        memory_mb=JOB_MEMORY_MB,
    )


PARTS = {"look-alike check": look_alikes, "training": training}


def measure(part: str, folder: Path) -> tuple[float, float, float]:
    """Seconds, processor seconds and peak MB of a part in a process of its own."""
    command = [sys.executable, __file__, str(folder), "--part", part]
    answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return tuple(json.loads(answer.splitlines()[-1]))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--patients", type=int, nargs="+", default=[398, 4000, 40000])
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.part:
        started = time.perf_counter()
        PARTS[given.part](given.folder)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps([time.perf_counter() - started, time.process_time(), peak]))
        return
    print("| patients | squares, GB | part | s | s of a core | peak MB |\n|---|---|---|---|---|---|")
    for patients in given.patients:
        folder = given.folder / str(patients)
        make_study(folder, patients)
        size = (folder / "rois.h5").stat().st_size / 1e9
        for part in PARTS:
            seconds, processor, peak = measure(part, folder)
            print(f"| {patients} | {size:.1f} | {part} | {seconds:.0f} | {processor:.0f} | {peak:.0f} |", flush=True)
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
