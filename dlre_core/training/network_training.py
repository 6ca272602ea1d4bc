"""Training of the networks of one arm, from settings and pictures to the weights of their best epochs."""

import json
import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from torch import Tensor

from dlre_core.augmentation.stiffness_views import Located
from dlre_core.foundation.errors import TrainingError
from dlre_core.foundation.picture_store import StoredSquares
from dlre_core.training.checkpoints import load_checkpoint, save_checkpoint
from dlre_core.training.epoch_loops import Training, epochs_on
from dlre_core.training.settings import Question, TrainingSettings, choose_device, one_cycle

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainedNetwork:
    """Best weights of one network, the epoch they are from, and a history row per epoch."""

    weights: dict[str, Tensor]
    chosen_epoch: int
    history: list[dict[str, float]]


def train_networks(
    rois: NDArray[np.uint8] | StoredSquares,
    questions: Sequence[Question],
    stopping: NDArray[np.bool_],
    settings: TrainingSettings,
    *,
    patients: int,
    located: Located | None = None,
    checkpoint: Path | None = None,
) -> list[TrainedNetwork]:
    """Train a network per question, all of them in one pass, and return the weights of their best epochs.

    AdamW with a one-cycle learning rate; cross-entropy, and `TrainingSettings.logit_penalty` times the mean square
    of the logits. After each epoch the mean cross-entropy over the held-back
    training patients decides: from ``minimum_epochs`` on the best weights are kept, and training ends
    once ``patience_epochs`` epochs brought nothing better. On the CPU one thread computes
    while another augments the next batch; on an accelerator pictures lie there, and steps are recorded once
    (`dlre_core.training.recorded_steps`). Arithmetic is bfloat16 with float32 weights.

    Parameters
    ----------
    rois : array (n, 250, 250, channels) uint8, or StoredSquares
        Images of training patients only, three channels for each picture that the network's input has. The result is
        the same for both.
    questions : sequence of Question
        On the CPU networks trained one by one are faster; on a GPU those of an arm belong together.
    stopping : (n,) bool
        True for images of the patients held back to decide when to stop.
    settings : TrainingSettings
    patients : int
        Whose images are trained on, without those held back; an epoch is so many steps as they
        need (`TrainingSettings.steps_per_epoch`), however many images each of them has.
    located : Located, optional
        `locate_stiffness` of ``rois``, so that several calls on the CPU can share it.
    checkpoint : path, optional
        Written after every epoch; found again, training goes on from it to the same result.

    Returns
    -------
    list of TrainedNetwork

    Raises
    ------
    TrainingError
        If the images trained on lack one of the two classes, none are held back, training diverges, or there is no
        such device or its memory is too small.
    """
    device, steps = choose_device(settings.device), settings.steps_per_epoch(patients)
    schedule = one_cycle(settings, steps)
    with _full_memory_named(device):
        trainings = [Training(rois, q, stopping, settings, device) for q in questions]
        if checkpoint is not None and checkpoint.exists():
            _resume(trainings, checkpoint)
        epochs = epochs_on(device, trainings, rois, located)
        while active := [training for training in trainings if not training.finished()]:
            epoch, started = active[0].progress.epochs_done + 1, time.perf_counter()
            rates = schedule[(epoch - 1) * steps : epoch * steps]
            losses = epochs.train(active, epoch, rates)
            seconds = time.perf_counter() - started
            for training, loss in zip(active, losses, strict=True):
                training.end_epoch(loss, steps * settings.batch_size / seconds, started)
            if checkpoint is not None:
                parts = [(t.progress, t.network, t.optimiser) for t in trainings]
                save_checkpoint(checkpoint, parts)
    return [TrainedNetwork(t.progress.best_weights, t.progress.best_epoch, t.progress.history) for t in trainings]


def _resume(trainings: Sequence[Training], checkpoint: Path) -> None:
    """Go on from a checkpoint; from the beginning if it cannot be read, as after a power cut."""
    parts = [(training.network, training.optimiser) for training in trainings]
    try:
        found = load_checkpoint(checkpoint, parts)
    except SafetensorError as error:
        logger.warning("%s cannot be read (%s): training begins anew", checkpoint, error)
        return
    for training, progress in zip(trainings, found, strict=True):
        training.progress = progress


@contextmanager
def _full_memory_named(device: torch.device) -> Iterator[None]:
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise TrainingError(
            f"The memory of {device} is too small, or others fill it: {error}",
            "Free it, or write cpu for training.device.",
        ) from error


def provenance(settings: TrainingSettings, network: TrainedNetwork, **facts: object) -> str:
    """JSON text that goes into the metadata of a weight file."""
    return json.dumps(
        {
            **facts,
            "settings": asdict(settings),
            "chosen_epoch": network.chosen_epoch,
            "torch": torch.__version__,
        },
        sort_keys=True,
    )
