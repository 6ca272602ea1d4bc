"""The elastograph's colour map: stiffness to colour and back.

The map is linear in Young's modulus (kPa): dark blue, blue, cyan, yellow, red, dark red from soft to
stiff. Full green is reached at 0.37 of the scale, full red at 0.62, and green is gone at 0.86
(gathered from public Aixplorer pictures; see docs/design/elastograms.md).
"""

import numpy as np
from numpy.typing import NDArray

from dlre_core.elastography.colour_kernels import nearest_colours

STEPS = 256
MAP_POSITIONS = (0.0, 0.12, 0.37, 0.62, 0.86, 1.0)
_RED = (2, 0, 0, 255, 255, 137)
_GREEN = (0, 0, 255, 255, 0, 3)
_BLUE = (151, 255, 255, 0, 0, 2)

# Brightest channel of what counts as black; spread between channels of a background that is not grey.
BLACK, TINT, BACKGROUND_SHARE = 40, 12, 0.1


def colour_table(steps: int = STEPS) -> NDArray[np.uint8]:
    """The documented colour map, ``(steps, 3)`` uint8, from soft to stiff."""
    at = np.linspace(0, 1, steps)
    channels = [np.interp(at, MAP_POSITIONS, values) for values in (_RED, _GREEN, _BLUE)]
    return np.rint(np.stack(channels, axis=1)).astype(np.uint8)


def read_colour_bar(bar: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """The colour map as a picture's own colour bar shows it.

    Parameters
    ----------
    bar : (height, width, 3) uint8
        The colour bar, stiff at the top.

    Returns
    -------
    (256, 3) uint8 or None
        None where the bar is not a colour bar: too small, grey, or not in the order of the map.
    """
    if bar.shape[0] < 32 or bar.shape[1] < 3:
        return None
    inner = bar[:, bar.shape[1] // 4 : max(bar.shape[1] // 4 + 1, 3 * bar.shape[1] // 4)]
    # Sorted along the last axis, the median takes a third of the time.
    rows = np.median(np.ascontiguousarray(inner.transpose(0, 2, 1)), axis=2)[::-1]
    at = np.linspace(0, len(rows) - 1, STEPS)
    table = np.stack([np.interp(at, np.arange(len(rows)), rows[:, c]) for c in range(3)], axis=1)
    if np.abs(table - colour_table()).mean() > 25:
        return None
    return np.rint(table).astype(np.uint8)


def invert_colours(
    colours: NDArray[np.float32], table: NDArray[np.uint8]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Position of colours on the map, by the nearest entry.

    Parameters
    ----------
    colours : (3, n) float32
        Red, green and blue of un-blended colours, 0 to 255.
    table : (256, 3) uint8

    Returns
    -------
    position : (n,) float32
        0 (soft) to 1 (stiff).
    distance : (n,) float32
        Euclidean distance to the map in grey levels; large where the colour is none of the map's.
    """
    index = np.empty(colours.shape[1], dtype=np.int32)
    squared = np.empty(colours.shape[1], dtype=np.float32)
    nearest_colours(colours, table.astype(np.float32), index, squared)
    return (index / (len(table) - 1)).astype(np.float32), np.sqrt(squared)


def black_is_recoloured(screen: NDArray[np.uint8]) -> bool:
    """True where nothing is black, or the background, the commonest colour, is tinted (a PACS did that)."""
    # Channel by channel: numpy is slow along an axis of three.
    channels = np.ascontiguousarray(screen.reshape(-1, 3)[::101].T)
    # Steps of 8 grey levels hold a colour together that lossy compression spread.
    red, green, blue = (channels >> 3).astype(np.int32)
    counts = np.bincount(red << 10 | green << 5 | blue)
    commonest = int(counts.argmax())
    background = [(commonest >> shift & 31) << 3 for shift in (10, 5, 0)]
    tinted = max(background) > BLACK and max(background) - min(background) > TINT
    common = counts[commonest] > BACKGROUND_SHARE * channels.shape[1]
    return bool(channels.max(axis=0).min() > BLACK or (common and tinted))
