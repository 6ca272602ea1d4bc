"""Find the shear-wave elastography box of a screen, and read stiffness from its colours."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from dlre_core.elastography.box_outline import outline_box
from dlre_core.elastography.colour_bar import bar_at
from dlre_core.elastography.colour_kernels import chroma, count_contrasts, unblend
from dlre_core.elastography.colour_map import (
    black_is_recoloured,
    colour_table,
    invert_colours,
    read_colour_bar,
)
from dlre_core.elastography.picture_pair import darkest_of_both, show_the_same
from dlre_core.elastography.scale import Scale
from dlre_core.elastography.screen_layout import (
    BOTTOM_PICTURE,
    COLOUR_BAR,
    NATIVE_WIDTH,
    TOP_PICTURE,
    Rectangle,
    ScreenLayout,
    UltrasoundRegion,
    header_rows,
    tagged_parts,
)
from dlre_core.foundation.errors import MissingRegion

# Chroma |R-G|+|R-B|+|G-B| of a blended pixel above which it counts as coloured: at 30 % opacity the
# least chromatic colour of the map (cyan and yellow are 510) keeps 150.
COLOURED = 60
SATURATED_SHARE = 0.98
SMALLEST_BOX = 40
LARGEST_BOX_SHARE = 0.6
FOREIGN_COLOUR_DISTANCE = 45.0
# Gaps of twice so many pixels do not part colours.
GAPS = 3
# Shares of a box's colours: at least so much of both ends of the map, and less than that between them.
END_SHARE, MIDDLE_SHARE = 0.05, 0.05
ONE_COLOUR_SHARE = 0.9
# Share of the lower picture that may have colours, and of the box's area that may have them beside the box.
COLOURED_BELOW, COLOURED_BESIDE = 0.02, 0.1
# The same of the lower picture without thin lines.
VESSELS = 0.0015
# Opacities that are tried, pixels that tell, and how much nearer to the map, in grey levels, is clearly better.
OPACITIES = np.arange(0.3, 1.001, 0.02)
OPACITY_PIXELS, OPACITY_MARGIN = 3000, 0.3
# To the map's colours: white lines, and what a codec smears of them onto colours, are further off.
LINE_DISTANCE = 90.0


@dataclass(frozen=True)
class BoxQuality:
    """How usable the box of a picture is; shares are of the sector inside the box's rectangle.

    ``recoloured`` is True where the colours do not lie on the elastograph's map or black is not
    black, so that stiffness cannot be read.
    """

    fill_fraction: float
    saturated_fraction: float
    recoloured: bool


@dataclass(frozen=True)
class BoxColours:
    """The colours of a box, read once for judging and measuring; both masks are (height, width) bool.

    ``sector`` are the pixels of the curved sector, ``coloured`` those that carry colour. Of these, n of them,
    ``position`` (n,) float32 is the place on the scale, 0 to 1, and ``distance`` (n,) float32 how far the
    colour is from the map's, in grey levels.
    """

    sector: NDArray[np.bool_]
    coloured: NDArray[np.bool_]
    position: NDArray[np.float32]
    distance: NDArray[np.float32]


def find_layout(screen: NDArray[np.uint8], regions: Sequence[UltrasoundRegion] = ()) -> ScreenLayout:
    """Locate pictures, box and colour bar.

    Sound region tags come first: SSI stills list the top picture, the box and the bottom picture in
    this order. Tags that contradict the pixels, and pictures without tags, are measured from the
    pixels: the box is where the top picture has colours and the bottom one has none.

    Parameters
    ----------
    screen : (height, width, 3) uint8
    regions : sequence of UltrasoundRegion
        As the file states them; clamped and checked here.

    Returns
    -------
    ScreenLayout

    Raises
    ------
    MissingRegion
        If the picture is no shear-wave elastogram.
    """
    height, width = screen.shape[:2]
    if height < 200 or width < 200:
        raise MissingRegion(f"The picture has {width} x {height} pixels, too few for a screen.")
    layout = _from_regions(screen, regions)
    if layout is None:
        layout = _from_pixels(screen)
    return layout


def read_box(screen: NDArray[np.uint8], layout: ScreenLayout, opacity: float | None = None) -> BoxColours:
    """Read the colours of the box; ``opacity`` is theirs, 0 to 1, estimated where it is None.

    The colour is un-blended with the twin as B-mode at the given opacity (colour = (pixel - (1 - o) B-mode) / o), or,
    without a twin, both sides lose their grey part, which the B-mode only adds to. Colours are looked up in the
    picture's own colour bar, else in the documented map.
    """
    coloured = coloured_pixels(layout.box.cut(screen))
    sector = _sector(coloured)
    coloured &= sector
    if not coloured.any():
        return BoxColours(sector, coloured, *np.empty((2, 0), dtype=np.float32))
    return BoxColours(sector, coloured, *_positions(screen, layout, opacity, coloured))


def box_quality(screen: NDArray[np.uint8], colours: BoxColours, layout: ScreenLayout) -> BoxQuality:
    """Judge the colours in the box. Only of the 2019 scanner's screen is it known that black is black.

    Where the opacity was not known, a box that is saturated all over cannot be told from one just
    below, since dark red at one opacity looks like red at a lower one.
    """
    fill = float(colours.coloured.sum() / max(int(colours.sector.sum()), 1))
    if not len(colours.position):
        return BoxQuality(0.0, 0.0, False)
    saturated = float((colours.position > SATURATED_SHARE).mean())
    foreign = float((colours.distance > FOREIGN_COLOUR_DISTANCE).mean()) > 0.5
    tinted = layout.source in ("regions", "pixels") and black_is_recoloured(screen)
    return BoxQuality(fill, saturated, bool(foreign or tinted))


def _sector(coloured: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Pixels of the box's rectangle that belong to the curved sector, (height, width) bool.

    On a convex probe the corners of the rectangle show plain B-mode. The sector is taken as the
    largest rectangle-filling convex shape of the coloured pixels, or the whole
    rectangle where there is little colour.
    """
    if coloured.mean() < 0.3:
        return np.ones_like(coloured)
    rows = np.arange(coloured.shape[0])[:, None]
    columns = np.arange(coloured.shape[1])[None, :]
    any_column, any_row = coloured.any(axis=0), coloured.any(axis=1)
    top = np.where(any_column, coloured.argmax(axis=0), coloured.shape[0])
    bottom = np.where(any_column, coloured.shape[0] - 1 - coloured[::-1].argmax(axis=0), -1)
    left = np.where(any_row, coloured.argmax(axis=1), coloured.shape[1])
    right = np.where(any_row, coloured.shape[1] - 1 - coloured[:, ::-1].argmax(axis=1), -1)
    inside_columns = (rows >= top[None, :]) & (rows <= bottom[None, :])
    inside_rows = (columns >= left[:, None]) & (columns <= right[:, None])
    return inside_columns & inside_rows


def stiffness_map(colours: BoxColours, scale: Scale, *, saturated: bool = False) -> NDArray[np.float32]:
    """Stiffness in the box from its colours.

    Parameters
    ----------
    colours : BoxColours
        As `read_box` returns them.
    scale : Scale
        Of the colour bar.
    saturated : bool
        Keep what may exceed the scale, as its end.

    Returns
    -------
    (box height, box width) float32
        kPa; NaN where there is no signal, the scale is exceeded, or a line (outline, Q-Box) is drawn, and everywhere
        on an unknown scale.
    """
    out = np.full(colours.coloured.shape, np.nan, dtype=np.float32)
    masked = colours.distance > LINE_DISTANCE
    if not saturated:
        masked |= colours.position > SATURATED_SHARE
    out[colours.coloured] = np.where(masked, np.nan, scale.kpa(colours.position))
    return out


def estimate_opacity(box: NDArray[np.uint8], coloured: NDArray[np.bool_]) -> float:
    """Opacity of the colours, 0 to 1, from the strongest contrast between channels of the coloured pixels.

    The purest colours of the map (blue, cyan, yellow, red) have a full range between channels;
    blending shrinks it by the opacity.
    """
    counts = np.zeros(256, dtype=np.int64)
    count_contrasts(box, coloured, counts)
    # The 98th percentile by counts, a sixth of the time of sorting.
    below = counts.cumsum()
    rank = 0.98 * (below[-1] - 1)
    low, high = np.searchsorted(below, (int(rank), int(rank) + 1), side="right").clip(max=255)
    percentile = low + (high - low) * (rank - int(rank))
    return float(np.clip(percentile / 255, 0.2, 1.0))


def _from_regions(screen: NDArray[np.uint8], regions: Sequence[UltrasoundRegion]) -> ScreenLayout | None:
    height, width = screen.shape[:2]
    parts = tagged_parts(regions)
    if parts is None:
        return None
    top, box, bottom = (part.rectangle.clamped(height, width) for part in parts)
    inside = top.left <= box.left and top.top <= box.top and box.right <= top.right
    if not inside or box.bottom > top.bottom or bottom.top < top.bottom - 2:
        return None
    if min(box.width, box.height) < SMALLEST_BOX * width / NATIVE_WIDTH / 2 or bottom.height < 10:
        return None
    if _contradicted(screen, top, box, bottom):
        return None
    return ScreenLayout(top, box, bottom, find_colour_bar(screen), parts[0].pixel_spacing_mm, "regions")


def _contradicted(screen: NDArray[np.uint8], top: Rectangle, box: Rectangle, bottom: Rectangle) -> bool:
    """True where pixels deny tags: a box in the header, colours beside the box or in the lower picture.

    An archive may have added a banner above, or cut the screen, and left the tags as they were.
    """
    if box.top < header_rows(screen.shape[1]):
        return True
    # Every fourth pixel either way tells.
    upper, lower, inside = (coloured_pixels(part.cut(screen)[::4, ::4]) for part in (top, bottom, box))
    beside = int(upper.sum()) - int(inside.sum())
    return beside > COLOURED_BESIDE * inside.size or lower.mean() > COLOURED_BELOW


def _from_pixels(screen: NDArray[np.uint8]) -> ScreenLayout:
    height, width = screen.shape[:2]
    scale = width / NATIVE_WIDTH
    bar = find_colour_bar(screen)
    if bar is None:
        raise MissingRegion("The picture has no elastography colour bar at its right.")
    top = TOP_PICTURE.scaled(scale).clamped(height, width)
    # Moved by the rounded distance: both pictures' own rounding could be a pixel apart.
    down = round((BOTTOM_PICTURE.top - TOP_PICTURE.top) * scale)
    bottom = top.moved(0, down).clamped(height, width)
    if bottom.height < 0.9 * top.height:
        raise MissingRegion("The picture is not the two-picture screen of an elastogram.")
    upper, lower = top.cut(screen), bottom.cut(screen)
    below = coloured_pixels(lower)
    share = below.mean()
    # Lines, such as a coloured outline, do not survive the opening; the smallest vessel does.
    if share > COLOURED_BELOW or (share > VESSELS and ndimage.binary_opening(below, iterations=2).mean() > VESSELS):
        raise MissingRegion("The lower picture has colours too, as colour Doppler screens do.")
    coloured = coloured_pixels(upper)
    box = outline_box(coloured, darkest_of_both(upper, lower), _largest_part(coloured), scale)
    smallest = SMALLEST_BOX * scale
    too_large = box.width * box.height > LARGEST_BOX_SHARE * top.width * top.height
    if box.width < smallest or box.height < smallest or too_large:
        raise MissingRegion(f"The coloured part has {box.width} x {box.height} pixels, not a box.")
    pixels = box.cut(upper)[box.cut(coloured)]
    if is_painted(pixels):
        raise MissingRegion("Its colour is one and the same all over, as a painted vessel's is.")
    if jumps(pixels):
        raise MissingRegion("Its colours jump from one end of the map to the other, as vessels' do.")
    if not show_the_same(upper, lower, box):
        raise MissingRegion("The upper and the lower half do not show the same picture.")
    return ScreenLayout(top, box.moved(top.left, top.top), bottom, bar, None, "pixels")


def is_painted(pixels: NDArray[np.uint8]) -> bool:
    """True where nearly all coloured pixels (n, 3) have exactly one colour.

    A map changes, and lets the speckle below it through; only one that is saturated all over at full opacity looks so,
    and that is of no use either.
    """
    red, green, blue = pixels.astype(np.int32).T
    commonest = np.unique(red << 16 | green << 8 | blue, return_counts=True)[1].max(initial=0)
    return bool(commonest > ONE_COLOUR_SHARE * len(pixels))


def jumps(pixels: NDArray[np.uint8]) -> bool:
    """True where blue and red are there and hardly any cyan, green or yellow, which lie between them.

    Stiffness changes gradually; colour Doppler has only the ends.
    """
    red, green, blue = (_hue(pixels) > 128).T
    ends = min((red & ~green).mean(), (blue & ~green).mean())
    return bool(ends > END_SHARE and green.mean() < MIDDLE_SHARE)


def _largest_part(coloured: NDArray[np.bool_]) -> Rectangle:
    """Around the largest coloured part of a picture, thin lines and small gaps aside."""
    # Opening and closing change nothing further from the colours; they take long on a whole picture.
    rows, columns = np.flatnonzero(coloured.any(axis=1)), np.flatnonzero(coloured.any(axis=0))
    if not len(rows):
        raise MissingRegion("The upper picture has no coloured box.")
    around = Rectangle(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
    around = around.grown(GAPS + 1).clamped(*coloured.shape)
    opened = ndimage.binary_opening(around.cut(coloured), iterations=2)
    labels, count = ndimage.label(ndimage.binary_closing(opened, iterations=GAPS))
    if count == 0:
        raise MissingRegion("The upper picture has no coloured box.")
    sizes = np.bincount(labels[opened], minlength=count + 1)[1:]
    down, across = ndimage.find_objects(labels)[int(np.argmax(sizes))]
    return Rectangle(across.start, down.start, across.stop, down.stop).moved(around.left, around.top)


def find_colour_bar(screen: NDArray[np.uint8]) -> Rectangle | None:
    """The colour bar where the screen has it; None unless its colours are the map's."""
    bar = COLOUR_BAR.scaled(screen.shape[1] / NATIVE_WIDTH).clamped(*screen.shape[:2])
    return bar if read_colour_bar(bar.cut(screen)) is not None else None


def stored_layout(row: Mapping[str, Any]) -> ScreenLayout:
    """The layout that ingestion found, from the picture's row in the table of acquisitions.

    Blanking leaves all its parts in the stored picture.
    """
    parts = {}
    for name in ("elastogram", "box", "twin", "colour_bar"):
        sides = [row[f"{name}_{side}"] for side in ("left", "top", "right", "bottom")]
        parts[name] = None if np.isnan(sides).any() else Rectangle(*map(int, sides))
    spacing = None if np.isnan(row["pixel_spacing_mm"]) else float(row["pixel_spacing_mm"])
    end = row["stiff_end"] if isinstance(row["stiff_end"], str) and row["stiff_end"] else "top"
    source, screen = row["layout_source"], row["screen"]
    return ScreenLayout(**parts, pixel_spacing_mm=spacing, source=source, stiff_end=end, screen=screen)


def map_of(screen: NDArray[np.uint8], layout: ScreenLayout) -> NDArray[np.uint8]:
    """The colour map (256, 3) uint8 from soft to stiff: the picture's own bar's, else the documented one."""
    if layout.colour_bar is None:
        return colour_table()
    if layout.source in ("found", "profile"):
        bar = bar_at(screen, layout.colour_bar)
        return colour_table() if bar is None else bar.table(layout.stiff_end)
    own = read_colour_bar(layout.colour_bar.cut(screen))
    return colour_table() if own is None else own


def _positions(
    screen: NDArray[np.uint8],
    layout: ScreenLayout,
    opacity: float | None,
    coloured: NDArray[np.bool_],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Position on the scale of the coloured pixels, and their distance to the map's colours."""
    box = layout.box.cut(screen)
    table, below = map_of(screen, layout), _below(screen, layout)
    known = opacity is not None and 0.05 < opacity <= 1.0
    if known:
        share = np.float32(opacity)
    elif layout.source in ("found", "profile"):
        share = np.float32(fit_opacity(box, coloured, table))
    else:
        share = np.float32(estimate_opacity(box, coloured))
    if below is None:
        # The grey below adds as much to every channel: what is above the darkest one is the colour's own.
        planes = np.ascontiguousarray(_above_grey(box[coloured]).T) / share
        return invert_colours(planes.clip(0, 255), np.rint(_above_grey(table)).astype(np.uint8))
    planes = np.empty((3, int(coloured.sum())), dtype=np.float32)
    unblend(box, below, coloured, share, planes)
    return invert_colours(planes, table)


def fit_opacity(box: NDArray[np.uint8], coloured: NDArray[np.bool_], table: NDArray[np.uint8]) -> float:
    """Opacity, 0 to 1, at which the colours without their grey part are nearest to the map's.

    What the strongest contrast tells (`estimate_opacity`) is taken unless another one fits clearly better: a map may
    have no pure colours, a box may show only its dark end, or a text may lie over it.

    Parameters
    ----------
    box : (height, width, 3) uint8
    coloured : (height, width) bool
    table : (256, 3) uint8
    """
    strongest = float(np.ptp(table.astype(np.int16), axis=1).max()) / 255
    told = min(estimate_opacity(box, coloured) / strongest, 1.0)
    pixels = box[coloured]
    planes = np.ascontiguousarray(_above_grey(pixels[:: max(len(pixels) // OPACITY_PIXELS, 1)]).T)
    above = np.rint(_above_grey(table)).astype(np.uint8)
    misfits = {}
    for share in (told, *OPACITIES):
        # Not cut off at full strength: too low an opacity makes colours stronger than any.
        _, distance = invert_colours(planes / np.float32(share), above)
        misfits[share] = float(np.minimum(distance, LINE_DISTANCE).mean())
    best = min(misfits, key=lambda share: misfits[share])
    return float(told if misfits[told] <= misfits[best] + OPACITY_MARGIN else best)


def _below(screen: NDArray[np.uint8], layout: ScreenLayout) -> NDArray[np.uint8] | None:
    """The box's B-mode without colours, from the bottom picture; None where the screen lacks some of it."""
    place = layout.box_in_twin
    return place.cut(screen) if place and place == place.clamped(*screen.shape[:2]) else None


def _above_grey(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Colours (n, 3) without their grey part, float32."""
    values = pixels.astype(np.float32)
    return values - values.min(axis=1, keepdims=True)


def _hue(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Colours without their grey part, stretched to full strength: (n, 3) float32."""
    values = _above_grey(pixels)
    return values * (255 / np.maximum(values.max(axis=1, keepdims=True), 1))


def coloured_pixels(pixels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which pixels of a picture (height, width, 3) uint8 carry colour, (height, width) bool."""
    saturation = np.empty(pixels.shape[:2], dtype=np.int16)
    chroma(pixels, saturation)
    return saturation > COLOURED
