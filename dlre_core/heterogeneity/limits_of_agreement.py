"""Agreement of two measurements of the same things: limits of agreement and ICC(A,1), patients as clusters."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special, stats

from dlre_core.statistics.estimates import Estimate, check_confidence, undefined

# With fewer the jackknife says nothing.
LEAST_PATIENTS = 5
# Limits of agreement hold 95 % of normal differences, whatever the confidence of their intervals.
WITHIN = float(special.ndtri(0.975))
METHOD = "jackknife over patients"


@dataclass(frozen=True)
class MeasuredAgreement:
    """How two measurements of the same things agree.

    ``n`` pairs of ``patients`` patients; ``bias`` is the mean difference, first minus second, ``sd`` the standard
    deviation of the differences, ``lower`` and ``upper`` the limits of agreement and ``icc`` the intraclass
    correlation.
    """

    n: int
    patients: int
    bias: Estimate
    sd: float
    lower: Estimate
    upper: Estimate
    icc: Estimate


def measured_agreement(
    first: ArrayLike, second: ArrayLike, patients: ArrayLike, *, confidence: float = 0.95
) -> MeasuredAgreement:
    """Bland and Altman's limits of agreement, and ICC(A,1): two-way model, absolute agreement, one measurement.

    Parameters
    ----------
    first, second : (n,) float
        Both measurements of a picture; NaN in either leaves it out.
    patients : (n,)
        Whose picture it is: pictures of one patient are a cluster.
    confidence : float

    Returns
    -------
    MeasuredAgreement
        Intervals are those of the jackknife over patients, by the t distribution.

    References
    ----------
    Bland JM, Altman DG. Lancet 1986;327:307-310 (doi:10.1016/S0140-6736(86)90837-8).
    McGraw KO, Wong SP. Psychol Methods 1996;1:30-46 (doi:10.1037/1082-989X.1.1.30).

    Examples
    --------
    >>> found = measured_agreement([1.0, 2.0, 3.0, 4.0], [1.5, 2.5, 3.5, 4.5], [1, 2, 3, 4])
    >>> found.bias.value, round(found.icc.value, 3)
    (-0.5, 0.93)
    """
    check_confidence(confidence)
    a, b = (np.asarray(values, dtype=np.float64) for values in (first, second))
    known = ~(np.isnan(a) | np.isnan(b))
    a, b = a[known], b[known]
    names, patient = np.unique(np.asarray(patients)[known], return_inverse=True)
    if len(a) < 2:
        nothing = undefined("fewer than two pictures were measured by both", METHOD)
        return MeasuredAgreement(len(a), len(names), nothing, np.nan, nothing, nothing, nothing)
    # Around the mean, so that squares lose nothing to rounding.
    x, y = (values - (a.mean() + b.mean()) / 2 for values in (a, b))
    sums = np.zeros((len(names), 6))
    np.add.at(sums, patient, np.stack([np.ones(len(x)), x, y, x * x, y * y, x * y], axis=1))
    whole = sums.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        values, without = _statistics(whole), _statistics(whole - sums)
    bias, lower, upper, icc = (
        _jackknifed(float(value), left, confidence) for value, left in zip(values, without.T, strict=True)
    )
    if np.isnan(icc.value):
        icc = undefined("measurements do not vary", METHOD)
    else:
        icc = Estimate(icc.value, max(icc.low, -1.0), min(icc.high, 1.0), icc.method, icc.reason)
    return MeasuredAgreement(len(a), len(names), bias, float((a - b).std(ddof=1)), lower, upper, icc)


def _statistics(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Bias, both limits and ICC of sums (..., 6): number, x, y, x x, y y, x y."""
    n, x, y, xx, yy, xy = np.moveaxis(sums, -1, 0)
    bias = (x - y) / n
    sd = np.sqrt(np.maximum(xx + yy - 2 * xy - n * bias**2, 0) / (n - 1))
    centre = (x + y) / (2 * n)
    rows = 2 * ((xx + 2 * xy + yy) / 4 - n * centre**2)
    readers = n * bias**2 / 2
    rest = np.maximum(xx + yy - 2 * n * centre**2 - rows - readers, 0)
    rows, rest = rows / (n - 1), rest / (n - 1)
    below = rows + rest + 2 / n * (readers - rest)
    icc = np.where(below > 0, (rows - rest) / below, np.nan)
    return np.stack([bias, bias - WITHIN * sd, bias + WITHIN * sd, icc], axis=-1)


def _jackknifed(value: float, without: NDArray[np.float64], confidence: float) -> Estimate:
    number = len(without)
    spread = (number - 1) * float(np.mean((without - without.mean()) ** 2))
    reason = ""
    if number < LEAST_PATIENTS:
        reason = f"an interval needs {LEAST_PATIENTS} patients"
    elif np.isnan(spread):
        reason = "without one of the patients it does not exist"
    elif spread < 1e-24:
        reason = "an interval needs a difference"
    if reason:
        return Estimate(value, np.nan, np.nan, METHOD, reason)
    half = float(stats.t.ppf((1 + confidence) / 2, number - 1)) * spread**0.5
    return Estimate(value, value - half, value + half, METHOD)
