"""Divide enrolled patients into a training and a validation cohort, and choose their first pictures."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from dlre_core.foundation.errors import (
    ConfigurationError,
    StoreMismatch,
    TrainingError,
)
from dlre_core.foundation.study_terms import COHORTS, KEYS, known_stages

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
    StoreMismatch
        If a stage is missing.
    """
    if not len(patients):
        raise TrainingError(
            "Nobody of this cohort is enrolled.",
            "results/enrolment/enrolment.csv says why for everyone; make check-data FOLDER=... says what to do.",
        )
    known_stages(patients["fibrosis_stage"])
    table = patients[[*KEYS, "fibrosis_stage"]]
    table = table.sort_values(KEYS, ignore_index=True)
    generator = np.random.default_rng([seed, 1])
    if permute_labels:
        table["fibrosis_stage"] = generator.permutation(table["fibrosis_stage"].to_numpy())
    if rule["method"] == "hospitals":
        training = _by_hospital(table, rule["training"])
    else:
        training = draw_stratified(table, float(rule["training_fraction"]), generator)
    table["cohort"] = np.where(training, *COHORTS)
    table["seed"] = seed
    for cohort in COHORTS:
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


def first_pictures(pictures: pd.DataFrame, images: int) -> pd.DataFrame:
    """At most the first ``images`` rows of every patient, sorted by hospital, patient and acquisition.

    Parameters
    ----------
    pictures : DataFrame
        hospital, patient, acquisition, and whatever else is to be kept.
    images : int

    Examples
    --------
    >>> pictures = pd.DataFrame({"hospital": "A", "patient": ["Q", "P", "P", "P"], "acquisition": [7, 2, 3, 1]})
    >>> first_pictures(pictures, 2)[["patient", "acquisition"]].to_numpy().tolist()
    [['P', 1], ['P', 2], ['Q', 7]]
    """
    table = pictures.sort_values([*KEYS, "acquisition"], ignore_index=True)
    return table[table.groupby(KEYS).cumcount() < images].reset_index(drop=True)


def select_images(rois: pd.DataFrame, split: pd.DataFrame, images: int) -> pd.DataFrame:
    """The first ``images`` acquisitions of every patient of a split, in acquisition order.

    Parameters
    ----------
    rois : DataFrame
        ``results/roi/rois.csv``: hospital, patient, acquisition, image_id; row i is picture i.
    split : DataFrame
        ``results/splits/{split}.csv``.
    images : int
        Number of images per patient.

    Returns
    -------
    DataFrame
        The columns of both, and ``index``, the row in ``rois``; sorted by hospital, patient and
        acquisition.

    Raises
    ------
    StoreMismatch
        If a patient has fewer images than asked for.

    Examples
    --------
    >>> rois = pd.DataFrame({"hospital": "A", "patient": ["P", "P", "P"], "acquisition": [2, 3, 1]})
    >>> split = pd.DataFrame({"hospital": ["A"], "patient": ["P"], "cohort": ["training"]})
    >>> select_images(rois, split, 2)[["acquisition", "index"]].to_numpy().tolist()
    [[1, 2], [2, 0]]
    """
    table = rois.assign(index=np.arange(len(rois))).merge(split, on=KEYS, how="inner")
    table = first_pictures(table, images)
    counts = table.groupby(KEYS).size()
    if len(counts) < len(split) or (counts < images).any():
        short = int((counts < images).sum()) + len(split) - len(counts)
        raise StoreMismatch(
            f"{short} patients of the split have fewer than {images} cropped images.",
            "Delete results/roi and results/splits and run again.",
        )
    return table


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
