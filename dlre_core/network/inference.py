"""Probabilities of pictures by a network in this process."""

import numpy as np
import torch
from numpy.typing import NDArray

from dlre_core.foundation.picture_store import StoredSquares
from dlre_core.network.fibrosis_network import FibrosisNetwork, network_input


def picture_probabilities(
    network: FibrosisNetwork,
    rois: NDArray[np.uint8] | StoredSquares,
    *,
    chosen: NDArray[np.int64] | None = None,
    batch_size: int = 32,
    device: torch.device | None = None,
) -> NDArray[np.float64]:
    """Probabilities of images ``(n, 250, 250, 3)`` uint8, or of the ``chosen`` ones, in process.

    A number of images at a time; arithmetic is float32, or autocast's, the probability always float32.
    """
    chosen = np.arange(len(rois)) if chosen is None else chosen
    network.eval()
    with torch.inference_mode():
        parts = [
            torch.sigmoid(network(network_input(rois[chosen[start : start + batch_size]], device)).float())
            for start in range(0, len(chosen), batch_size)
        ]
    return torch.cat(parts).double().cpu().numpy() if parts else np.empty(0)
