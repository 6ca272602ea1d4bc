"""Divide enrolled patients into a training and a validation cohort, and prove that none leaks."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from dlre_core.errors import ConfigurationError, PatientLeak, TrainingError

STAGE_THRESHOLDS: Mapping[str, int] = {"f4": 4, "ge_f3": 3, "ge_f2": 2}
STRATA = {0: "F0-1", 1: "F0-1", 2: "F2", 3: "F3", 4: "F4"}


def make_split(
    patients: pd.DataFrame, rule: Mapping[str, Any], *, seed: int, permute_labels: bool = False
) -> pd.DataFrame:
    """Assign every enrolled patient to a cohort.

    Parameters
    ----------
    patients : DataFrame
        Enrolled patients: hospital, patient, fibrosis_stage (0 to 4).
    rule : mapping
        ``{"method": "random", "training_fraction": f}``: stratified by stage (F0-1, F2, F3, F4),
        the training cohort rounded up to a whole patient; or ``{"method": "hospitals",
        "training": [codes]}``: the named hospitals train, the others validate.
    seed : int
        Of the random division and of the permutation.
    permute_labels : bool
        Shuffle the stages among all patients first: the negative control.

    Returns
    -------
    DataFrame
        hospital, patient, fibrosis_stage, cohort (training or validation), seed; sorted.

    Raises
    ------
    TrainingError
        If nobody is enrolled, or a cohort would be empty.
    ConfigurationError
        If no hospital that the rule names has a patient in the study.
    """
    if not len(patients):
        raise TrainingError(
            "Nobody of this cohort is enrolled.",
            "results/enrolment/enrolment.csv says why for everyone; make check-data FOLDER=... says what to do.",
        )
    table = patients[["hospital", "patient", "fibrosis_stage"]]
    table = table.sort_values(["hospital", "patient"], ignore_index=True)
    generator = np.random.default_rng([seed, 1])
    if permute_labels:
        table["fibrosis_stage"] = generator.permutation(table["fibrosis_stage"].to_numpy())
    if rule["method"] == "hospitals":
        training = _by_hospital(table, rule["training"])
    else:
        training = draw_stratified(table, float(rule["training_fraction"]), generator)
    table["cohort"] = np.where(training, "training", "validation")
    table["seed"] = seed
    for cohort in ("training", "validation"):
        if not (table["cohort"] == cohort).any():
            raise TrainingError(
                f"The {cohort} cohort of this split has no patients.",
                "Change the split in the section splits, or enrol more patients.",
            )
    return table


def stopping_patients(split: pd.DataFrame, fraction: float, seed: int) -> pd.Series:
    """Training patients held back to decide when to stop, stratified by stage.

    Of every stratum with two patients or more at least one is held back and one is not.

    Returns
    -------
    Series of bool
        Aligned with ``split``; never True for a validation patient.
    """
    training = split[split["cohort"] == "training"]
    generator = np.random.default_rng([seed, 2])
    held_back = draw_stratified(training, fraction, generator, at_least_one=True)
    result = pd.Series(False, index=split.index)
    result.loc[training.index[held_back]] = True
    return result


def stage_labels(fibrosis_stage: pd.Series, stage: str) -> np.ndarray:
    """1 where the METAVIR stage answers the question ``stage`` (f4, ge_f3, ge_f2), else 0: int64.

    Examples
    --------
    >>> stage_labels(pd.Series([0, 2, 3, 4]), "ge_f3").tolist()
    [0, 0, 1, 1]
    """
    return (fibrosis_stage.to_numpy() >= STAGE_THRESHOLDS[stage]).astype(np.int64)


def check_leaks(split: pd.DataFrame, pictures: pd.DataFrame) -> pd.DataFrame:
    """Look for patients and picture contents that stand on both sides of a split.

    Parameters
    ----------
    split : DataFrame
        As `make_split` returns it.
    pictures : DataFrame
        image_id, hospital, patient, pixel_digest of every stored picture.

    Returns
    -------
    DataFrame
        One row, counts of what was compared: training_patients, validation_patients,
        training_pictures, validation_pictures, shared_patients (0), shared_pictures (0).

    Raises
    ------
    PatientLeak
        With the pairs, if a pseudonym or a picture content is on both sides.
    """
    keys = ["hospital", "patient"]
    training, validation = (split[split["cohort"] == name] for name in ("training", "validation"))
    shared = set(training["patient"]) & set(validation["patient"])
    if shared or split.duplicated(keys).any():
        raise PatientLeak(
            f"Patients on both sides of the split: {', '.join(sorted(shared)) or 'duplicated rows'}.",
            "Give every patient one id and one hospital in clinical.csv.",
        )
    used = pictures.merge(split[[*keys, "cohort"]], on=keys, how="inner")
    cohorts = used.groupby("pixel_digest")["cohort"].nunique()
    leaked = used[used["pixel_digest"].isin(cohorts[cohorts > 1].index)]
    if len(leaked):
        pairs = "; ".join(
            " = ".join(
                f"{r.hospital}/{r.patient}/{r.image_id} ({r.cohort})" for r in part.itertuples()
            )
            for _, part in leaked.groupby("pixel_digest")
        )
        raise PatientLeak(
            f"The same picture stands on both sides of the split: {pairs}.",
            "One picture was exported for two patients: find out whose it is, remove the other.",
        )
    counts = used["cohort"].value_counts()
    return pd.DataFrame(
        [
            {
                "training_patients": len(training),
                "validation_patients": len(validation),
                "training_pictures": int(counts.get("training", 0)),
                "validation_pictures": int(counts.get("validation", 0)),
                "shared_patients": 0,
                "shared_pictures": 0,
            }
        ]
    )


def _by_hospital(table: pd.DataFrame, hospitals: Sequence[str]) -> np.ndarray:
    unknown = sorted(set(hospitals) - set(table["hospital"]))
    if len(unknown) == len(set(hospitals)):
        raise ConfigurationError(
            f"splits: no enrolled patient is from any of the hospitals {', '.join(unknown)}.",
            f"Name some of {', '.join(sorted(set(table['hospital'])))}.",
        )
    return table["hospital"].isin(list(hospitals)).to_numpy()


def draw_stratified(
    table: pd.DataFrame,
    fraction: float,
    generator: np.random.Generator,
    *,
    at_least_one: bool = False,
) -> np.ndarray:
    """True for a share of the patients, rounded up, the same of every stage (F0-1, F2, F3, F4).

    Examples
    --------
    Two thirds of nine patients are six, two of each stage:

    >>> table = pd.DataFrame({"fibrosis_stage": [2, 2, 2, 3, 3, 3, 4, 4, 4]})
    >>> chosen = draw_stratified(table, 2 / 3, np.random.default_rng(1))
    >>> table[chosen]["fibrosis_stage"].tolist()
    [2, 2, 3, 3, 4, 4]
    """
    strata = table["fibrosis_stage"].map(STRATA).to_numpy()
    names = sorted(set(strata))
    sizes = np.array([(strata == name).sum() for name in names])
    # Rounded up to whole patients, but for what a fraction such as 0.666667 adds to two thirds.
    quotas = _largest_remainder(sizes, math.ceil(round(fraction * len(table), 3)))
    if at_least_one:
        quotas = np.clip(quotas, np.minimum(sizes - 1, 1), np.maximum(sizes - 1, 0))
    chosen = np.zeros(len(table), dtype=bool)
    for name, quota in zip(names, quotas, strict=True):
        chosen[generator.permutation(np.flatnonzero(strata == name))[:quota]] = True
    return chosen


def _largest_remainder(sizes: np.ndarray, total: int) -> np.ndarray:
    exact = sizes * total / sizes.sum()
    quotas = np.floor(exact).astype(int)
    order = np.argsort(-(exact - quotas), kind="stable")
    quotas[order[: total - quotas.sum()]] += 1
    return quotas
