"""Train the networks of one arm of the study: a split, a number of images, three stage questions."""

import hashlib
import logging
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file

from dlre_core.augmentation.stiffness_views import Located, locate_for_views
from dlre_core.foundation.atomic_files import written_whole
from dlre_core.foundation.csv_tables import read_table, write_table
from dlre_core.foundation.design import stage_labels, study_questions
from dlre_core.foundation.digests import core_digest, file_digest, value_digest
from dlre_core.foundation.picture_store import READ_AT_ONCE, RoiStore, StoredSquares, open_rois
from dlre_core.foundation.study_terms import KEYS
from dlre_core.network.inference import check_input
from dlre_core.network.kinds import PAPERS, NetworkKind, network_class, takes_stiffness
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


@dataclass(frozen=True)
class ArmFiles:
    """What the training of an arm reads and writes.

    Attributes
    ----------
    rois, rois_table, split : path
        Read: ``rois.h5``, ``rois.csv`` and the CSV of the split.
    weights : mapping of stage to path
        Where each network's safetensors file goes.
    history : path
        CSV with one row per stage and epoch, the same bytes for the same seed.
    speed : path
        CSV with the images per second of every epoch, which vary from run to run.
    checkpoints : path
        Folder for the state of unfinished networks; a rerun goes on from there.
    """

    rois: str | Path
    rois_table: str | Path
    split: str | Path
    weights: Mapping[str, str | Path]
    history: str | Path
    speed: str | Path
    checkpoints: str | Path


@dataclass(frozen=True)
class _TrainingData:
    """What the networks of an arm learn from; ``content`` is the digest of the pictures."""

    pictures: NDArray[np.uint8] | StoredSquares
    located: Located | None
    content: str
    questions: Mapping[str, Question]
    stopping: NDArray[np.bool_]
    patients: int
    settings: TrainingSettings


def train_arm(
    files: ArmFiles,
    arm: str,
    images: int,
    settings: TrainingSettings,
    *,
    kind: NetworkKind = PAPERS,
    threads: int = 1,
    memory_mb: float = float("inf"),
) -> None:
    """Train one network per stage question and write weights, history and provenance.

    Each network computes on one thread, so the weights do not depend on ``threads``, which says how
    many networks are trained at the same time. On a GPU all three are trained in one pass.

    Parameters
    ----------
    files : ArmFiles
    arm : str
        Name of the arm, for the log and the provenance.
    images : int
        Images per patient.
    settings : TrainingSettings
    kind : NetworkKind, optional
        Network and input of the arm.
    threads : int
    memory_mb : float
        Of the job. Squares that fill more than `HELD_SHARE` of it are read when they are drawn, to the same weights.

    Raises
    ------
    TrainingError, StoreMismatch, ConfigurationError
    """
    torch.set_num_threads(1)
    compute_repeatably()
    split = read_table(files.split, needs=(*KEYS, "fibrosis_stage", "cohort"))
    training = _training_pictures(files.rois_table, split, images, settings)
    facts = {
        "arm": arm,
        "images_per_patient": images,
        "training_patients": int((split["cohort"] == "training").sum()),
        "training_images": len(training),
        "split_sha256": file_digest(files.split),
        "core": core_digest("training.arm_training"),
        "device": str(choose_device(settings.device)),
    }
    if kind != PAPERS:
        facts["kind"] = kind.words
    logger.info("%s: %d images of %d patients", arm, len(training), facts["training_patients"])
    groups = [study_questions()] if trains_together(settings) else [(stage,) for stage in study_questions()]
    with open_rois(files.rois) as store, ThreadPoolExecutor(max(1, threads)) as pool:
        data = _training_data(store, training, arm, settings, kind, memory_mb)
        train = partial(_train_group, data, facts, Path(files.checkpoints))
        trained = [network for group in pool.map(train, groups) for network in group]
    networks = dict(zip(study_questions(), trained, strict=True))
    for stage, network in networks.items():
        text = provenance(settings, network, stage=stage, **facts)
        _save(network, Path(files.weights[stage]), text)
    table = _history(networks)
    write_table(table.drop(columns="images_per_second"), files.history)
    write_table(table[["stage", "epoch", "images_per_second"]], files.speed)
    for leftover in Path(files.checkpoints).glob("*.safetensors"):
        leftover.unlink()


def _training_pictures(
    rois_table: str | Path, split: pd.DataFrame, images: int, settings: TrainingSettings
) -> pd.DataFrame:
    """Rows of the training cohort's pictures; ``stopping`` marks those of the patients held back."""
    rois = read_table(rois_table, needs=(*KEYS, "acquisition", "image_id", "q_box_mean_kpa"))
    selected = select_images(rois, split, images)
    held_back = split.assign(stopping=stopping_patients(split, settings.stopping_fraction, settings.seed))
    selected = selected.merge(held_back[[*KEYS, "stopping"]], on=KEYS)
    return selected[selected["cohort"] == "training"]


def _training_data(
    store: RoiStore,
    training: pd.DataFrame,
    arm: str,
    settings: TrainingSettings,
    kind: NetworkKind,
    memory_mb: float,
) -> _TrainingData:
    if kind.input != "square":
        # Views of another stiffness change colours that this input does not have, or would leave its pictures at odds.
        settings = replace(settings, augmentation={**settings.augmentation, "stiffness": 0})
    check_input(training, kind)
    stopping = training["stopping"].to_numpy()
    squares = store.squares(training["index"].to_numpy(), kind.input)
    pictures = squares if squares.nbytes > HELD_SHARE * memory_mb * 1e6 else squares[:]
    shared = isinstance(pictures, np.ndarray) and not trains_together(settings)
    return _TrainingData(
        pictures=pictures,
        located=locate_for_views(pictures, settings.augmentation) if shared else None,
        content=_digest(pictures),
        questions={
            stage: _question(training, stage, arm, settings.stiffness_balance, kind) for stage in study_questions()
        },
        stopping=stopping,
        patients=len(training.loc[~stopping, KEYS].drop_duplicates()),
        settings=settings,
    )


def _question(training: pd.DataFrame, stage: str, arm: str, stiffness_balance: float, kind: NetworkKind) -> Question:
    # Liver stiffness as the study takes it: the median of the pictures that the arm has.
    stiffness = training.groupby(KEYS)["q_box_mean_kpa"].transform("median").to_numpy(np.float64)
    labels = stage_labels(training["fibrosis_stage"], stage)
    learnt_from = ~training["stopping"].to_numpy()
    drawn = np.zeros(len(training))
    # A network that is told the stiffness need not unlearn it.
    strength = 0.0 if takes_stiffness(network_class(kind.network)) else stiffness_balance
    drawn[learnt_from] = drawing_weights(labels[learnt_from], stiffness[learnt_from], strength)
    own = training["q_box_mean_kpa"].to_numpy(np.float64)
    return Question(f"{arm} {stage}", labels, _stream(arm, stage), drawn, kind, own)


def _train_group(
    data: _TrainingData, facts: Mapping[str, object], checkpoints: Path, stages: Sequence[str]
) -> list[TrainedNetwork]:
    """Train the networks of some stage questions in one pass, from their checkpoint where there is one."""
    questions = [data.questions[stage] for stage in stages]
    drawn = [question.drawn.round(9).tolist() for question in questions]
    settings = asdict(data.settings)
    identity = value_digest([facts, torch.__version__, settings, list(stages), data.content, drawn])
    started = time.perf_counter()
    trained = train_networks(
        data.pictures,
        questions,
        data.stopping,
        data.settings,
        patients=data.patients,
        located=data.located,
        checkpoint=checkpoints / f"{'_'.join(stages)}_{identity}.safetensors",
    )
    logger.info("%s %s took %.0f s", facts["arm"], ", ".join(stages), time.perf_counter() - started)
    return trained


def trains_together(settings: TrainingSettings) -> bool:
    """One network at a time fills a processor's core, but not a GPU."""
    return choose_device(settings.device).type != "cpu"


def _save(network: TrainedNetwork, path: Path, text: str) -> None:
    with written_whole(path) as unfinished:
        # One entry: safetensors writes several in an order of their own in every process.
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
