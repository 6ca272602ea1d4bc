"""Several networks in one pass: what keeps a GPU busy, whose time goes into starting small operations."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from dlre_core.network.fibrosis_network import FibrosisNetwork
from dlre_core.network.pooling import pool_relu


def joint_logits(networks: Sequence[FibrosisNetwork], images: Sequence[Tensor]) -> Tensor:
    """Logits of every network, each of its own images.

    Their maps lie side by side as the groups of one convolution, and their nodes are one batch of matrices. Weights
    stay each network's own parameters, so that gradients, optimisers and checkpoints do not know of it.

    Parameters
    ----------
    networks : k FibrosisNetwork
        On one device.
    images : k tensors (n, 3, 250, 250)
        As `FibrosisNetwork.forward` takes them.

    Returns
    -------
    (k, n) tensor
    """
    if len(networks) == 1:
        return networks[0](images[0])[None]
    maps = torch.cat(list(images), dim=1)
    for layers in zip(*(network.convolutions for network in networks), strict=True):
        weight = torch.cat([layer.weight for layer in layers])
        bias = torch.cat([layer.bias for layer in layers])
        maps = pool_relu(functional.conv2d(maps, weight, bias, padding=1, groups=len(networks)))
    nodes = torch.flatten(maps, 1).view(len(maps), len(networks), -1).transpose(0, 1)
    nodes = functional.relu(_linear([network.hidden for network in networks], nodes))
    return _linear([network.output for network in networks], nodes).squeeze(2)


def _linear(layers: Sequence[nn.Linear], nodes: Tensor) -> Tensor:
    weight = torch.stack([layer.weight for layer in layers]).transpose(1, 2)
    bias = torch.stack([layer.bias for layer in layers])[:, None]
    return torch.baddbmm(bias, nodes, weight)
