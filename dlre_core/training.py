"""Training of the networks of one arm: one network a stage question, one readable epoch loop."""

import json
import logging
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from sklearn.metrics import roc_auc_score
from torch import Tensor
from torch.nn import functional

from dlre_core.batches import BatchSource
from dlre_core.checkpoints import Progress, load_checkpoint, save_checkpoint
from dlre_core.errors import TrainingError
from dlre_core.joint_network import joint_logits
from dlre_core.network import FibrosisNetwork, new_network
from dlre_core.stiffness_views import Located
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
    minimum_steps: int = 120
    maximum_steps: int = 1400
    stopping_fraction: float = 0.05
    minimum_epochs: int = 16
    patience_epochs: int = 4
    balance: str = "augmentation"
    stiffness_balance: float = 0.5
    logit_penalty: float = 0.02
    augmentation: Mapping[str, Any] = field(default_factory=dict)

    def steps_per_epoch(self, n_patients: int) -> int:
        """Optimiser steps of one epoch over ``n_patients`` patients: within the step bounds, to a whole number an epoch."""
        total = self.epochs * -(-n_patients * self.draws_per_patient // self.batch_size)
        total = min(max(total, self.minimum_steps), self.maximum_steps)
        return max(1, round(total / self.epochs))


@dataclass(frozen=True)
class TrainedNetwork:
    """Best weights of one network, the epoch they are from, and a history row per epoch."""

    weights: dict[str, Tensor]
    chosen_epoch: int
    history: list[dict[str, float]]


def compute_repeatably() -> None:
    """Let PyTorch give the same bits every time, in this whole process."""
    torch.use_deterministic_algorithms(True)
    # Every buffer is written before it is read; filling them first only costs time.
    torch.utils.deterministic.fill_uninitialized_memory = False
    # On CUDA PyTorch then refuses to multiply matrices unless cuBLAS is told to repeat itself, too.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")


def choose_device(name: str) -> torch.device:
    """``auto`` is CUDA where there is one, else the CPU; any other name is taken as it is.

    Raises
    ------
    TrainingError
        If there is no such CUDA device.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    device = torch.device(name)
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise TrainingError(
            f"training.device is {name}, which PyTorch does not find on this machine.",
            "Write auto or cpu, or install PyTorch for CUDA and its driver.",
        )
    return device


@dataclass(frozen=True)
class Question:
    """What one network learns from an arm's images.

    Attributes
    ----------
    name : str
        For the log lines.
    labels : (n,) int64, 0 or 1
        1 where the patient has the stage.
    stream : int
        Number of the random stream, different for every network of a study.
    drawn : (n,) float64
        How often each image is drawn among those of its class (`dlre_core.batches.drawing_weights`).
        Images held back are never drawn.
    """

    name: str
    labels: NDArray[np.int64]
    stream: int
    drawn: NDArray[np.float64]


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
    """Train a network a question, all of them in one pass, and return the weights of their best epochs.

    AdamW with a one-cycle learning rate; cross-entropy, and `TrainingSettings.logit_penalty` times the mean square
    of the logits. After each epoch the mean cross-entropy over the held-back
    training patients decides: from ``minimum_epochs`` on the best weights are kept, and training ends
    once ``patience_epochs`` epochs brought nothing better. On the CPU one thread computes
    while another augments the next batch; arithmetic is bfloat16 with float32 weights.

    Parameters
    ----------
    rois : array (n, 250, 250, 3) uint8, or StoredSquares
        Images of training patients only. The result is the same for both.
    questions : sequence of Question
        On the CPU networks trained one by one are faster; on a GPU those of an arm belong together.
    stopping : (n,) bool
        True for images of the patients held back to decide when to stop.
    settings : TrainingSettings
    patients : int
        Whose images are trained on, without those held back; an epoch is so many steps as they
        need (`TrainingSettings.steps_per_epoch`), however many images each of them has.
    located : Located, optional
        `locate_stiffness` of ``rois``, so that several calls can share it.
    checkpoint : path, optional
        Written after every epoch; found again, training goes on from it to the same result.

    Returns
    -------
    list of TrainedNetwork

    Raises
    ------
    TrainingError
        If the images trained on lack one of the two classes, or none are held back.
    """
    device, steps = choose_device(settings.device), settings.steps_per_epoch(patients)
    held = isinstance(rois, np.ndarray) and device.type != "cpu"
    resident = torch.from_numpy(rois).to(device) if held else None
    sources = (rois, located, resident)
    trainings = [_Training(sources, q, stopping, settings, device) for q in questions]
    if checkpoint is not None and checkpoint.exists():
        _resume(trainings, checkpoint)
    schedule = _one_cycle(settings, steps)
    while active := [training for training in trainings if not training.finished()]:
        epoch, started = active[0].progress.epochs_done + 1, time.perf_counter()
        losses = _train_epoch(active, schedule[(epoch - 1) * steps : epoch * steps], epoch)
        seconds = time.perf_counter() - started
        for training, loss in zip(active, losses, strict=True):
            training.end_epoch(loss, steps * settings.batch_size / seconds, started)
        if checkpoint is not None:
            parts = [(t.progress, t.network, t.optimiser) for t in trainings]
            save_checkpoint(checkpoint, parts)
    return [
        TrainedNetwork(t.progress.best_weights, t.progress.best_epoch, t.progress.history)
        for t in trainings
    ]


def _resume(trainings: Sequence["_Training"], checkpoint: Path) -> None:
    """Go on from a checkpoint; from the beginning if it cannot be read, as after a power cut."""
    parts = [(training.network, training.optimiser) for training in trainings]
    try:
        found = load_checkpoint(checkpoint, parts)
    except SafetensorError as error:
        logger.warning("%s cannot be read (%s): training begins anew", checkpoint, error)
        return
    for training, progress in zip(trainings, found, strict=True):
        training.progress = progress


class _Training:
    """One network while it is trained: weights, optimiser, batches, and how far it is."""

    def __init__(
        self,
        sources: tuple[NDArray[np.uint8] | StoredSquares, Located | None, Tensor | None],
        question: Question,
        stopping: NDArray[np.bool_],
        settings: TrainingSettings,
        device: torch.device,
    ) -> None:
        classes = len(np.unique(question.labels[~stopping]))
        if classes < 2 or not stopping.any():
            raise TrainingError(
                f"{question.name}: {classes} of 2 classes to train on, {int(stopping.sum())} images held back.",
                "Enrol more patients, or leave this stage question or arm out.",
            )
        rois, located, resident = sources
        self.rois, self.question, self.stopping, self.settings = rois, question, stopping, settings
        self.device, self.progress = device, Progress()
        self.network = new_network(question.stream + 1000 * settings.seed).to(
            device, memory_format=torch.channels_last
        )
        self.optimiser = torch.optim.AdamW(
            self.network.parameters(),
            settings.learning_rate,
            weight_decay=settings.weight_decay,
            fused=True,
        )
        weighted = settings.balance == "weights"
        self.class_weights = _class_weights(question.labels[~stopping]) if weighted else None
        self.source = BatchSource(
            rois,
            question.labels,
            np.where(stopping, 0.0, question.drawn),
            device,
            seed=settings.seed,
            stream=question.stream,
            batch_size=settings.batch_size,
            by_class=settings.balance == "augmentation",
            augmentation=settings.augmentation,
            located=located,
            resident=resident,
        )

    def finished(self) -> bool:
        """True when no epoch is to follow."""
        return self.progress.finished(self.settings.epochs, self.settings.patience_epochs)

    def loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Mean cross-entropy of a batch."""
        weights = None
        if self.class_weights is not None:
            negative, positive = self.class_weights
            weights = torch.where(targets == 1, positive, negative)
        return functional.binary_cross_entropy_with_logits(logits.float(), targets, weights)

    def end_epoch(self, loss: float, images_per_second: float, started: float) -> None:
        """Judge the held-back patients, note the epoch, and keep the weights if they are the best."""
        question, settings, epoch = self.question, self.settings, self.progress.epochs_done + 1
        if not np.isfinite(loss):
            raise TrainingError(
                f"{question.name}: training diverged in epoch {epoch}.",
                "Lower training.learning_rate.",
            )
        stop_loss, stop_auc = _evaluate(
            self.network, self.rois, question.labels, self.stopping, settings, self.device
        )
        row = {
            "epoch": epoch,
            "loss": loss,
            "stopping_loss": stop_loss,
            "auc": stop_auc,
            "images_per_second": round(images_per_second, 1),
        }
        self.progress.add(row, self.network, min(settings.minimum_epochs, settings.epochs))
        left = (settings.epochs - epoch) * (time.perf_counter() - started)
        logger.info(
            "%s epoch %d/%d loss %.4f, held back: loss %.4f AUC %.3f, %.0f images/s, at most %.0f s left",
            *(question.name, epoch, settings.epochs, loss, stop_loss, stop_auc),
            *(images_per_second, left),
        )


def predict(
    network: FibrosisNetwork,
    rois: NDArray[np.uint8] | StoredSquares,
    *,
    chosen: NDArray[np.int64] | None = None,
    batch_size: int = 32,
    device: torch.device | None = None,
) -> NDArray[np.float64]:
    """Probabilities of images ``(n, 250, 250, 3)`` uint8, or of the ``chosen`` ones, in process.

    A number of images at a time; arithmetic is float32, or autocast's, the probability always float32.
    """
    chosen = np.arange(len(rois)) if chosen is None else chosen
    device = device or torch.device("cpu")
    network.eval()
    with torch.inference_mode():
        parts = [
            torch.sigmoid(
                network(_as_input(rois[chosen[start : start + batch_size]], device)).float()
            )
            for start in range(0, len(chosen), batch_size)
        ]
    return torch.cat(parts).double().cpu().numpy() if parts else np.empty(0)


def _train_epoch(
    trainings: Sequence[_Training], rates: NDArray[np.float64], epoch: int
) -> list[float]:
    """One step a learning rate, all networks in each; their mean losses."""
    networks = [training.network for training in trainings]
    for network in networks:
        network.train()
    device = trainings[0].device
    total = torch.zeros(len(trainings), device=device)
    batches = [training.source.batches(epoch, len(rates)) for training in trainings]
    for rate, *given in zip(rates, *batches, strict=True):
        for training in trainings:
            for group in training.optimiser.param_groups:
                group["lr"] = float(rate)
            training.optimiser.zero_grad(set_to_none=True)
        with torch.autocast(device.type, dtype=torch.bfloat16):
            logits = joint_logits(networks, [images for images, _ in given])
        losses = torch.stack(
            [
                training.loss(own, targets)
                for training, own, (_, targets) in zip(trainings, logits, given, strict=True)
            ]
        )
        # Without it logits grow by the hundred where stiffness alone decides, and texture does not count there.
        penalty = trainings[0].settings.logit_penalty * logits.float().square().mean(dim=1)
        (losses + penalty).sum().backward()
        for training in trainings:
            training.optimiser.step()
        total += losses.detach()
    return (total / len(rates)).tolist()


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
