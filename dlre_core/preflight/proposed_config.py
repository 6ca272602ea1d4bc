"""Sections of ``config.yaml`` for a user's own folder, to paste."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from dlre_core.foundation.errors import ClinicalTableError, CohortError
from dlre_core.foundation.study_terms import KEYS
from dlre_core.patients.clinical_table import examine_table
from dlre_core.patients.cohort_folder import hospital_codes
from dlre_core.patients.enrolment import EnrolmentSettings, enrol, flow
from dlre_core.patients.study_list import TABLE as STUDY_LIST
from dlre_core.patients.table_file import table_path
from dlre_core.preflight.trainable_arms import untrainable_arms
from dlre_core.user_tables.csv_input import STOPPED
from dlre_core.user_tables.units import GivenUnit
from dlre_core.workflow.configuration import CONFIGURATION, SCHEMA, checked_section

FEWEST_HOSPITALS = 4
# Stands in the proposal until the user's own is there.
PACS_ADDRESS = "https://pacs.hospital/dicom-web"


def proposed_configuration(
    folder: str | Path, patients: Mapping[str, int], *, images: int = 5, pacs: bool = False
) -> str:
    """The sections cohort, splits and arms for a folder, as YAML.

    One random split, as in the paper; with four hospitals or more also two splits by hospital: one half
    of the hospitals trains and the other validates, then the other way round. The halves hold about
    equally many patients.

    Parameters
    ----------
    folder : path
        The cohort folder.
    patients : mapping of hospital to number of patients
        Hospitals without patients take no part in the splits.
    images : int
        Of each patient; arms with three and one besides, where that is fewer.
    pacs : bool
        Whether pictures are to be pulled from a PACS, whose address is then to be put in.

    Examples
    --------
    >>> print(proposed_configuration("/data", {"aalen": 9, "bern": 7}))
    cohort: {source: folder, folder: /data, seed: 2019}
    splits:
      overall: {method: random, training_fraction: 0.666667, seed: 2019}
    arms:
      overall_5_images: {split: overall, images: 5}
      overall_3_images: {split: overall, images: 3}
      overall_1_image: {split: overall, images: 1}
    <BLANKLINE>
    """
    splits: dict[str, dict] = {"overall": {"method": "random", "training_fraction": 0.666667, "seed": 2019}}
    arms: dict[str, dict] = {
        f"overall_{n}_image{'s' * (n > 1)}": {"split": "overall", "images": n}
        for n in (images, *(fewer for fewer in (3, 1) if fewer < images))
    }
    halves = _halves({name: number for name, number in patients.items() if number})
    for number, half in enumerate(halves, 1):
        name = f"combination_{number}"
        splits[name] = {"method": "hospitals", "training": half}
        arms[name] = {"split": name, "images": images}
    source = {"source": "dicomweb", "dicomweb": {"url": PACS_ADDRESS}} if pacs else {"source": "folder"}
    cohort = {**source, "folder": str(folder), "seed": 2019}
    parts = [f"cohort: {_flow(cohort)}"]
    for section, entries in (("splits", splits), ("arms", arms)):
        parts += [f"{section}:", *(f"  {name}: {_flow(entry)}" for name, entry in entries.items())]
    return "\n".join(parts) + "\n"


def outlook(
    folder: Path, problems: pd.DataFrame, units: Sequence[GivenUnit] = (), design: str = ""
) -> tuple[pd.DataFrame, str]:
    """Who would be enrolled, and what to put into ``config.yaml``.

    Parameters
    ----------
    folder : path
        The cohort folder. What is still to be pulled from a PACS (``studies.csv``) is taken to come.
    problems : DataFrame
        As `dlre_core.preflight.folder_check.check_folder` returns it.
    units : sequence of GivenUnit, optional
    design : str, optional
        The study's, where ``config.yaml`` does not name it.

    Returns
    -------
    DataFrame
        As `dlre_core.patients.enrolment.enrol` returns it; no rows where the table cannot be read at all.
    str
        Empty where the folder cannot be used as it is.

    Raises
    ------
    ConfigurationError
        If the section enrolment of the ``config.yaml`` here is wrong.
    """
    given = checked_section(CONFIGURATION, SCHEMA, "enrolment", design)
    settings = EnrolmentSettings(**given)
    pacs = table_path(folder, STUDY_LIST).exists()
    try:
        hospitals = hospital_codes({"source": "dicomweb" if pacs else "folder", "folder": folder})
        patients = examine_table(table_path(folder, "clinical"), hospitals, units=units).patients
    except (CohortError, ClinicalTableError):
        return pd.DataFrame(columns=["all_reasons"]), ""
    verdict, lost = _outlook(patients, problems, settings)
    if set(problems["effect"]) & {STOPPED} or set(problems["code"]) & {"unusable_table"}:
        return verdict, ""
    counts = verdict[verdict["enrolled"] == 1]["hospital"].value_counts()
    counts = counts.reindex(hospitals, fill_value=0)
    text = (
        f"\n{counts.sum()} of {len(patients)} patients with a usable row would be enrolled, as far as the table "
        "and the numbers of pictures tell.\n"
    )
    if lost:
        text += "The others are first excluded for:\n"
        text += "".join(f"  {number:5d}  {sentence}\n" for sentence, number in lost.items())
    if not counts.sum():
        return verdict, text
    sections = proposed_configuration(folder.resolve(), counts.to_dict(), images=settings.images_per_patient, pacs=pacs)
    proposal = yaml.safe_load(sections)
    stages = patients.loc[(verdict["enrolled"] == 1).to_numpy(), ["hospital", "fibrosis_stage"]]
    skipped = untrainable_arms(proposal["arms"], proposal["splits"], stages)
    for reason, names in _arms_by_reason(skipped).items():
        text += f"\n{reason} The study skips {names}; what needs no network is made all the same.\n"
    then = "with the address of your PACS, then `make pull` and `make study`" if pacs else "then `make study`"
    return verdict, (
        f"{text}\nTo run the study on them, put this into config.yaml, in place of its section "
        f"cohort, {then}:\n\n{sections}"
    )


def _arms_by_reason(skipped: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for arm, reason in skipped.items():
        found.setdefault(reason, []).append(arm)
    return {reason: ", ".join(arms) for reason, arms in found.items()}


def _outlook(
    patients: pd.DataFrame, problems: pd.DataFrame, settings: EnrolmentSettings
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Who would be enrolled, and how many are first excluded for what."""
    table = patients.rename(columns={"patient_id": "patient"})
    keys = pd.MultiIndex.from_frame(table[KEYS])
    short = problems[problems["code"] == "too_few_pictures"]
    few = keys.isin(list(zip(short["hospital"], short["patient_id"], strict=True)))
    images = pd.Series(np.where(few, 0, settings.images_per_patient), index=keys)
    verdict = enrol(table, images, settings)
    first = flow(verdict, settings).groupby("sentence", sort=False)["excluded_first"].sum()
    return verdict, first[first > 0].to_dict()


def _halves(patients: Mapping[str, int]) -> list[list[str]]:
    """Largest hospital first, each into the half with fewer patients; nothing with few hospitals."""
    if len(patients) < FEWEST_HOSPITALS:
        return []
    halves: list[list[str]] = [[], []]
    sums = [0, 0]
    for name in sorted(patients, key=lambda name: (-patients[name], name)):
        smaller = int(sums[1] < sums[0])
        halves[smaller].append(name)
        sums[smaller] += patients[name]
    return [sorted(half) for half in halves]


def _flow(entry: Mapping[str, object]) -> str:
    text = yaml.safe_dump(dict(entry), default_flow_style=True, sort_keys=False, width=10_000)
    return text.strip()
