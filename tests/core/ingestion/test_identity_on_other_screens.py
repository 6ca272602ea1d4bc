"""Names that are planted all over other makers' screens are nowhere on what ingestion keeps."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageDraw

from dlre_core.dicom.reader import SweImage
from dlre_core.dicom.reject_reasons import Unusable
from dlre_core.elastography.screen_layout import Rectangle
from dlre_core.elastography.square import Square
from dlre_core.ingestion.usable_picture import IngestionSettings, usable_picture
from dlre_core.screens.profiles import profiles_of
from dlre_core.simulation.other_screens import example_screen
from dlre_core.simulation.screen_designs import DESIGNS
from tests.helpers.drawn_texts import drawn_texts

OTHERS = sorted(set(DESIGNS) - {"stacked"})
SETTINGS = replace(IngestionSettings(), scale_by_hospital={"": None}, minimum_fill=0.2)
# What the simulator invents of a patient: name, number, hospital, day.
IDENTITY = ("SIM^", "Hospital", "2015-")


def says_who(text: str, patient: str) -> bool:
    return patient in text or any(part in text for part in IDENTITY)


@pytest.mark.parametrize("name", OTHERS)
def test_no_planted_name_is_kept(name):
    kept = 0
    for seed in range(6):
        with drawn_texts() as texts:
            drawn = example_screen(name, seed)
        patient = next(text for text, _ in texts if text.startswith("SIM^")).removeprefix("SIM^")
        planted = [(text, place) for text, place in texts if says_who(text, patient)]
        assert len(planted) >= 5
        try:
            picture = usable_picture([SweImage(drawn.screen, 1, 1, True, "", "", (), None, None)], SETTINGS)
        except Unusable:
            # How many are found is measured elsewhere.
            continue
        kept += 1
        for text, place in planted:
            there = picture.screen[place.top : place.bottom, place.left : place.right]
            assert not there.any(), (seed, text, place)
        # It is not all black: the middle of the box is there as it was.
        box, quarter = drawn.box, min(drawn.box.width, drawn.box.height) // 4
        middle = (slice(box.top + quarter, box.bottom - quarter), slice(box.left + quarter, box.right - quarter))
        assert np.array_equal(picture.screen[middle], drawn.screen[middle])
    assert kept >= 3


def test_what_a_profile_names_as_identity_is_black_on_all_that_is_kept():
    """A name inside the picture, of which only somebody who has seen the screens can know."""
    drawn = example_screen("single_bar_right", 1)
    box = drawn.box
    name = Rectangle(box.left + 40, box.top + 30, box.left + 130, box.top + 50)
    picture = Image.fromarray(drawn.screen)
    ImageDraw.Draw(picture).text((name.left, name.top), "SIM^Z0001", fill=(255, 255, 255))
    image = SweImage(np.array(picture), 1, 1, True, "", "", (), None, None)
    entry = {
        "name": "with names",
        "match": {"columns": drawn.screen.shape[1]},
        "elastogram": list(vars(drawn.elastogram).values()),
        "colour_bar": list(vars(drawn.colour_bar).values()),
        "stiff_end": "top",
        "scale": "read",
        "identity": [list(vars(name).values()), [0, 0, 5000, 40]],
    }
    settings = replace(SETTINGS, profiles=profiles_of([entry]))
    # A square far from the box is all that is kept, and it may hold the name as well.
    beside = Square(drawn.elastogram.top, drawn.elastogram.left, 200)
    entry["identity"] = [list(vars(Rectangle(beside.column, beside.row, beside.column + 50, beside.row + 9)).values())]
    by_hand = replace(SETTINGS, profiles=profiles_of([entry]))
    for given, square, place in ((settings, None, name), (by_hand, beside, Rectangle(*entry["identity"][0]))):
        found = usable_picture([image], given, square)
        assert found.layout.source == ("profile" if square is None else "hand")
        assert place.cut(image.pixels).any()
        assert not place.cut(found.screen).any()
        assert found.screen.any()
