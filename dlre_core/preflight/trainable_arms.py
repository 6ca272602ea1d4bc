"""Which arms of a study cannot be trained, by the stages of who could be enrolled: known before anything runs."""

import json
import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from dlre_core.foundation.design import lowest_stages
from dlre_core.foundation.errors import ClinicalTableError
from dlre_core.foundation.study_terms import KEYS, METAVIR_STAGES
from dlre_core.patients.clinical_table import read_clinical
from dlre_core.patients.enrolment import EnrolmentSettings, enrol
from dlre_core.patients.splits import dividing_columns, named_patients
from dlre_core.user_tables.units import GivenUnit, given_units

# Jobs inherit the environment, so that the table is read once per run.
VARIABLE = "DLRE_SKIPPED_ARMS"


def skipped_arms(
    config: Mapping[str, Any], clinical_csv: str | Path, hospitals: Collection[str], *, anew: bool
) -> dict[str, str]:
    """Arms of the configuration that cannot be trained, each with the reason; found once per run.

    Parameters
    ----------
    config : mapping
        The whole configuration.
    clinical_csv : path
    hospitals : collection of str
    anew : bool
        Look again, whatever the environment remembers.
    """
    if anew or VARIABLE not in os.environ:
        units = given_units(config.get("units", []))
        columns = sorted({column for rule in config["splits"].values() for column in dividing_columns(rule)})
        settings = EnrolmentSettings(**config["enrolment"])
        patients = eligible_patients(clinical_csv, hospitals, settings, units, columns)
        os.environ[VARIABLE] = json.dumps(untrainable_arms(config["arms"], config["splits"], patients))
    return json.loads(os.environ[VARIABLE])


def eligible_patients(
    clinical_csv: str | Path,
    hospitals: Collection[str],
    settings: EnrolmentSettings,
    units: Sequence[GivenUnit] = (),
    columns: Sequence[str] = (),
) -> pd.DataFrame:
    """Who could be enrolled by the clinical table, whatever pictures there are.

    Returns
    -------
    DataFrame
        hospital, patient (as in the table), fibrosis_stage (0 to 4) and those of ``columns`` that the table has, one
        row per patient; empty where the table cannot be read, which rule clinical_table then says.
    """
    wanted = [*KEYS, "fibrosis_stage", *columns]
    try:
        patients = read_clinical(clinical_csv, hospitals, units=units).patients
    except ClinicalTableError:
        return pd.DataFrame(columns=wanted)
    patients = patients.rename(columns={"patient_id": "patient"})
    keys = pd.MultiIndex.from_frame(patients[KEYS])
    verdict = enrol(patients, pd.Series(settings.images_per_patient, index=keys), settings)
    there = [column for column in wanted if column in patients]
    return patients.loc[(verdict["enrolled"] == 1).to_numpy(), there].reset_index(drop=True)


def untrainable_arms(
    arms: Mapping[str, Mapping[str, Any]],
    splits: Mapping[str, Mapping[str, Any]],
    stages: pd.DataFrame,
) -> dict[str, str]:
    """Arms whose training patients lack one side of a stage question, each with the reason.

    Parameters
    ----------
    arms, splits : mapping
        Sections of the configuration.
    stages : DataFrame
        From `eligible_patients`. Where nobody could be enrolled no arm is named: that has a message of its own.

    Examples
    --------
    >>> stages = pd.DataFrame({"hospital": ["A", "A", "B", "B"], "fibrosis_stage": [0, 4, 3, 4]})
    >>> splits = {"all": {"method": "random"}, "b": {"method": "hospitals", "training": ["B"]}}
    >>> list(untrainable_arms({"one": {"split": "all"}, "two": {"split": "b"}}, splits, stages))
    ['two']
    """
    reasons = {}
    for arm, settings in arms.items():
        split = splits[settings["split"]]
        named = split.get("training", ()) if split["method"] == "hospitals" else ()
        here = stages[stages["hospital"].isin(list(named))] if named else stages
        external = {column: values for column, values in split.get("external", {}).items() if column in here}
        here = here[~named_patients(here, external)]
        of_hospitals = f"of the training hospitals {', '.join(named)} " if named else ""
        for name, (needed, question) in _needed().items():
            if len(here) and not here["fibrosis_stage"].isin(needed).any():
                reasons[arm] = (
                    f"Nobody {of_hospitals}who could be enrolled has {name}, so no network can learn {question}."
                )
                break
    return reasons


def _needed() -> dict[str, tuple[range, str]]:
    """Both ends of the scale, with which every question has patients on either side: stages, and what they tell."""
    limits = lowest_stages().values()
    mild, severe = range(min(limits)), range(max(limits), METAVIR_STAGES[-1] + 1)
    return {
        _words(mild): (mild, f"whether a patient has {_or_more(min(limits))}"),
        _words(severe): (severe, f"whether a patient has {_or_more(max(limits))}"),
    }


def _words(stages: range) -> str:
    *others, last = [f"F{stage}" for stage in stages]
    return f"{', '.join(others)} or {last}" if others else last


def _or_more(stage: int) -> str:
    return f"F{stage}" if stage == METAVIR_STAGES[-1] else f"F{stage} or more"
