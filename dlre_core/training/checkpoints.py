"""Training state on disk, so that a killed job goes on to the same weights (no pickle)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from dlre_core.foundation.atomic_files import written_whole

MOMENTS = ("exp_avg", "exp_avg_sq")


@dataclass
class Progress:
    """What training remembers between epochs."""

    history: list[dict[str, float]] = field(default_factory=list)
    best_epoch: int = 0
    best_weights: dict[str, Tensor] = field(default_factory=dict)

    @property
    def epochs_done(self) -> int:
        """Number of complete epochs."""
        return len(self.history)

    def add(self, row: dict[str, float], network: nn.Module, minimum_epochs: int = 1) -> None:
        """Record an epoch; keep its weights if its held-back loss is the lowest so far.

        Epochs before the minimum do not count: while the learning rate is high, a low loss is
        chance, and stopping there would keep a network that has learnt little.
        """
        self.history.append(row)
        if self.epochs_done < minimum_epochs:
            return
        best = self.history[self.best_epoch - 1]["stopping_loss"] if self.best_epoch else None
        if best is None or row["stopping_loss"] < best:
            self.best_epoch = self.epochs_done
            self.best_weights = {
                name: value.detach().cpu().contiguous().clone() for name, value in network.state_dict().items()
            }

    def finished(self, epochs: int, patience_epochs: int) -> bool:
        """True at the last epoch, or when patience has run out since the best one."""
        waited = self.epochs_done - self.best_epoch if self.best_epoch else 0
        return self.epochs_done >= epochs or waited >= patience_epochs


def save_checkpoint(
    path: Path,
    trainings: Sequence[tuple[Progress, nn.Module, torch.optim.Optimizer]],
) -> None:
    """Write the state of networks trained together by rename, so that a reader never sees half of it."""
    tensors, states = {}, []
    for number, (progress, network, optimiser) in enumerate(trainings):
        tensors |= {f"{number}.best.{name}": best for name, best in progress.best_weights.items()}
        for name, parameter in network.named_parameters():
            own = {"network": parameter} | optimiser.state[parameter]
            for part in ("network", *MOMENTS, "step"):
                value = own[part].detach().cpu().contiguous()
                tensors[f"{number}.{part}.{name}"] = value
        tensors |= {
            f"{number}.buffer.{name}": buffer.detach().cpu().contiguous() for name, buffer in network.named_buffers()
        }
        states.append({"history": progress.history, "best_epoch": progress.best_epoch})
    with written_whole(path) as unfinished:
        save_file(tensors, unfinished, metadata={"progress": json.dumps(states)})


def load_checkpoint(path: Path, trainings: Sequence[tuple[nn.Module, torch.optim.Optimizer]]) -> list[Progress]:
    """Restore networks and optimisers in place and return the progress of each."""
    with safe_open(path, framework="pt") as file:
        states = json.loads(file.metadata()["progress"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    found = []
    for number, ((network, optimiser), state) in enumerate(zip(trainings, states, strict=True)):
        for name, parameter in network.named_parameters():
            parameter.data.copy_(tensors[f"{number}.network.{name}"])
            # The fused optimiser walks raw memory: moments need the parameter's own layout.
            optimiser.state[parameter] = {
                moment: torch.empty_like(parameter.data).copy_(tensors[f"{number}.{moment}.{name}"])
                for moment in MOMENTS
            }
            step = tensors[f"{number}.step.{name}"].to(parameter.device)
            optimiser.state[parameter]["step"] = step
        for name, buffer in network.named_buffers():
            buffer.copy_(tensors[f"{number}.buffer.{name}"])
        best = {
            name.removeprefix(f"{number}.best."): value
            for name, value in tensors.items()
            if name.startswith(f"{number}.best.")
        }
        found.append(Progress(state["history"], state["best_epoch"], best))
    return found
