"""Find the Q-Box circle of a screen and measure the stiffness in it anew."""

from dataclasses import dataclass
from functools import lru_cache, reduce

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy import ndimage

from dlre_core.elastography.colour_kernels import ring_sums
from dlre_core.elastography.picture_pair import darkest_channel
from dlre_core.elastography.screen_layout import ScreenLayout

DIAMETER_MM = 20.0
# Share of a circle's outline that must be lighter than what is around it, by this many grey levels at
# least and by this share of what the outline is at its median.
LEAST_OUTLINE, LEAST_LIGHT, LEAST_SHARE = 0.7, 24.0, 0.4
# Share of the circle's area that must carry stiffness.
LEAST_SIGNAL = 0.2
# Searched, as shares of the expected radius.
RADII = np.arange(0.92, 1.09, 0.02)
# In pixels; below it, as by an absurd pixel size in the file, there is no circle to tell.
SMALLEST_RADIUS = 5
# The scale where no region tag gives one: the box is 40 mm wide at its widest, however it is steered.
BOX_WIDTH_MM = 40.0


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
    kpa: NDArray[np.float32],
    diameter_mm: float = DIAMETER_MM,
) -> QBox | None:
    """Mean, minimum, maximum and SD of stiffness in the Q-Box, from the picture.

    Parameters
    ----------
    screen : (height, width, 3) uint8
    layout : ScreenLayout
    kpa : (box height, box width) float32
        As `dlre_core.elastography.elastogram.stiffness_map` reads it.
    diameter_mm : float
        Of the circle; the paper's is 20 mm.

    Returns
    -------
    QBox or None
        None where no circle is found in the box.
    """
    box = layout.box
    pixel_mm = layout.pixel_spacing_mm or BOX_WIDTH_MM / box.width
    found = _find_circle(screen[box.top : box.bottom, box.left : box.right], diameter_mm / 2 / pixel_mm)
    if found is None:
        return None
    row, column, radius = found
    rows, columns = np.indices(kpa.shape)
    # The line itself and what a codec smears of it are left out.
    inside = np.hypot(rows - row, columns - column) <= radius - 2.5
    # At the edge of a hole a smaller screen blends colours with grey, which reads as soft.
    whole = ndimage.binary_erosion(~np.isnan(kpa), np.ones((3, 3)), border_value=1)
    values = kpa[inside & whole].astype(np.float64)
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


def _find_circle(box: NDArray[np.uint8], expected_radius: float) -> tuple[float, float, float] | None:
    """Row, column and radius (pixels of the box) of the white circle, by matching rings."""
    # White is light in every channel, colours are not; a smaller screen blends the line with them.
    darkest = darkest_channel(box)
    light = darkest - window_extremes(window_extremes(darkest, np.minimum), np.maximum)
    radii = [
        radius
        for radius in expected_radius * RADII
        if radius >= SMALLEST_RADIUS and 2 * np.ceil(radius) + 3 <= min(light.shape)
    ]
    best: tuple[float, float, float, float] | None = None
    for radius in radii:
        rows, columns, side = _ring(radius)
        total = np.empty((light.shape[0] - side + 1, light.shape[1] - side + 1), dtype=np.int32)
        ring_sums(light, rows, columns, total)
        row, column = np.unravel_index(int(total.argmax()), total.shape)
        score = float(total[row, column]) / len(rows)
        if best is None or score > best[0]:
            half = (side - 1) / 2
            best = (score, row + half, column + half, float(radius))
    if best is None or _outline(light, *best[1:]) < LEAST_OUTLINE:
        return None
    return best[1:]


def window_extremes(light: NDArray[np.uint8], choose: np.ufunc) -> NDArray[np.uint8]:
    """Smallest or largest value around each pixel, 5 x 5, mirrored at the border.

    What `scipy.ndimage.grey_erosion` and ``grey_dilation`` give, in a tenth of the time.
    """
    for axis in (0, 1):
        reach = [(2, 2) if side == axis else (0, 0) for side in (0, 1)]
        padded = np.pad(light, reach, mode="symmetric")
        windows = sliding_window_view(padded, 5, axis=axis)
        light = reduce(choose, (windows[..., place] for place in range(5)))
    return light


def _outline(light: NDArray[np.uint8], row: float, column: float, radius: float) -> float:
    """Share of a circle's outline that is a light line."""
    angle = np.linspace(0, 2 * np.pi, int(6 * radius), endpoint=False)
    radii = radius + np.arange(-1, 2)[:, None]
    rows = np.rint(row + radii * np.sin(angle)).astype(int).clip(0, light.shape[0] - 1)
    columns = np.rint(column + radii * np.cos(angle)).astype(int).clip(0, light.shape[1] - 1)
    along = light[rows, columns].max(axis=0)
    return float((along > max(LEAST_LIGHT, LEAST_SHARE * np.median(along))).mean())


@lru_cache(maxsize=64)
def _ring(radius: float) -> tuple[NDArray[np.intp], NDArray[np.intp], int]:
    """Rows and columns of a circle's line in a square around it, and the square's side."""
    half = int(np.ceil(radius)) + 1
    offset = np.arange(-half, half + 1)
    distance = np.hypot(offset[:, None], offset[None, :])
    rows, columns = np.nonzero(np.abs(distance - radius) < 0.6)
    return rows, columns, len(offset)
