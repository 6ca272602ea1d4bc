"""AUC, its variance and covariance by DeLong's structural components, in O(n log n)."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


def complete_cases(labels: ArrayLike, *scores: ArrayLike) -> tuple[NDArray[np.int64], list[NDArray[np.float64]], int]:
    """Labels and scores where no score is missing, and how many were dropped.

    Parameters
    ----------
    labels : (n,) of 0 and 1
    *scores : (n,) float
        NaN is missing; infinite values are kept, they have a rank.

    Raises
    ------
    ValueError
        If labels are neither 0 nor 1, or lengths differ.
    """
    truth = np.asarray(labels)
    columns = [np.asarray(values, dtype=np.float64) for values in scores]
    if truth.ndim != 1 or any(values.shape != truth.shape for values in columns):
        shapes = ", ".join(str(values.shape) for values in columns)
        raise ValueError(f"labels {truth.shape} and scores {shapes} must be vectors of one length")
    if not ((truth == 0) | (truth == 1)).all():
        raise ValueError("labels must be 0 (control) or 1 (case)")
    missing = np.zeros(len(truth), dtype=bool)
    for values in columns:
        missing |= np.isnan(values)
    if not missing.any():
        return truth.astype(np.int64), columns, 0
    kept = [values[~missing] for values in columns]
    return truth[~missing].astype(np.int64), kept, int(missing.sum())


def placements(
    truth: NDArray[np.int64], scores: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """DeLong's structural components by mid-ranks.

    Returns
    -------
    cases : (n_cases,) float64
        Share of controls below each case, ties half.
    controls : (n_controls,) float64
        Share of cases above each control, ties half.

    References
    ----------
    DeLong ER, DeLong DM, Clarke-Pearson DL. Biometrics 1988;44:837-845. Sun X, Xu W. IEEE Signal
    Process Lett 2014;21:1389-1393 (mid-ranks).
    """
    is_case = truth == 1
    below, above_or_tied = _below(is_case, scores)
    n_cases = int(is_case.sum())
    of_cases = below[is_case] / max(len(truth) - n_cases, 1)
    of_controls = 1 - above_or_tied[~is_case] / max(n_cases, 1)
    return of_cases, of_controls


def _below(is_case: NDArray[np.bool_], scores: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Controls below every patient, and cases below every patient, ties half."""
    n = len(scores)
    order = np.argsort(scores)
    ranked, case = scores[order], is_case[order]
    starts = np.concatenate([[0], np.flatnonzero(ranked[1:] != ranked[:-1]) + 1, [n]])
    sizes = np.diff(starts)
    cases = np.concatenate([[0], np.cumsum(case)])[starts]
    controls = starts - cases
    result = []
    for counted in (controls, cases):
        middle = (counted[:-1] + counted[1:]) / 2
        column = np.empty(n)
        column[order] = middle if len(middle) == n else np.repeat(middle, sizes)
        result.append(column)
    return result[0], result[1]


@dataclass(frozen=True)
class AucParts:
    """An AUC with what its comparisons need; ``reason`` says why values are NaN."""

    auc: float
    variance: float
    placements: tuple[NDArray[np.float64], NDArray[np.float64]]
    reason: str = ""

    @property
    def n_cases(self) -> int:
        """Patients with the stage."""
        return len(self.placements[0])

    @property
    def n(self) -> int:
        """Patients."""
        return len(self.placements[0]) + len(self.placements[1])


def auc_parts(truth: NDArray[np.int64], values: NDArray[np.float64]) -> AucParts:
    """AUC, DeLong variance and placements of complete cases, without the curve.

    Parameters
    ----------
    truth : (n,) int64 of 0 and 1
    values : (n,) float64, none missing
    """
    n_cases = int(np.count_nonzero(truth))
    n_controls = len(truth) - n_cases
    if not n_cases or not n_controls:
        reason = "no cases" if n_controls else "no controls" if n_cases else "no patients"
        nothing = (np.full(n_cases, np.nan), np.full(n_controls, np.nan))
        return AucParts(math.nan, math.nan, nothing, reason)
    components = placements(truth, values)
    variance = delong_covariance(components, components)
    enough = n_cases > 1 and n_controls > 1
    reason = "" if enough else "one case or one control has no variance"
    return AucParts(float(components[0].mean()), variance, components, reason)


def delong_covariance(
    first: tuple[NDArray[np.float64], NDArray[np.float64]],
    second: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> float:
    """Covariance of two AUCs on the same patients, from their placements; NaN below 2 a class."""
    m, n = len(first[0]), len(first[1])
    if m < 2 or n < 2:
        return math.nan
    parts = []
    for a, b in zip(first, second, strict=True):
        parts.append(float(np.dot(a - a.mean(), b - b.mean()) / (len(a) - 1)))
    return parts[0] / m + parts[1] / n
