"""Networks while they are trained: an epoch on the processor or on an accelerator, and what it brought."""

import logging
import time
from collections.abc import Sequence
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score
from torch import Tensor
from torch.nn import functional

from dlre_core.augmentation.stiffness_views import Located
from dlre_core.augmentation.views_on_device import Resident, put_on_device
from dlre_core.foundation.errors import TrainingError
from dlre_core.foundation.picture_store import StoredSquares
from dlre_core.network.fibrosis_network import StiffnessNetwork
from dlre_core.network.inference import picture_probabilities
from dlre_core.network.joint_pass import joint_logits
from dlre_core.network.kinds import PAPERS, make_network, takes_stiffness
from dlre_core.training.batches import BatchSource, Draws
from dlre_core.training.checkpoints import Progress
from dlre_core.training.recorded_steps import DeviceSteps
from dlre_core.training.settings import Question, TrainingSettings

logger = logging.getLogger(__name__)


class Training:
    """One network while it is trained: weights, optimiser, draws, and how far it is."""

    def __init__(
        self,
        rois: NDArray[np.uint8] | StoredSquares,
        question: Question,
        stopping: NDArray[np.bool_],
        settings: TrainingSettings,
        device: torch.device,
    ) -> None:
        classes = len(np.unique(question.labels[~stopping]))
        if classes < 2 or not stopping.any():
            raise TrainingError(
                f"{question.name}: {classes} of 2 classes to train on, {int(stopping.sum())} images held back.",
                "Enrol more patients, or leave this arm out (section arms of config.yaml).",
            )
        self.rois, self.question, self.stopping, self.settings = rois, question, stopping, settings
        self.device, self.progress = device, Progress()
        network = make_network(question.kind, question.stream + 1000 * settings.seed)
        self.joined = question.stiffness_kpa if takes_stiffness(network) else None
        if isinstance(network, StiffnessNetwork):
            network.learn_scale(self.joined[~stopping])
        self.network = network.to(device, memory_format=torch.channels_last)
        self.optimiser = torch.optim.AdamW(
            self.network.parameters(),
            settings.learning_rate,
            weight_decay=settings.weight_decay,
            fused=True,
        )
        weighted = settings.balance == "weights"
        weights = _class_weights(question.labels[~stopping]) if weighted else None
        self.class_weights = None if weights is None else torch.tensor(weights, device=device)
        self.draws = Draws(
            question.labels,
            np.where(stopping, 0.0, question.drawn),
            seed=settings.seed,
            stream=question.stream,
            batch_size=settings.batch_size,
            by_class=settings.balance == "augmentation",
            augmentation=settings.augmentation,
        )

    def finished(self) -> bool:
        """True when no epoch is to follow."""
        return self.progress.finished(self.settings.epochs, self.settings.patience_epochs)

    def loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Mean cross-entropy of a batch."""
        weights = None
        if self.class_weights is not None:
            weights = self.class_weights[targets.long()]
        return functional.binary_cross_entropy_with_logits(logits.float(), targets, weights)

    def end_epoch(self, loss: float, images_per_second: float, started: float) -> None:
        """Judge the held-back patients, note the epoch, and keep the weights if they are the best."""
        question, settings, epoch = self.question, self.settings, self.progress.epochs_done + 1
        if not np.isfinite(loss):
            raise TrainingError(
                f"{question.name}: training diverged in epoch {epoch}.",
                "Lower training.learning_rate.",
            )
        stop_loss, stop_auc = self._judged_by_those_held_back()
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

    def _judged_by_those_held_back(self) -> tuple[float, float]:
        """Cross-entropy and AUC of the pictures held back."""
        settings, device = self.settings, self.device
        with torch.autocast(device.type, dtype=torch.bfloat16):
            probabilities = picture_probabilities(
                self.network,
                self.rois,
                self.joined,
                chosen=np.flatnonzero(self.stopping),
                batch_size=2 * settings.batch_size,
                device=device,
            )
        probabilities = np.clip(probabilities, 1e-6, 1 - 1e-6)
        truth = self.question.labels[self.stopping]
        both = len(np.unique(truth)) == 2
        likelihood = np.where(truth == 1, probabilities, 1 - probabilities)
        balanced = both and settings.balance != "none"
        negative, positive = _class_weights(truth) if balanced else (1.0, 1.0)
        weights = np.where(truth == 1, positive, negative)
        loss = float(-(weights * np.log(likelihood)).sum() / weights.sum())
        return loss, float(roc_auc_score(truth, probabilities)) if both else float("nan")


class BatchByBatch:
    """Epochs of batches that the processor makes (`BatchSource`), on any device."""

    def __init__(
        self,
        trainings: Sequence[Training],
        rois: NDArray[np.uint8] | StoredSquares,
        located: Located | None,
    ) -> None:
        self.sources = {training: BatchSource(training.draws, rois, located, training.joined) for training in trainings}

    def train(self, trainings: Sequence[Training], number: int, rates: NDArray[np.float64]) -> list[float]:
        """One step a learning rate, all networks in each; their mean losses."""
        device = trainings[0].device
        total = torch.zeros(len(trainings), device=device)
        batches = [self.sources[training].batches(number, len(rates)) for training in trainings]
        for rate, *given in zip(rates, *batches, strict=True):
            for training in trainings:
                for group in training.optimiser.param_groups:
                    group["lr"] = float(rate)
            images, targets, joined = ([part.to(device) for part in parts] for parts in zip(*given, strict=True))
            total += learn(trainings, images, targets, joined)
        return (total / len(rates)).tolist()


class OnAccelerator:
    """Epochs on an accelerator, recorded anew when networks have ended."""

    def __init__(self, resident: Resident) -> None:
        self.resident = resident
        self.trainings: Sequence[Training] = []
        self.steps: DeviceSteps | None = None

    def train(self, trainings: Sequence[Training], number: int, rates: NDArray[np.float64]) -> list[float]:
        """As `BatchByBatch.train`."""
        if self.steps is None or trainings != self.trainings:
            self.trainings = trainings
            self.steps = None  # The memory of one recording goes before another is made.
            self.steps = DeviceSteps(
                self.resident,
                [training.draws for training in trainings],
                [training.optimiser for training in trainings],
                partial(learn, trainings),
            )
        return self.steps.epoch(number, rates)


def epochs_on(
    device: torch.device,
    trainings: Sequence[Training],
    rois: NDArray[np.uint8] | StoredSquares,
    located: Located | None,
) -> BatchByBatch | OnAccelerator:
    """The way to train on a device; ``located`` is of ``rois`` and used where the processor makes the batches.

    Steps are recorded of the paper's network and pictures only.
    """
    if device.type == "cpu" or any(training.question.kind != PAPERS for training in trainings):
        return BatchByBatch(trainings, rois, located)
    changed = trainings[0].settings.augmentation.get("stiffness", 0) > 0
    return OnAccelerator(put_on_device(rois, device, stiffness_views=changed))


def learn(
    trainings: Sequence[Training],
    images: Sequence[Tensor],
    targets: Sequence[Tensor],
    stiffness_kpa: Sequence[Tensor] = (),
) -> Tensor:
    """One optimiser step of every network, each with its own images, labels and stiffness; their losses (k,).

    On an accelerator it is recorded, so nothing here may wait for the device or bring anything to it.
    """
    networks = [training.network for training in trainings]
    for training in trainings:
        training.network.train()
        training.optimiser.zero_grad(set_to_none=True)
    with torch.autocast(trainings[0].device.type, dtype=torch.bfloat16):
        if all(training.question.kind.of_the_paper for training in trainings):
            logits = joint_logits(networks, images)
        else:
            logits = torch.stack(
                [
                    network(own, *([] if training.joined is None else [kpa]))
                    for training, network, own, kpa in zip(trainings, networks, images, stiffness_kpa, strict=True)
                ]
            )
    losses = torch.stack(
        [training.loss(own, wanted) for training, own, wanted in zip(trainings, logits, targets, strict=True)]
    )
    # Without it logits grow by the hundred where stiffness alone decides, and texture does not count there.
    penalty = trainings[0].settings.logit_penalty * logits.float().square().mean(dim=1)
    (losses + penalty).sum().backward()
    for training in trainings:
        training.optimiser.step()
    return losses.detach()


def _class_weights(labels: NDArray[np.int64]) -> tuple[float, float]:
    """Of a negative and of a positive image, so that both classes weigh alike."""
    share = float(labels.mean())
    return 0.5 / (1 - share), 0.5 / share
