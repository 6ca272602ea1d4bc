"""Find the Q-Box circle of a screen and measure the stiffness in it anew."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from dlre_core.elastogram import stiffness_map
from dlre_core.layout import ScreenLayout

DIAMETER_MM = 20.0
WHITE, DARK = 220, 110
# Share of a circle's outline that must be white.
LEAST_OUTLINE = 0.45
# Share of the circle's area that must carry stiffness.
LEAST_SIGNAL = 0.2
# Searched, as shares of the expected radius.
RADII = np.arange(0.92, 1.09, 0.02)
# The box is 30 mm high, and its curved edges make its rectangle 31.3 mm high: the scale where no
# region tag gives one.
BOX_HEIGHT_MM = 31.3


@dataclass(frozen=True)
class QBox:
    """The circle (pixels of the screen) and the stiffness in it, kPa; NaN with too little signal."""

    mean_kpa: float
    min_kpa: float
    max_kpa: float
    sd_kpa: float
    centre_row: float
    centre_column: float
    diameter_mm: float


def measure_q_box(
    screen: NDArray[np.uint8],
    layout: ScreenLayout,
    scale_maximum_kpa: float,
    opacity: float | None = None,
    diameter_mm: float = DIAMETER_MM,
) -> QBox | None:
    """Mean, minimum, maximum and SD of stiffness in the Q-Box, from the picture.

    Parameters
    ----------
    screen : (height, width, 3) uint8
    layout : ScreenLayout
    scale_maximum_kpa : float
        Full scale of the colour bar, kPa.
    opacity : float, optional
        Of the colours; estimated where unknown.
    diameter_mm : float
        Of the circle; the paper's is 20 mm.

    Returns
    -------
    QBox or None
        None where no circle is found in the box.
    """
    box = layout.box
    pixel_mm = layout.pixel_spacing_mm or BOX_HEIGHT_MM / box.height
    found = _find_circle(
        screen[box.top : box.bottom, box.left : box.right], diameter_mm / 2 / pixel_mm
    )
    if found is None:
        return None
    row, column, radius = found
    kpa = stiffness_map(screen, layout, scale_maximum_kpa, opacity)
    rows, columns = np.indices(kpa.shape)
    # The line itself and what a codec smears of it are left out.
    inside = np.hypot(rows - row, columns - column) <= radius - 2.5
    values = kpa[inside & ~np.isnan(kpa)].astype(np.float64)
    if len(values) < LEAST_SIGNAL * inside.sum():
        values = np.full(1, np.nan)
    return QBox(
        mean_kpa=float(values.mean()),
        min_kpa=float(values.min()),
        max_kpa=float(values.max()),
        sd_kpa=float(values.std()),
        centre_row=box.top + row,
        centre_column=box.left + column,
        diameter_mm=2 * radius * pixel_mm,
    )


def _find_circle(
    box: NDArray[np.uint8], expected_radius: float
) -> tuple[float, float, float] | None:
    """Row, column and radius (pixels of the box) of the white circle, by matching rings."""
    # Chroma subsampling smears the white line over the colours beside it.
    darkest = np.minimum(np.minimum(box[..., 0], box[..., 1]), box[..., 2]).astype(np.float64)
    white = np.clip((darkest - DARK) / (WHITE - DARK), 0, 1)
    radii = [r for r in expected_radius * RADII if 2 * np.ceil(r) + 3 <= min(white.shape)]
    if not radii or white.sum() < LEAST_OUTLINE * _ring(radii[0]).sum():
        # Not even the smallest circle's outline, wherever the white is.
        return None
    best: tuple[float, float, float, float] | None = None
    for radius in radii:
        ring = _ring(radius)
        score = signal.fftconvolve(white, ring, mode="valid") / ring.sum()
        row, column = np.unravel_index(int(score.argmax()), score.shape)
        if best is None or score[row, column] > best[0]:
            half = (ring.shape[0] - 1) / 2
            best = (float(score[row, column]), row + half, column + half, float(radius))
    if best is None or best[0] < LEAST_OUTLINE:
        return None
    return best[1], best[2], best[3]


def _ring(radius: float) -> NDArray[np.float64]:
    half = int(np.ceil(radius)) + 1
    offset = np.arange(-half, half + 1)
    distance = np.hypot(offset[:, None], offset[None, :])
    return (np.abs(distance - radius) < 0.6).astype(np.float64)
