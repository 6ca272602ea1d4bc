"""Splits that name columns and values: whether the clinical table has them, and leaves somebody in every cohort."""

from collections.abc import Collection, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

from dlre_core.foundation.errors import ConfigurationError, TrainingError
from dlre_core.patients.enrolment import MAKER, EnrolmentSettings
from dlre_core.patients.splits import dividing_columns, make_split
from dlre_core.preflight.trainable_arms import eligible_patients
from dlre_core.user_tables.units import given_units
from dlre_core.workflow.config_faults import refuse


def check_divisions(config: Mapping[str, Any], clinical_csv: str | Path, hospitals: Collection[str]) -> None:
    """Refuse a split that an arm uses and that the clinical table cannot be divided by.

    Parameters
    ----------
    config : mapping
        The whole configuration, checked. The table of a simulated cohort is simulated for this.
    clinical_csv : path
    hospitals : collection of str
        Codes of the cohort's hospitals.

    Raises
    ------
    ConfigurationError
        Before anything is run, naming every such split.
    """
    used = sorted({arm["split"] for arm in config["arms"].values()} & config["splits"].keys())
    splits = {name: config["splits"][name] for name in used}
    splits = {name: rule for name, rule in splits.items() if "external" in rule or "stratify_by" in rule}
    if not splits:
        return
    cohort, settings = config["cohort"], EnrolmentSettings(**config["enrolment"])
    columns = sorted({column for rule in splits.values() for column in dividing_columns(rule)})
    units = given_units(config.get("units", []))
    with TemporaryDirectory() as folder:
        if cohort["source"] == "simulated":
            # Every job imports this module, and drawing screens takes a second to import.
            from dlre_core.simulation.international import write_embedded_table

            clinical_csv = Path(folder) / "clinical.csv"
            write_embedded_table(cohort["simulated"], clinical_csv, cohort["size"], cohort["seed"])
        refuse(division_faults(splits, eligible_patients(clinical_csv, hospitals, settings, units, columns)))


def division_faults(splits: Mapping[str, Mapping[str, Any]], patients: pd.DataFrame) -> list[str]:
    """A sentence with its remedy for every column and value that the patients do not have, and every empty cohort.

    Parameters
    ----------
    splits : mapping
        Section of the configuration. What is said of makers is passed over: only pictures tell them.
    patients : DataFrame
        From `eligible_patients`, with the `dividing_columns` that the table has. Where nobody could be enrolled nothing
        is said: that has a message of its own.
    """
    faults = []
    for name, rule in splits.items() if len(patients) else ():
        external = {column: values for column, values in rule.get("external", {}).items() if column != MAKER}
        by = [column for column in rule.get("stratify_by", ["fibrosis_stage"]) if column != MAKER]
        absent = [column for column in dict.fromkeys([*external, *by]) if column not in patients]
        for column in absent:
            faults.append(
                f"splits.{name}: it divides by {column}, and clinical.csv has no such column. Add the column, or name "
                "another one."
            )
        of_others = []
        for column, values in external.items() if not absent else ():
            known = sorted({str(value) for value in patients[column].dropna()} - {""})
            if unknown := [value for value in values if value not in known]:
                of_others.append(
                    f"splits.{name}.external.{column}: nobody who could be enrolled has {', '.join(unknown)}. "
                    + (f"Write some of {', '.join(known)}." if known else "Fill in the column, or name another one.")
                )
        faults += of_others
        if not absent and not of_others:
            faults += _empty_cohort(name, {**rule, "external": external, "stratify_by": by}, patients)
    return faults


def _empty_cohort(name: str, rule: Mapping[str, Any], patients: pd.DataFrame) -> list[str]:
    """What is wrong with the division of all who could be enrolled, if anything."""
    try:
        make_split(patients, rule, seed=0)
    except (TrainingError, ConfigurationError) as error:
        return [f"splits.{name}: {error}"]
    return []
