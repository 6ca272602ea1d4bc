"""Logistic regression of a stage question, fitted on the training cohort, applied to everybody."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from dlre_core.foundation.design import stage_labels
from dlre_core.foundation.errors import TrainingError


def logistic_scores(
    features: NDArray[np.float64], patients: pd.DataFrame, stage: str, analysis: str
) -> NDArray[np.float64]:
    """Probability of the stage, standardised features and a ridge penalty (C = 1).

    Parameters
    ----------
    features : (n, k) float64
    patients : DataFrame
        n rows with ``cohort`` and ``fibrosis_stage``; only those of the training cohort are fitted.
    stage : {"f4", "ge_f3", "ge_f2"}
    analysis : str
        Its name, for the error.

    Returns
    -------
    (n,) float64
        NaN where a feature is missing.

    Raises
    ------
    TrainingError
        If complete training patients are of one class only.
    """
    complete = np.isfinite(features).all(axis=1)
    fitted = complete & (patients["cohort"] == "training").to_numpy()
    labels = stage_labels(patients["fibrosis_stage"], stage)
    if len(np.unique(labels[fitted])) < 2:
        raise TrainingError(
            f"{analysis.capitalize()}, {stage}: one class only among training patients with all values.",
            f"Enrol more patients, or leave the analysis {analysis} out.",
        )
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    model.fit(features[fitted], labels[fitted])
    scores = np.full(len(patients), np.nan)
    scores[complete] = model.predict_proba(features[complete])[:, 1]
    return scores
