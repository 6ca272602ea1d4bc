"""How far probabilities lie from what comes true: ICI, E50, E90 and the scaled Brier score, with intervals."""

import math
from dataclasses import dataclass

import numpy as np
import statsmodels.api as sm
from numpy.typing import ArrayLike, NDArray

from dlre_core.statistics.calibration import SMOOTHER_SHARE
from dlre_core.statistics.delong import complete_cases
from dlre_core.statistics.estimates import Estimate, check_confidence, too_few, undefined

# With fewer distinct probabilities nothing is smoothed.
LEAST_DISTINCT = 4
NAMES = ("scaled_brier", "ici", "e50", "e90")


@dataclass(frozen=True)
class CalibrationErrors:
    """Scaled Brier score (1 is perfect, 0 no better than the prevalence), and distances of probabilities from truth.

    ``ici`` is the mean absolute distance between a patient's probability and the smoothed share of cases at it, ``e50``
    the median, ``e90`` the distance that nine of ten patients stay below; 0 is perfect.
    """

    scaled_brier: Estimate
    ici: Estimate
    e50: Estimate
    e90: Estimate


def calibration_errors(
    labels: ArrayLike,
    probabilities: ArrayLike,
    *,
    replicates: int = 500,
    seed: int = 0,
    confidence: float = 0.95,
) -> CalibrationErrors:
    """ICI, E50, E90 and the scaled Brier score with percentile intervals.

    With the smoothed share of cases s(p) (Cleveland's lowess of the outcomes on the probabilities, as in the
    calibration curve, cut to [0, 1]; the share of cases at each probability where there are fewer than four), ICI is
    the mean of abs(p - s(p)) over the patients, E50 its median and E90 its 90th percentile. The scaled Brier score is
    1 - sum of (p - y)^2 / sum of (mean of y - y)^2.

    Parameters
    ----------
    labels : (n,) of 0 and 1
    probabilities : (n,) float in [0, 1]
        NaN is missing and left out.
    replicates, seed : int
        Replicates draw patients; those with one class only are left out.
    confidence : float

    Returns
    -------
    CalibrationErrors
        NaN with a reason where a class has fewer than five patients.

    References
    ----------
    Austin PC, Steyerberg EW. Stat Med 2019;38:4051-4065. doi:10.1002/sim.8281. Steyerberg EW, et al. Epidemiology
    2010;21:128-138. doi:10.1097/EDE.0b013e3181c30fb2 (scaled Brier).

    Examples
    --------
    Probabilities of 0.3 and 0.8 where one and four of five are cases:

    >>> found = calibration_errors([1, 0, 0, 0, 0, 1, 1, 1, 1, 0], [0.3] * 5 + [0.8] * 5, replicates=0)
    >>> round(found.ici.value, 3), round(found.scaled_brier.value, 3)
    (0.05, 0.34)
    """
    check_confidence(confidence)
    truth, (p,), _ = complete_cases(labels, probabilities)
    cases = int(truth.sum())
    if few := too_few(cases, len(truth) - cases):
        return CalibrationErrors(*(undefined(few, "bootstrap") for _ in NAMES))
    values = _errors(truth, p)
    generator = np.random.default_rng(seed)
    drawn = []
    for _ in range(replicates):
        rows = generator.integers(0, len(truth), len(truth))
        if 0 < truth[rows].sum() < len(rows):
            drawn.append(_errors(truth[rows], p[rows]))
    tails = [(1 - confidence) / 2, (1 + confidence) / 2]
    limits = np.quantile(drawn, tails, axis=0).T if len(drawn) > 1 else np.full((len(values), 2), math.nan)
    return CalibrationErrors(
        *(
            Estimate(float(value), float(low), float(high), "bootstrap")
            for value, (low, high) in zip(values, limits, strict=True)
        )
    )


def smoothed_shares(labels: ArrayLike, probabilities: ArrayLike) -> NDArray[np.float64]:
    """The smoothed share of cases at each patient's probability, (n,) float64 in the patients' order.

    Parameters
    ----------
    labels : (n,) of 0 and 1
    probabilities : (n,) float in [0, 1]
        None of them NaN.
    """
    truth, p = np.asarray(labels, dtype=np.float64), np.asarray(probabilities, dtype=np.float64)
    distinct, groups = np.unique(p, return_inverse=True)
    at_each = np.bincount(groups, weights=truth) / np.bincount(groups)
    if len(distinct) < LEAST_DISTINCT:
        return at_each[groups]
    with np.errstate(invalid="ignore", divide="ignore"):
        smooth = sm.nonparametric.lowess(truth, p, frac=SMOOTHER_SHARE, it=0, return_sorted=False)
    # Where all neighbours have one probability there is no line through them.
    return np.clip(np.where(np.isnan(smooth), at_each[groups], smooth), 0, 1)


def _errors(truth: NDArray[np.int64], p: NDArray[np.float64]) -> NDArray[np.float64]:
    distance = np.abs(p - smoothed_shares(truth, p))
    scaled = 1 - ((p - truth) ** 2).sum() / ((truth.mean() - truth) ** 2).sum()
    return np.array([scaled, distance.mean(), *np.quantile(distance, [0.5, 0.9])])
