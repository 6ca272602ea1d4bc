"""Training of the networks of one arm: one network a stage question, one readable epoch loop."""

import json
import logging
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score
from torch import Tensor
from torch.nn import functional

from dlre_core.batches import BatchSource
from dlre_core.checkpoints import Progress, load_checkpoint, save_checkpoint
from dlre_core.errors import TrainingError
from dlre_core.network import FibrosisNetwork, new_network
from dlre_core.store import StoredSquares

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainingSettings:
    """How a network is trained; the meaning of each is in ``config.yaml``, section training."""

    seed: int = 0
    device: str = "auto"
    batch_size: int = 16
    learning_rate: float = 0.003
    weight_decay: float = 0.0001
    epochs: int = 18
    draws_per_patient: int = 7
    minimum_steps: int = 150
    maximum_steps: int = 1400
    stopping_fraction: float = 0.2
    minimum_epochs: int = 13
    patience_epochs: int = 4
    balance: str = "augmentation"
    stiffness_balance: float = 0.0
    augmentation: Mapping[str, Any] = field(default_factory=dict)

    def steps_per_epoch(self, n_patients: int) -> int:
        """Optimiser steps of one epoch over ``n_patients`` patients, within the step bounds."""
        total = self.epochs * -(-n_patients * self.draws_per_patient // self.batch_size)
        total = min(max(total, self.minimum_steps), self.maximum_steps)
        return max(1, round(total / self.epochs))


@dataclass(frozen=True)
class TrainedNetwork:
    """Best weights of one network, the epoch they are from, and a history row per epoch."""

    weights: dict[str, Tensor]
    chosen_epoch: int
    history: list[dict[str, float]]


def choose_device(name: str) -> torch.device:
    """``auto`` is CUDA where there is one, else the CPU; any other name is taken as it is."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)


def train_network(
    rois: NDArray[np.uint8] | StoredSquares,
    labels: NDArray[np.int64],
    stopping: NDArray[np.bool_],
    settings: TrainingSettings,
    *,
    stream: int,
    patients: int,
    drawn: NDArray[np.float64] | None = None,
    name: str = "network",
    checkpoint: Path | None = None,
) -> TrainedNetwork:
    """Train one network and return the weights of its best epoch.

    AdamW with a one-cycle learning rate. After each epoch the mean cross-entropy over the held-back
    training patients decides: from ``minimum_epochs`` on the best weights are kept, and training ends
    once ``patience_epochs`` epochs brought nothing better. On the CPU one thread computes
    while another augments the next batch; arithmetic is bfloat16 with float32 weights.

    Parameters
    ----------
    rois : array (n, 250, 250, 3) uint8, or StoredSquares
        Images of training patients only. The result is the same for both.
    labels : (n,) int64, 0 or 1
        1 where the patient has the stage.
    stopping : (n,) bool
        True for images of the patients held back to decide when to stop.
    settings : TrainingSettings
    stream : int
        Number of the random stream, different for every network of a study.
    patients : int
        Whose images are trained on, without those held back; an epoch is so many steps as they
        need (`TrainingSettings.steps_per_epoch`), however many images each of them has.
    drawn : (n,) float64, optional
        How often each image is drawn among those of its class (`dlre_core.batches.drawing_weights`);
        all alike without it. Images held back are never drawn.
    name : str
        For the log lines.
    checkpoint : path, optional
        Written after every epoch; found again, training goes on from it to the same result.

    Returns
    -------
    TrainedNetwork

    Raises
    ------
    TrainingError
        If the images trained on lack one of the two classes, or none are held back.
    """
    classes = len(np.unique(labels[~stopping]))
    if classes < 2 or not stopping.any():
        raise TrainingError(
            f"{name}: {classes} of 2 classes to train on, {int(stopping.sum())} images held back.",
            "Enrol more patients, or leave this stage question or arm out.",
        )
    device = choose_device(settings.device)
    network = new_network(stream + 1000 * settings.seed).to(
        device, memory_format=torch.channels_last
    )
    steps = settings.steps_per_epoch(patients)
    optimiser = torch.optim.AdamW(
        network.parameters(), settings.learning_rate, weight_decay=settings.weight_decay, fused=True
    )
    schedule = _one_cycle(settings, steps)
    by_class = _class_weights(labels[~stopping]) if settings.balance == "weights" else None
    progress = Progress()
    if checkpoint is not None and checkpoint.exists():
        progress = load_checkpoint(checkpoint, network, optimiser)
    source = BatchSource(
        rois,
        labels,
        np.where(stopping, 0.0, 1.0 if drawn is None else drawn),
        device,
        seed=settings.seed,
        stream=stream,
        batch_size=settings.batch_size,
        by_class=settings.balance == "augmentation",
        augmentation=settings.augmentation,
    )
    while not progress.finished(settings.epochs, settings.patience_epochs):
        epoch, started = progress.epochs_done + 1, time.perf_counter()
        batches = source.batches(epoch, steps)
        loss = _train_epoch(network, optimiser, schedule, batches, epoch, steps, by_class)
        seconds = time.perf_counter() - started
        stop_loss, stop_auc = _evaluate(network, rois, labels, stopping, settings, device)
        row = {
            "epoch": epoch,
            "loss": loss,
            "stopping_loss": stop_loss,
            "auc": stop_auc,
            "images_per_second": round(steps * settings.batch_size / seconds, 1),
        }
        progress.add(row, network, min(settings.minimum_epochs, settings.epochs))
        remaining = (settings.epochs - epoch) * (time.perf_counter() - started)
        logger.info(
            "%s epoch %d/%d loss %.4f, held back: loss %.4f AUC %.3f, %.0f images/s, at most %.0f s left",
            *(name, epoch, settings.epochs, loss, stop_loss, stop_auc),
            *(row["images_per_second"], remaining),
        )
        if checkpoint is not None:
            save_checkpoint(checkpoint, progress, network, optimiser)
    return TrainedNetwork(progress.best_weights, progress.best_epoch, progress.history)


def predict(
    network: FibrosisNetwork,
    rois: NDArray[np.uint8] | StoredSquares,
    *,
    chosen: NDArray[np.int64] | None = None,
    batch_size: int = 32,
    device: torch.device | None = None,
) -> NDArray[np.float64]:
    """Probabilities of images ``(n, 250, 250, 3)`` uint8, or of the ``chosen`` ones, in process.

    A number of images at a time; arithmetic is float32.
    """
    chosen = np.arange(len(rois)) if chosen is None else chosen
    device = device or torch.device("cpu")
    network.eval()
    with torch.inference_mode():
        parts = [
            torch.sigmoid(network(_as_input(rois[chosen[start : start + batch_size]], device)))
            for start in range(0, len(chosen), batch_size)
        ]
    return torch.cat(parts).double().cpu().numpy() if parts else np.empty(0)


def _train_epoch(
    network: FibrosisNetwork,
    optimiser: torch.optim.Optimizer,
    schedule: NDArray[np.float64],
    batches: Iterator[tuple[Tensor, Tensor]],
    epoch: int,
    steps: int,
    class_weights: tuple[float, float] | None,
) -> float:
    network.train()
    total = torch.zeros((), device=next(network.parameters()).device)
    for step, (images, targets) in enumerate(batches):
        for group in optimiser.param_groups:
            group["lr"] = float(schedule[(epoch - 1) * steps + step])
        optimiser.zero_grad(set_to_none=True)
        with torch.autocast(images.device.type, dtype=torch.bfloat16):
            logits = network(images)
        weights = None
        if class_weights is not None:
            negative, positive = class_weights
            weights = torch.where(targets == 1, positive, negative)
        loss = functional.binary_cross_entropy_with_logits(logits.float(), targets, weights)
        loss.backward()
        optimiser.step()
        total += loss.detach()
    return float(total) / steps


def _evaluate(
    network: FibrosisNetwork,
    rois: NDArray[np.uint8] | StoredSquares,
    labels: NDArray[np.int64],
    chosen: NDArray[np.bool_],
    settings: TrainingSettings,
    device: torch.device,
) -> tuple[float, float]:
    with torch.autocast(device.type, dtype=torch.bfloat16):
        probabilities = predict(
            network,
            rois,
            chosen=np.flatnonzero(chosen),
            batch_size=2 * settings.batch_size,
            device=device,
        )
    probabilities = np.clip(probabilities, 1e-6, 1 - 1e-6)
    truth = labels[chosen]
    both = len(np.unique(truth)) == 2
    likelihood = np.where(truth == 1, probabilities, 1 - probabilities)
    balanced = both and settings.balance != "none"
    negative, positive = _class_weights(truth) if balanced else (1.0, 1.0)
    weights = np.where(truth == 1, positive, negative)
    loss = float(-(weights * np.log(likelihood)).sum() / weights.sum())
    return loss, float(roc_auc_score(truth, probabilities)) if both else float("nan")


def _class_weights(labels: NDArray[np.int64]) -> tuple[float, float]:
    """Of a negative and of a positive image, so that both classes weigh alike."""
    share = float(labels.mean())
    return 0.5 / (1 - share), 0.5 / share


def _as_input(rois: NDArray[np.uint8], device: torch.device) -> Tensor:
    images = torch.from_numpy(np.ascontiguousarray(rois)).to(device)
    return images.permute(0, 3, 1, 2).float() / 255 - 0.5


def _one_cycle(settings: TrainingSettings, steps: int) -> NDArray[np.float64]:
    """Cosine warm-up over the first quarter of the steps, cosine decay to nothing after it."""
    total = steps * settings.epochs
    position = np.arange(total) / max(total - 1, 1)
    warm, low, peak = 0.25, settings.learning_rate / 25, settings.learning_rate
    rising = low + (peak - low) * (1 - np.cos(np.pi * position / warm)) / 2
    falling = peak * (1 + np.cos(np.pi * (position - warm) / (1 - warm))) / 2
    return np.where(position < warm, rising, falling)


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
