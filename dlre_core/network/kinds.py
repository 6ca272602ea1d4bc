"""Which network an arm trains: the paper's, one of this project's own, or a class of another package."""

import importlib
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import safe_open
from torch import Tensor, nn

from dlre_core.foundation.errors import ConfigurationError
from dlre_core.foundation.study_terms import (
    INPUTS,
    MONAI_NETWORKS,
    OWN_NETWORKS,
    PAPERS_NETWORK,
    SQUARE_SHAPE,
    besides_the_square,
)
from dlre_core.network.fibrosis_network import FibrosisNetwork, StiffnessNetwork, draw_weights
from dlre_core.network.residual_network import ResidualNetwork

OWN: Mapping[str, type[nn.Module]] = dict(
    zip(OWN_NETWORKS, (FibrosisNetwork, StiffnessNetwork, ResidualNetwork), strict=True)
)
# MONAI's networks by their class's name, for pictures in two dimensions with one logit.
MONAI = "monai"
# PyTorch's stream of random numbers, which other packages draw weights from, is the whole process's.
_ONE_AT_A_TIME = threading.Lock()


@dataclass(frozen=True)
class NetworkKind:
    """What an arm trains: a network, as `network_class` takes it, and its pictures, one of `INPUTS`."""

    network: str = PAPERS_NETWORK
    input: str = "square"

    @property
    def channels(self) -> int:
        """Of the network's pictures."""
        return SQUARE_SHAPE[2] * len(INPUTS[self.input])

    @property
    def besides_the_square(self) -> list[str]:
        """The stored pictures that its input has besides the elastogram, which not every screen has."""
        return besides_the_square(self.input)

    @property
    def of_the_paper(self) -> bool:
        """Whether the network is the paper's, whatever its pictures."""
        return self.network == PAPERS_NETWORK

    @property
    def words(self) -> dict[str, str]:
        """Its network and input by name; nothing of the paper's."""
        return {} if self == NetworkKind() else {"network": self.network, "input": self.input}

    @classmethod
    def of(cls, words: Mapping[str, object]) -> Self:
        """The kind that `words` name, among others."""
        return cls(str(words.get("network", PAPERS_NETWORK)), str(words.get("input", "square")))

    @classmethod
    def trained(cls, metadata: Mapping[str, str] | None) -> Self:
        """The kind that the provenance in a weight file's metadata names."""
        return cls.of(json.loads((metadata or {}).get("provenance", "{}")).get("kind", {}))


PAPERS = NetworkKind()


class OtherNetwork(nn.Module):
    """A network of another package, which gives ``(n,)`` or ``(n, 1)`` logits.

    Parameters
    ----------
    network : nn.Module
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, *given: Tensor) -> Tensor:
        """Logits ``(n,)``."""
        return self.network(*given).flatten()


def network_class(name: str) -> type[nn.Module]:
    """The class that a configuration names.

    Parameters
    ----------
    name : str
        One of `OWN`; ``monai:`` and the name of a class of ``monai.networks.nets``; or ``module:Class``.

    Raises
    ------
    ConfigurationError
        If there is none of this name, or its package is not installed.
    """
    if name in OWN:
        return OWN[name]
    module, colon, wanted = name.partition(":")
    remedy = f"Write {', '.join(OWN)}, monai:DenseNet121 or module:Class."
    if not (colon and module and wanted):
        raise ConfigurationError(f"There is no network {name!r}.", remedy)
    try:
        found = getattr(importlib.import_module(MONAI_NETWORKS if module == MONAI else module), wanted, None)
    except ModuleNotFoundError as error:
        if module == MONAI:
            remedy = "Install it: uv pip install monai (or the extra monai of this project)."
        else:
            remedy = "Put its file beside config.yaml, or install its package."
        raise ConfigurationError(f"The network {name!r} needs {error.name}, which is not here.", remedy) from error
    if not (isinstance(found, type) and issubclass(found, nn.Module)):
        raise ConfigurationError(f"{module} has no network {wanted} (a class of torch.nn.Module).", remedy)
    return found


def takes_stiffness(network: nn.Module | type[nn.Module]) -> bool:
    """Whether a network, or a class, takes each picture's liver stiffness besides the picture."""
    return bool(getattr(getattr(network, "network", network), "takes_stiffness", False))


def make_network(kind: NetworkKind, seed: int) -> nn.Module:
    """A network with seeded weights, whatever other threads draw.

    Raises
    ------
    ConfigurationError
        If there is no such network, or it cannot be made for so many channels.
    """
    cls = network_class(kind.network)
    if kind.network in OWN:
        network = cls(kind.channels)
        draw_weights(network, seed)
        return network
    given = {"spatial_dims": 2, "in_channels": kind.channels, "out_channels": 1}
    with _ONE_AT_A_TIME, torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        try:
            return OtherNetwork(cls(**given) if kind.network.startswith(f"{MONAI}:") else cls(kind.channels))
        except TypeError as error:
            raise ConfigurationError(
                f"The network {kind.network!r} cannot be made: {error}.",
                "Its class takes the number of channels; a class of MONAI spatial_dims, in_channels and out_channels.",
            ) from error


def network_of(weights: Mapping[str, NDArray], kind: NetworkKind = PAPERS) -> nn.Module:
    """A trained network on the processor, from its weights by name.

    Raises
    ------
    ConfigurationError
        If there is no such network.
    RuntimeError
        If the weights are not its own.
    """
    network = make_network(kind, 0)
    network.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in weights.items()})
    return network.eval()


def load_network(path: str | Path) -> nn.Module:
    """A trained network on the processor, from its safetensors file, which says what network it is."""
    with safe_open(path, framework="numpy") as file:
        weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    return network_of(weights, kind_of_file(path))


def kind_of_file(path: str | Path) -> NetworkKind:
    """The kind of the network whose weights a safetensors file holds."""
    with safe_open(path, framework="numpy") as file:
        return NetworkKind.trained(file.metadata())


def load_networks(weights: Mapping[str, str | Path]) -> dict[str, nn.Module]:
    """Networks by stage from their weight files, in the memory layout that is fastest on a CPU."""
    return {stage: load_network(path).to(memory_format=torch.channels_last) for stage, path in weights.items()}
