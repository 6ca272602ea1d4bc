"""What a training setting is worth, on a development cohort that no reported study uses.

    PYTHONPATH=. python benchmarks/training_settings.py FOLDER ['{"balance": "weights"}' ...]

600 simulated patients are enrolled with cohort seed 1; 266, as many as the paper's training cohort, train the
three networks of the first arm under each set of changed settings (the first is the project's own), the
others judge. About 10 minutes a set on 2 cores. Only the arm's training cohort decides when to stop.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
from sklearn.metrics import roc_auc_score

from dlre_core.foundation.design import stage_labels, study_questions
from dlre_core.foundation.study_terms import KEYS
from tests.workflow.study import Study

ARM = "overall_5_images"
ENROLLED, TRAINING = 600, 266


def development_study(folder: Path) -> Study:
    """The study of the development cohort with the project's own training settings."""
    study = Study.at_full_size(folder)
    study.keep_arms(ARM)
    study.configure(cohort={"size": ENROLLED, "seed": 1})
    overall = {"method": "random", "training_fraction": TRAINING / ENROLLED, "seed": 2019}
    study.configure(splits={"overall": overall})
    return study


def patient_auc(images: pd.DataFrame, column: str, stage: str, count: int) -> float:
    """AUC of a column's mean over the first ``count`` images of each patient, in the order given."""
    first = images[images.groupby(KEYS).cumcount() < count].groupby(KEYS)
    patients = first.agg(value=(column, "mean"), fibrosis_stage=("fibrosis_stage", "first"))
    return roc_auc_score(stage_labels(patients["fibrosis_stage"], stage), patients["value"])


def judge(folder: Path) -> dict[str, float]:
    """AUC by stage of single images, and of patients by the mean of 1, 3 and 5 images."""
    images = pd.read_csv(folder / f"results/predictions/{ARM}.csv")
    images = images[images["cohort"] == "validation"].sort_values([*KEYS, "acquisition"])
    found = {}
    for stage in study_questions():
        truth = stage_labels(images["fibrosis_stage"], stage)
        found[f"{stage} single"] = roc_auc_score(truth, images[stage])
        for count in (1, 3, 5):
            found[f"{stage} {count}"] = patient_auc(images, stage, stage, count)
    return found


def main() -> None:
    """Print a Markdown table, a row a set of settings."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("changes", nargs="*", type=json.loads)
    given = parser.parse_args()
    study = development_study(given.folder)
    target = f"results/predictions/{ARM}.csv"
    print("| settings | " + " | ".join(f"{stage}: single, 1 / 3 / 5" for stage in study_questions()) + " |")
    print("|" + "---|" * (1 + len(study_questions())), flush=True)
    for changes in [{}, *given.changes]:
        # A file, since numbers within a value of --config arrive as text.
        override = (study.folder / "changes.yaml").resolve()
        override.write_text(json.dumps({"training": changes}))
        subprocess.run(
            [
                sys.executable,
                "-m",
                "snakemake",
                "--cores",
                "all",
                "--quiet",
                "progress",
                "--configfile",
                override,
                "--",
                target,
            ],
            cwd=study.folder,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        auc = judge(study.folder)
        cells = [
            f"{auc[f'{stage} single']:.3f}, " + " / ".join(f"{auc[f'{stage} {count}']:.3f}" for count in (1, 3, 5))
            for stage in study_questions()
        ]
        print(f"| {json.dumps(changes)} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
