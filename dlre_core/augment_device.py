"""The augmentation of `dlre_core.augment` for images that live on an accelerator."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional


def apply_transforms_on_device(
    rois: Tensor, indices: NDArray[np.int64], transforms: NDArray[np.float32]
) -> Tensor:
    """Sample images through affine transforms, bilinearly, with the border repeated.

    Parameters
    ----------
    rois : (m, side, side, 3) uint8 tensor
        All images, resident on the device.
    indices : (n,) int64
        Which image each output is made from.
    transforms : (n, 2, 3) float32
        From output to source pixel coordinates (x, y), as `dlre_core.augment.draw_transforms`
        makes them.

    Returns
    -------
    (n, 3, side, side) float32 tensor in channels-last memory
        Colours / 255 - 0.5; equal to the processor's kernel to 1e-5.
    """
    side = rois.shape[1]
    matrices = torch.from_numpy(transforms).to(rois.device)
    axis = torch.arange(side, device=rois.device, dtype=torch.float32)
    rows, columns = torch.meshgrid(axis, axis, indexing="ij")
    points = torch.stack([columns, rows, torch.ones_like(rows)], dim=-1)
    source = torch.einsum("hwk,nck->nhwc", points, matrices)
    grid = source * (2.0 / (side - 1)) - 1.0
    images = rois[torch.from_numpy(indices).to(rois.device)].permute(0, 3, 1, 2).float()
    sampled = functional.grid_sample(
        images, grid, mode="bilinear", padding_mode="border", align_corners=True
    )
    return (sampled / 255 - 0.5).contiguous(memory_format=torch.channels_last)
