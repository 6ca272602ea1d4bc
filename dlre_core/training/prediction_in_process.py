"""Probabilities of an arm's networks without a server, for the robustness analyses."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import torch

from dlre_core.foundation.csv_tables import read_table
from dlre_core.foundation.design import prediction_columns
from dlre_core.foundation.picture_store import open_rois
from dlre_core.network.inference import picture_probabilities, seen_pictures
from dlre_core.network.kinds import kind_of_file, load_networks
from dlre_core.patients.splits import select_images


def predict_split(
    rois_file: str | Path,
    rois_table: str | Path,
    split_table: str | Path,
    weights: Mapping[str, str | Path],
    images: int,
) -> pd.DataFrame:
    """Predict the pictures of a split with networks from weight files.

    Parameters
    ----------
    rois_file, rois_table, split_table : path
        ``rois.h5``, ``rois.csv`` and the CSV of the split.
    weights : mapping of stage to path
        Safetensors files as `dlre_core.training.arm_training.train_arm` writes them.
    images : int
        Images per patient, the first in acquisition order.

    Returns
    -------
    DataFrame
        The columns of ``results/predictions/{arm}.csv``.

    Raises
    ------
    StoreMismatch
        If a patient has fewer images.
    """
    torch.set_num_threads(1)
    rows = select_images(read_table(rois_table), read_table(split_table), images)
    with open_rois(rois_file) as store:
        for stage, network in load_networks(weights).items():
            seen = seen_pictures(store, rows, kind_of_file(weights[stage]))
            rows[stage] = picture_probabilities(network, seen.images, seen.stiffness_kpa)
    return rows[prediction_columns()]
