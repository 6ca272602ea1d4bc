"""Arms whose network sees what the screens of a simulated cohort do not show: known before anything runs."""

from collections.abc import Collection, Mapping
from typing import Any

from dlre_core.foundation.study_terms import INPUT_WORDS, besides_the_square
from dlre_core.simulation.presets import INTERNATIONAL
from dlre_core.workflow.config_faults import refuse


def check_inputs(config: Mapping[str, Any], hospitals: Collection[str]) -> None:
    """Refuse arms that need what a simulated hospital's screens lack.

    Of a hospital's own pictures that is known once they are read: then the arm's training says so.

    Parameters
    ----------
    config : mapping
        The whole configuration, checked.
    hospitals : collection of str
        Codes of the cohort's hospitals.

    Raises
    ------
    ConfigurationError
        Before anything is run, naming every such arm.
    """
    needs = {name: besides_the_square(arm.get("input", "square")) for name, arm in config["arms"].items()}
    if config["cohort"]["source"] != "simulated" or not any(needs.values()):
        return
    lacking = screens_lack(config["cohort"], hospitals)
    faults = []
    for name, pictures in needs.items():
        without = sorted(set().union(*(lacking[picture] for picture in pictures)))
        if without:
            seen = config["arms"][name]["input"]
            faults.append(
                f"arms.{name}.input = {seen!r}: the screens of {', '.join(without)} do not show {INPUT_WORDS[seen]}."
            )
    refuse(faults, "Give the arm another input, or a split whose hospitals' screens show it.")


def screens_lack(cohort: Mapping[str, Any], hospitals: Collection[str]) -> dict[str, set[str]]:
    """By stored picture of `INPUTS`, the simulated hospitals whose screens do not have it.

    Parameters
    ----------
    cohort : mapping
        Section of the configuration.
    hospitals : collection of str
    """
    # Every job reads this module, and drawing screens takes a second to import.
    from dlre_core.simulation.international import CENTRES
    from dlre_core.simulation.screen_designs import DESIGNS

    screens = cohort.get("screens", {})
    if cohort["simulated"] == INTERNATIONAL:
        layouts = {hospital: CENTRES[hospital].layout for hospital in hospitals}
    else:
        layouts = {hospital: screens.get(hospital, {}).get("layout", "stacked") for hospital in hospitals}
    # Where squares are drawn by hand nothing else is known of a picture.
    by_hand = {hospital for hospital in hospitals if screens.get(hospital, {}).get("squares")}
    plain = {hospital for hospital, layout in layouts.items() if DESIGNS[layout].twin is None}
    return {"bmode": plain | by_hand, "stiffness": by_hand}
