"""The augmentation of `dlre_core.augment` for images that live on an accelerator."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dlre_core.augment import fixed_point, tones
from dlre_core.blend_kernels import BLEND_SCALE, ROUNDING, WEIGHT_BITS, WHOLE
from dlre_core.pixel_kernels import FRACTION_BITS


def apply_transforms_on_device(
    rois: Tensor,
    indices: NDArray[np.int64],
    transforms: NDArray[np.float32],
    jitter: NDArray[np.float32] | None = None,
) -> Tensor:
    """Sample images through affine transforms, bilinearly, with the border repeated.

    The processor's kernel in PyTorch's elementwise operations: the same integers, and the same float32
    operations one by one, so that both give the same numbers (docs/decisions.md, 13).

    Parameters
    ----------
    rois : (m, side, side, 3) uint8 tensor
        All images, resident on the device.
    indices : (n,) int64
        Which image each output is made from.
    transforms : (n, 2, 3) float32
        From output to source pixel coordinates (x, y), as `dlre_core.augment.draw_transforms`
        makes them.
    jitter : (n, 2) float32, optional
        As `dlre_core.augment.draw_jitter` makes it.

    Returns
    -------
    (n, 3, side, side) float32 tensor in channels-last memory
        Colours / 255 - 0.5.

    Raises
    ------
    ValueError
        If a coefficient is not finite or beyond a million pixels.
    """
    device, (height, width) = rois.device, rois.shape[1:3]
    matrices = torch.from_numpy(fixed_point(transforms)).to(device)[:, :, :, None, None]
    rows = torch.arange(height, device=device)[:, None]
    columns = torch.arange(width, device=device)[None, :]
    x, y = (
        matrices[:, k, 0] * columns + matrices[:, k, 1] * rows + matrices[:, k, 2] for k in (0, 1)
    )
    left, right, across = _neighbours(x, width)
    top, bottom, down = _neighbours(y, height)
    image = torch.from_numpy(np.asarray(indices, np.int64)).to(device)[:, None, None]

    def column(at: Tensor) -> Tensor:
        upper, lower = (rois[image, row, at].int() for row in (top, bottom))
        return WHOLE * upper + down * (lower - upper)

    start = column(left)
    value = (WHOLE * start + across * (column(right) - start)).float()
    tone = torch.from_numpy(tones(len(indices), jitter, normalise=True)).to(device)
    gain, bias, low, high = tone.T[:, :, None, None, None]
    gain = gain * float(BLEND_SCALE)
    value = (value * gain + bias).clamp(low, high)
    return value.permute(0, 3, 1, 2)


def _neighbours(coordinate: Tensor, size: int) -> tuple[Tensor, Tensor, Tensor]:
    """`dlre_core.blend_kernels.neighbours` of every coordinate, and the pixel after the first."""
    at = (coordinate + ROUNDING).clamp(0, (size - 1) << FRACTION_BITS)
    first = (at >> FRACTION_BITS).clamp(max=max(size - 2, 0))
    share = (at >> (FRACTION_BITS - WEIGHT_BITS)) - (first << WEIGHT_BITS)
    return first, (first + 1).clamp(max=size - 1), share[..., None].int()
