"""Sides of boxes whose outline is coloured, dashed or missing, and whose edge has no signal."""

import numpy as np
import pytest

from dlre_core.elastography.screen_layout import Rectangle
from dlre_core.screens.box_sides import FoundBox, find_sides

TRUTH = Rectangle(62, 54, 259, 211)
WHITE, YELLOW, GREY = (235, 235, 235), (240, 220, 60), (190, 190, 190)


def drawn(
    outline: tuple[int, int, int] | None, *, dashed: bool = False, holes: bool = False
) -> tuple[np.ndarray, np.ndarray, Rectangle]:
    """A sector on speckle, which pixels have colours, and the rectangle around these."""
    generator = np.random.default_rng(7)
    picture = np.repeat(generator.normal(85, 18, (270, 330, 1)), 3, axis=2).clip(0, 255).astype(np.uint8)
    y, x = np.indices((270, 330), sparse=True)
    across = (x - 160) / 100
    top, bottom = 60 - 10 * across**2, 210 - 10 * across**2
    lean = 0.15 * (210 - y)
    inside = (y >= np.rint(top)) & (y <= np.rint(bottom)) & (abs(x - 160) <= np.rint(100 - lean))
    colours = np.stack(np.broadcast_arrays(30 + 0 * x, 60 + x // 3, 190 - x // 3 + 0 * y), axis=2)
    picture[inside] = (0.6 * colours + 0.4 * picture)[inside].astype(np.uint8)
    coloured = inside.copy()
    if holes:
        hole = inside & (((y > 130) & (x < 130)) | ((y > 160) & (x > 240)))
        picture[hole], coloured[hole] = 0, False
    if outline is not None:
        neighbours = [np.roll(inside, step, axis) for axis in (0, 1) for step in (-1, 1)]
        line = inside & ~np.logical_and.reduce(neighbours)
        if dashed:
            line &= (x + y) // 5 % 2 == 0
        picture[line] = outline
        coloured[line] = np.ptp(outline) > 30
    rows, columns = np.flatnonzero(coloured.any(axis=1)), np.flatnonzero(coloured.any(axis=0))
    return picture, coloured, Rectangle(columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)


def overlap(first: Rectangle, second: Rectangle) -> float:
    common = first.common(second)
    shared = common.width * common.height
    return shared / (first.width * first.height + second.width * second.height - shared)


@pytest.mark.parametrize("dashed", [False, True])
@pytest.mark.parametrize("outline", [WHITE, YELLOW, GREY, None])
def test_an_outline_of_any_colour_or_none_without_signal_at_corners(outline, dashed):
    picture, coloured, rough = drawn(outline, dashed=dashed, holes=outline is not None)
    found = find_sides([picture], coloured, rough)
    assert overlap(found.place, TRUTH) > 0.975
    assert found.evident >= 3


def test_of_two_pictures_only_what_is_in_both_is_an_outline():
    picture, coloured, rough = drawn(WHITE, dashed=True)
    twin = np.repeat(picture.min(axis=2, keepdims=True), 3, axis=2)
    # Half of the top has no colours, and above it is a line on one picture alone.
    coloured[:76, :170] = False
    picture[44, 60:260] = 255
    assert overlap(find_sides([picture, twin], coloured, rough).place, TRUTH) > 0.975
    assert overlap(find_sides([picture], coloured, rough).place, TRUTH) < 0.96


def test_without_any_side_the_box_stays_where_its_colours_are():
    speckle = np.random.default_rng(1).normal(85, 18, (270, 330, 1)).clip(0, 255).astype(np.uint8)
    rough = Rectangle(80, 60, 240, 200)
    assert find_sides([np.repeat(speckle, 3, axis=2)], np.zeros((270, 330), bool), rough) == FoundBox(rough, 0)
