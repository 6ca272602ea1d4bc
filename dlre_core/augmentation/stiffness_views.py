"""Views of a picture as a softer or stiffer liver with the same texture would look.

A blended pixel is o C(u) + (1 - o) g: colour C of the map at position u, opacity o, grey g of the B-mode. In
differences
of its channels the grey cancels out, so that they tell u; then o (C(f u) - C(u)) is what the pixel changes by when
stiffness is f times as high. Texture is a ratio of stiffnesses and stays.

Networks trained so cannot lean on the colour alone (docs/design/training.md).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from dlre_core.elastography.colour_map import MAP_POSITIONS, colour_table

# Positions on the map are bytes: 0 is no colour, 1 to 255 are soft to stiff.
LAST = 255
# Least difference between a coloured pixel's channels; what is below is grey.
COLOURED = 20
# Of a hue, within which only its purity tells where at the dark ends of the map a pixel lies; and how far its lowest
# channels may
# stand in the other order before it is none of the map's hues.
PURE, FOREIGN = 0.03, 10
# The spread of the purest colours is full scale times opacity: this share of the coloured pixels may exceed it.
PUREST = 0.02
_BLUE, _CYAN, _YELLOW, _RED = MAP_POSITIONS[1:5]
_DARK_BLUE_SPREAD, _DARK_RED_SPREAD = (int(np.ptp(colour_table()[end].astype(np.int64))) / 255 for end in (0, -1))


@dataclass(frozen=True)
class Located:
    """Where the pixels of n pictures lie on the colour map.

    Attributes
    ----------
    positions : (n, height, width) uint8
        0 where there is no colour, else 1 (soft) to 255 (stiff).
    opacity : (n,) float32
        Of each picture's colours, 0 to 1.
    """

    positions: NDArray[np.uint8]
    opacity: NDArray[np.float32]


def locate_stiffness(pictures: NDArray[np.uint8]) -> Located:
    """Find every pixel of pictures (n, height, width, 3) uint8 on the documented colour map.

    Examples
    --------
    >>> picture = np.full((1, 2, 2, 3), 90, np.uint8)
    >>> picture[0, 0] = (90, 218, 218)
    >>> locate_stiffness(picture).positions[0].tolist()
    [[95, 95], [0, 0]]
    """
    n, height, width = pictures.shape[:3]
    positions = np.empty((n, height, width), np.uint8)
    opacity = np.empty(n, np.float32)
    _locate(np.ascontiguousarray(pictures), positions, opacity)
    return Located(positions, opacity)


def locate_for_views(pictures: NDArray[np.uint8], augmentation: Mapping[str, Any]) -> Located | None:
    """`locate_stiffness` of pictures of which ``training.augmentation`` asks for views of another stiffness."""
    return locate_stiffness(pictures) if augmentation.get("stiffness", 0) > 0 else None


def with_stiffness(
    pictures: NDArray[np.uint8],
    located: Located,
    indices: NDArray[np.int64],
    factors: NDArray[np.float32],
) -> NDArray[np.uint8]:
    """Pictures, their stiffness multiplied.

    Parameters
    ----------
    pictures : (m, height, width, 3) uint8
    located : Located
        Of ``pictures``.
    indices : (n,) int64
        Which picture each output is made from.
    factors : (n,) float32

    Returns
    -------
    (n, height, width, 3) uint8
    """
    out = np.empty((len(indices), *pictures.shape[1:]), np.uint8)
    changes = stiffness_changes(located.opacity[indices], factors)
    change_stiffness(pictures, located.positions, np.asarray(indices, np.int64), changes, out)
    return out


def stiffness_changes(opacity: NDArray[np.float32], factors: NDArray[np.float32]) -> NDArray[np.int16]:
    """What pixels change by when a picture's stiffness is multiplied, within the map's ends.

    Parameters
    ----------
    opacity, factors : (n,) float32

    Returns
    -------
    (n, 256, 3) int16
        By position on the map; nothing for position 0, no colour.
    """
    table = colour_table(LAST).astype(np.float64)
    at = np.linspace(0, 1, LAST)
    moved = np.clip(np.asarray(factors, np.float64)[:, None] * at, 0, 1)
    colours = np.stack([np.interp(moved, at, table[:, c]) for c in range(3)], axis=2)
    changes = np.zeros((len(factors), LAST + 1, 3), np.int16)
    changes[:, 1:] = np.rint(np.asarray(opacity, np.float64)[:, None, None] * (colours - table))
    return changes


@numba.njit(cache=True, nogil=True)
def change_stiffness(
    pictures: NDArray[np.uint8],
    positions: NDArray[np.uint8],
    indices: NDArray[np.int64],
    changes: NDArray[np.int16],
    out: NDArray[np.uint8],
) -> None:
    """Fill ``out`` (mutated) with pictures of another stiffness.

    Parameters
    ----------
    pictures : (m, height, width, 3) uint8
    positions : (m, height, width) uint8
        As `locate_stiffness` finds them.
    indices : (n,) int64
        Which picture each output is made from.
    changes : (n, 256, 3) int16
        As `stiffness_changes` makes them.
    out : (n, height, width, 3) uint8
        Written whole.
    """
    for k in range(len(indices)):
        source, target = pictures[indices[k]].reshape(-1), out[k].reshape(-1)
        where, change = positions[indices[k]].reshape(-1), changes[k]
        for i in range(len(where)):
            for channel in range(3):
                value = np.int32(source[3 * i + channel]) + change[where[i], channel]
                target[3 * i + channel] = min(max(value, 0), 255)


@numba.njit(cache=True, nogil=True)
def _spread(red: int, green: int, blue: int) -> int:
    return max(red, green, blue) - min(red, green, blue)


@numba.njit(cache=True, nogil=True)
def _locate(pictures, positions, opacity):
    counts = np.zeros(256, np.int64)
    for k in range(pictures.shape[0]):
        pixels, found = pictures[k].reshape(-1), positions[k].reshape(-1)
        counts[:] = 0
        for i in range(len(found)):
            counts[_spread(pixels[3 * i], pixels[3 * i + 1], pixels[3 * i + 2])] += 1
        largest, above = 255, 0
        allowed = PUREST * counts[COLOURED:].sum()
        while largest > COLOURED and above + counts[largest] <= allowed:
            above += counts[largest]
            largest -= 1
        opacity[k] = largest / 255
        for i in range(len(found)):
            red, green, blue = pixels[3 * i], pixels[3 * i + 1], pixels[3 * i + 2]
            found[i] = 0
            if _spread(red, green, blue) >= COLOURED:
                at = _position(np.int64(red), np.int64(green), np.int64(blue), largest)
                found[i] = 0 if at < 0 else 1 + int(at * (LAST - 1) + 0.5)


@numba.njit(cache=True, nogil=True)
def _position(red: int, green: int, blue: int, largest: int) -> float:
    """Position 0 to 1 on the map by hue, at its dark ends by purity; negative where the hue is none of the map's."""
    if green >= blue and green >= red:
        return _CYAN + (_YELLOW - _CYAN) * (green - blue) / (2 * green - red - blue)
    if blue > red:
        share, spread = max(green - red, 0) / (blue - red), blue - red
        if red - green > FOREIGN:
            return -1.0
        if share < PURE and spread < largest:
            return _BLUE * max(1 - (1 - spread / largest) / (1 - _DARK_BLUE_SPREAD), 0.0)
        return _BLUE + (_CYAN - _BLUE) * share
    share, spread = (red - green) / max(red - blue, 1), red - blue
    if blue - green > FOREIGN:
        return -1.0
    if share > 1 - PURE and spread < largest:
        return _RED + (1 - _RED) * min((1 - spread / largest) / (1 - _DARK_RED_SPREAD), 1.0)
    return _YELLOW + (_RED - _YELLOW) * min(share, 1.0)
