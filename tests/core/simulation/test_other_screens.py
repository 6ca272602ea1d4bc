"""Screens of other makers: their truth is in their pixels, their texts lie apart, and all of them say SIMULATED."""

import numpy as np
import pytest

from dlre_core.elastography.screen_layout import Rectangle
from dlre_core.simulation.foreign_screens import KINDS, foreign_screen
from dlre_core.simulation.other_screens import DrawnScreen, example_screen
from dlre_core.simulation.screen import edge
from dlre_core.simulation.screen_designs import DESIGNS, Scale, map_colours
from tests.helpers.drawn_texts import drawn_texts

OTHERS = sorted(set(DESIGNS) - {"stacked"})


def cut(screen: np.ndarray, place: Rectangle) -> np.ndarray:
    return screen[place.top : place.bottom, place.left : place.right].astype(int)


def pictures(drawn: DrawnScreen) -> list[Rectangle]:
    given = (drawn.elastogram, drawn.twin, drawn.quality_map, drawn.colour_bar)
    return [place for place in given if place is not None]


@pytest.fixture(scope="module", params=sorted(DESIGNS))
def drawn(request):
    return example_screen(request.param, 5)


def bar_from_soft(drawn: DrawnScreen) -> np.ndarray:
    bar = cut(drawn.screen, drawn.colour_bar)
    line = bar[:, bar.shape[1] // 2] if drawn.stiff_end in ("top", "bottom") else bar[bar.shape[0] // 2]
    return line[::-1] if drawn.stiff_end in ("top", "left") else line


def test_the_bar_runs_from_soft_to_stiff_on_the_side_that_is_said(drawn):
    line = bar_from_soft(drawn)
    ends = {tuple(line[0]), tuple(line[-1])}
    tables = [map_colours(name) for name in ("ssi", "vtiq", "jet", "jet_reversed", "violet", "amber")]
    assert any(ends == {tuple(map(int, t[0])), tuple(map(int, t[-1]))} for t in tables)
    assert len({tuple(colour) for colour in line}) > 60


def test_colours_are_those_of_the_true_stiffness_on_the_bar(drawn):
    """A pixel's channels differ as those of the bar's colour do, times the opacity."""
    line = bar_from_soft(drawn)
    position = drawn.scale.position(drawn.kpa.astype(float))
    pure = line[np.rint(position * (len(line) - 1)).astype(int)]
    pixels = cut(drawn.screen, drawn.box)
    inner = drawn.coloured & ~edge(drawn.sector)
    # Differences of channels have no grey part; a tint leaves few grey levels.
    shown, expected = ((c - np.roll(c, 1, axis=2))[inner].ravel().astype(float) for c in (pixels, pure))
    assert np.corrcoef(shown, expected)[0, 1] > 0.9
    slope = np.polyfit(expected, shown, 1)[0]
    assert 0.4 < slope < 1.05


def test_the_box_is_the_bounding_box_of_its_sector(drawn):
    assert drawn.sector.shape == (drawn.box.height, drawn.box.width) == drawn.kpa.shape
    assert drawn.sector.any(axis=1)[[0, -1]].all()
    assert drawn.sector.any(axis=0)[[0, -1]].all()
    assert drawn.box.common(drawn.elastogram) == drawn.box


def test_the_twin_is_the_elastogram_without_colours(drawn):
    if drawn.twin is None:
        return
    top, bottom = (cut(drawn.screen, place) for place in (drawn.elastogram, drawn.twin))
    rows = min(len(top), len(bottom))
    box = drawn.box.moved(-drawn.elastogram.left, -drawn.elastogram.top)
    same = (top[:rows] == bottom[:rows]).all(axis=2)
    outside = np.ones_like(same)
    outside[box.top : box.bottom, box.left : box.right] = False
    assert same[outside].mean() > 0.99
    inside = bottom[box.top + 3 : box.bottom - 3, box.left + 3 : box.right - 3]
    assert np.median(np.ptp(inside, axis=2)) <= 12


def test_black_holes_are_black_and_not_soft():
    found = 0
    for seed in range(12):
        drawn = example_screen("single_bar_left", seed)
        holes = drawn.sector & ~drawn.coloured & ~edge(drawn.sector)
        pixels = cut(drawn.screen, drawn.box)[holes]
        # The Q-Box's white circle may cross a hole.
        found += len(pixels)
        assert not len(pixels) or (pixels.max(axis=1) == 0).mean() > 0.9
    assert found > 300


def test_a_bar_in_metres_per_second_is_linear_in_the_speed():
    scale = Scale(0.5, 10, "m/s")
    np.testing.assert_allclose(scale.position(np.array([0.75, 300.0, 3 * 5.25**2, 1000])), [0, 1, 0.5, 1])
    assert Scale(0, 40, "kPa").position(np.array([10.0])) == 0.25


def test_a_seed_gives_the_same_screen_and_another_one_another():
    first, again, other = (example_screen("confidence_beside", seed).screen for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_no_text_lies_on_another_nor_on_a_picture(name, seed):
    with drawn_texts() as written:
        drawn = example_screen(name, seed)
    rows, columns = drawn.screen.shape[:2]
    notes = [line for block in DESIGNS[name].notes for line in block.lines]
    assert any("SIMULATED" in text for text, _ in written)
    assert sum("SIM^" in text for text, _ in written) >= 2
    for number, (text, place) in enumerate(written):
        assert place.clamped(rows, columns) == place, (text, place)
        others = [*written[number + 1 :], ("bar", drawn.colour_bar)]
        if text != "1" and text not in notes and not text.startswith("1 "):
            others += [("picture", there) for there in pictures(drawn)]
        for other, there in others:
            shared = place.common(there)
            assert not (shared.width and shared.height), (text, other)


def test_quality_maps_have_few_hues_or_little_colour():
    drawn = example_screen("confidence_beside", 3)
    box = drawn.box.moved(drawn.quality_map.left - drawn.elastogram.left, 0)
    pixels = cut(drawn.screen, box)[drawn.coloured]
    pure = pixels - pixels.min(axis=1, keepdims=True)
    hues = {tuple(np.rint(3 * p / max(p.max(), 1)).astype(int)) for p in pure[::7] if p.max() > 60}
    assert len(hues) <= 6
    drawn = example_screen("propagation_beside", 3)
    box = drawn.box.moved(drawn.quality_map.left - drawn.elastogram.left, 0)
    assert 0.05 < (np.ptp(cut(drawn.screen, box), axis=2) > 60).mean() < 0.5


@pytest.mark.parametrize("kind", KINDS)
def test_screens_without_an_elastogram_have_its_colours_or_none(kind):
    screens = [foreign_screen(kind, seed) for seed in range(3)]
    assert np.array_equal(screens[0], foreign_screen(kind, 0))
    coloured = [float((np.ptp(screen.astype(int), axis=2) > 60).mean()) for screen in screens]
    least = {"plain_bmode": 0, "tinted_bmode": 0, "bar_without_box": 0.002}.get(kind, 0.005)
    assert min(coloured) >= least
    if kind == "plain_bmode":
        # Only the statement is yellow.
        assert max(coloured) < 0.01
