"""The four sides of a box on any screen: the curves along which a thin line lies, or the colours end, or both.

A line may be white or coloured, dashed, crossed by a text, or missing; the colours may have holes at the edge. So no
point counts by itself: what counts is the mean along a whole side, straight at the left and right, a parabola at the
top and bottom, of how far the pixels stand out from both neighbours and how far the colours begin there.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from dlre_core.elastography.box_outline import rectangle_of
from dlre_core.elastography.screen_layout import Rectangle
from dlre_core.screens.curve_kernel import sum_along_curves

# A line that stands out so far, grey levels, is as evident as can be; a side must have so much evidence at the mean,
# of 2: all along it a line, and colours that end there.
CLEAR_LINE, LEAST_EVIDENCE = 40.0, 0.3
# With so much a side is evident by itself: no edge of a vessel is so straight, and no line of the tissue so whole.
EVIDENT = 0.6
# Columns at either side that tell where colours end.
BESIDE = 4
# Slopes at the left and right; slopes and heights of the arc at the top and bottom, as shares of half the side.
LEANING, TILTED, BENT = 0.5, 0.3, 0.22
# The ends of a side may belong to the next one.
CORNER = 0.12
# Sides lie up to this share of the box's size outside its colours, and so far inside, where they lean.
OUTSIDE, INSIDE = 0.15, 0.35
# First curves are so many pixels apart at their ends; so many of the best are looked at pixel by pixel.
COARSE, BEST = 3, 12
# Half the width of a line, less what the last pixel of a sharp corner falls short of it, pixels.
HALF_LINE = 0.3
# A line is two pixels wide where the outer one stands out so much as the inner one.
AS_EVIDENT = 0.6


@dataclass(frozen=True)
class FoundBox:
    """A box, and how many of its four sides are evident by themselves."""

    place: Rectangle
    evident: int

    def moved(self, right: int, down: int) -> "FoundBox":
        """The same so many pixels further right and down."""
        return FoundBox(self.place.moved(right, down), self.evident)


@dataclass(frozen=True)
class _Side:
    """A side of a picture that is turned so that the side is its left one.

    ``line`` and ``edge`` are (height, width) float32: how far a pixel stands out from both neighbours, -1/2 to 1, and
    how far colours begin there, -1 to 1; the side lies in ``rows`` (first, last) and ``columns`` (first, last).
    """

    line: NDArray[np.float32]
    edge: NDArray[np.float32]
    rows: tuple[int, int]
    columns: tuple[int, int]
    bent: bool


def find_sides(pictures: list[NDArray[np.uint8]], coloured: NDArray[np.bool_], rough: Rectangle) -> FoundBox:
    """The rectangle around a box, to its outline where one is drawn.

    Parameters
    ----------
    pictures : list of (height, width, 3) uint8
        The picture with colours, and where there is one its twin: a line counts that is in both.
    coloured : (height, width) bool
        Of the first one.
    rough : Rectangle
        Around the coloured pixels.

    Returns
    -------
    FoundBox
    """
    height, width = coloured.shape
    across = _two_sides(pictures, coloured, (rough.top, rough.bottom), (rough.left, rough.right), bent=False)
    turned = [picture.transpose(1, 0, 2) for picture in pictures]
    down = _two_sides(turned, coloured.T, (rough.left, rough.right), (rough.top, rough.bottom), bent=True)
    sides = (*across, *down)
    found = rectangle_of(tuple(curve for curve, _ in sides), HALF_LINE)
    if found is None:
        return FoundBox(rough, 0)
    return FoundBox(found.clamped(height, width), sum(evidence >= EVIDENT for _, evidence in sides))


def _two_sides(
    pictures: list[NDArray[np.uint8]],
    coloured: NDArray[np.bool_],
    rows: tuple[int, int],
    columns: tuple[int, int],
    *,
    bent: bool,
) -> list[tuple[NDArray[np.float64], float]]:
    """The left and the right side as polynomials of the row, each with its evidence; without any, where colours end."""
    line = np.minimum.reduce([_standing_out(picture) for picture in pictures])
    width = coloured.shape[1]
    left, left_evidence = _curve(_Side(line, _beginning(coloured), rows, columns, bent))
    turned = (width - columns[1], width - columns[0])
    right, right_evidence = _curve(_Side(line[:, ::-1], _beginning(coloured[:, ::-1]), rows, turned, bent))
    right = -right
    right[-1] += width - 1
    return [(left, left_evidence), (right, right_evidence)]


def _standing_out(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """How far pixels stand out from both neighbours in their row in any channel, -1/2 to 1."""
    out = np.full(picture.shape[:2], -1, dtype=np.float32)
    for channel in range(3):
        values = picture[..., channel].astype(np.float32)
        beside = np.maximum(values[:, :-4], values[:, 4:])
        out[:, 2:-2] = np.maximum(out[:, 2:-2], (values[:, 2:-2] - beside) / CLEAR_LINE)
    return out.clip(-0.5, 1)


def _beginning(coloured: NDArray[np.bool_]) -> NDArray[np.float32]:
    """How far colours begin at each pixel of a row: their share at its right less that at its left."""
    share = ndimage.uniform_filter1d(coloured.astype(np.float32), BESIDE, axis=1, mode="constant")
    # The filter's own centre is half a pixel off.
    right, left = np.zeros_like(share), np.zeros_like(share)
    right[:, : -BESIDE // 2] = share[:, BESIDE // 2 :]
    left[:, BESIDE // 2 :] = share[:, : -BESIDE // 2]
    return right - left


def _curve(side: _Side) -> tuple[NDArray[np.float64], float]:
    """The most evident curve, as a polynomial of the row (numpy's order), and its evidence; without any (0), where
    the colours begin."""
    first, last = side.rows
    length = last - first
    corner = round(CORNER * length)
    rows = np.arange(first + corner, last - corner)
    middle, half = (first + last - 1) / 2, length / 2
    along = (rows - middle) / half
    size = side.columns[1] - side.columns[0]
    left = max(side.columns[0] - round(OUTSIDE * max(size, length)) - BESIDE, 0)
    right = min(side.columns[0] + round(INSIDE * max(size, length)), side.line.shape[1])
    evidence = np.ascontiguousarray((side.line + side.edge)[:, left:right])
    nowhere = np.array([float(side.columns[0])])
    if len(rows) < 8 or evidence.shape[1] < 8:
        return nowhere, 0.0
    # Far apart, curves meet a line that is made wider.
    wide = ndimage.maximum_filter1d(evidence, COARSE, axis=1)
    slopes = np.arange(-(TILTED if side.bent else LEANING), (TILTED if side.bent else LEANING) + 1e-9, COARSE / half)
    bends = np.arange(-BENT, BENT + 1e-9, COARSE / half) if side.bent else np.zeros(1)
    shapes = np.stack(np.meshgrid(bends, slopes, indexing="ij"), axis=-1).reshape(-1, 2)
    total = _sums(wide, rows[::3], along[::3], shapes, half)
    best = np.unravel_index(np.argsort(total, axis=None)[::-1][:BEST], total.shape)
    found, column, most = None, 0, LEAST_EVIDENCE
    steps = np.arange(-COARSE, COARSE + 1) / half
    near = np.stack(np.meshgrid(steps if side.bent else np.zeros(1), steps, indexing="ij"), axis=-1).reshape(-1, 2)
    for shape in np.unique(shapes[best[0]], axis=0):
        fine = _sums(evidence, rows, along, shape + near, half)
        at = np.unravel_index(int(fine.argmax()), fine.shape)
        if fine[at] > most:
            found, most = (shape + near)[at[0]], float(fine[at])
            column = int(at[1])
    if found is None:
        return nowhere, 0.0
    line = _sums(np.ascontiguousarray(side.line[:, left:right]), rows, along, found[None], half)[0]
    if column and line[column - 1] > AS_EVIDENT * line[column] > 0:
        column -= 1
    curve = np.array([found[0] * half, found[1] * half, left + column])
    return np.poly1d(curve)(np.poly1d([1 / half, -middle / half])).coeffs, most


def _sums(
    evidence: NDArray[np.float32],
    rows: NDArray[np.intp],
    along: NDArray[np.float64],
    shapes: NDArray[np.float64],
    half: float,
) -> NDArray[np.float32]:
    """Mean evidence along curves of given bends and slopes (k, 2), put at every column: (k, width) float32."""
    powers = np.stack([along**2, along])
    curves = np.rint(half * shapes @ powers).astype(np.intp)
    total = np.empty((len(shapes), evidence.shape[1]), dtype=np.float32)
    sum_along_curves(evidence, rows, curves, total)
    return total / len(rows)
