"""What the networks of finished studies are worth in the patients of another simulated study, who are more.

    PYTHONPATH=. python benchmarks/networks_elsewhere.py OTHER STUDY [STUDY ...]

OTHER is a study of another cohort seed with its crops and splits (docs/simulator.md); all its patients judge, since none of
them trained. Prints AUCs (95 % CI) of every arm that a study has, by the mean of as many
pictures as it trained on. About 3 minutes a study with all three arms.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file

from dlre_core.arms import select_images
from dlre_core.network import FibrosisNetwork
from dlre_core.scores import KEYS, STAGES
from dlre_core.splits import stage_labels
from dlre_core.statistics import Estimate, roc_analysis
from dlre_core.store import open_rois
from dlre_core.tables.formatting import format_interval
from dlre_core.training import predict

ARMS = {"overall_1_image": 1, "overall_3_images": 3, "overall_5_images": 5}


def judged(weights: Path, stage: str, pictures: pd.DataFrame, squares: NDArray[np.uint8]) -> str:
    """AUC and interval of one network, by the mean of each patient's pictures."""
    network = FibrosisNetwork().to(memory_format=torch.channels_last)
    network.load_state_dict(load_file(weights))
    table = pictures.assign(probability=predict(network, squares)).groupby(KEYS)
    patients = table.agg({"probability": "mean", "fibrosis_stage": "first"})
    labels = stage_labels(patients["fibrosis_stage"], stage)
    roc = roc_analysis(labels, patients["probability"].to_numpy())
    return format_interval(Estimate(roc.auc, *roc.auc_interval), 3)


def main() -> None:
    """Print a Markdown table, a row a study."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("other", type=Path)
    parser.add_argument("studies", nargs="+", type=Path)
    given = parser.parse_args()
    torch.set_num_threads(1)
    results = given.other / "results"
    split = pd.read_csv(results / "splits/overall.csv")
    rois = pd.read_csv(results / "roi/rois.csv")
    print(
        f"| networks of, {len(split)} patients judge | pictures | F4 | >=F3 | >=F2 |\n|---|---|---|---|---|"
    )
    for study in given.studies:
        for arm, images in ARMS.items():
            models = study / "results/models" / arm
            if models.exists():
                pictures = select_images(rois, split, images)
                with open_rois(results / "roi/rois.h5") as store:
                    squares = store.read(pictures["index"].to_numpy())
                cells = [judged(models / f"{s}.safetensors", s, pictures, squares) for s in STAGES]
                print(f"| {study.name} | {images} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
