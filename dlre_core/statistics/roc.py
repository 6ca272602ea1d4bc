"""Receiver operating characteristic: the curve, its band, and the AUC with its interval."""

import math
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from dlre_core.statistics.delong import auc_parts, complete_cases
from dlre_core.statistics.estimates import ONE_SIDED, Estimate, check_confidence, too_few
from dlre_core.statistics.proportions import proportion

INTERVALS = ("delong", "logit", "exact_binomial_n")


@dataclass(frozen=True)
class RocAnalysis:
    """A score's ROC curve against a binary truth.

    ``auc_interval`` is (low, high). Thresholds rise; a patient is positive at score >= threshold,
    so the first point is sensitivity 1, specificity 0 at -inf and the last the reverse at inf.
    ``degenerate`` is True where the variance is zero (perfect separation or constant scores):
    ``one_sided_bound`` then holds an exact lower (AUC 1) or upper (AUC 0) bound, and the interval
    is not to be believed. ``reason`` says why values are NaN. ``placements_cases`` and
    ``placements_controls`` are DeLong's structural components.
    """

    auc: float
    auc_variance: float
    auc_interval: tuple[float, float]
    n_cases: int
    n_controls: int
    thresholds: NDArray[np.float64]
    sensitivity: NDArray[np.float64]
    specificity: NDArray[np.float64]
    interval_method: str = "delong"
    confidence: float = 0.95
    n_missing: int = 0
    degenerate: bool = False
    one_sided_bound: float = math.nan
    reason: str = ""
    placements_cases: NDArray[np.float64] = field(default_factory=lambda: np.empty(0), repr=False)
    placements_controls: NDArray[np.float64] = field(default_factory=lambda: np.empty(0), repr=False)

    @property
    def estimate(self) -> Estimate:
        """The AUC as tables report it: without variance the exact one-sided bound limits it, or nothing does.

        With fewer than five of a class it has no interval, since its variance is not to be believed.
        """
        low, high = self.auc_interval
        if self.degenerate:
            low = self.one_sided_bound if self.auc > 0 else 0.0
            high = self.one_sided_bound if self.auc < 1 else 1.0
            return Estimate(self.auc, low, high, ONE_SIDED if self.auc in (0.0, 1.0) else "", self.reason)
        few = "" if math.isnan(self.auc) else too_few(self.n_cases, self.n_controls)
        if few:
            return Estimate(self.auc, math.nan, math.nan, "", f"no interval: {few}")
        return Estimate(self.auc, low, high, self.interval_method, self.reason)


def roc_analysis(
    labels: ArrayLike, scores: ArrayLike, *, confidence: float = 0.95, interval: str = "delong"
) -> RocAnalysis:
    """AUC with its DeLong variance and interval, and the ROC curve.

    The AUC is the Mann-Whitney probability with half ties. Higher scores mean more disease; an AUC
    below 0.5 is reported as it is.

    Parameters
    ----------
    labels : (n,) of 0 (control) and 1 (case)
    scores : (n,) float
        NaN is missing and left out (``n_missing``).
    confidence : float
    interval : {"delong", "logit", "exact_binomial_n"}
        Normal approximation cut to [0, 1]; the same on the logit scale; or Clopper-Pearson on
        AUC x n of n, which the paper's comparators used.

    Returns
    -------
    RocAnalysis
        NaN with a reason where a class is empty.

    Raises
    ------
    ValueError
        For labels other than 0 and 1, other shapes, or an unknown interval.

    Examples
    --------
    >>> roc = roc_analysis([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    >>> roc.auc
    0.75
    >>> roc_analysis([0, 0], [0.1, 0.4]).reason
    'no cases'
    """
    check_confidence(confidence)
    if interval not in INTERVALS:
        raise ValueError(f"interval {interval!r} is none of {', '.join(INTERVALS)}")
    truth, (values,), missing = complete_cases(labels, scores)
    n_cases, n_controls = int((truth == 1).sum()), int((truth == 0).sum())
    thresholds, sensitivity, specificity = _curve(truth, values, n_cases, n_controls)
    common = {
        "n_cases": n_cases,
        "n_controls": n_controls,
        "thresholds": thresholds,
        "sensitivity": sensitivity,
        "specificity": specificity,
        "interval_method": interval,
        "confidence": confidence,
        "n_missing": missing,
    }
    parts = auc_parts(truth, values)
    auc, variance = parts.auc, parts.variance
    if math.isnan(auc):
        return RocAnalysis(auc, variance, (math.nan, math.nan), reason=parts.reason, **common)
    degenerate = variance == 0
    return RocAnalysis(
        auc,
        variance,
        _interval(auc, variance, n_cases + n_controls, confidence, interval),
        degenerate=degenerate,
        one_sided_bound=_one_sided(auc, n_cases, n_controls, confidence) if degenerate else math.nan,
        reason=parts.reason or (_without_variance(auc) if degenerate else ""),
        placements_cases=parts.placements[0],
        placements_controls=parts.placements[1],
        **common,
    )


def roc_band(
    roc: RocAnalysis, places: ArrayLike, *, confidence: float = 0.95
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Simultaneous band of a ROC curve: the whole true curve lies within it with at least this confidence.

    Every point of the curve stands for a threshold; the true share of positive cases and that of positive controls
    lie nearer than Kolmogorov's exact limits to the observed ones, for all thresholds at once. Each limit has the
    square root of the confidence, since cases and controls are independent.

    Parameters
    ----------
    roc : RocAnalysis
    places : (k,) float
        Shares of false positives, 0 to 1, at which the band is wanted.
    confidence : float

    Returns
    -------
    tuple of (k,) float
        Least and greatest sensitivity there; NaN where a class is empty.

    References
    ----------
    Campbell G. Stat Med 1994;13:499-508. doi:10.1002/sim.4780130513

    Examples
    --------
    >>> low, high = roc_band(roc_analysis([0] * 50 + [1] * 50, np.arange(100)), [0.0, 0.5, 1.0])
    >>> low.round(2).tolist(), high.round(2).tolist()
    ([0.0, 0.79, 0.79], [1.0, 1.0, 1.0])
    """
    check_confidence(confidence)
    x = np.asarray(places, dtype=np.float64)
    if not roc.n_cases or not roc.n_controls:
        return np.full(x.shape, np.nan), np.full(x.shape, np.nan)
    level = math.sqrt(confidence)
    up, across = _kolmogorov(roc.n_cases, level), _kolmogorov(roc.n_controls, level)
    # From the strictest threshold to the least strict one both shares rise.
    positive_controls, positive_cases = 1 - roc.specificity[::-1], roc.sensitivity[::-1]
    last_within = np.searchsorted(positive_controls, x + across + 1e-12, side="right") - 1
    first_within = np.searchsorted(positive_controls, x - across - 1e-12, side="left")
    low, high = positive_cases[first_within] - up, positive_cases[last_within] + up
    return np.maximum(low, 0.0), np.minimum(high, 1.0)


@lru_cache(maxsize=256)
def _kolmogorov(n: int, level: float) -> float:
    # Here, since it takes as long to import as most tables take to make.
    from scipy.stats import kstwo

    return float(kstwo.ppf(level, n))


def _curve(
    truth: NDArray[np.int64], values: NDArray[np.float64], n_cases: int, n_controls: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Points at the midpoints between observed scores, and at -inf and inf."""
    distinct, inverse = np.unique(values, return_inverse=True)
    cases = np.bincount(inverse[truth == 1], minlength=len(distinct))
    controls = np.bincount(inverse[truth == 0], minlength=len(distinct))
    # Halves before the sum: a midpoint of large scores must not overflow.
    with np.errstate(invalid="ignore"):
        middle = distinct[:-1] / 2 + distinct[1:] / 2
    # Between neighbouring numbers, or beside an infinite one, the upper score itself divides.
    divides = (middle > distinct[:-1]) & (middle <= distinct[1:])
    middle = np.where(divides, middle, distinct[1:])
    thresholds = np.concatenate([[-np.inf], middle, [np.inf]]) if len(distinct) else np.array([-np.inf, np.inf])
    below_cases = np.concatenate([[0], np.cumsum(cases)])
    below_controls = np.concatenate([[0], np.cumsum(controls)])
    if not len(distinct):
        below_cases = below_controls = np.zeros(2)
    with np.errstate(invalid="ignore", divide="ignore"):
        sensitivity = (n_cases - below_cases) / n_cases if n_cases else np.full(len(thresholds), np.nan)
        specificity = below_controls / n_controls if n_controls else np.full(len(thresholds), np.nan)
    return thresholds, sensitivity, specificity


def _interval(auc: float, variance: float, n: int, confidence: float, method: str) -> tuple[float, float]:
    if method == "exact_binomial_n":
        tail = (1 - confidence) / 2
        x = auc * n
        low = float(special.betaincinv(x, n - x + 1, tail)) if x > 0 else 0.0
        high = float(special.betainccinv(x + 1, n - x, tail)) if x < n else 1.0
        return low, high
    if math.isnan(variance):
        return math.nan, math.nan
    z = -float(special.ndtri((1 - confidence) / 2))
    half = z * math.sqrt(variance)
    if method == "logit" and 0 < auc < 1:
        logit, half = math.log(auc / (1 - auc)), half / (auc * (1 - auc))
        return 1 / (1 + math.exp(half - logit)), 1 / (1 + math.exp(-half - logit))
    return max(auc - half, 0.0), min(auc + half, 1.0)


def _without_variance(auc: float) -> str:
    """What stands in the interval's place; a constant score has no bound either."""
    return "no variance: exact one-sided bound" if auc in (0.0, 1.0) else "no interval: all scores tie"


def _one_sided(auc: float, n_cases: int, n_controls: int, confidence: float) -> float:
    """Exact bound where all pairs agree: what the smaller class alone allows (rule of three)."""
    smaller = min(n_cases, n_controls)
    if auc == 1.0:
        return proportion(smaller, smaller, confidence=2 * confidence - 1).low if confidence > 0.5 else math.nan
    if auc == 0.0:
        return proportion(0, smaller, confidence=2 * confidence - 1).high if confidence > 0.5 else math.nan
    return math.nan
