"""Find the elastogram on any screen, by what elastograms have in common.

There is a colour bar; somewhere a box over a B-mode picture shows many of the bar's colours; often a twin of that
picture shows the same without colours. Sides, sizes, offsets and maps are not assumed. A quality map has colours too,
but few, and lines of a propagation map leave most of their box grey.
"""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, signal

from dlre_core.elastography.colour_bar import ColourBar, bar_at, find_bars, hue_degrees
from dlre_core.elastography.colour_map import invert_colours
from dlre_core.elastography.elastogram import (
    LARGEST_BOX_SHARE,
    SMALLEST_BOX,
    coloured_pixels,
    find_layout,
    is_painted,
    jumps,
)
from dlre_core.elastography.scale import UNKNOWN_SCALE
from dlre_core.elastography.screen_layout import NATIVE_WIDTH, Rectangle, ScreenLayout, UltrasoundRegion
from dlre_core.foundation.errors import MissingRegion, NeedsProfile
from dlre_core.screens.box_sides import FoundBox, find_sides
from dlre_core.screens.profiles import ScreenProfile
from dlre_core.screens.scale_label import read_labels

# Boxes and twins are sought on blocks of so many pixels.
BLOCK = 4
# Share of a block, and of a box, that must be coloured.
COLOURED_BLOCK, WHOLE_BLOCK, LEAST_FILL = 0.5, 0.95, 0.35
# Parts of a box have this share of the pixels of its largest one.
LEAST_PART = 0.02
# Distance of a colour without its grey part to the bar's, grey levels, and the share of a box within it.
ON_MAP, LEAST_ON_MAP = 70.0, 0.75
# Flat colours: at most so many narrow peaks of hue, half widths in degrees, that hold at least so much of a box each
# and together, and none has a neighbour so near that is more than a share of it, as in a map that changes gradually.
FEW, NARROW, LEAST_PEAK, FEW_SHARE, APART, NEIGHBOUR = 3, 3, 0.05, 0.5, 14, 0.3
# Degrees from the hues of a map's ends within which a flat hue is the map's own.
END_HUE = 25.0
# Around a box lies a picture: share of a ring of so many pixels that is brighter than that.
RING, DARK, LEAST_LIT = 6, 12, 0.35
# A box without a twin: its least side on a native screen, pixels; sides of four that are evident; share with colours.
SMALLEST_ALONE, LEAST_EVIDENT, LEAST_FILL_ALONE = 60, 3, 0.4
# Correlation of the surroundings of the box with its twin's; share of the middle of a twin's box that may be coloured.
LEAST_ALIKE, COLOURED_TWIN = 0.9, 0.1
# The same on blocks, which lie half a block beside the twin's at worst.
MAYBE_ALIKE = 0.6
# A twin is elsewhere by a pixel where its correlation is so much higher there, and surely not where it is so high.
MORE_ALIKE = 0.02
SURELY_ALIKE = 0.99
# So many pixels around a box are compared where more would reach into the twin.
NEAR = 24
# Share of a profile's colour bar that may lie over the box.
LAID_OVER = 0.1
ONE_HUE = (
    "There is a box in the colours of a bar, but the bar has one hue and no labels in kPa or m/s that can be read: "
    "such a screen needs a profile in screens.yaml."
)
# Rows or columns in a row as dark as that lie between a picture and what else is on the screen.
BETWEEN = 2


@dataclass(frozen=True)
class _Part:
    """A coloured part: its rectangle, the share of it that is coloured, and the mean colours (n, 3) of its blocks."""

    place: Rectangle
    fill: float
    colours: NDArray[np.float64]


@dataclass(frozen=True)
class _Candidate:
    """A coloured part: its rectangle, and how far it looks like an elastogram's box (0: not at all)."""

    place: Rectangle
    score: float


def find_screen(screen: NDArray[np.uint8], regions: Sequence[UltrasoundRegion] = ()) -> ScreenLayout:
    """Locate elastogram, box, twin and colour bar on the screen of any maker.

    The 2019 scanner's screen is looked for first, as `dlre_core.elastography.elastogram.find_layout` does.

    Parameters
    ----------
    screen : (height, width, 3) uint8
    regions : sequence of UltrasoundRegion
        As the file states them; of another maker's, only the size of a pixel is used.

    Returns
    -------
    ScreenLayout

    Raises
    ------
    MissingRegion
        If the picture is no shear-wave elastogram, or not to be told from another coloured picture.
    NeedsProfile
        If its only bar is of one hue and has no labels.
    """
    usual, one_hue = None, False
    with contextlib.suppress(MissingRegion):
        usual = find_layout(screen, regions)
        if usual.source == "regions" or _twin_fits(screen, usual):
            return usual
    height, width = screen.shape[:2]
    if min(height, width) < 200:
        raise MissingRegion(f"The picture has {width} x {height} pixels, too few for a screen.")
    coloured = coloured_pixels(screen)
    for bar in find_bars(screen, coloured):
        # A bar of one hue may be anything, unless its labels say what it is.
        if bar.rainbow or read_labels(screen, bar.place) is not None:
            layout = _by_bar(screen, coloured, bar, regions)
            if layout is not None:
                return layout
        else:
            one_hue |= any(True for _ in _candidates(screen, coloured, bar))
    if usual is not None:
        return usual
    if one_hue:
        raise NeedsProfile(ONE_HUE)
    raise MissingRegion("The picture has no colour bar with a box of its colours.")


def by_profile(
    screen: NDArray[np.uint8], profile: ScreenProfile, regions: Sequence[UltrasoundRegion] = ()
) -> ScreenLayout:
    """Locate the box where a profile says that the elastogram is, and check the profile against the pixels.

    Parameters
    ----------
    screen : (height, width, 3) uint8
    profile : ScreenProfile
    regions : sequence of UltrasoundRegion

    Returns
    -------
    ScreenLayout

    Raises
    ------
    MissingRegion
        With what does not fit.
    """
    height, width = screen.shape[:2]
    given = (profile.elastogram, profile.twin, profile.colour_bar)
    for name, place in zip(("elastogram", "twin", "colour_bar"), given, strict=True):
        if place is not None and place != place.clamped(height, width):
            raise MissingRegion(f"{name} reaches out of the picture, which has {width} x {height} pixels.")
    if not (profile.elastogram.cut(screen)[..., 1] > DARK).any():
        raise MissingRegion("Nothing is shown where the elastogram should be.")
    coloured, place = coloured_pixels(screen), profile.elastogram
    of_picture = np.zeros_like(coloured)
    place.cut(of_picture)[:] = place.cut(coloured)
    for other in (profile.quality_map, profile.twin):
        if other is not None:
            other.cut(of_picture)[:] = False
    rough = _box_of_profile(screen, of_picture, profile)
    offset = None if profile.twin is None else (profile.twin.left - place.left, profile.twin.top - place.top)
    box = _refined(screen, coloured, rough, offset).place.common(place)
    spacing, end = _spacing(box, regions), profile.stiff_end
    bar_place, name = profile.colour_bar, profile.name
    return ScreenLayout(place, box, profile.twin, bar_place, spacing, "profile", end, name, profile.scale)


def _box_of_profile(screen: NDArray[np.uint8], coloured: NDArray[np.bool_], profile: ScreenProfile) -> Rectangle:
    """The largest coloured part; the profile's bar must be one, lie beside the part and have its colours."""
    parts = [entry for entry in _parts(screen, coloured) if entry.fill >= LEAST_FILL]
    largest = max(parts, key=lambda part: part.place.width * part.place.height, default=None)
    place = profile.colour_bar
    if place is not None and largest is not None:
        over = place.common(largest.place)
        if over.width * over.height > LAID_OVER * place.width * place.height:
            sides = [largest.place.left, largest.place.top, largest.place.right, largest.place.bottom]
            raise MissingRegion(f"colour_bar lies over the coloured box, which is at {sides}.")
    bar = None if place is None else bar_at(screen, place)
    if place is not None and bar is None:
        raise MissingRegion("No colour bar is where the profile has it.")
    if largest is None:
        raise MissingRegion("No coloured box is where the elastogram should be.")
    if bar is not None and _on_map(largest.colours, bar.table(profile.stiff_end)).mean() < LEAST_ON_MAP:
        raise MissingRegion("The box's colours are not those of the colour bar.")
    return _tight(coloured, largest.place)


def _twin_fits(screen: NDArray[np.uint8], layout: ScreenLayout) -> bool:
    """Whether the twin is where the layout says to the pixel: nowhere near it is it more alike."""
    if layout.twin is None:
        return False
    around, box = layout.elastogram, layout.box
    mask = np.ones((around.height, around.width), dtype=bool)
    box.moved(-around.left, -around.top).cut(mask)[:] = False
    right, down = layout.twin.left - around.left, layout.twin.top - around.top
    here = _alike(screen, around, mask, (right, down))
    if here > SURELY_ALIKE:
        return True
    near = [(1, 0), (-1, 0), (0, 1), (0, -1), (0, 2), (0, -2)]
    return all(_alike(screen, around, mask, (right + x, down + y)) < here + MORE_ALIKE for x, y in near)


def _by_bar(
    screen: NDArray[np.uint8], coloured: NDArray[np.bool_], bar: ColourBar, regions: Sequence[UltrasoundRegion]
) -> ScreenLayout | None:
    height, width = screen.shape[:2]
    candidates = sorted(_candidates(screen, coloured, bar), key=lambda one: -one.score)
    if not candidates:
        return None
    rough = candidates[0].place
    offset = find_twin(screen, coloured, rough)
    found = _refined(screen, coloured, rough, offset)
    if offset is None and not _is_box(coloured, found):
        return None
    box = found.place
    picture = picture_around(screen, box)
    twin = None
    if offset is not None:
        picture = _apart(picture, box, offset)
        twin = picture.moved(*offset).clamped(height, width)
        picture = twin.moved(-offset[0], -offset[1])
    # Of the 2019 scanner's map it is known that its red end is stiff and its blue one is 0.
    labels = read_labels(screen, bar.place, may_lack_low_end=bar.is_known())
    first, last = bar.ends()
    stiff_end = bar.usual_stiff_end() if labels is None else first if labels.stiff_first else last
    scale = UNKNOWN_SCALE if labels is None else labels.scale
    return ScreenLayout(picture, box, twin, bar.place, _spacing(box, regions), "found", stiff_end, scale=scale)


def _is_box(coloured: NDArray[np.bool_], found: FoundBox) -> bool:
    """Whether what has no twin is a box: large, with straight sides or arcs, and full of colours, as no vessel is."""
    place, smallest = found.place, SMALLEST_ALONE * coloured.shape[1] / NATIVE_WIDTH
    large = min(place.width, place.height) >= smallest
    return large and found.evident >= LEAST_EVIDENT and place.cut(coloured).mean() >= LEAST_FILL_ALONE


def _candidates(screen: NDArray[np.uint8], coloured: NDArray[np.bool_], bar: ColourBar) -> Iterator[_Candidate]:
    table, mask = bar.table(bar.usual_stiff_end()), coloured.copy()
    bar.place.grown(2).clamped(*mask.shape).cut(mask)[:] = False
    for part in _parts(screen, mask):
        if part.fill < LEAST_FILL or not _has_surroundings(screen, part.place):
            continue
        score = part.fill * _likeness(part.colours, table, bar.rainbow)
        if score > 0:
            yield _Candidate(_tight(mask, part.place), score * np.sqrt(part.place.width * part.place.height))


def _parts(screen: NDArray[np.uint8], mask: NDArray[np.bool_]) -> Iterator[_Part]:
    """Coloured parts as large as a box can be."""
    shares = blocks(mask).mean(axis=(1, 3))
    labels, _ = ndimage.label(ndimage.binary_closing(shares > COLOURED_BLOCK, iterations=2))
    smallest = SMALLEST_BOX * mask.shape[1] / NATIVE_WIDTH
    for number, (down, across) in enumerate(ndimage.find_objects(labels), start=1):
        place = Rectangle(*(BLOCK * n for n in (across.start, down.start, across.stop, down.stop)))
        if min(place.width, place.height) < smallest or place.width * place.height > LARGEST_BOX_SHARE * mask.size:
            continue
        part = labels[down, across] == number
        # Means of blocks: a codec's noise is gone, and a map that is blended with speckle is even.
        whole = part & (shares[down, across] > WHOLE_BLOCK)
        colours = blocks(place.cut(screen)).mean(axis=(1, 3))[whole]
        yield _Part(place, float((shares[down, across] * part).mean()), colours)


def blocks(values: NDArray) -> NDArray:
    """A picture (height, width, ...) as blocks (rows, BLOCK, columns, BLOCK, ...); what is left over is left out."""
    rows, columns = (side // BLOCK for side in values.shape[:2])
    return values[: rows * BLOCK, : columns * BLOCK].reshape(rows, BLOCK, columns, BLOCK, *values.shape[2:])


def _likeness(pixels: NDArray[np.float64], table: NDArray[np.uint8], rainbow: bool) -> float:
    """How far coloured places (n, 3) are those of a stiffness map, 0 to 1; 0 where they are not."""
    if not len(pixels) or is_painted(pixels) or jumps(pixels):
        return 0.0
    on_map = _on_map(pixels, table)
    if on_map.mean() < LEAST_ON_MAP:
        return 0.0
    variety = 1.0
    if rainbow:
        flat = _flat_hues(hue_degrees(pixels[on_map]))
        # At both ends a map is dark and light of one hue: there a flat hue is none of a few colours.
        ends = hue_degrees(table[[1, -2]])
        between = sum(share for hue, share in flat.items() if np.abs(ends - hue).min() > END_HUE)
        if between >= FEW_SHARE:
            return 0.0
        variety = 0.5 if sum(flat.values()) >= FEW_SHARE else 1.0
    return float(on_map.mean()) * variety


def _flat_hues(hue: NDArray[np.float32]) -> dict[int, float]:
    """Hues of a few flat colours, degrees, and what share of the places each has; none where they run together."""
    counts = np.bincount(np.rint(hue + 60).astype(int), minlength=361) / len(hue)
    peaks: dict[int, float] = {}
    for _ in range(FEW):
        within = np.convolve(counts, np.ones(2 * NARROW + 1), mode="same")
        peak = int(within.argmax())
        share = float(within[peak])
        if share < LEAST_PEAK:
            break
        if any(abs(peak - 60 - other) <= APART and share > NEIGHBOUR * peaks[other] for other in peaks):
            return {}
        peaks[peak - 60] = share
        counts[max(peak - NARROW, 0) : peak + NARROW + 1] = 0
    return peaks


def _on_map(pixels: NDArray[np.float64], table: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which colours (n, 3) are the map's (256, 3), whatever grey is below them."""
    _, distance = invert_colours(_without_grey(pixels), np.rint(_without_grey(table).T).astype(np.uint8))
    return distance < ON_MAP


def _without_grey(pixels: NDArray[np.uint8] | NDArray[np.float64]) -> NDArray[np.float32]:
    """Colours (n, 3) without their grey part at full strength, as planes (3, n) float32."""
    values = pixels.astype(np.float32).T
    values = values - values.min(axis=0)
    return np.ascontiguousarray(values * (255 / np.maximum(values.max(axis=0), 1)))


def _has_surroundings(screen: NDArray[np.uint8], place: Rectangle) -> bool:
    """Whether a picture lies around it; a logo or a legend stands on an even background."""
    height, width = screen.shape[:2]
    outer = place.grown(2 * RING).clamped(height, width)
    outside = np.ones((outer.height, outer.width), dtype=bool)
    place.grown(2).moved(-outer.left, -outer.top).clamped(*outside.shape).cut(outside)[:] = False
    light = outer.cut(screen)[..., 1][outside]
    return bool((light > DARK).mean() >= LEAST_LIT and light.std() > 3)


def _tight(mask: NDArray[np.bool_], place: Rectangle) -> Rectangle:
    """The rows and columns around a place in which something is coloured."""
    reach = place.grown(BLOCK).clamped(*mask.shape)
    part = reach.cut(mask)
    labels, _ = ndimage.label(ndimage.binary_opening(part, np.ones((3, 3))))
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    # Holes and lines cut a box into several parts; letters are smaller.
    large = (sizes >= max(LEAST_PART * sizes.max(), 1))[labels]
    # What the opening took off their edges, as a coloured outline, belongs to them.
    grown = ndimage.binary_dilation(large, np.ones((3, 3)), iterations=2) & part
    rows, columns = np.flatnonzero(grown.sum(axis=1) >= 3), np.flatnonzero(grown.sum(axis=0) >= 3)
    if not len(rows) or not len(columns):
        return place
    return Rectangle(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1).moved(
        reach.left, reach.top
    )


def find_twin(screen: NDArray[np.uint8], coloured: NDArray[np.bool_], box: Rectangle) -> tuple[int, int] | None:
    """How far right and down the same picture is shown without colours; None where it is not.

    Parameters
    ----------
    screen : (height, width, 3) uint8
    coloured : (height, width) bool
    box : Rectangle
        Around the coloured part, in the screen.
    """
    picture = picture_around(screen, box)
    for reach in (max(box.width, box.height) // 2, NEAR):
        around = box.grown(reach).common(picture)
        if (offset := _offset(screen, coloured, box, around)) is not None:
            return offset
    return None


def _offset(
    screen: NDArray[np.uint8], coloured: NDArray[np.bool_], box: Rectangle, around: Rectangle
) -> tuple[int, int] | None:
    """Where else the surroundings of a box are shown."""
    grey = blocks(screen[..., 1]).mean(axis=(1, 3), dtype=np.float32)
    plain = ~blocks(coloured).any(axis=(1, 3))
    around = around.clamped(len(grey) * BLOCK, grey.shape[1] * BLOCK)
    place = Rectangle(*(side // BLOCK for side in (around.left, around.top, around.right, around.bottom)))
    template, mask = place.cut(grey), place.cut(plain).astype(np.float32)
    inner = box.moved(-around.left, -around.top)
    mask[inner.top // BLOCK : inner.bottom // BLOCK + 1, inner.left // BLOCK : inner.right // BLOCK + 1] = 0
    if mask.sum() < 50:
        return None
    alike = _masked_correlation(grey, template, mask)
    near_y, near_x = max(box.height // BLOCK, 1), max(box.width // BLOCK, 1)
    alike[max(place.top - near_y, 0) : place.top + near_y, max(place.left - near_x, 0) : place.left + near_x] = -1
    for _ in range(3):
        row, column = np.unravel_index(int(alike.argmax()), alike.shape)
        if alike[row, column] < MAYBE_ALIKE:
            return None
        rough = (BLOCK * (int(column) - place.left), BLOCK * (int(row) - place.top))
        exact = _exact_offset(screen, coloured, box, around, rough)
        if exact is not None:
            return exact
        alike[
            max(row - near_y // 2, 0) : row + near_y // 2 + 1, max(column - near_x // 2, 0) : column + near_x // 2 + 1
        ] = -1
    return None


def _masked_correlation(
    picture: NDArray[np.float32], template: NDArray[np.float32], mask: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Correlation of a template's chosen pixels with a picture, the template put at each place."""
    number = mask.sum()
    mean = float((template * mask).sum() / number)
    weights = (template - mean) * mask

    def along(values: NDArray[np.float32], kernel: NDArray[np.float32]) -> NDArray[np.float32]:
        return signal.fftconvolve(values, kernel[::-1, ::-1], mode="valid")

    product = along(picture, weights)
    total, squares = along(picture, mask), along(picture**2, mask)
    spread = np.sqrt(np.maximum(squares - total**2 / number, 0)) * np.sqrt(float((weights**2).sum()))
    return np.where(spread > 1e-3 * number, product / np.maximum(spread, 1e-6), -1)


def _exact_offset(
    screen: NDArray[np.uint8],
    coloured: NDArray[np.bool_],
    box: Rectangle,
    around: Rectangle,
    rough: tuple[int, int],
) -> tuple[int, int] | None:
    """The offset to the pixel, where the twin shows the same and its box has no colours."""
    mask = ~around.cut(coloured)
    box.grown(3).moved(-around.left, -around.top).clamped(*mask.shape).cut(mask)[:] = False
    best, found = LEAST_ALIKE, None
    for down in range(rough[1] - BLOCK, rough[1] + BLOCK + 1):
        for right in range(rough[0] - BLOCK, rough[0] + BLOCK + 1):
            alike = _alike(screen, around, mask, (right, down))
            if alike > best:
                best, found = alike, (right, down)
    if found is None:
        return None
    # Near its border the box may have an outline in colour; lines of a propagation map are everywhere.
    twin, across, down = box.moved(*found), box.width // 5, box.height // 5
    return found if twin.grown(-across, -down).cut(coloured).mean() <= COLOURED_TWIN else None


def _alike(screen: NDArray[np.uint8], place: Rectangle, mask: NDArray[np.bool_], offset: tuple[int, int]) -> float:
    """Correlation of a place's chosen pixels with those so far right and down; every third row tells."""
    there = place.moved(*offset).clamped(*screen.shape[:2])
    here = there.moved(-offset[0], -offset[1])
    chosen = here.moved(-place.left, -place.top).cut(mask)[::3]
    if here.height < 0.9 * place.height or here.width < 0.9 * place.width:
        return 0.0
    first, second = (part.cut(screen)[::3, :, 1][chosen].astype(np.float32) for part in (here, there))
    first -= first.mean()
    second -= second.mean()
    size = float(np.sqrt((first @ first) * (second @ second)))
    return float(first @ second) / size if size > 0 else 0.0


def _refined(
    screen: NDArray[np.uint8], coloured: NDArray[np.bool_], rough: Rectangle, offset: tuple[int, int] | None
) -> FoundBox:
    """The box by its outline, where one is drawn."""
    place = rough.grown(max(rough.width, rough.height) // 4 + 12).clamped(*screen.shape[:2])
    pictures = [place.cut(screen)]
    if offset is not None:
        twin = place.moved(*offset).clamped(*screen.shape[:2])
        place = twin.moved(-offset[0], -offset[1])
        pictures = [place.cut(screen), twin.cut(screen)]
    box = find_sides(pictures, place.cut(coloured), rough.moved(-place.left, -place.top))
    return box.moved(place.left, place.top)


def picture_around(screen: NDArray[np.uint8], box: Rectangle) -> Rectangle:
    """The picture in which the box lies: as far as no dark rows or columns lie between.

    Parameters
    ----------
    screen : (height, width, 3) uint8
    box : Rectangle
    """
    light = screen[..., 1] > DARK
    place = box
    for _ in range(3):
        rows = light[:, place.left : place.right].mean(axis=1) > 0.01
        top, bottom = _stretch(rows, box.top, box.bottom)
        columns = light[top:bottom].mean(axis=0) > 0.01
        left, right = _stretch(columns, box.left, box.right)
        place = Rectangle(left, top, right, bottom)
    return place


def _stretch(lit: NDArray[np.bool_], first: int, last: int) -> tuple[int, int]:
    """From where to where lines are lit around a span, gaps below `BETWEEN` aside."""
    dark = ~lit
    while first > 0 and not dark[max(first - BETWEEN, 0) : first].all():
        first -= 1
    while last < len(lit) and not dark[last : last + BETWEEN].all():
        last += 1
    return first, last


def _apart(picture: Rectangle, box: Rectangle, offset: tuple[int, int]) -> Rectangle:
    """The part of a picture that does not reach into its twin, where no dark line lies between them."""
    moved = picture.moved(*offset)
    common = picture.common(moved)
    if common.width <= 0 or common.height <= 0:
        return picture
    right, down = offset
    if abs(right) * box.height >= abs(down) * box.width:
        middle = (common.left + common.right) // 2
        return (
            Rectangle(picture.left, picture.top, middle, picture.bottom)
            if right > 0
            else Rectangle(middle, picture.top, picture.right, picture.bottom)
        )
    middle = (common.top + common.bottom) // 2
    return (
        Rectangle(picture.left, picture.top, picture.right, middle)
        if down > 0
        else Rectangle(picture.left, middle, picture.right, picture.bottom)
    )


def _spacing(box: Rectangle, regions: Sequence[UltrasoundRegion]) -> float | None:
    """Size of a pixel, mm, as the region says in which the box lies."""
    around = [r for r in regions if r.pixel_spacing_mm and box.common(r.rectangle) == box]
    return around[0].pixel_spacing_mm if around else None
