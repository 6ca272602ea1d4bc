"""Screens of other makers are found where the simulator drew them, and screens without an elastogram are not."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.other_screens import encoded, overlap, stiffness_error
from dlre_core.dicom.reader import SweImage
from dlre_core.dicom.reject_reasons import Reason, Unusable
from dlre_core.elastography.screen_layout import Rectangle
from dlre_core.foundation.errors import MissingRegion, NeedsProfile
from dlre_core.ingestion.usable_picture import IngestionSettings, usable_picture
from dlre_core.screens.finding import find_screen, find_twin
from dlre_core.screens.scale_label import read_labels
from dlre_core.simulation.foreign_screens import KINDS, foreign_screen
from dlre_core.simulation.other_screens import example_screen
from dlre_core.simulation.screen_designs import DESIGNS

ANY_SCALE = IngestionSettings(scale_by_hospital={"A": None}, hospital="A")


def image(screen: np.ndarray) -> SweImage:
    return SweImage(screen, 1, 1, True, "", "", (), None, None)


@pytest.mark.parametrize("quality", [None, 90])
@pytest.mark.parametrize("name", sorted(DESIGNS))
def test_box_twin_bar_and_stiffness_are_those_that_were_drawn(name, quality):
    drawn = example_screen(name, 5)
    screen = encoded(drawn.screen, quality)
    layout = find_screen(screen)
    assert overlap(layout.box, drawn.box) > 0.92
    assert overlap(layout.colour_bar, drawn.colour_bar) > 0.7
    assert layout.stiff_end == drawn.stiff_end
    assert (layout.twin is None) is (drawn.twin is None)
    if drawn.twin is not None:
        offsets = [
            (twin.left - picture.left, twin.top - picture.top)
            for twin, picture in ((layout.twin, layout.elastogram), (drawn.twin, drawn.elastogram))
        ]
        assert offsets[0] == offsets[1]
    assert stiffness_error(screen, layout, drawn) < (0.02 if quality is None else 0.04)


@pytest.mark.parametrize("name", sorted(DESIGNS))
def test_a_scale_is_read_right_or_not_at_all(name):
    found = []
    for seed in range(3):
        drawn = example_screen(name, seed)
        labels = read_labels(drawn.screen, drawn.colour_bar)
        found.append(labels is not None)
        if labels is not None:
            assert (labels.low, labels.high, labels.unit) == (drawn.scale.low, drawn.scale.high, drawn.scale.unit)
            assert labels.stiff_first is (drawn.stiff_end in ("top", "left"))
    assert any(found)


@pytest.mark.parametrize("kind", KINDS)
def test_a_screen_without_an_elastogram_is_given_no_box(kind):
    for seed in range(3):
        with pytest.raises(MissingRegion):
            find_screen(foreign_screen(kind, seed))


def test_a_quality_map_is_never_the_elastogram():
    for seed in range(4):
        drawn = example_screen("confidence_beside", seed)
        box = find_screen(drawn.screen).box
        common = box.common(drawn.quality_map)
        assert not common.width * common.height


def test_a_twin_that_shows_another_picture_is_none():
    drawn = example_screen("side_by_side", 3)
    screen = drawn.screen.copy()
    twin = drawn.twin
    screen[twin.top : twin.bottom, twin.left : twin.right] = screen[twin.top : twin.bottom, twin.left : twin.right][
        ::-1
    ]
    coloured = np.ptp(screen.astype(int), axis=2) > 30
    assert find_twin(drawn.screen, coloured, drawn.box) is not None
    assert find_twin(screen, coloured, drawn.box) is None


@pytest.mark.parametrize("name", sorted(set(DESIGNS) - {"stacked"}))
def test_nothing_but_pictures_and_bar_is_kept(name):
    """Names are burned in everywhere else: header, columns beside the pictures, above and below them."""
    drawn = example_screen(name, 2)
    kept = usable_picture([image(drawn.screen)], ANY_SCALE).screen
    outside = np.ones(kept.shape[:2], dtype=bool)
    # Edges of the found bar may lie a pixel beside the drawn one.
    bar = drawn.colour_bar
    wider = Rectangle(bar.left - 1, bar.top - 1, bar.right + 1, bar.bottom + 1)
    for place in (drawn.elastogram, drawn.twin, wider):
        if place is not None:
            outside[place.top : place.bottom, place.left : place.right] = False
    assert drawn.screen[outside].any()
    assert not kept[outside].any()


def test_an_unknown_scale_gives_no_stiffness():
    drawn = example_screen("single_bar_left", 3)
    bar, screen = drawn.colour_bar, drawn.screen.copy()
    for place in (replace(bar, top=bar.top - 60, bottom=bar.top), replace(bar, top=bar.bottom, bottom=bar.bottom + 60)):
        screen[place.top : place.bottom, max(place.left - 14, 0) : place.right + 90] = 0
    found = usable_picture([image(screen)], ANY_SCALE)
    assert not found.scale.known
    assert np.isnan(found.scale.kpa(np.float32(0.5)))


def test_a_bar_of_one_hue_without_labels_needs_a_profile_and_that_is_said():
    drawn = example_screen("bar_stiff_bottom", 1)
    screen, bar = drawn.screen.copy(), drawn.colour_bar
    around = replace(bar, left=bar.left - 80, top=bar.top - 60, right=bar.right + 80, bottom=bar.bottom + 60)
    around = around.clamped(*screen.shape[:2])
    for name in ("elastogram", "twin", "quality_map"):
        place = getattr(drawn, name)
        assert place is None or not place.common(around).width * place.common(around).height
    around.cut(screen)[:] = 0
    bar.cut(screen)[:] = bar.cut(drawn.screen)
    assert find_screen(drawn.screen).box
    with pytest.raises(NeedsProfile, match="one hue"):
        find_screen(screen)
    with pytest.raises(Unusable, match="needs a profile") as caught:
        usable_picture([image(screen)], ANY_SCALE)
    assert caught.value.reason is Reason.NO_ELASTOGRAM
