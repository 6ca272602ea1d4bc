"""Divide enrolled patients into training, validation and external cohort, and choose their first pictures."""

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
from dlre_core.foundation.study_terms import COHORTS, EXTERNAL, KEYS, known_stages

STAGE = "fibrosis_stage"
STRATA = {0: "F0-1", 1: "F0-1", 2: "F2", 3: "F3", 4: "F4"}
# Strata of fewer patients are pooled.
SMALLEST_STRATUM = 5


def dividing_columns(rule: Mapping[str, Any]) -> tuple[str, ...]:
    """Columns besides hospital and stage by which a split divides, in the order of the rule.

    Examples
    --------
    >>> rule = {"stratify_by": ["fibrosis_stage", "aetiology"], "external": {"hospital": ["K"], "country": ["ES"]}}
    >>> dividing_columns(rule)
    ('aetiology', 'country')
    """
    named = dict.fromkeys([*rule.get("stratify_by", ()), *rule.get("external", {})])
    return tuple(name for name in named if name not in (STAGE, "hospital"))


def make_split(
    patients: pd.DataFrame, rule: Mapping[str, Any], *, seed: int, permute_labels: bool = False
) -> pd.DataFrame:
    """Assign every enrolled patient to a cohort.

    Parameters
    ----------
    patients : DataFrame
        Enrolled patients: hospital, patient, fibrosis_stage (0 to 4), and the `dividing_columns` of the rule.
    rule : mapping
        ``{"method": "random", "training_fraction": f}``: stratified by stage (F0-1, F2, F3, F4),
        the training cohort rounded up to a whole patient, or by the columns of ``stratify_by`` (`strata`); or
        ``{"method": "hospitals", "training": [codes]}``: the named hospitals train, the others validate.
        ``{"external": {column: [values]}}``: patients with one of the values, in any of the columns, are in the
        cohort external, before the others are divided.
    seed : int
        Of the random division and of the permutation.
    permute_labels : bool
        Shuffle the stages among all patients first: the negative control.

    Returns
    -------
    DataFrame
        hospital, patient, fibrosis_stage, dividing columns, cohort (training, validation or external), seed; sorted.

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
    table = patients[[*KEYS, "fibrosis_stage", *dividing_columns(rule)]]
    table = table.sort_values(KEYS, ignore_index=True)
    generator = np.random.default_rng([seed, 1])
    if permute_labels:
        table["fibrosis_stage"] = generator.permutation(table["fibrosis_stage"].to_numpy())
    wanted = rule.get("external", {})
    external = named_patients(table, wanted)
    training = np.zeros(len(table), dtype=bool)
    if rule["method"] == "hospitals":
        training = _by_hospital(table, rule["training"]) & ~external
    elif not external.all():
        by = rule.get("stratify_by", [STAGE])
        training[~external] = draw_stratified(table[~external], float(rule["training_fraction"]), generator, by=by)
    table["cohort"] = np.select([external, training], [EXTERNAL, COHORTS[0]], COHORTS[1])
    table["seed"] = seed
    for cohort in (*COHORTS, EXTERNAL) if wanted else COHORTS:
        if not (table["cohort"] == cohort).any():
            of_whom = f", of whom it names {_in_words(wanted)}," if cohort == EXTERNAL else ""
            raise TrainingError(
                f"The {cohort} cohort of this split{of_whom} has no patients.",
                "Change the split in the section splits, or enrol more patients.",
            )
    return table


def named_patients(table: pd.DataFrame, values: Mapping[str, Sequence[str]]) -> np.ndarray:
    """True for patients with one of the values that are named, in any of the columns.

    Examples
    --------
    >>> table = pd.DataFrame({"hospital": ["A", "B", "C"], "country": ["CN", "ES", None]})
    >>> named_patients(table, {"hospital": ["C"], "country": ["ES", "FR"]}).tolist()
    [False, True, True]
    """
    chosen = np.zeros(len(table), dtype=bool)
    for column, wanted in values.items():
        chosen |= table[column].isin(list(wanted)).to_numpy()
    return chosen


def _in_words(values: Mapping[str, Sequence[str]]) -> str:
    return " and ".join(f"{column} {', '.join(wanted)}" for column, wanted in values.items())


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
    by: Sequence[str] = (STAGE,),
) -> np.ndarray:
    """True for a share of the patients, rounded up, the same of every stratum: by default of every stage.

    Examples
    --------
    Two thirds of nine patients are six, two of each stage:

    >>> table = pd.DataFrame({"fibrosis_stage": [2, 2, 2, 3, 3, 3, 4, 4, 4]})
    >>> chosen = draw_stratified(table, 2 / 3, np.random.default_rng(1))
    >>> table[chosen]["fibrosis_stage"].tolist()
    [2, 2, 3, 3, 4, 4]
    """
    stratum = strata(table, by)
    names = sorted(set(stratum))
    sizes = np.array([(stratum == name).sum() for name in names])
    # Rounded up to whole patients, but for what a fraction such as 0.666667 adds to two thirds.
    quotas = _largest_remainder(sizes, math.ceil(round(fraction * len(table), 3)))
    if at_least_one:
        quotas = np.clip(quotas, np.minimum(sizes - 1, 1), np.maximum(sizes - 1, 0))
    chosen = np.zeros(len(table), dtype=bool)
    for name, quota in zip(names, quotas, strict=True):
        chosen[generator.permutation(np.flatnonzero(stratum == name))[:quota]] = True
    return chosen


def strata(table: pd.DataFrame, columns: Sequence[str]) -> np.ndarray:
    """Stratum of every patient by several columns, small ones pooled.

    Strata of fewer than `SMALLEST_STRATUM` patients that differ in the last column only become one; where it is still
    small, those that differ in the last two, and so on. What is left of a value of the first column is one stratum,
    however small. The stage counts as F0-1, F2, F3 or F4; of who has no value in a column it is a value of its own.

    Returns
    -------
    (n,) of str

    Examples
    --------
    >>> table = pd.DataFrame({"fibrosis_stage": [4] * 8, "country": ["CN"] * 5 + ["DE", "FR", None]})
    >>> sorted(set(strata(table, ["fibrosis_stage", "country"])))
    ['F4 / CN', 'F4 / others']
    """
    words = [
        (table[name].map(STRATA) if name == STAGE else table[name].astype(object).where(table[name].notna(), ""))
        .astype(str)
        .to_numpy(dtype=object)
        for name in columns
    ]
    names = np.array([" / ".join(parts) for parts in zip(*words, strict=True)], dtype=object)
    for kept in range(len(columns) - 1, 0, -1):
        small = pd.Series(names).groupby(names).transform("size").to_numpy() < SMALLEST_STRATUM
        pools = [" / ".join((*parts, "others")) for parts in zip(*words[:kept], strict=True)]
        names = np.where(small, np.array(pools, dtype=object), names)
    return names


def _largest_remainder(sizes: np.ndarray, total: int) -> np.ndarray:
    exact = sizes * total / sizes.sum()
    quotas = np.floor(exact).astype(int)
    order = np.argsort(-(exact - quotas), kind="stable")
    quotas[order[: total - quotas.sum()]] += 1
    return quotas
