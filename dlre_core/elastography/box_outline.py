"""The box's rectangle from its drawn outline: four sides fitted to the thin light line around the colours.

The line is on both pictures, so it is sought in the darker of the two: colours, the Q-Box's circle and
captions are on one only. Left and right are straight, top and bottom (arcs on a convex probe) parabolas;
the rectangle reaches to their corners, sharp ones that a mask of coloured pixels always loses.
"""

import numpy as np
from numpy.typing import NDArray

from dlre_core.elastography.screen_layout import Rectangle

# A side counts as seen where this share of its rows has the line within a pixel and a bit of the fit.
LEAST_SUPPORT = 0.4
TOLERANCE = 1.2
TRIES = 150
# The line may lie this share of the box's size outside the colours, where their edge has no signal.
REACH = 0.12
LEAST_CONTRAST = 12
CLOSE, LEAST_ROWS = 4, 8


def outline_box(
    coloured: NDArray[np.bool_],
    light: NDArray[np.float32],
    rough: Rectangle,
    scale: float,
) -> Rectangle:
    """Refine a box to its outline; sides without a visible line stay where they were, all where they do not meet.

    Parameters
    ----------
    coloured : (height, width) bool
        Of the upper picture.
    light : (height, width) float32
        Darkest channel of both pictures at each place, 0 to 255.
    rough : Rectangle
        Around the coloured pixels.
    scale : float
        Of the screen: the line is one pixel of a screen at 1.

    Returns
    -------
    Rectangle
    """
    margin = int(np.ceil(REACH * max(rough.width, rough.height))) + 4
    top, left = max(rough.top - margin, 0), max(rough.left - margin, 0)
    near = (slice(top, rough.bottom + margin), slice(left, rough.right + margin))
    colour, line = coloured[near], light[near]
    inner = Rectangle(rough.left - left, rough.top - top, rough.right - left, rough.bottom - top)
    # Half the line's width, less what the last pixel of a sharp corner falls short of it.
    found = rectangle_of(fit_sides(colour, line, inner, scale), 0.3 * scale)
    return rough if found is None else found.moved(left, top).clamped(*coloured.shape)


def rectangle_of(sides: tuple[NDArray[np.float64], ...], half: float) -> Rectangle | None:
    """Around a box with these sides.

    Parameters
    ----------
    sides : tuple of four (n,) float64
        Left and right as polynomials of the row, top and bottom of the column, numpy's order; centres of pixels.
    half : float
        What a side reaches out of its polynomial, pixels.

    Returns
    -------
    Rectangle or None
        None where they do not meet, or cross, as sides that are fitted to something else may.
    """
    x, y = _corners(*sides)
    in_order = (x[[0, 2]] < x[[1, 3]]).all() and (y[:2] < y[2:]).all()
    if not (in_order and np.isfinite(x).all() and np.isfinite(y).all()):
        return None
    between = np.linspace(x[:2].min(), x[:2].max(), 101), np.linspace(x[2:].min(), x[2:].max(), 101)
    edges = (
        x.min() - half,
        min(y.min(), np.polyval(sides[2], between[0]).min()) - half,
        x.max() + half,
        max(y.max(), np.polyval(sides[3], between[1]).max()) + half,
    )
    # Centres of pixels to edges.
    return Rectangle(*(round(float(edge) + 0.5) for edge in edges))


def fit_sides(
    colour: NDArray[np.bool_],
    line: NDArray[np.float32],
    inner: Rectangle,
    scale: float,
) -> tuple[NDArray[np.float64], ...]:
    """Left and right as polynomials of the row, top and bottom of the column."""
    height, width = colour.shape
    rows, columns = (inner.top, inner.bottom), (inner.left, inner.right)
    # The outline, one native pixel, is around the colours; smaller screens blend both.
    out = scale / 2 if scale > 0.8 else 0.0
    found = (
        (_leftmost(colour, line, rows, 1), inner.left - out, None),
        (_leftmost(colour[:, ::-1], line[:, ::-1], rows, 1), inner.right - 1 + out, width - 1),
        (_leftmost(colour.T, line.T, columns, 2), inner.top - out, None),
        (_leftmost(colour.T[:, ::-1], line.T[:, ::-1], columns, 2), inner.bottom - 1 + out, height - 1),
    )
    out_sides = []
    for side, rough, last in found:
        if side is None:
            side = np.array([rough])
        elif last is not None:
            side = -side
            side[-1] += last
        out_sides.append(side)
    return tuple(out_sides)


def _leftmost(
    colour: NDArray[np.bool_], line: NDArray[np.float32], span: tuple[int, int], degree: int
) -> NDArray[np.float64] | None:
    """The line left of the colours as a polynomial of the row (numpy's order), or None."""
    length = span[1] - span[0]
    rows = np.arange(span[0] + round(0.15 * length), span[1] - round(0.15 * length))
    rows = rows[colour[rows].any(axis=1)]
    if len(rows) < LEAST_ROWS:
        return None
    # Close to the colours first: further out may be another bright line, such as the liver's capsule.
    for reach in (CLOSE, int(np.ceil(REACH * length)) + CLOSE):
        row, centre = _line_points(line, rows, colour[rows].argmax(axis=1), reach)
        fit = _robust(row, centre, degree, LEAST_SUPPORT * len(rows))
        if fit is not None:
            return fit
    return None


def _line_points(
    line: NDArray[np.float32], rows: NDArray[np.intp], first: NDArray[np.intp], reach: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rows where a light line is near the first coloured column, and its centre there."""
    columns = np.clip(first[:, None] + np.arange(-reach, CLOSE), 2, line.shape[1] - 3)
    at = rows[:, None]
    contrast = line[at, columns] - np.maximum(line[at, columns - 2], line[at, columns + 2])
    best = contrast.argmax(axis=1)[:, None]
    seen = np.take_along_axis(contrast, best, axis=1)[:, 0] > LEAST_CONTRAST
    used, columns = rows[seen], np.take_along_axis(columns, best, axis=1)[seen, 0]
    three = columns[:, None] + np.arange(-1, 2)
    ground = np.minimum(line[used, columns - 2], line[used, columns + 2])
    weight = np.maximum(line[used[:, None], three] - ground[:, None], 0)
    return used.astype(np.float64), (three * weight).sum(axis=1) / weight.sum(axis=1)


def _robust(x: NDArray[np.float64], y: NDArray[np.float64], degree: int, least: float) -> NDArray[np.float64] | None:
    """Polynomial that most points lie on (random samples, then least squares), or None."""
    if len(x) < max(least, degree + 2):
        return None
    generator = np.random.default_rng(0)
    chosen = generator.integers(0, len(x), (TRIES, degree + 1))
    middle, half = (x[0] + x[-1]) / 2, max((x[-1] - x[0]) / 2, 1.0)
    powers = ((x - middle) / half)[:, None] ** np.arange(degree, -1, -1)
    matrices = powers[chosen]
    good = np.abs(np.linalg.det(matrices)) > 0.01
    fits = np.linalg.solve(matrices[good], y[chosen[good]][..., None])[..., 0]
    if not len(fits):
        return None
    distance = np.abs(powers @ fits.T - y[:, None])
    near = distance[:, (distance < TOLERANCE).sum(axis=0).argmax()] < TOLERANCE
    for _ in range(2):
        if near.sum() < max(least, degree + 2):
            return None
        fit = np.linalg.lstsq(powers[near], y[near], rcond=None)[0]
        near = np.abs(powers @ fit - y) < TOLERANCE
    return np.poly1d(fit)(np.poly1d([1 / half, -middle / half])).coeffs


def _corners(
    left: NDArray[np.float64],
    right: NDArray[np.float64],
    top: NDArray[np.float64],
    bottom: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """x and y of the corners: top left, top right, bottom left, bottom right."""
    x, y = np.empty(4), np.empty(4)
    for k, (across, down) in enumerate(((left, top), (right, top), (left, bottom), (right, bottom))):
        x[k] = across[-1]
        # Steep sides run away from each other; the caller looks.
        with np.errstate(over="ignore", invalid="ignore"):
            for _ in range(20):
                y[k] = np.polyval(down, x[k])
                x[k] = np.polyval(across, y[k])
    return x, y
