"""Profiles of screens: what is wrong is said with its place, and what is right claims the right pictures."""

from dataclasses import replace

import numpy as np
import pytest

from dlre_core.elastography.screen_layout import Rectangle
from dlre_core.foundation.errors import ConfigurationError, MissingRegion
from dlre_core.screens.finding import by_profile
from dlre_core.screens.profiles import Device, profile_entries, profiles_of, read_profiles
from dlre_core.simulation.other_screens import example_screen

ENTRY = {
    "name": "single view",
    "match": {"manufacturer": "siemens", "columns": 1024, "rows": 768},
    "elastogram": [224, 0, 860, 768],
    "colour_bar": [0, 130, 19, 370],
    "stiff_end": "top",
    "scale": {"low": 0.5, "high": 10, "unit": "m/s"},
}


def sides(place: Rectangle | None) -> list[int] | None:
    return None if place is None else [place.left, place.top, place.right, place.bottom]


def profile_of(drawn, **changes):
    entry = {
        "name": "drawn",
        "match": {"columns": drawn.screen.shape[1]},
        "elastogram": sides(drawn.elastogram),
        "twin": sides(drawn.twin),
        "colour_bar": sides(drawn.colour_bar),
        "quality_map": sides(drawn.quality_map),
        "stiff_end": drawn.stiff_end,
        "scale": "read",
    } | changes
    return profiles_of([entry])[0]


def test_a_profile_claims_what_fits_all_that_it_asks_for():
    (profile,) = profiles_of([ENTRY])
    assert profile.claims(Device("SIEMENS Healthcare", "S3000", "", 1024, 768))
    assert not profile.claims(Device("GE", "S3000", "", 1024, 768))
    assert not profile.claims(Device("SIEMENS", "S3000", "", 1024, 767))
    assert (profile.scale.minimum_kpa, profile.scale.maximum_kpa) == (0.75, 300.0)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"elastogram": [224, 0, 860]}, "entry 1, elastogram"),
        ({"elastogram": [860, 0, 224, 768]}, "left < right"),
        ({"stiff_end": "left"}, "stiff_end is left, but the colour bar has top and bottom"),
        ({"scale": {"low": 10, "high": 10, "unit": "kPa"}}, "low must be below high"),
        ({"scale": {"low": 0, "high": 40, "unit": "cm/s"}}, "entry 1, scale"),
        ({"colour_bar": None}, "scale is given, but no colour_bar"),
        ({"twin": [0, 0, 10, 10]}, "differ in size"),
        ({"colour": "red"}, "'colour' was unexpected"),
        ({"match": {}}, "entry 1, match"),
        ({"match": {"maker": "GE"}}, "'maker' was unexpected"),
    ],
)
def test_a_wrong_profile_is_refused_with_its_place(change, said):
    with pytest.raises(ConfigurationError, match=r"screens\.yaml") as error:
        profiles_of([{**ENTRY, **change}])
    assert said in str(error.value)


def test_two_of_one_name_are_refused():
    with pytest.raises(ConfigurationError, match="two entries are named 'single view'"):
        profiles_of([ENTRY, ENTRY])


def test_the_file_of_a_cohort_is_read_and_a_broken_one_named(tmp_path):
    assert read_profiles(tmp_path) == ()
    path = tmp_path / "screens.yaml"
    path.write_text("- name: [", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="is no YAML"):
        read_profiles(tmp_path)
    path.write_text(
        "- {name: one, match: {hospital: A}, elastogram: [0, 0, 9, 9], stiff_end: top, scale: read}\n"
        "- {name: two, match: {columns: 9}, elastogram: [0, 0, 9, 9], stiff_end: top, scale: read}\n",
        encoding="utf-8",
    )
    assert [entry["name"] for entry in profile_entries(tmp_path, "A")] == ["one", "two"]
    assert [entry["name"] for entry in profile_entries(tmp_path, "B")] == ["two"]


@pytest.mark.parametrize("name", ["single_bar_left", "velocity", "confidence_beside", "bar_stiff_bottom"])
def test_the_box_is_found_where_a_profile_says(name):
    drawn = example_screen(name, 1)
    layout = by_profile(drawn.screen, profile_of(drawn))
    assert (layout.source, layout.screen, layout.stiff_end) == ("profile", "drawn", drawn.stiff_end)
    common = layout.box.common(drawn.box)
    assert common.width * common.height > 0.95 * drawn.box.width * drawn.box.height


def test_a_profile_that_does_not_fit_is_refused():
    drawn = example_screen("velocity", 1)
    bar = drawn.colour_bar
    for change, said in (
        ({"colour_bar": sides(bar.moved(-100, 0))}, "No colour bar"),
        ({"elastogram": sides(drawn.elastogram.moved(5000, 0)), "twin": None}, "reaches out"),
        ({"elastogram": sides(drawn.twin), "twin": None}, "No coloured box"),
        ({"colour_bar": sides(replace(drawn.box, right=drawn.box.left + 90))}, "colour_bar lies over"),
        ({"colour_bar": sides(replace(drawn.box, bottom=drawn.box.top + 40)), "stiff_end": "left"}, "lies over"),
    ):
        with pytest.raises(MissingRegion, match=said):
            by_profile(drawn.screen, profile_of(drawn, **change))
    with pytest.raises(MissingRegion, match="Nothing is shown"):
        by_profile(np.zeros_like(drawn.screen), profile_of(drawn))
