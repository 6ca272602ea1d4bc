"""What a perfect reader of texture would reach in a finished simulated study, beside what its networks did.

    PYTHONPATH=. python benchmarks/texture_ceiling.py STUDY [STUDY ...]

Simulates the study's cohort again with its truth files, takes the severity that every picture was drawn with,
and prints validation AUCs by the mean of 1, 3 and 5 pictures (networks: of the arm with 5). About 3 minutes a study of
the paper's size on 2 cores.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from benchmarks.training_settings import patient_auc
from dlre_core.foundation.design import study_questions
from dlre_core.foundation.study_terms import KEYS
from dlre_core.patients.pseudonyms import Pseudonymiser, simulation_key

# Together they tell a patient's pictures apart.
Q_BOX = ["q_box_mean_kpa", "q_box_min_kpa", "q_box_max_kpa", "q_box_sd_kpa"]


def drawn_severity(cohort: dict[str, object]) -> pd.DataFrame:
    """hospital, patient (pseudonym), the Q-Box values and the severity of every measured picture."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        command = [
            sys.executable,
            "-m",
            "dlre_core.simulation",
            "--size",
            str(cohort["size"]),
            "--seed",
            str(cohort["seed"]),
            "--texture-signal",
            str(cohort["texture_signal"]),
            "--out",
            folder,
            "--truth",
            folder / "truth",
        ]
        subprocess.run(command, check=True)
        table = pd.read_csv(folder / "measurements.csv")
        truth = [folder / "truth" / file.replace(".dcm", ".npz") for file in table["file"]]
        severity = [float(np.load(path)["severity"]) for path in truth]
    pseudonymiser = Pseudonymiser(simulation_key(int(str(cohort["seed"]))), 0)
    pairs = zip(table["hospital"], table["patient_id"], strict=True)
    patients = [pseudonymiser.patient(*pair) for pair in pairs]
    return table[["hospital", *Q_BOX]].assign(patient=patients, severity=severity)


def validation_pictures(study: Path, cohort: dict[str, object]) -> pd.DataFrame:
    """Validation pictures of the arm with most images: severity, and the networks' probabilities."""
    predicted = pd.read_csv(study / "results/predictions/overall_5_images.csv")
    predicted = predicted[predicted["cohort"] == "validation"]
    stored = pd.read_csv(study / "results/store/acquisitions.csv")[["image_id", *KEYS, *Q_BOX]]
    severity = drawn_severity(cohort).drop_duplicates([*KEYS, *Q_BOX])
    known = stored.merge(severity, on=[*KEYS, *Q_BOX])[["image_id", "severity"]]
    pictures = predicted.merge(known, on="image_id", how="left", validate="one_to_one")
    if pictures["severity"].isna().any():
        sys.exit(f"{study}: not every picture was found again; was it made by this version?")
    return pictures.sort_values([*KEYS, "acquisition"])


def main() -> None:
    """Print a Markdown table, two rows a study."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("studies", nargs="+", type=Path)
    parser.add_argument("--size", help="given to make study, where config.yaml says another")
    given = parser.parse_args()
    print("| study | reader, 1 / 3 / 5 pictures | F4 | >=F3 | >=F2 |\n|---|---|---|---|---|")
    for study in given.studies:
        cohort = yaml.safe_load((study / "config.yaml").read_text())["cohort"]
        pictures = validation_pictures(study, cohort | ({"size": given.size} if given.size else {}))
        for name, columns in (
            ("texture as drawn", dict.fromkeys(study_questions(), "severity")),
            ("networks", {stage: stage for stage in study_questions()}),
        ):
            cells = []
            for stage, column in columns.items():
                auc = [patient_auc(pictures, column, stage, count) for count in (1, 3, 5)]
                cells.append(" / ".join(f"{value:.3f}" for value in auc))
            print(f"| {study.name} | {name} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
