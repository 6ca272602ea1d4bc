"""Optimiser steps on an accelerator, recorded once as a CUDA graph and replayed.

Networks so small take a GPU less time than a processor needs to start their few hundred operations one by one. So
everything that differs between the steps of an epoch lies on the device before the epoch begins, a counter there says
which step it
is, and a step is the same few hundred operations on the same memory each time: they are recorded in the first epoch,
and from then on one call starts them all.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dlre_core.augmentation.views_on_device import Resident, view_parameters, views_on_device
from dlre_core.training.batches import Draws

# Before a recording, so that libraries have chosen their kernels and optimisers have their state; they count as steps.
STEPS_BEFORE_RECORDING = 3


class DeviceSteps:
    """Steps of several networks together, each with its own draws of the same resident pictures.

    Parameters
    ----------
    resident : Resident
    draws : sequence of Draws
        One a network.
    optimisers : sequence of Optimizer
        Their learning rates become a tensor on the device.
    learn : callable
        Takes images and labels, a tensor per network, makes one step of every network and returns their losses (k,).
        Must ask nothing of the device and bring nothing to it, or it cannot be recorded.
    """

    def __init__(
        self,
        resident: Resident,
        draws: Sequence[Draws],
        optimisers: Sequence[torch.optim.Optimizer],
        learn: Callable[[Sequence[Tensor], Sequence[Tensor]], Tensor],
    ) -> None:
        self.resident, self.draws, self.optimisers = resident, draws, optimisers
        self.learn, self.device = learn, resident.pictures.device
        self.recordable = self.device.type == "cuda"
        # Memory is kept for each stream: one for all steps before the recording and for the recording itself.
        self.side_stream = torch.cuda.Stream(self.device) if self.recordable else None
        self.step_now = torch.zeros(1, dtype=torch.int64, device=self.device)
        self.rate = torch.zeros((), device=self.device)
        self.losses = torch.zeros(len(draws), device=self.device)
        for optimiser in optimisers:
            for group in optimiser.param_groups:
                group |= {"lr": self.rate, "capturable": self.recordable}
        self.parameters: dict[str, Tensor] = {}
        self.prepared: tuple[int, dict[str, Tensor]] | None = None
        self.graph: torch.cuda.CUDAGraph | None = None
        self.steps_done = 0

    def epoch(self, number: int, rates: NDArray[np.float64]) -> list[float]:
        """Make one step a learning rate; the mean losses of the networks."""
        if self.prepared is None or self.prepared[0] != number:
            self.prepared = number, self.drawn(number, len(rates))
        self.load(self.prepared[1] | {"rates": torch.from_numpy(rates).float()})
        with self._device_in_use():
            for _ in rates:
                self._step()
        # While the device is busy.
        self.prepared = number + 1, self.drawn(number + 1, len(rates))
        return (self.losses / len(rates)).tolist()

    def drawn(self, epoch: int, steps: int) -> dict[str, Tensor]:
        """Parameters (steps, k * batch size, ...) of all views, on the host, network after network in a step."""
        parts = []
        for draws in self.draws:
            indices, views = draws.of_epoch(epoch, steps)
            given = view_parameters(self.resident, indices, views)
            given["targets"] = torch.from_numpy(draws.labels[indices]).float()
            parts.append({name: part.unflatten(0, (steps, -1)) for name, part in given.items()})
        return {name: torch.cat([part[name] for part in parts], dim=1) for name in parts[0]}

    def load(self, parameters: dict[str, Tensor]) -> None:
        """Put an epoch's parameters where steps find them, always in the same memory."""
        if not self.parameters:
            self.parameters = {name: torch.empty_like(part, device=self.device) for name, part in parameters.items()}
        for name, part in parameters.items():
            self.parameters[name].copy_(part)
        self.step_now.zero_()
        self.losses.zero_()

    def _step(self) -> None:
        if self.recordable and self.steps_done == STEPS_BEFORE_RECORDING:
            self.graph = self._recorded()
        if self.graph is not None:
            self.graph.replay()
        elif self.recordable:
            self.compute_aside()
        else:
            self.compute()
        self.steps_done += 1

    def compute(self) -> None:
        """The step that the counter says, and the counter's own."""
        now = {name: part.index_select(0, self.step_now)[0] for name, part in self.parameters.items()}
        self.rate.copy_(now.pop("rates"))
        targets = now.pop("targets").chunk(len(self.draws))
        images = views_on_device(self.resident, now).chunk(len(self.draws))
        self.losses += self.learn(images, targets)
        self.step_now += 1

    def compute_aside(self) -> None:
        """In a stream of its own, as a recording is made: it must not wait for the default stream."""
        self.side_stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self.side_stream):
            self.compute()
        torch.cuda.current_stream().wait_stream(self.side_stream)

    def _recorded(self) -> torch.cuda.CUDAGraph:
        """A step as it would be made; making the recording makes none."""
        for optimiser in self.optimisers:
            optimiser.zero_grad(set_to_none=True)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, stream=self.side_stream):
            self.compute()
        return graph

    def _device_in_use(self) -> AbstractContextManager[object]:
        return torch.cuda.device(self.device) if self.recordable else nullcontext()
