"""The views of `dlre_core.augmentation.views` and `dlre_core.augmentation.stiffness_views` for pictures that live on
an accelerator.

Only operations on tensors of the device: nothing waits for it, so that they can be recorded
(`dlre_core.training.recorded_steps`).
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dlre_core.augmentation.blend_kernels import BLEND_SCALE, ROUNDING, WEIGHT_BITS, WHOLE
from dlre_core.augmentation.pixel_kernels import FRACTION_BITS
from dlre_core.augmentation.stiffness_views import locate_stiffness, stiffness_changes
from dlre_core.augmentation.views import Views, fixed_point, tones
from dlre_core.foundation.picture_store import READ_AT_ONCE, StoredSquares


@dataclass(frozen=True)
class Resident:
    """Pictures of an arm where an accelerator finds them.

    Attributes
    ----------
    pictures : (m, side, side, 3) uint8 tensor on the device
    positions : (m, side, side) uint8 tensor on the device, or None
        `dlre_core.augmentation.stiffness_views.Located.positions`, where views of another stiffness are drawn.
    opacity : (m,) float32
        `dlre_core.augmentation.stiffness_views.Located.opacity`; on the host.
    """

    pictures: Tensor
    positions: Tensor | None
    opacity: NDArray[np.float32]


def put_on_device(rois: NDArray[np.uint8] | StoredSquares, device: torch.device, *, stiffness_views: bool) -> Resident:
    """Send pictures (m, side, side, 3) uint8 to a device, a few at a time, however large they are together."""
    pictures = torch.empty(tuple(rois.shape), dtype=torch.uint8, device=device)
    positions = torch.empty_like(pictures[..., 0]).contiguous() if stiffness_views else None
    opacity = np.zeros(len(rois), np.float32)
    for start in range(0, len(rois), READ_AT_ONCE):
        part = slice(start, start + READ_AT_ONCE)
        read = np.ascontiguousarray(rois[part])
        pictures[part] = torch.from_numpy(read).to(device)
        if positions is not None:
            located = locate_stiffness(read)
            positions[part] = torch.from_numpy(located.positions).to(device)
            opacity[part] = located.opacity
    return Resident(pictures, positions, opacity)


def view_parameters(resident: Resident, indices: NDArray[np.int64], views: Views) -> dict[str, Tensor]:
    """What `views_on_device` needs to know, as tensors on the host, each with one row per view.

    ``indices`` (n,) int64; ``matrices`` (n, 2, 3) int64, fixed point; ``tones`` (n, 4) float32; and, for views of
    another stiffness, ``changes`` (n, 256, 3) int16.

    Raises
    ------
    ValueError
        If a coefficient is not finite or beyond a million pixels.
    """
    parameters = {
        "indices": np.asarray(indices, np.int64),
        "matrices": fixed_point(views.transforms),
        "tones": tones(len(indices), views.jitter, normalise=True),
    }
    if views.stiffness is not None:
        parameters["changes"] = stiffness_changes(resident.opacity[indices], views.stiffness)
    return {name: torch.from_numpy(given) for name, given in parameters.items()}


def views_on_device(resident: Resident, parameters: dict[str, Tensor]) -> Tensor:
    """Views of resident pictures.

    The processor's kernels in PyTorch's elementwise operations: the same integers, and the same float32
    operations one by one, so that both give the same numbers (docs/design/decisions.md, 13).

    Parameters
    ----------
    resident : Resident
    parameters : dict of tensors
        As `view_parameters` makes them, on the device.

    Returns
    -------
    (n, 3, side, side) float32 tensor in channels-last memory
        Colours / 255 - 0.5.
    """
    indices = parameters["indices"]
    pictures = resident.pictures[indices]
    if "changes" in parameters:
        if resident.positions is None:
            raise ValueError("pictures were put on the device without their positions on the map")
        pictures = _change_stiffness(pictures, resident.positions[indices], parameters["changes"])
    return _sample(pictures, parameters["matrices"], parameters["tones"])


def _change_stiffness(pictures: Tensor, positions: Tensor, changes: Tensor) -> Tensor:
    """`dlre_core.augmentation.stiffness_views.with_stiffness`, one output per picture."""
    each = torch.arange(len(pictures), device=pictures.device)[:, None, None]
    return (pictures.short() + changes[each, positions.int()]).clamp(0, 255).byte()


def _sample(pictures: Tensor, matrices: Tensor, tones: Tensor) -> Tensor:
    """`dlre_core.augmentation.views.apply_transforms`, one output per picture."""
    device, (height, width) = pictures.device, pictures.shape[1:3]
    matrices = matrices[:, :, :, None, None]
    rows = torch.arange(height, device=device)[:, None]
    columns = torch.arange(width, device=device)[None, :]
    x, y = (matrices[:, k, 0] * columns + matrices[:, k, 1] * rows + matrices[:, k, 2] for k in (0, 1))
    left, right, across = _neighbours(x, width)
    top, bottom, down = _neighbours(y, height)
    each = torch.arange(len(pictures), device=device)[:, None, None]

    def column(at: Tensor) -> Tensor:
        upper, lower = (pictures[each, row, at].int() for row in (top, bottom))
        return WHOLE * upper + down * (lower - upper)

    start = column(left)
    value = (WHOLE * start + across * (column(right) - start)).float()
    gain, bias, low, high = tones.T[:, :, None, None, None]
    gain = gain * float(BLEND_SCALE)
    value = (value * gain + bias).clamp(low, high)
    return value.permute(0, 3, 1, 2)


def _neighbours(coordinate: Tensor, size: int) -> tuple[Tensor, Tensor, Tensor]:
    """`dlre_core.augmentation.blend_kernels.neighbours` of every coordinate, and the pixel after the first."""
    at = (coordinate + ROUNDING).clamp(0, (size - 1) << FRACTION_BITS)
    first = (at >> FRACTION_BITS).clamp(max=max(size - 2, 0))
    share = (at >> (FRACTION_BITS - WEIGHT_BITS)) - (first << WEIGHT_BITS)
    return first, (first + 1).clamp(max=size - 1), share[..., None].int()
