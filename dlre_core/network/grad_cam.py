"""Where a network looks: gradient-weighted class activation maps."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from dlre_core.network.fibrosis_network import FibrosisNetwork, network_input


def grad_cam(network: FibrosisNetwork, image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What in a picture speaks for the network's answer.

    The maps of the last pooling layer, weighted by the mean gradient of the logit (of its negative
    where the answer is no), cut at zero and enlarged.

    Parameters
    ----------
    network : FibrosisNetwork
    image : (250, 250, 3) uint8

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
    with torch.no_grad():
        maps = network.feature_maps(images)
    maps.requires_grad_(True)
    logit = network.logits(maps).squeeze()
    (gradient,) = torch.autograd.grad(logit if logit > 0 else -logit, maps)
    cam = functional.relu((maps * gradient.mean(dim=(2, 3), keepdim=True)).sum(dim=1, keepdim=True))
    cam = functional.interpolate(cam.detach(), size=image.shape[:2], mode="bilinear", align_corners=False)[0, 0]
    largest = float(cam.max())
    return (cam / largest if largest > 0 else cam).numpy().astype(np.float32)
