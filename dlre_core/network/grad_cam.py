"""Where a network looks: gradient-weighted class activation maps."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from dlre_core.network.fibrosis_network import network_input
from dlre_core.network.kinds import takes_stiffness


def grad_cam(network: nn.Module, image: NDArray[np.uint8], stiffness_kpa: float = float("nan")) -> NDArray[np.float32]:
    """What in a picture speaks for the network's answer.

    The last maps of the network (of the paper's, the last pooling layer's; of another package's, its last
    convolution's), weighted by the mean gradient of the logit (of its negative
    where the answer is no), cut at zero and enlarged.

    Parameters
    ----------
    network : nn.Module
    image : (250, 250, channels) uint8
    stiffness_kpa : float
        Of the picture, for a network that takes it.

    Returns
    -------
    (250, 250) float32
        0 to 1; all 0 where nothing speaks for the answer.

    References
    ----------
    Selvaraju RR, et al. Grad-CAM. ICCV 2017:618-626. doi:10.1109/ICCV.2017.74
    """
    # The order of a convolution's sums, and with it the last bit, follows the layout in memory: always rows first.
    images = network_input(image[None]).contiguous()
    joined = [torch.tensor([stiffness_kpa], dtype=torch.float32)] if takes_stiffness(network) else []
    maps, logit = _maps_and_logit(network, images, joined)
    (gradient,) = torch.autograd.grad(logit if logit > 0 else -logit, maps)
    cam = functional.relu((maps * gradient.mean(dim=(2, 3), keepdim=True)).sum(dim=1, keepdim=True))
    cam = functional.interpolate(cam.detach(), size=image.shape[:2], mode="bilinear", align_corners=False)[0, 0]
    largest = float(cam.max())
    return (cam / largest if largest > 0 else cam).numpy().astype(np.float32)


def _maps_and_logit(network: nn.Module, images: Tensor, joined: list[Tensor]) -> tuple[Tensor, Tensor]:
    if hasattr(network, "feature_maps"):
        with torch.no_grad():
            maps = network.feature_maps(images)
        maps.requires_grad_(True)
        return maps, network.logits(maps, *joined).squeeze()
    seen: list[Tensor] = []
    hooks = [
        layer.register_forward_hook(lambda layer, given, maps: seen.append(maps))
        for layer in network.modules()
        if isinstance(layer, nn.Conv2d)
    ]
    logit = network(images, *joined).squeeze()
    for hook in hooks:
        hook.remove()
    return seen[-1], logit
