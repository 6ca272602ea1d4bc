"""Choose a cut-off on a ROC curve."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dlre_core.statistics.roc import RocAnalysis, roc_analysis

TOLERANCE = 1e-12


@dataclass(frozen=True)
class Cutoff:
    """A threshold (positive at score >= threshold) with its sensitivity and specificity."""

    threshold: float
    sensitivity: float
    specificity: float
    method: str = "youden"
    reason: str = ""

    @property
    def youden(self) -> float:
        """Sensitivity + specificity - 1."""
        return self.sensitivity + self.specificity - 1


def youden_cutoff(labels: ArrayLike, scores: ArrayLike) -> Cutoff:
    """The cut-off with the highest Youden index; of ties, the one with the highest sensitivity.

    Parameters
    ----------
    labels : (n,) of 0 and 1
    scores : (n,) float

    Returns
    -------
    Cutoff
        Midway between two observed scores; NaN with a reason where a class is empty.

    References
    ----------
    Youden WJ. Cancer 1950;3:32-35.

    Examples
    --------
    >>> cutoff = youden_cutoff([0, 0, 1, 1], [1.0, 3.0, 2.0, 4.0])
    >>> cutoff.threshold, cutoff.sensitivity, cutoff.specificity
    (1.5, 1.0, 0.5)
    """
    return _chosen(labels, scores, "youden", lambda roc: roc.sensitivity + roc.specificity)


def sensitivity_cutoff(labels: ArrayLike, scores: ArrayLike, sensitivity: float = 0.90) -> Cutoff:
    """The highest specificity at which the sensitivity is at least the one asked for."""

    def merit(roc: RocAnalysis) -> NDArray[np.float64]:
        return np.where(roc.sensitivity >= sensitivity - TOLERANCE, roc.specificity, -np.inf)

    return _chosen(labels, scores, f"sensitivity_{round(100 * sensitivity)}", merit)


def specificity_cutoff(labels: ArrayLike, scores: ArrayLike, specificity: float = 0.90) -> Cutoff:
    """The highest sensitivity at which the specificity is at least the one asked for."""

    def merit(roc: RocAnalysis) -> NDArray[np.float64]:
        return np.where(roc.specificity >= specificity - TOLERANCE, roc.sensitivity, -np.inf)

    return _chosen(labels, scores, f"specificity_{round(100 * specificity)}", merit)


def _chosen(
    labels: ArrayLike,
    scores: ArrayLike,
    method: str,
    merit: Callable[[RocAnalysis], NDArray[np.float64]],
) -> Cutoff:
    roc = roc_analysis(labels, scores)
    if math.isnan(roc.auc):
        return Cutoff(math.nan, math.nan, math.nan, method, roc.reason)
    value = merit(roc)
    best = np.flatnonzero(value >= value.max() - TOLERANCE)
    index = best[np.argmax(roc.sensitivity[best])]
    return Cutoff(
        float(roc.thresholds[index]),
        float(roc.sensitivity[index]),
        float(roc.specificity[index]),
        method,
    )
