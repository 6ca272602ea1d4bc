"""An arm cannot see what its screens do not show."""

import pytest

from dlre_core.foundation.errors import ConfigurationError
from dlre_core.preflight.input_checks import check_inputs, screens_lack


def config(inputs, **cohort):
    arms = {name: {"split": "overall", "images": 5, "input": seen} for name, seen in inputs.items()}
    return {"arms": arms, "cohort": {"source": "simulated", "simulated": "gut_2019", "screens": {}} | cohort}


def test_the_2019_scanners_screens_show_everything():
    check_inputs(config({"grey": "bmode", "map": "stiffness", "both": "square+bmode"}), "ABC")


def test_screens_of_one_picture_have_none_without_colours():
    screens = {"B": {"layout": "single_bar_left"}, "C": {"layout": "side_by_side"}}
    with pytest.raises(
        ConfigurationError, match=r"arms.both.input = 'square\+bmode': the screens of B do not show"
    ) as said:
        check_inputs(config({"both": "square+bmode", "plain": "square"}, screens=screens), "ABC")
    assert "plain" not in str(said.value)
    assert said.value.remedy
    check_inputs(config({"map": "stiffness"}, screens=screens), "ABC")


def test_squares_by_hand_know_nothing_else():
    cohort = config({}, screens={"C": {"layout": "stacked", "squares": True}})["cohort"]
    assert screens_lack(cohort, "ABC") == {"bmode": {"C"}, "stiffness": {"C"}}


def test_the_international_cohorts_ge_screens_are_single_views():
    found = screens_lack({"simulated": "international"}, "ABDE")
    assert found == {"bmode": {"B", "E"}, "stiffness": set()}


def test_a_hospitals_own_pictures_are_not_known_before():
    check_inputs(config({"grey": "bmode"}, source="folder"), "A")
