"""Choose a cut-off on a ROC curve, and say how well it is known."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dlre_core.statistics.estimates import check_confidence, too_few
from dlre_core.statistics.roc import roc_analysis

TOLERANCE = 1e-12
# Replicates at a time, which bounds the memory.
BLOCK = 200
# What is to be highest, of the sensitivities and specificities at all thresholds.
Merit = Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]]


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
        Midway between two observed scores; NaN with a reason where a class is empty. Where all scores are
        equal it is minus infinity, with a reason: everybody is positive.

    References
    ----------
    Youden WJ. Cancer 1950;3:32-35.

    Examples
    --------
    >>> cutoff = youden_cutoff([0, 0, 1, 1], [1.0, 3.0, 2.0, 4.0])
    >>> cutoff.threshold, cutoff.sensitivity, cutoff.specificity
    (1.5, 1.0, 0.5)
    """
    return _chosen(labels, scores, "youden", _youden)


def sensitivity_cutoff(labels: ArrayLike, scores: ArrayLike, sensitivity: float = 0.90) -> Cutoff:
    """The highest specificity at which the sensitivity is at least the one asked for."""
    return _chosen(labels, scores, f"sensitivity_{round(100 * sensitivity)}", _at_sensitivity(sensitivity))


def specificity_cutoff(labels: ArrayLike, scores: ArrayLike, specificity: float = 0.90) -> Cutoff:
    """The highest sensitivity at which the specificity is at least the one asked for."""
    return _chosen(labels, scores, f"specificity_{round(100 * specificity)}", _at_specificity(specificity))


def cutoff_interval(
    labels: ArrayLike,
    scores: ArrayLike,
    method: str = "youden",
    *,
    replicates: int = 2000,
    seed: int = 0,
    confidence: float = 0.95,
) -> tuple[float, float]:
    """Percentile interval of a cut-off that is chosen anew in every bootstrap replicate.

    Replicates draw patients within cases and controls.

    Parameters
    ----------
    labels : (n,) of 0 and 1
    scores : (n,) float
        NaN is missing and left out.
    method : {"youden", "sensitivity_90", "specificity_90"}
    replicates, seed : int
    confidence : float

    Returns
    -------
    (low, high)
        NaN where a class has fewer than five patients or all scores are equal.

    References
    ----------
    Efron B, Tibshirani RJ. An introduction to the bootstrap. Chapman & Hall, 1993.
    """
    check_confidence(confidence)
    roc = roc_analysis(labels, scores)
    distinct = len(roc.thresholds) - 1
    if too_few(roc.n_cases, roc.n_controls) or distinct < 2 or replicates < 2:
        return math.nan, math.nan
    truth, values = np.asarray(labels), np.asarray(scores, dtype=np.float64)
    known = ~np.isnan(values)
    groups = np.unique(values[known], return_inverse=True)[1]
    counts = [np.bincount(groups[truth[known] == value], minlength=distinct) for value in (1, 0)]
    generator = np.random.default_rng(seed)
    merit = MERITS[method]
    found = []
    for start in range(0, replicates, BLOCK):
        block = min(BLOCK, replicates - start)
        below = []
        for count in counts:
            drawn = generator.multinomial(count.sum(), count / count.sum(), block)
            shares = np.cumsum(drawn, axis=1) / count.sum()
            below.append(np.column_stack([np.zeros(block), shares]))
        found.append(roc.thresholds[_best(1 - below[0], below[1], merit)])
    # An end of the curve, where everybody or nobody is positive, has a place in the order but not between others.
    low, high = np.quantile(
        np.concatenate(found), [(1 - confidence) / 2, (1 + confidence) / 2], method="closest_observation"
    )
    return float(low), float(high)


def _youden(sensitivity: NDArray[np.float64], specificity: NDArray[np.float64]) -> NDArray[np.float64]:
    return sensitivity + specificity


def _at_sensitivity(wanted: float) -> Merit:
    return lambda sensitivity, specificity: np.where(sensitivity >= wanted - TOLERANCE, specificity, -np.inf)


def _at_specificity(wanted: float) -> Merit:
    return lambda sensitivity, specificity: np.where(specificity >= wanted - TOLERANCE, sensitivity, -np.inf)


MERITS: Mapping[str, Merit] = {
    "youden": _youden,
    "sensitivity_90": _at_sensitivity(0.90),
    "specificity_90": _at_specificity(0.90),
}


def _best(sensitivity: NDArray[np.float64], specificity: NDArray[np.float64], merit: Merit) -> NDArray[np.int64]:
    """Place of the highest merit along the last axis; of ties that with the highest sensitivity."""
    value = merit(sensitivity, specificity)
    best = value >= value.max(axis=-1, keepdims=True) - TOLERANCE
    return np.argmax(np.where(best, sensitivity, -np.inf), axis=-1)


def _chosen(labels: ArrayLike, scores: ArrayLike, method: str, merit: Merit) -> Cutoff:
    roc = roc_analysis(labels, scores)
    if math.isnan(roc.auc):
        return Cutoff(math.nan, math.nan, math.nan, method, roc.reason)
    index = int(_best(roc.sensitivity, roc.specificity, merit))
    threshold = float(roc.thresholds[index])
    reason = "" if math.isfinite(threshold) else f"{'everybody' if threshold < 0 else 'nobody'} is positive"
    return Cutoff(threshold, float(roc.sensitivity[index]), float(roc.specificity[index]), method, reason)
