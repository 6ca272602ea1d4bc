"""Do predicted probabilities mean what they say?"""

import math
import warnings
from dataclasses import dataclass

import numpy as np
import statsmodels.api as sm
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, special, stats

from dlre_core.statistics.delong import complete_cases
from dlre_core.statistics.estimates import Estimate, check_confidence, undefined
from dlre_core.statistics.proportions import proportion

# Probabilities of 0 and 1 have no logit; float32 networks cannot say more than this.
EDGE = 1e-7
SMOOTHER_SHARE = 0.75


@dataclass(frozen=True)
class Calibration:
    """Agreement of probabilities with outcomes.

    ``slope`` and ``intercept`` belong to a logistic regression of the outcome on the logit of the
    probability (1 and 0 are perfect); ``in_the_large`` is the intercept with the slope held at 1;
    ``observed_expected`` is cases over the sum of probabilities; ``brier`` the mean squared error
    and ``scaled_brier`` its improvement on the prevalence alone.
    """

    slope: Estimate
    intercept: Estimate
    in_the_large: Estimate
    observed_expected: float
    brier: float
    scaled_brier: float
    n: int
    n_missing: int


def calibration(labels: ArrayLike, probabilities: ArrayLike, *, confidence: float = 0.95) -> Calibration:
    """Calibration of probabilities.

    Parameters
    ----------
    labels : (n,) of 0 and 1
    probabilities : (n,) float in [0, 1]
        NaN is missing and left out.
    confidence : float

    Returns
    -------
    Calibration
        Regression terms are NaN with a reason where a class is empty or separates perfectly.

    Raises
    ------
    ValueError
        If a probability lies outside [0, 1].

    References
    ----------
    Cox DR. Biometrika 1958;45:562-565. Van Calster B, et al. J Clin Epidemiol 2016;74:167-176.

    Examples
    --------
    Probabilities of 0.2 and 0.8 that come true in two and eight of ten:

    >>> labels = [1] * 2 + [0] * 8 + [1] * 8 + [0] * 2
    >>> found = calibration(labels, [0.2] * 10 + [0.8] * 10)
    >>> round(found.slope.value, 3), round(found.brier, 3), round(found.observed_expected, 3)
    (1.0, 0.16, 1.0)
    """
    check_confidence(confidence)
    truth, (p,), missing = complete_cases(labels, probabilities)
    if len(p) and (p.min() < 0 or p.max() > 1):
        raise ValueError(f"probabilities from {p.min():g} to {p.max():g}: 0 to 1 needed")
    cases, n = int(truth.sum()), len(truth)
    logit = _logit(p)
    slope = intercept = large = undefined("no cases" if not cases else "no controls")
    if 0 < cases < n:
        intercept, slope = _fit(truth, logit, confidence)
        large = _in_the_large(truth, logit, confidence)
    share = cases / n if n else math.nan
    brier = float(np.mean((p - truth) ** 2)) if n else math.nan
    reference = share * (1 - share)
    return Calibration(
        slope,
        intercept,
        large,
        cases / float(p.sum()) if n and p.sum() > 0 else math.nan,
        brier,
        1 - brier / reference if reference else math.nan,
        n,
        missing,
    )


def smooth_calibration(labels: ArrayLike, probabilities: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Probabilities (sorted) and the smoothed share of cases at them (Cleveland's lowess), cut to [0, 1]."""
    truth, (p,), _ = complete_cases(labels, probabilities)
    if len(np.unique(p)) < 4:
        return np.empty(0), np.empty(0)
    fitted = sm.nonparametric.lowess(truth.astype(float), p, frac=SMOOTHER_SHARE, it=0)
    return fitted[:, 0], np.clip(fitted[:, 1], 0, 1)


def grouped_calibration(
    labels: ArrayLike, probabilities: ArrayLike, groups: int = 5, *, confidence: float = 0.95
) -> list[tuple[float, Estimate]]:
    """Mean probability and share of cases, with its exact interval, in groups of equal size."""
    truth, (p,), _ = complete_cases(labels, probabilities)
    order = np.argsort(p, kind="stable")
    parts = [part for part in np.array_split(order, min(groups, max(len(p), 1))) if len(part)]
    return [
        (float(p[part].mean()), proportion(int(truth[part].sum()), len(part), confidence=confidence)) for part in parts
    ]


def logistic_probabilities(labels: ArrayLike, scores: ArrayLike, new_scores: ArrayLike) -> NDArray[np.float64]:
    """Probabilities of a score, by a logistic regression on its logarithm fitted to other patients.

    Parameters
    ----------
    labels : (n,) of 0 and 1
    scores : (n,) float, positive
        Of the patients fitted (the training cohort); NaN is missing.
    new_scores : (m,) float
        Of the patients to predict.

    Returns
    -------
    (m,) float64
        NaN where the score is missing or not positive, and everywhere if nothing can be fitted.

    Examples
    --------
    A score that is above 1 in three of four cases and in one of four controls:

    >>> labels, scores = [1, 1, 1, 1, 0, 0, 0, 0], [2, 2, 2, 1, 2, 1, 1, 1]
    >>> logistic_probabilities(labels, scores, [1, 2]).round(3).tolist()
    [0.25, 0.75]
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        x = np.log(np.asarray(scores, dtype=np.float64))
        new = np.log(np.asarray(new_scores, dtype=np.float64))
    x, new = (np.where(np.isfinite(v), v, np.nan) for v in (x, new))
    truth, (x,), _ = complete_cases(labels, x)
    if len(np.unique(truth)) < 2 or len(np.unique(x)) < 2:
        return np.full(new.shape, np.nan)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = sm.GLM(truth, sm.add_constant(x), family=sm.families.Binomial()).fit(maxiter=100)
    return special.expit(model.params[0] + model.params[1] * new)


def _logit(p: NDArray[np.float64]) -> NDArray[np.float64]:
    inside = np.clip(p, EDGE, 1 - EDGE)
    return np.log(inside / (1 - inside))


def _in_the_large(truth: NDArray[np.int64], logit: NDArray[np.float64], confidence: float) -> Estimate:
    """The shift of the logit at which expected cases equal observed ones, with its Wald interval."""

    def excess(shift: float) -> float:
        return float(special.expit(logit + shift).sum() - truth.sum())

    # One root: the excess rises from below 0 to above 0 as the shift does.
    shift = float(optimize.brentq(excess, -100.0, 100.0))
    p = special.expit(logit + shift)
    half = stats.norm.isf((1 - confidence) / 2) / math.sqrt(float((p * (1 - p)).sum()))
    return Estimate(shift, shift - half, shift + half, "wald")


def _fit(truth: NDArray[np.int64], logit: NDArray[np.float64], confidence: float) -> tuple[Estimate, Estimate]:
    """Intercept and slope with Wald intervals; undefined where cases and controls separate."""
    if np.ptp(logit) == 0:
        nothing = undefined("all probabilities are equal", "wald")
        return nothing, nothing
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = sm.GLM(truth, sm.add_constant(logit), family=sm.families.Binomial())
        result = model.fit(maxiter=100)
    errors = np.asarray(result.bse)
    # Separation drives coefficients and their errors to infinity before the iterations stop.
    if not result.converged or not np.isfinite(errors).all() or errors.max() > 1e3:
        nothing = undefined("cases and controls separate", "wald")
        return nothing, nothing
    half = stats.norm.isf((1 - confidence) / 2) * errors
    intercept, slope = (
        Estimate(float(value), float(value - h), float(value + h), "wald")
        for value, h in zip(result.params, half, strict=True)
    )
    return intercept, slope
