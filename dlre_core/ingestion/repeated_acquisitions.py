"""Tell whether two pictures show one acquisition: a lossy copy, a screenshot, the frame without its Q-Box."""

import base64
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dlre_core.elastography.elastogram import LINE_DISTANCE, BoxColours
from dlre_core.elastography.screen_layout import Rectangle, ScreenLayout
from dlre_core.ingestion.look_alikes import hashes_as_text, hashes_from_text, perceptual_hashes

# Cells of the box over which places on the colour scale are averaged: rows, columns.
GRID = (24, 32)
# Places on the scale as bytes: 0 to 250, and a cell without signal.
STEPS, EMPTY = 250, 255
# Share of a cell's pixels that must carry colour, and of all cells that two pictures must have in common.
LEAST_COLOURED, LEAST_COMMON = 0.5, 0.25
MOST_DIFFERENT_BITS = 60
LEAST_CORRELATION = 0.7
MOST_DIFFERENT_LEVEL = 0.04
# Standard deviation of the cells, as a share of the scale, below which a map is even.
EVEN = 0.004


@dataclass(frozen=True)
class Fingerprint:
    """What stays of an acquisition however it is saved.

    ``bits`` (255,) bool is the perceptual hash of the B-mode picture where the box lies, without colours and Q-Box;
    ``cells`` (24, 32) uint8 the mean place on the colour scale in cells of the box, 0 to 250, 255 without signal.
    """

    bits: NDArray[np.bool_]
    cells: NDArray[np.uint8]

    def as_text(self) -> str:
        """The fingerprint as a line of text, for `fingerprint_of_text`."""
        (bits,) = hashes_as_text(self.bits[None])
        return f"{bits} {base64.b64encode(self.cells.tobytes()).decode('ascii')}"


def fingerprint_of_text(text: str) -> Fingerprint:
    """The fingerprint that `Fingerprint.as_text` wrote."""
    bits, cells = text.split()
    grid = np.frombuffer(base64.b64decode(cells), dtype=np.uint8).reshape(GRID)
    return Fingerprint(hashes_from_text([bits])[0], grid)


def fingerprint(pixels: NDArray[np.uint8], layout: ScreenLayout, colours: BoxColours) -> Fingerprint:
    """Fingerprint of a picture.

    Parameters
    ----------
    pixels : (height, width, 3) uint8
    layout : ScreenLayout
    colours : BoxColours
        As `dlre_core.elastography.elastogram.read_box` reads them.
    """
    place = _without_colours(layout)
    shown = place.cut(pixels)
    (bits,) = perceptual_hashes([shown[None]])
    return Fingerprint(bits, _cells(colours))


@dataclass(frozen=True)
class Likeness:
    """How alike two fingerprints are.

    Bits of 255 that differ, correlation of the maps' cells (NaN where a map is even), difference of their means as a
    share of the scale, and share of the cells that both have.
    """

    different_bits: int
    correlation: float
    different_level: float
    common: float


def likeness(first: Fingerprint, second: Fingerprint) -> Likeness:
    """Compare two fingerprints."""
    bits = int((first.bits != second.bits).sum())
    both = (first.cells != EMPTY) & (second.cells != EMPTY)
    if not both.any():
        return Likeness(bits, np.nan, 1.0, 0.0)
    one, other = (part.cells[both].astype(np.float64) / STEPS for part in (first, second))
    level = abs(float(one.mean() - other.mean()))
    spread = one.std() * other.std()
    even = min(one.std(), other.std()) < EVEN
    correlation = np.nan if even else float(((one - one.mean()) * (other - other.mean())).mean() / spread)
    return Likeness(bits, correlation, level, float(both.mean()))


def same_acquisition(first: Fingerprint, second: Fingerprint) -> bool:
    """Whether two pictures of a patient show one acquisition.

    Both must hold: the B-mode picture looks the same, and the stiffness map in the box is the same but for what a
    codec or another size changes. An even map has nothing to correlate; then its level decides.
    """
    alike = likeness(first, second)
    if alike.different_bits > MOST_DIFFERENT_BITS or alike.common < LEAST_COMMON:
        return False
    if alike.different_level > MOST_DIFFERENT_LEVEL:
        return False
    return bool(np.isnan(alike.correlation) or alike.correlation >= LEAST_CORRELATION)


def _without_colours(layout: ScreenLayout) -> Rectangle:
    """The box's place in the lower picture, else the box itself."""
    if layout.twin is None:
        return layout.box
    right = layout.twin.left - layout.elastogram.left
    down = layout.twin.top - layout.elastogram.top
    box = layout.box
    moved = Rectangle(box.left + right, box.top + down, box.right + right, box.bottom + down)
    inside = moved.common(layout.twin)
    return inside if inside.width > 0 and inside.height > 0 else box


def _cells(colours: BoxColours) -> NDArray[np.uint8]:
    """Mean place on the colour scale, lines left out, in cells of the box."""
    on_map = colours.coloured.copy()
    on_map[colours.coloured] = colours.distance <= LINE_DISTANCE
    places = np.zeros(on_map.shape, dtype=np.float32)
    places[on_map] = colours.position[colours.distance <= LINE_DISTANCE]
    total, number, pixels = (_sums(part) for part in (places, on_map, np.ones_like(on_map)))
    enough = number >= LEAST_COLOURED * pixels
    cells = np.full(GRID, EMPTY, dtype=np.uint8)
    cells[enough] = np.rint(STEPS * total[enough] / number[enough])
    return cells


def _sums(values: NDArray) -> NDArray[np.float64]:
    """Sums over the cells of `GRID`; a box has more pixels than cells either way."""
    for axis, cells in enumerate(GRID):
        edges = np.linspace(0, values.shape[axis], cells + 1).round().astype(int)[:-1]
        values = np.add.reduceat(values.astype(np.float64), edges, axis=axis)
    return values
