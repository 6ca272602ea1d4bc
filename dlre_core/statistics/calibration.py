"""Do predicted probabilities mean what they say?"""

import math
import warnings
from dataclasses import dataclass

import numpy as np
import statsmodels.api as sm
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, special, stats

from dlre_core.statistics.delong import complete_cases
from dlre_core.statistics.estimates import Estimate, check_confidence, too_few, undefined
from dlre_core.statistics.proportions import proportion

# Probabilities of 0 and 1 have no logit: what lies beyond these is taken as these.
EDGE = 1e-4
SMOOTHER_SHARE = 0.75
# Information below which a shift cannot be told: its interval would be wider than 12 logits.
LEAST_INFORMATION = 0.1
CERTAIN = "all probabilities are next to 0 or 1: no shift can be told"
SEPARATED = "cases and controls separate: Firth's penalised estimate"


@dataclass(frozen=True)
class Calibration:
    """Agreement of probabilities with outcomes.

    ``slope`` and ``intercept`` belong to a logistic regression of the outcome on the logit of the
    probability (1 and 0 are perfect), penalised where cases and controls separate; ``in_the_large`` is the
    intercept with the slope held at 1; ``observed_expected`` is cases over the sum of probabilities, with the
    exact limits of the number of cases; ``brier`` the mean squared error and ``scaled_brier`` its improvement
    on the prevalence alone. ``n_clipped`` probabilities were taken as 0.0001 or 0.9999 for their logit.
    """

    slope: Estimate
    intercept: Estimate
    in_the_large: Estimate
    observed_expected: Estimate
    brier: Estimate
    scaled_brier: float
    n: int
    n_missing: int
    n_clipped: int = 0


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
        Regression terms are NaN with a reason where a class is empty or all probabilities are equal.

    Raises
    ------
    ValueError
        If a probability lies outside [0, 1].

    References
    ----------
    Cox DR. Biometrika 1958;45:562-565. Van Calster B, et al. J Clin Epidemiol 2016;74:167-176.
    Firth D. Biometrika 1993;80:27-38. Heinze G, Schemper M. Stat Med 2002;21:2409-2419.

    Examples
    --------
    Probabilities of 0.2 and 0.8 that come true in two and eight of ten:

    >>> labels = [1] * 2 + [0] * 8 + [1] * 8 + [0] * 2
    >>> found = calibration(labels, [0.2] * 10 + [0.8] * 10)
    >>> round(found.slope.value, 3), round(found.brier.value, 3), round(found.observed_expected.value, 3)
    (1.0, 0.16, 1.0)
    """
    check_confidence(confidence)
    truth, (p,), missing = complete_cases(labels, probabilities)
    if len(p) and (p.min() < 0 or p.max() > 1):
        raise ValueError(f"probabilities from {p.min():g} to {p.max():g}: 0 to 1 needed")
    cases, n = int(truth.sum()), len(truth)
    logit, clipped = _logit(p), int(((p < EDGE) | (p > 1 - EDGE)).sum())
    slope = intercept = large = undefined("no cases" if not cases else "no controls")
    if 0 < cases < n:
        intercept, slope = _fit(truth, logit, confidence)
        large = _in_the_large(truth, logit, confidence) if clipped < n else undefined(CERTAIN)
    share = cases / n if n else math.nan
    brier = _brier(truth, p, confidence)
    reference = share * (1 - share)
    return Calibration(
        slope,
        intercept,
        large,
        _observed_expected(cases, p, confidence),
        brier,
        1 - brier.value / reference if reference else math.nan,
        n,
        missing,
        clipped,
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


def calibration_band(
    labels: ArrayLike,
    probabilities: ArrayLike,
    *,
    replicates: int = 200,
    seed: int = 0,
    confidence: float = 0.95,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Pointwise bootstrap limits of `smooth_calibration`.

    Parameters
    ----------
    labels : (n,) of 0 and 1
    probabilities : (n,) float in [0, 1]
    replicates, seed : int
        Replicates draw patients within cases and controls.
    confidence : float

    Returns
    -------
    places, low, high : (k,) float64
        Empty where a class has fewer than five patients, or nothing can be smoothed.
    """
    check_confidence(confidence)
    truth, (p,), _ = complete_cases(labels, probabilities)
    cases = int(truth.sum())
    places, _ = smooth_calibration(truth, p)
    if too_few(cases, len(truth) - cases) or not len(places):
        return np.empty(0), np.empty(0), np.empty(0)
    places = np.linspace(places[0], places[-1], 50)
    generator = np.random.default_rng(seed)
    members = [np.flatnonzero(truth == value) for value in (0, 1)]
    curves = []
    for _ in range(replicates):
        drawn = np.concatenate([generator.choice(rows, len(rows)) for rows in members])
        x, y = smooth_calibration(truth[drawn], p[drawn])
        if len(x):
            curves.append(np.interp(places, x, y))
    low, high = np.quantile(curves, [(1 - confidence) / 2, (1 + confidence) / 2], axis=0)
    return places, low, high


def logistic_probabilities(
    labels: ArrayLike, scores: ArrayLike, new_scores: ArrayLike
) -> tuple[NDArray[np.float64], str]:
    """Probabilities of a score, by a logistic regression on its logarithm fitted to other patients.

    A score that is not positive in all of them, such as the NAFLD fibrosis score, is taken as it is.

    Parameters
    ----------
    labels : (n,) of 0 and 1
    scores : (n,) float
        Of the patients fitted (the training cohort); NaN is missing.
    new_scores : (m,) float
        Of the patients to predict.

    Returns
    -------
    probabilities : (m,) float64
        NaN where the score is missing or its logarithm needed and not there, and everywhere if nothing can be fitted.
    note : str
        Why nothing could be fitted, or that the fit is penalised since cases and controls separate; else empty.
    """
    x, new = (np.asarray(values, dtype=np.float64) for values in (scores, new_scores))
    if not (x <= 0).any():
        with np.errstate(invalid="ignore", divide="ignore"):
            x, new = np.log(x), np.log(new)
    x, new = (np.where(np.isfinite(v), v, np.nan) for v in (x, new))
    truth, (x,), _ = complete_cases(labels, x)
    if len(np.unique(truth)) < 2 or len(np.unique(x)) < 2:
        why = "one class" if len(np.unique(truth)) < 2 else "one value"
        return np.full(new.shape, np.nan), f"no probabilities: {why} in training"
    if _separate(truth, x):
        parameters, note = _firth(truth, x), "probabilities by Firth's penalised fit: training separates"
    else:
        parameters, note = _plain(truth, x)[0], ""
    return special.expit(parameters[0] + parameters[1] * new), note


def _logit(p: NDArray[np.float64]) -> NDArray[np.float64]:
    inside = np.clip(p, EDGE, 1 - EDGE)
    return np.log(inside / (1 - inside))


def _brier(truth: NDArray[np.int64], p: NDArray[np.float64], confidence: float) -> Estimate:
    """Mean squared error with the normal interval of a mean, cut to [0, 1]."""
    if not len(truth):
        return undefined("no patients", "wald")
    errors = (p - truth) ** 2
    value = float(errors.mean())
    spread = float(errors.std(ddof=1)) if len(errors) > 1 else math.nan
    if not spread > 0:
        return Estimate(value, math.nan, math.nan, "wald")
    half = float(stats.norm.isf((1 - confidence) / 2)) * spread / math.sqrt(len(errors))
    return Estimate(value, max(value - half, 0.0), min(value + half, 1.0), "wald")


def _observed_expected(cases: int, p: NDArray[np.float64], confidence: float) -> Estimate:
    """Observed over expected cases; the limits are Clopper and Pearson's of the observed share."""
    expected = float(p.sum())
    if not expected > 0:
        return undefined("no case is expected", "clopper-pearson")
    share = proportion(cases, len(p), confidence=confidence)
    scale = len(p) / expected
    return Estimate(cases / expected, share.low * scale, share.high * scale, "clopper-pearson")


def _in_the_large(truth: NDArray[np.int64], logit: NDArray[np.float64], confidence: float) -> Estimate:
    """The shift of the logit at which expected cases equal observed ones, with its Wald interval."""

    def excess(shift: float) -> float:
        return float(special.expit(logit + shift).sum() - truth.sum())

    # One root: the excess rises from below 0 to above 0 as the shift does.
    shift = float(optimize.brentq(excess, -100.0, 100.0))
    p = special.expit(logit + shift)
    information = float((p * (1 - p)).sum())
    if information < LEAST_INFORMATION:
        return undefined(CERTAIN, "wald")
    half = stats.norm.isf((1 - confidence) / 2) / math.sqrt(information)
    return Estimate(shift, shift - half, shift + half, "wald")


def _fit(truth: NDArray[np.int64], logit: NDArray[np.float64], confidence: float) -> tuple[Estimate, Estimate]:
    """Intercept and slope with Wald intervals; penalised with profile limits where cases and controls separate."""
    if np.ptp(logit) == 0:
        nothing = undefined("all probabilities are equal", "wald")
        return nothing, nothing
    if _separate(truth, logit):
        parameters = _firth(truth, logit)
        limits = [_profile(truth, logit, parameters, which, confidence) for which in (0, 1)]
        intercept, slope = (
            Estimate(float(value), low, high, "firth, profile", SEPARATED)
            for value, (low, high) in zip(parameters, limits, strict=True)
        )
        return intercept, slope
    parameters, errors = _plain(truth, logit)
    half = stats.norm.isf((1 - confidence) / 2) * errors
    intercept, slope = (
        Estimate(float(value), float(value - h), float(value + h), "wald")
        for value, h in zip(parameters, half, strict=True)
    )
    return intercept, slope


def _separate(truth: NDArray[np.int64], x: NDArray[np.float64]) -> bool:
    """True where some limit divides cases from controls, ties at it allowed: no finite fit exists then."""
    cases, controls = x[truth == 1], x[truth == 0]
    return bool(cases.min() >= controls.max() or controls.min() >= cases.max())


def _plain(truth: NDArray[np.int64], x: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Intercept and slope by maximum likelihood, and their standard errors."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = sm.GLM(truth, sm.add_constant(x), family=sm.families.Binomial()).fit(maxiter=100)
    return np.asarray(result.params), np.asarray(result.bse)


def _penalised(parameters: NDArray[np.float64], truth: NDArray[np.int64], x: NDArray[np.float64]) -> float:
    """Minus the logarithm of the likelihood times the root of the information's determinant (Jeffreys' prior)."""
    linear = parameters[0] + parameters[1] * x
    p = special.expit(linear)
    weight = p * (1 - p)
    total, first, second = weight.sum(), (weight * x).sum(), (weight * x * x).sum()
    determinant = max(float(total * second - first**2), 1e-300)
    likelihood = -float(np.logaddexp(0, np.where(truth == 1, -linear, linear)).sum())
    return -(likelihood + 0.5 * math.log(determinant))


def _firth(truth: NDArray[np.int64], x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Intercept and slope with Firth's penalty, finite whatever the data."""
    # In units of the standard deviation, about the mean, where the search is round.
    centre, scale = float(x.mean()), float(x.std())
    options = {"xatol": 1e-9, "fatol": 1e-12, "maxiter": 5000, "maxfev": 5000}
    start = np.array([0.0, 1.0 if x[truth == 1].mean() > x[truth == 0].mean() else -1.0])
    found = optimize.minimize(_penalised, start, (truth, (x - centre) / scale), method="Nelder-Mead", options=options).x
    slope = found[1] / scale
    return np.array([found[0] - slope * centre, slope])


def _profile(
    truth: NDArray[np.int64], x: NDArray[np.float64], parameters: NDArray[np.float64], which: int, confidence: float
) -> tuple[float, float]:
    """Limits at which the penalised likelihood, highest over the other parameter, falls by half of chi-squared."""
    least = _penalised(parameters, truth, x)
    fall = float(stats.chi2.ppf(confidence, 1)) / 2

    def above(value: float) -> float:
        def other(free: float) -> float:
            both = np.array([value, free]) if which == 0 else np.array([free, value])
            return _penalised(both, truth, x)

        start = float(parameters[1 - which])
        return float(optimize.minimize_scalar(other, bracket=(start - 1, start + 1)).fun) - least - fall

    limits = []
    for direction in (-1.0, 1.0):
        step = 1.0
        while above(float(parameters[which]) + direction * step) < 0 and step < 1e4:
            step *= 2
        ends = float(parameters[which]), float(parameters[which]) + direction * step
        limits.append(float(optimize.brentq(above, *ends)) if above(ends[1]) > 0 else direction * math.inf)
    return limits[0], limits[1]
