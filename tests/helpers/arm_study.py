"""An arm of 24 patients in a folder, and its training in seconds."""

from pathlib import Path

import numpy as np
import pandas as pd

from dlre_core.foundation.csv_tables import write_table
from dlre_core.foundation.design import study_questions
from dlre_core.foundation.picture_store import write_rois
from dlre_core.patients.splits import make_split
from dlre_core.training.arm_training import ArmFiles, train_arm
from dlre_core.training.settings import TrainingSettings
from tests.helpers.small_training import AUGMENTATION, QUICK


def study(tmp_path, validation_value):
    """Files of an arm in a new folder; every pixel of the validation cohort has one value."""
    generator = np.random.default_rng(5)
    patients = pd.DataFrame(
        {
            "hospital": "A",
            "patient": [f"P{i:02d}" for i in range(24)],
            "fibrosis_stage": [1, 2, 3, 4] * 6,
        }
    )
    rule = {"method": "random", "training_fraction": 0.67}
    split = make_split(patients, rule, seed=1)
    table = patients.loc[patients.index.repeat(2), ["hospital", "patient"]].reset_index(drop=True)
    table["acquisition"] = [1, 2] * 24
    table["image_id"] = [f"{i:016x}" for i in range(48)]
    table["q_box_mean_kpa"] = generator.uniform(4, 20, 48)
    images = generator.integers(0, 255, (48, 250, 250, 3), dtype=np.uint8)
    validation = table.merge(split, on=["hospital", "patient"])["cohort"] == "validation"
    images[validation.to_numpy()] = validation_value
    tmp_path.mkdir()
    write_rois(tmp_path / "rois.h5", list(table["image_id"]), images)
    write_table(table, tmp_path / "rois.csv")
    write_table(split, tmp_path / "split.csv")
    return tmp_path


def train(folder, epochs=1, device="cpu", stiffness=0.0, **options):
    """Train the arm for a few steps; the bytes of its weight files, by stage question."""
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
        "overall",
        1,
        TrainingSettings(
            **{
                **QUICK.__dict__,
                "augmentation": AUGMENTATION | {"stiffness": stiffness},
                "device": device,
                "epochs": epochs,
                "minimum_epochs": 1,
                "minimum_steps": 2 * epochs,
                "maximum_steps": 2 * epochs,
                "stopping_fraction": 0.5,
            }
        ),
        **options,
    )
    return {stage: Path(folder / f"{stage}.safetensors").read_bytes() for stage in study_questions()}
