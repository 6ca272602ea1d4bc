"""What the networks of finished studies are worth in the patients of another simulated study, who are more.

    PYTHONPATH=. python benchmarks/networks_elsewhere.py OTHER STUDY [STUDY ...]

OTHER is a study of another cohort seed with its crops and splits (docs/measurements/learning.md); all its patients
judge, since none of
them trained. Prints AUCs (95 % CI) of every arm that a study has, by the mean of as many pictures as it trained on.
About 3 minutes a study with all three arms.
"""

import argparse
from pathlib import Path

import pandas as pd

from dlre_core.foundation.design import stage_labels, study_questions
from dlre_core.foundation.study_terms import KEYS
from dlre_core.statistics.estimates import Estimate
from dlre_core.statistics.roc import roc_analysis
from dlre_core.tables.formatting import format_interval
from dlre_core.training.prediction_in_process import predict_split

ARMS = {"overall_1_image": 1, "overall_3_images": 3, "overall_5_images": 5}


def main() -> None:
    """Print a Markdown table, a row a study."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("other", type=Path)
    parser.add_argument("studies", nargs="+", type=Path)
    given = parser.parse_args()
    crops, split = given.other / "results/roi", given.other / "results/splits/overall.csv"
    print(
        f"| networks of, {len(pd.read_csv(split))} patients judge | pictures | F4 | >=F3 | >=F2 |\n"
        "|---|---|---|---|---|"
    )
    for study in given.studies:
        for arm, images in ARMS.items():
            models = study / "results/models" / arm
            if models.exists():
                weights = {stage: models / f"{stage}.safetensors" for stage in study_questions()}
                pictures = predict_split(crops / "rois.h5", crops / "rois.csv", split, weights, images)
                patients = pictures.groupby(KEYS)[["fibrosis_stage", *study_questions()]].mean()
                cells = []
                for stage in study_questions():
                    labels = stage_labels(patients["fibrosis_stage"], stage)
                    roc = roc_analysis(labels, patients[stage])
                    cells.append(format_interval(Estimate(roc.auc, *roc.auc_interval), 3))
                print(f"| {study.name} | {images} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
