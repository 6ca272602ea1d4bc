"""The convolutional network of the paper (Gut 2019;68:729, Methods and figure 1B)."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from dlre_core.foundation.study_terms import SQUARE_SIDE
from dlre_core.network.pooling import pool_relu

FEATURE_MAPS = (16, 32, 32, 32)
HIDDEN_NODES = 32
# What a scale can show; below it the logarithm would run away.
LEAST_KPA = 0.1


class FibrosisNetwork(nn.Module):
    """Four 3x3 convolutions with ReLU and 2x2 max pooling, 32 fully connected nodes, one logit.

    The input is ``(n, channels, 250, 250)`` float, colours / 255 - 0.5, in channels-last memory where speed
    matters; the output ``(n,)`` holds logits: `torch.sigmoid` gives the probability of the stage.
    Pooling runs before ReLU: the two commute, since both are monotone, and a quarter of the values
    is left for the second.

    References
    ----------
    Wang K, et al. Gut 2019;68:729-741, "Deep learning Radiomics of elastography".
    doi:10.1136/gutjnl-2018-316204
    """

    # What joins the hidden nodes before the last layer.
    joined = 0

    def __init__(self, channels: int = 3) -> None:
        super().__init__()
        channels_before = (channels, *FEATURE_MAPS)
        self.convolutions = nn.ModuleList(
            nn.Conv2d(before, after, kernel_size=3, padding=1)
            for before, after in zip(channels_before, FEATURE_MAPS, strict=False)
        )
        side = SQUARE_SIDE // 2 ** len(FEATURE_MAPS)
        self.hidden = nn.Linear(FEATURE_MAPS[-1] * side * side, HIDDEN_NODES)
        self.output = nn.Linear(HIDDEN_NODES + self.joined, 1)

    def forward(self, images: Tensor) -> Tensor:
        """Logits ``(n,)`` of images ``(n, channels, 250, 250)``."""
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


class StiffnessNetwork(FibrosisNetwork):
    """The paper's network, which liver stiffness joins before its last layer.

    Stiffness is taken by its logarithm, with mean 0 and standard deviation 1 over the training pictures
    (`learn_scale`). Where it is unknown (NaN) it counts as their mean, and a second number says so.

    References
    ----------
    Vis Comput Ind Biomed Art 2025, PMC12354435: a network of picture and liver stiffness.
    """

    joined = 2
    takes_stiffness = True

    def __init__(self, channels: int = 3) -> None:
        super().__init__(channels)
        self.register_buffer("log_stiffness", torch.tensor([0.0, 1.0]))

    def learn_scale(self, stiffness_kpa: NDArray[np.float64]) -> None:
        """Take mean and standard deviation of the logarithm from the training pictures' stiffness, kPa."""
        known = np.log(stiffness_kpa[np.isfinite(stiffness_kpa)].clip(LEAST_KPA))
        if len(known):
            self.log_stiffness.copy_(torch.tensor([known.mean(), known.std() or 1.0]))

    def forget_stiffness(self) -> None:
        """Let stiffness say nothing: the weights from which training begins."""
        # That of its absence stays so where nobody lacks it.
        nn.init.zeros_(self.output.weight[:, -self.joined :])

    def forward(self, images: Tensor, stiffness_kpa: Tensor) -> Tensor:
        """Logits ``(n,)`` of images ``(n, channels, 250, 250)`` and stiffness ``(n,)``, kPa or NaN."""
        return self.logits(self.feature_maps(images), stiffness_kpa)

    def logits(self, maps: Tensor, stiffness_kpa: Tensor) -> Tensor:
        """Logits ``(n,)`` of the maps of the last pooling layer and stiffness ``(n,)``."""
        nodes = functional.relu(self.hidden(torch.flatten(maps, 1)))
        mean, deviation = self.log_stiffness[0], self.log_stiffness[1]
        unknown = torch.isnan(stiffness_kpa)
        logarithm = torch.log(torch.where(unknown, torch.ones_like(stiffness_kpa), stiffness_kpa).clamp(min=LEAST_KPA))
        standardised = torch.where(unknown, torch.zeros_like(logarithm), (logarithm - mean) / deviation)
        given = torch.stack([standardised, unknown.to(standardised.dtype)], dim=1)
        return self.output(torch.cat([nodes, given.to(nodes.dtype)], dim=1)).squeeze(1)


def network_input(squares: NDArray[np.uint8], device: torch.device | None = None) -> Tensor:
    """Pictures ``(n, 250, 250, channels)`` uint8 as a network takes them: channels first, float32, channels last."""
    images = torch.from_numpy(np.ascontiguousarray(squares)).to(device or torch.device("cpu"))
    return images.permute(0, 3, 1, 2).float() / 255 - 0.5


def draw_weights(network: nn.Module, seed: int) -> None:
    """Give every layer seeded Kaiming (ReLU) weights and zero biases, independent of global state."""
    generator = torch.Generator().manual_seed(seed)
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu", generator=generator)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    if isinstance(network, StiffnessNetwork):
        network.forget_stiffness()


def new_network(seed: int) -> FibrosisNetwork:
    """The paper's network with seeded weights."""
    network = FibrosisNetwork()
    draw_weights(network, seed)
    return network
