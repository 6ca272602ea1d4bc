"""DLRE, stiffness and blood in one score: logistic regression on out-of-fold training predictions."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlre_core.comparators.logistic_model import logistic_scores
from dlre_core.comparators.out_of_fold import out_of_fold_scores
from dlre_core.foundation.design import study_methods, study_questions
from dlre_core.foundation.study_terms import KEYS


def fused_scores(scores: pd.DataFrame, folds: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Add ``dlre_fusion_{stage}`` to a study's scores.

    A network is surer of patients that it was trained on. So the regression (standardised features,
    ridge penalty C = 1) is fitted on what networks of the other folds say of each training patient,
    and applied to what the study's own networks say of the validation patients, who take no part in
    fitting anything. Features: log odds of DLRE, logarithms of the design's other methods.

    Parameters
    ----------
    scores : DataFrame
        ``results/scores/{arm}.csv``.
    folds : sequence of DataFrame
        The same of each fold; their validation patients are together the training patients.

    Returns
    -------
    DataFrame
        As ``scores``; in training rows the DLRE scores are out of fold. A fused score is NaN where a
        feature is missing.

    Raises
    ------
    StoreMismatch
        If the folds are not a division of the training patients.
    TrainingError
        If a stage question has one class only among complete training patients.
    """
    is_training = scores["cohort"] == "training"
    result = pd.concat([out_of_fold_scores(scores, folds), scores[~is_training]])
    result = result.sort_values(KEYS, ignore_index=True)
    for stage in study_questions():
        result[f"dlre_fusion_{stage}"] = logistic_scores(fusion_features(result, stage), result, stage, "fusion")
    return result


def fusion_features(scores: pd.DataFrame, stage: str) -> NDArray[np.float64]:
    """What the fusion is made of: log odds of DLRE, then logarithms of the design's other methods in their order.

    Parameters
    ----------
    scores : DataFrame
        n rows of ``results/scores/{arm}.csv``.
    stage : str
        A question.

    Returns
    -------
    (n, methods) float64
    """
    probability = scores[f"dlre_{stage}"].to_numpy(dtype=np.float64).clip(1e-6, 1 - 1e-6)
    others = [_logarithm(scores[name].to_numpy(dtype=np.float64)) for name in study_methods()[1:]]
    return np.column_stack([np.log(probability / (1 - probability)), *others])


def _logarithm(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The score's logarithm; itself where it is not always positive, as the NAFLD fibrosis score."""
    return values if (values <= 0).any() else np.log(values)
