"""Find colour bars on any screen: thin, even across, and changing steadily from one end to the other."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from dlre_core.elastography.colour_map import STEPS, colour_table
from dlre_core.elastography.screen_layout import Rectangle

# Length as a share of the screen's smaller side; thickness in pixels; length by thickness; share that is coloured.
SHORTEST, THICKNESS, SLENDER, LEAST_COLOURED = 0.1, (4, 60), 4.0, 0.85
# Mean distance of a bar's pixels from the median across it, grey levels.
LARGEST_UNEVENNESS = 14.0
# Hue, in degrees, that a rainbow runs through; brightness, in grey levels, that a map of one hue does.
RAINBOW, SHADES = 150.0, 80.0
# Of all changes along a bar, the share that goes one way.
STEADY = 0.85
SAMPLES = 32
# Mean distance to the documented map of the 2019 scanner.
KNOWN_MAP = 25.0


@dataclass(frozen=True)
class ColourBar:
    """A bar on the screen: its place, its colours from the top or left end, (n, 3) float32, and whether they run
    through the hues of a rainbow or the shades of one."""

    place: Rectangle
    colours: NDArray[np.float32]
    rainbow: bool

    @property
    def upright(self) -> bool:
        """Whether it stands."""
        return self.place.height >= self.place.width

    def ends(self) -> tuple[str, str]:
        """Names of its first and last end."""
        return ("top", "bottom") if self.upright else ("left", "right")

    def table(self, stiff_end: str) -> NDArray[np.uint8]:
        """Its colour map, (256, 3) uint8 from soft to stiff."""
        colours = self.colours[::-1] if stiff_end in ("top", "left") else self.colours
        at = np.linspace(0, len(colours) - 1, STEPS)
        channels = [np.interp(at, np.arange(len(colours)), colours[:, c]) for c in range(3)]
        return np.rint(np.stack(channels, axis=1)).astype(np.uint8)

    def usual_stiff_end(self) -> str:
        """The end with the warmer, or the lighter colour, where nothing says which is stiff."""
        first, last = self.ends()
        hue = hue_degrees(self.colours[[2, -3]])
        if self.rainbow:
            return first if hue[0] < hue[1] else last
        return first if self.colours[0].sum() > self.colours[-1].sum() else last

    def is_known(self) -> bool:
        """Whether it is the 2019 scanner's map, whose red end is stiff and whose blue end is 0."""
        table = self.table(self.usual_stiff_end()).astype(np.float64)
        return bool(np.abs(table - colour_table()).mean() <= KNOWN_MAP)


def bar_at(screen: NDArray[np.uint8], place: Rectangle) -> ColourBar | None:
    """The bar at a place; None where the place is uneven across or does not change steadily.

    Parameters
    ----------
    screen : (height, width, 3) uint8
    place : Rectangle
        Upright or lying.
    """
    pixels = place.cut(screen)
    if place.height < place.width:
        pixels = pixels.transpose(1, 0, 2)
    length, thickness = pixels.shape[:2]
    if length < SAMPLES or thickness < 3:
        return None
    inner = pixels[:, thickness // 4 : max(thickness // 4 + 1, 3 * thickness // 4)].astype(np.float32)
    colours = np.median(inner, axis=1)
    if np.abs(inner - colours[:, None]).mean() > LARGEST_UNEVENNESS:
        return None
    at = np.linspace(0, length, SAMPLES + 1).astype(int)[:-1]
    coarse = np.add.reduceat(colours, at, axis=0) / np.diff(np.append(at, length))[:, None]
    if _steady(hue_degrees(coarse), RAINBOW):
        return ColourBar(place, colours, rainbow=True)
    if _steady(coarse.sum(axis=1) / 3, SHADES):
        return ColourBar(place, colours, rainbow=False)
    return None


def find_bars(screen: NDArray[np.uint8], coloured: NDArray[np.bool_]) -> list[ColourBar]:
    """All colour bars, rainbows first, long ones before short ones.

    Parameters
    ----------
    screen : (height, width, 3) uint8
    coloured : (height, width) bool
    """
    labels, _ = ndimage.label(coloured)
    shortest = SHORTEST * min(screen.shape[:2])
    found = []
    for number, (rows, columns) in enumerate(ndimage.find_objects(labels), start=1):
        height, width = rows.stop - rows.start, columns.stop - columns.start
        length, thickness = max(height, width), min(height, width)
        if length < shortest or not THICKNESS[0] <= thickness <= THICKNESS[1] or length < SLENDER * thickness:
            continue
        if (labels[rows, columns] == number).mean() < LEAST_COLOURED:
            continue
        bar = bar_at(screen, Rectangle(columns.start, rows.start, columns.stop, rows.stop))
        if bar is not None:
            found.append(bar)
    return sorted(found, key=lambda bar: (not bar.rainbow, -len(bar.colours)))


def _steady(values: NDArray[np.float32], least: float) -> bool:
    change = np.diff(values)
    net = abs(float(values[-1] - values[0]))
    return net >= least and net >= STEADY * float(np.abs(change).sum())


def hue_degrees(colours: NDArray) -> NDArray[np.float32]:
    """Hue of colours (n, 3), degrees from -60 (violet) over 0 (red) to 300, so that no bar jumps from 360 to 0."""
    red, green, blue = colours.T.astype(np.float64)
    angle = np.degrees(np.arctan2(np.sqrt(3) * (green - blue), 2 * red - green - blue))
    # A dark red is now a little above, now a little below 0; no map begins beyond violet.
    return np.where(angle < -60, angle + 360, angle).astype(np.float32)
