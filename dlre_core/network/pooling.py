"""2x2 max pooling and ReLU in one pass, for bfloat16 maps on the CPU; exact, and the same gradients.

Pooling in PyTorch writes eight bytes of index a value, and its gradient fills the whole map with zeros
before it adds; together half the time of a training step. Here one byte says which of the four positions
won, and each map is written once.
"""

from typing import Any

import numba
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

NOTHING = np.uint8(4)
_INFINITY = np.int16(0x7F80)
_MAGNITUDE = np.int16(0x7FFF)


def pool_relu(maps: Tensor) -> Tensor:
    """ReLU of the 2x2 maxima of ``maps`` (n, c, h, w), as (n, c, h // 2, w // 2), same dtype.

    bfloat16 in channels-last memory on the CPU takes the fused kernel, everything else PyTorch's own; the
    values and gradients are the same, a not-a-number included.
    """
    fused = (
        maps.device.type == "cpu"
        and maps.dtype == torch.bfloat16
        and maps.is_contiguous(memory_format=torch.channels_last)
    )
    if fused:
        return _PoolRelu.apply(maps)
    return functional.relu(functional.max_pool2d(maps, 2))


class _PoolRelu(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, maps: Tensor) -> Tensor:
        n, c, h, w = maps.shape
        pooled = torch.empty((n, c, h // 2, w // 2), dtype=maps.dtype, memory_format=torch.channels_last)
        winner = np.empty((n, h // 2, w // 2, c), dtype=np.uint8)
        pool_relu_kernel(_bits(maps), _bits(pooled), winner)
        context.winner, context.size = winner, maps.shape
        return pooled

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> Tensor:
        gradient = gradient.contiguous(memory_format=torch.channels_last)
        whole = torch.empty(context.size, dtype=gradient.dtype, memory_format=torch.channels_last)
        pool_relu_gradient_kernel(_bits(gradient), context.winner, _bits(whole))
        return whole


def _bits(maps: Tensor) -> NDArray[np.int16]:
    """bfloat16 (n, c, h, w) in channels-last memory as int16 (n, h, w, c), no copy."""
    return maps.detach().permute(0, 2, 3, 1).view(torch.int16).numpy()


@numba.njit(inline="always")
def _order(bits: np.int16) -> np.int16:
    """Integer that sorts like the bfloat16 with these bits; not-a-number, of any sign, comes last."""
    # Numba widens every result to 64 bits; narrowed at once, 32 values fit one vector.
    magnitude = np.int16(bits & _MAGNITUDE)
    order = np.int16(bits ^ np.int16(np.int16(bits >> np.int16(15)) & _MAGNITUDE))
    return _MAGNITUDE if magnitude > _INFINITY else order


@numba.njit(nogil=True, cache=True, inline="always")
def _pool_row(above, below, pooled, winner, columns, channels):
    for column in range(columns):
        left, at = 2 * column * channels, column * channels
        for k in range(channels):
            a, b = above[left + k], above[left + channels + k]
            c, d = below[left + k], below[left + channels + k]
            order_a, order_b, order_c, order_d = _order(a), _order(b), _order(c), _order(d)
            b_wins = order_b > order_a
            best, order = b if b_wins else a, order_b if b_wins else order_a
            position = np.uint8(1) if b_wins else np.uint8(0)
            c_wins = order_c > order
            best, order = c if c_wins else best, order_c if c_wins else order
            position = np.uint8(2) if c_wins else position
            d_wins = order_d > order
            best, order = d if d_wins else best, order_d if d_wins else order
            position = np.uint8(3) if d_wins else position
            alive = order > np.int16(0)
            pooled[at + k] = best if alive else np.int16(0)
            winner[at + k] = position if alive else NOTHING


@numba.njit(nogil=True, cache=True)
def pool_relu_kernel(maps: NDArray[np.int16], pooled: NDArray[np.int16], winner: NDArray[np.uint8]) -> None:
    """Pool bfloat16 bits ``maps`` (n, h, w, c) into ``pooled`` (n, h // 2, w // 2, c).

    ``winner``, of the same shape, gets the position 0 to 3 of each maximum in its 2x2 square, row by
    row, the first of equals; 4 where ReLU cuts it off.
    """
    n, rows, columns, channels = pooled.shape
    for i in range(n):
        for row in range(rows):
            above, below = maps[i, 2 * row].reshape(-1), maps[i, 2 * row + 1].reshape(-1)
            out, won = pooled[i, row].reshape(-1), winner[i, row].reshape(-1)
            # Known lengths of the inner loop make it straight vector code.
            if channels == 16:
                _pool_row(above, below, out, won, columns, 16)
            elif channels == 32:
                _pool_row(above, below, out, won, columns, 32)
            else:
                _pool_row(above, below, out, won, columns, channels)


@numba.njit(nogil=True, cache=True, inline="always")
def _spread_row(gradient, winner, above, below, columns, channels):
    for column in range(columns):
        left, at = 2 * column * channels, column * channels
        for k in range(channels):
            value, position = gradient[at + k], winner[at + k]
            above[left + k] = value if position == np.uint8(0) else np.int16(0)
            above[left + channels + k] = value if position == np.uint8(1) else np.int16(0)
            below[left + k] = value if position == np.uint8(2) else np.int16(0)
            below[left + channels + k] = value if position == np.uint8(3) else np.int16(0)
    above[2 * columns * channels :] = 0
    below[2 * columns * channels :] = 0


@numba.njit(nogil=True, cache=True)
def pool_relu_gradient_kernel(gradient: NDArray[np.int16], winner: NDArray[np.uint8], whole: NDArray[np.int16]) -> None:
    """Send each ``gradient`` (n, h // 2, w // 2, c) to where the maximum came from in ``whole``."""
    n, rows, columns, channels = gradient.shape
    for i in range(n):
        for row in range(rows):
            above, below = whole[i, 2 * row].reshape(-1), whole[i, 2 * row + 1].reshape(-1)
            given, won = gradient[i, row].reshape(-1), winner[i, row].reshape(-1)
            if channels == 16:
                _spread_row(given, won, above, below, columns, 16)
            elif channels == 32:
                _spread_row(given, won, above, below, columns, 32)
            else:
                _spread_row(given, won, above, below, columns, channels)
        whole[i, 2 * rows :] = 0
