"""The convolutional network of the paper (Gut 2019;68:729, Methods and figure 1B)."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from dlre_core.foundation.study_terms import SQUARE_SIDE
from dlre_core.network.pooling import pool_relu

FEATURE_MAPS = (16, 32, 32, 32)
HIDDEN_NODES = 32


class FibrosisNetwork(nn.Module):
    """Four 3x3 convolutions with ReLU and 2x2 max pooling, 32 fully connected nodes, one logit.

    The input is ``(n, 3, 250, 250)`` float, colours / 255 - 0.5, in channels-last memory where speed
    matters; the output ``(n,)`` holds logits: `torch.sigmoid` gives the probability of the stage.
    Pooling runs before ReLU: the two commute, since both are monotone, and a quarter of the values
    is left for the second.

    References
    ----------
    Wang K, et al. Gut 2019;68:729-741, "Deep learning Radiomics of elastography".
    doi:10.1136/gutjnl-2018-316204
    """

    def __init__(self) -> None:
        super().__init__()
        channels = (3, *FEATURE_MAPS)
        self.convolutions = nn.ModuleList(
            nn.Conv2d(before, after, kernel_size=3, padding=1)
            for before, after in zip(channels, FEATURE_MAPS, strict=False)
        )
        side = SQUARE_SIDE // 2 ** len(FEATURE_MAPS)
        self.hidden = nn.Linear(FEATURE_MAPS[-1] * side * side, HIDDEN_NODES)
        self.output = nn.Linear(HIDDEN_NODES, 1)

    def forward(self, images: Tensor) -> Tensor:
        """Logits ``(n,)`` of images ``(n, 3, 250, 250)``."""
        return self.logits(self.feature_maps(images))

    def feature_maps(self, images: Tensor) -> Tensor:
        """Maps ``(n, 32, 15, 15)`` of the last pooling layer."""
        maps = images
        for convolution in self.convolutions:
            maps = pool_relu(convolution(maps))
        return maps

    def logits(self, maps: Tensor) -> Tensor:
        """Logits ``(n,)`` of the maps of the last pooling layer."""
        nodes = functional.relu(self.hidden(torch.flatten(maps, 1)))
        return self.output(nodes).squeeze(1)


def network_input(squares: NDArray[np.uint8], device: torch.device | None = None) -> Tensor:
    """Squares ``(n, 250, 250, 3)`` uint8 as the network takes them: ``(n, 3, 250, 250)`` float32, channels last."""
    images = torch.from_numpy(np.ascontiguousarray(squares)).to(device or torch.device("cpu"))
    return images.permute(0, 3, 1, 2).float() / 255 - 0.5


def new_network(seed: int) -> FibrosisNetwork:
    """A network with seeded Kaiming (ReLU) weights and zero biases, independent of global state."""
    network = FibrosisNetwork()
    generator = torch.Generator().manual_seed(seed)
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu", generator=generator)
            nn.init.zeros_(module.bias)
    return network


def load_network(weights: str | Path) -> FibrosisNetwork:
    """A trained network on the processor, from its safetensors file."""
    network = FibrosisNetwork()
    network.load_state_dict(load_file(weights))
    return network.eval()


def load_networks(weights: Mapping[str, str | Path]) -> dict[str, FibrosisNetwork]:
    """Networks by stage from their weight files, in the memory layout that is fastest on a CPU."""
    return {stage: load_network(path).to(memory_format=torch.channels_last) for stage, path in weights.items()}


def network_of(weights: Mapping[str, NDArray[np.float32]]) -> FibrosisNetwork:
    """A trained network on the processor, from its weights by name."""
    network = FibrosisNetwork()
    network.load_state_dict({name: torch.from_numpy(np.array(w)) for name, w in weights.items()})
    return network.eval()
