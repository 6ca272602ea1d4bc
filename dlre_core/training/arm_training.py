"""Train the networks of one arm of the study: a split, a number of images, three stage questions."""

import hashlib
import logging
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file

from dlre_core.augmentation.stiffness_views import locate_for_views
from dlre_core.foundation.atomic_files import written_whole
from dlre_core.foundation.csv_tables import read_table, write_table
from dlre_core.foundation.digests import core_digest, file_digest, value_digest
from dlre_core.foundation.picture_store import READ_AT_ONCE, StoredSquares, open_rois
from dlre_core.foundation.study_terms import KEYS, STAGES, stage_labels
from dlre_core.patients.splits import select_images, stopping_patients
from dlre_core.training.batches import drawing_weights
from dlre_core.training.network_training import TrainedNetwork, provenance, train_networks
from dlre_core.training.settings import (
    Question,
    TrainingSettings,
    choose_device,
    compute_repeatably,
)

logger = logging.getLogger(__name__)

# Of a job's memory, for its squares. Where they lie on the colour map takes a third as much again.
HELD_SHARE = 0.4


def train_arm(
    rois_file: str | Path,
    rois_table: str | Path,
    split_table: str | Path,
    *,
    arm: str,
    images: int,
    settings: TrainingSettings,
    weights: Mapping[str, str | Path],
    history: str | Path,
    speed: str | Path,
    checkpoints: str | Path,
    threads: int = 1,
    memory_mb: float = float("inf"),
) -> None:
    """Train one network a stage question and write weights, history and provenance.

    Each network computes on one thread, so the weights do not depend on ``threads``, which says how
    many networks are trained at the same time. On a GPU all three are trained in one pass.

    Parameters
    ----------
    rois_file, rois_table, split_table : path
        ``rois.h5``, ``rois.csv`` and the CSV of the split.
    arm : str
        Name of the arm, for the log and the provenance.
    images : int
        Images per patient.
    settings : TrainingSettings
    weights : mapping of stage to path
        Where each network's safetensors file goes.
    history : path
        CSV with a row per stage and epoch, the same bytes for the same seed.
    speed : path
        CSV with the images per second of every epoch, which vary from run to run.
    checkpoints : path
        Folder for the state of unfinished networks; a rerun goes on from there.
    threads : int
    memory_mb : float
        Of the job. Squares that fill more than `HELD_SHARE` of it are read when they are drawn, to the same weights.

    Raises
    ------
    TrainingError, StoreMismatch
    """
    torch.set_num_threads(1)
    compute_repeatably()
    split = read_table(split_table, needs=(*KEYS, "fibrosis_stage", "cohort"))
    selected = select_images(
        read_table(rois_table, needs=(*KEYS, "acquisition", "image_id", "q_box_mean_kpa")),
        split,
        images,
    )
    held_back = split.assign(stopping=stopping_patients(split, settings.stopping_fraction, settings.seed))
    selected = selected.merge(held_back[[*KEYS, "stopping"]], on=KEYS)
    training = selected[selected["cohort"] == "training"]
    # Liver stiffness as the study takes it: the median of the pictures that the arm has.
    stiffness = training.groupby(KEYS)["q_box_mean_kpa"].transform("median").to_numpy(np.float64)
    stopping = training["stopping"].to_numpy()
    patients = len(training.loc[~stopping, KEYS].drop_duplicates())
    facts = {
        "arm": arm,
        "images_per_patient": images,
        "training_patients": int((split["cohort"] == "training").sum()),
        "training_images": len(training),
        "split_sha256": file_digest(split_table),
        "core": core_digest("training.arm_training"),
        "device": str(choose_device(settings.device)),
    }
    logger.info("%s: %d images of %d patients", arm, len(training), facts["training_patients"])

    def question(stage: str) -> Question:
        labels = stage_labels(training["fibrosis_stage"], stage)
        drawn = np.zeros(len(training))
        drawn[~stopping] = drawing_weights(labels[~stopping], stiffness[~stopping], settings.stiffness_balance)
        return Question(f"{arm} {stage}", labels, _stream(arm, stage), drawn)

    def train(stages: Sequence[str]) -> list[TrainedNetwork]:
        questions = [question(stage) for stage in stages]
        weights = [q.drawn.round(9).tolist() for q in questions]
        identity = value_digest([facts, torch.__version__, asdict(settings), list(stages), content, weights])
        started = time.perf_counter()
        trained = train_networks(
            pictures,
            questions,
            stopping,
            settings,
            patients=patients,
            located=located,
            checkpoint=Path(checkpoints) / f"{'_'.join(stages)}_{identity}.safetensors",
        )
        seconds = time.perf_counter() - started
        logger.info("%s %s took %.0f s", arm, ", ".join(stages), seconds)
        return trained

    groups = [STAGES] if _trains_together(settings) else [(stage,) for stage in STAGES]
    with open_rois(rois_file) as store, ThreadPoolExecutor(max(1, threads)) as pool:
        squares = store.squares(training["index"].to_numpy())
        pictures = squares if squares.nbytes > HELD_SHARE * memory_mb * 1e6 else squares[:]
        shared = isinstance(pictures, np.ndarray) and not _trains_together(settings)
        located = locate_for_views(pictures, settings.augmentation) if shared else None
        content = _digest(pictures)
        trained = [network for group in pool.map(train, groups) for network in group]
    networks = dict(zip(STAGES, trained, strict=True))
    for stage, network in networks.items():
        _save(network, Path(weights[stage]), provenance(settings, network, stage=stage, **facts))
    table = _history(networks)
    write_table(table.drop(columns="images_per_second"), history)
    write_table(table[["stage", "epoch", "images_per_second"]], speed)
    for leftover in Path(checkpoints).glob("*.safetensors"):
        leftover.unlink()


def _trains_together(settings: TrainingSettings) -> bool:
    """One network at a time fills a processor's core, but not a GPU."""
    return choose_device(settings.device).type != "cpu"


def _save(network: TrainedNetwork, path: Path, text: str) -> None:
    with written_whole(path) as unfinished:
        save_file(network.weights, unfinished, metadata={"provenance": text})


def _history(networks: Mapping[str, TrainedNetwork]) -> pd.DataFrame:
    rows = [
        {"stage": stage, **row, "chosen": int(row["epoch"] == network.chosen_epoch)}
        for stage, network in networks.items()
        for row in network.history
    ]
    return pd.DataFrame(rows)


def _stream(arm: str, stage: str) -> int:
    return int(value_digest([arm, stage]), 16) % 2**31


def _digest(squares: NDArray[np.uint8] | StoredSquares) -> str:
    digest = hashlib.sha256()
    for start in range(0, len(squares), READ_AT_ONCE):
        digest.update(np.ascontiguousarray(squares[start : start + READ_AT_ONCE]).data)
    return digest.hexdigest()
