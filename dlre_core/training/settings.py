"""What is to be learnt and how, before anything is: settings, questions, the device, repeatable arithmetic."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from dlre_core.foundation.errors import TrainingError
from dlre_core.network.kinds import PAPERS, NetworkKind

# NVIDIA's compute capability of the Ampere generation.
FIRST_WITH_BFLOAT16 = 8


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
        """Optimiser steps of one epoch over ``n_patients`` patients, a whole number within the step bounds."""
        total = self.epochs * -(-n_patients * self.draws_per_patient // self.batch_size)
        total = min(max(total, self.minimum_steps), self.maximum_steps)
        return max(1, round(total / self.epochs))


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
        How often each image is drawn among those of its class (`dlre_core.training.batches.drawing_weights`).
        Images held back are never drawn.
    kind : NetworkKind
    stiffness_kpa : (n,) float64
        Of each image, for a network that takes it; NaN where unknown.
    """

    name: str
    labels: NDArray[np.int64]
    stream: int
    drawn: NDArray[np.float64]
    kind: NetworkKind = PAPERS
    stiffness_kpa: NDArray[np.float64] | None = None


def compute_repeatably() -> None:
    """Let PyTorch give the same bits every time, in this whole process."""
    torch.use_deterministic_algorithms(True)
    # Every buffer is written before it is read; filling them first only costs time.
    torch.utils.deterministic.fill_uninitialized_memory = False
    # Without a workspace of fixed size cuBLAS need not repeat itself.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")


def choose_device(name: str) -> torch.device:
    """``auto`` is CUDA where there is a device that computes in bfloat16, else the CPU; any other name is taken as it
    is.

    Raises
    ------
    TrainingError
        If there is no such CUDA device, or it does not compute in bfloat16.
    """
    if name == "auto":
        fit = torch.cuda.is_available() and _has_bfloat16(torch.device("cuda"))
        return torch.device("cuda" if fit else "cpu")
    device = torch.device(name)
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise TrainingError(
            f"training.device is {name}, which PyTorch does not find on this machine.",
            "Write auto or cpu, or install PyTorch for CUDA and its driver.",
        )
    if device.type == "cuda" and not _has_bfloat16(device):
        raise TrainingError(
            f"training.device is {name}, a GPU that does not compute in bfloat16.",
            "Write cpu, or use one of NVIDIA's Ampere generation or later.",
        )
    return device


def _has_bfloat16(device: torch.device) -> bool:
    return torch.cuda.get_device_capability(device)[0] >= FIRST_WITH_BFLOAT16


def one_cycle(settings: TrainingSettings, steps: int) -> NDArray[np.float64]:
    """Cosine warm-up over the first quarter of the steps, cosine decay to nothing after it."""
    total = steps * settings.epochs
    position = np.arange(total) / max(total - 1, 1)
    warm, low, peak = 0.25, settings.learning_rate / 25, settings.learning_rate
    rising = low + (peak - low) * (1 - np.cos(np.pi * position / warm)) / 2
    falling = peak * (1 + np.cos(np.pi * (position - warm) / (1 - warm))) / 2
    return np.where(position < warm, rising, falling)
