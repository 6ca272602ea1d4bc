"""Other divisions of a study's patients, made from its main split, to see how much the result depends on it."""

import logging
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from dlre_core.foundation.design import lowest_stages
from dlre_core.foundation.errors import ConfigurationError, TrainingError
from dlre_core.foundation.study_terms import EXTERNAL
from dlre_core.patients.splits import draw_stratified, make_split

# Settings of how many parts there are.
FOLDS = {"fold": "folds", "part": "parts"}
logger = logging.getLogger(__name__)

PATTERN = re.compile(
    r"(permuted|seed|fraction)_([0-9]+)|(fold)_([0-9]+)_of_([0-9]+)(?:_of_.+)?|(part)_([0-9]+)_of_([0-9]+)|(without)_(.+)"
)


def resplit(split: pd.DataFrame, variant: str, rule: Mapping[str, Any], seed: int) -> pd.DataFrame:
    """A variant of a split.

    Parameters
    ----------
    split : DataFrame
        As `dlre_core.patients.splits.make_split` returns it.
    variant : str
        ``permuted_N``: stages shuffled among all patients, then divided anew (the negative control).
        ``seed_N``: divided anew. ``without_H``: hospital H validates, the others train; nobody validates where
        it has no enrolled patients, and the study goes on.
        ``fraction_P``: P % of the training patients, stratified by stage, the same validation.
        ``fold_K_of_N``: only training patients, of which the K-th part validates; every part has its share of each
        stage and hospital. Of an arm other than the first it is ``fold_K_of_N_of_ARM``.
        ``part_K_of_N``: the K-th part of all patients validates and the others train (cross-validation).
        Patients of the external cohort are in no variant.
    rule : mapping
        How the study divides (``splits`` in the configuration), for ``permuted`` and ``seed``.
    seed : int
        Of the study.

    Returns
    -------
    DataFrame
        The same columns.

    Raises
    ------
    ConfigurationError
        For an unknown variant, or ``seed_N`` where the study divides by hospital.
    TrainingError
        If a cohort would be empty.
    """
    match = PATTERN.fullmatch(variant)
    if match is None:
        raise ConfigurationError(
            f"{variant} is no variant of a split.",
            "Use permuted_1, seed_1, without_A, fraction_50, fold_1_of_3 or part_1_of_5.",
        )
    kind, value, *parts = filter(None, match.groups())
    if (split["cohort"] == EXTERNAL).any():
        split = split[split["cohort"] != EXTERNAL].reset_index(drop=True)
        rule = {name: setting for name, setting in rule.items() if name != "external"}
    if kind == "without":
        return _without(split, value, seed)
    number = int(value)
    if kind == "seed" and rule["method"] != "random":
        raise ConfigurationError(
            "Splits cannot be repeated: that of the first arm divides by hospital, not at random.",
            "Put an arm with a random split first (section arms of config.yaml), or use hospitals_left_out.",
        )
    if kind in ("permuted", "seed"):
        return make_split(split, rule, seed=seed + 1_000_003 * number, permute_labels=kind == "permuted")
    generator = np.random.default_rng([seed, 4, number if kind == "fraction" else 0])
    training = split if kind == "part" else split[split["cohort"] == "training"]
    if kind == "fraction":
        kept = draw_stratified(training, number / 100, generator)
        rows = split.index.isin(training.index[kept]) | (split["cohort"] == "validation")
        return split[rows].reset_index(drop=True)
    held_back = (_folds(training, int(parts[0]), generator) == number) & ~alone(training)
    result = training.assign(cohort=np.where(held_back, "validation", "training"))
    if result["cohort"].nunique() < 2:
        raise TrainingError(f"{variant}: a fold has no patients.", f"Lower robustness.{FOLDS[kind]}.")
    return result.reset_index(drop=True)


def alone(training: pd.DataFrame) -> np.ndarray:
    """True for a training patient without whom a stage question has one class only: such a one trains in every fold."""
    stages = training["fibrosis_stage"].to_numpy()
    limits = lowest_stages().values()
    least, most = stages < min(limits), stages >= max(limits)
    return (least & (least.sum() == 1)) | (most & (most.sum() == 1))


def _without(split: pd.DataFrame, hospital: str, seed: int) -> pd.DataFrame:
    hospitals = set(split["hospital"])
    others = sorted(hospitals - {hospital})
    if not others:
        raise TrainingError(
            f"Hospital {hospital} cannot be left out: no other has enrolled patients.",
            "Take hospitals_left_out out of robustness.analyses.",
        )
    if hospital not in hospitals:
        logger.warning("Hospital %s has no enrolled patients outside an external cohort: nobody is left out", hospital)
        return split.assign(cohort="training", seed=seed)
    return make_split(split, {"method": "hospitals", "training": others}, seed=seed)


def _folds(patients: pd.DataFrame, parts: int, generator: np.random.Generator) -> np.ndarray:
    """The fold of every patient, 1 to ``parts``; each stage is dealt out in turn, hospital by hospital."""
    order = generator.permutation(len(patients))
    dealt = patients.iloc[order]
    order = order[np.lexsort((dealt["hospital"].to_numpy(), dealt["fibrosis_stage"].to_numpy()))]
    folds = np.empty(len(patients), dtype=int)
    folds[order] = np.arange(len(patients)) % parts + 1
    return folds
