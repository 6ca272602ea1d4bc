"""What networks say of training patients that they were not fitted to."""

from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import pandas as pd

from dlre_core.foundation.csv_tables import read_table
from dlre_core.foundation.design import network_scores, score_columns
from dlre_core.foundation.errors import StoreMismatch
from dlre_core.foundation.study_terms import KEYS
from dlre_core.patients.resplits import alone

Arm = TypeVar("Arm", bound=Hashable)


def out_of_fold_scores(scores: pd.DataFrame, folds: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Scores of the training patients, DLRE's by the networks of the fold that held them back.

    Parameters
    ----------
    scores : DataFrame
        ``results/scores/{arm}.csv``.
    folds : sequence of DataFrame
        The same of each fold; their validation patients are together the training patients.

    Returns
    -------
    DataFrame
        The training rows of ``scores``, sorted by patient. DLRE is NaN in the only patient of a stage whom no
        fold could do without (`dlre_core.patients.resplits.alone`).

    Raises
    ------
    StoreMismatch
        If the folds are not a division of the training patients.
    """
    training = scores[scores["cohort"] == "training"]
    held_back = pd.concat([fold[fold["cohort"] == "validation"] for fold in folds])[[*KEYS, *network_scores()]]
    merged = training.drop(columns=network_scores()).merge(held_back, on=KEYS, how="outer", indicator=True)
    known = merged["_merge"] == "both"
    if len(merged) != len(training) or not (known | alone(merged)).all():
        raise StoreMismatch(
            "The folds do not divide the training patients.",
            "Delete results/robustness and run again.",
        )
    return merged[list(scores.columns)].sort_values(KEYS, ignore_index=True)


def read_out_of_fold(scores: pd.DataFrame, folds: Sequence[str | Path]) -> pd.DataFrame | None:
    """`out_of_fold_scores` of the files of an arm's folds; None where there are none."""
    if not folds:
        return None
    return out_of_fold_scores(scores, [read_table(path, needs=score_columns()) for path in folds])


def read_out_of_fold_of_arms(
    scores: Mapping[Arm, pd.DataFrame], folds: Sequence[str | Path], numbers: Sequence[int]
) -> dict[Arm, pd.DataFrame]:
    """`out_of_fold_scores` of those arms that have folds.

    Parameters
    ----------
    scores : mapping of arm to DataFrame
    folds : sequence of path
        Files of all arms' folds, arm by arm.
    numbers : sequence of int
        How many of them each arm has.
    """
    found, rest = {}, list(folds)
    for (arm, table), number in zip(scores.items(), numbers, strict=True):
        mine, rest = rest[:number], rest[number:]
        read = read_out_of_fold(table, mine)
        if read is not None:
            found[arm] = read
    return found
