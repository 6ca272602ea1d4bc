"""How well repeated measurements of the same patients agree: one-way ICC and the within-patient deviation."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from dlre_core.statistics.estimates import LEAST_OF_A_CLASS, Estimate, check_confidence, undefined

METHOD = "one-way analysis of variance"
# Two measurements of a patient differ by less than this many within-patient deviations in 95 % of pairs.
REPEATABILITY = math.sqrt(2) * float(special.ndtri(0.975))


@dataclass(frozen=True)
class Repeatability:
    """What a one-way random-effects analysis of variance says of repeated measurements.

    ``patients`` have two measurements or more, ``measurements`` are all of theirs, ``per_patient`` is their mean number
    (weighted as the analysis of variance does where patients have different numbers). ``single`` is ICC(1,1), of one
    measurement; ``average`` is ICC(1,k), of the mean of ``per_patient``; ``within`` is the within-patient standard
    deviation and ``repeatability`` the repeatability coefficient, both in the unit of the measurement.
    """

    patients: int
    measurements: int
    per_patient: float
    single: Estimate
    average: Estimate
    within: Estimate
    repeatability: Estimate


def repeatability(values: ArrayLike, patients: ArrayLike, *, confidence: float = 0.95) -> Repeatability:
    r"""Intraclass correlations, within-patient standard deviation and repeatability coefficient.

    With the mean squares between and within patients, :math:`B` and :math:`W`, and :math:`k` measurements each:
    ICC(1,1) is :math:`(B - W) / (B + (k - 1) W)`, ICC(1,k) is :math:`(B - W) / B`, the within-patient standard
    deviation is :math:`\sqrt W` and the repeatability coefficient :math:`1.96 \sqrt{2 W}`.

    Parameters
    ----------
    values : (n,) float
        One measurement each; NaN is missing and left out.
    patients : (n,)
        Whose measurement it is. Those with one measurement are left out.
    confidence : float

    Returns
    -------
    Repeatability
        Limits of the ICCs are those of the F distribution, of the deviations those of chi-squared; where patients have
        different numbers of measurements they are approximate. Fewer than five patients leave everything undefined,
        and so do measurements without any variation leave the ICCs.

    Raises
    ------
    ValueError
        If lengths differ, or the confidence is no level.

    References
    ----------
    Shrout PE, Fleiss JL. Psychol Bull 1979;86:420-428 (doi:10.1037/0033-2909.86.2.420).
    McGraw KO, Wong SP. Psychol Methods 1996;1:30-46 (doi:10.1037/1082-989X.1.1.30).
    Bland JM, Altman DG. BMJ 1996;313:744 (doi:10.1136/bmj.313.7059.744).

    Examples
    --------
    >>> found = repeatability([1.0, 1.2, 2.0, 2.1, 3.0, 3.2, 4.1, 4.0, 5.0, 5.3], [1, 1, 2, 2, 3, 3, 4, 4, 5, 5])
    >>> round(found.single.value, 3), round(found.within.value, 3)
    (0.993, 0.138)
    """
    check_confidence(confidence)
    given, names = np.asarray(values, dtype=np.float64), np.asarray(patients)
    if given.ndim != 1 or given.shape != names.shape:
        raise ValueError(f"values {given.shape} and patients {names.shape} must be vectors of one length")
    known = ~np.isnan(given)
    given, patient = given[known], np.unique(names[known], return_inverse=True)[1]
    repeated = np.bincount(patient)[patient] > 1 if len(patient) else np.zeros(0, dtype=bool)
    given, patient = given[repeated], np.unique(patient[repeated], return_inverse=True)[1]
    sizes = np.bincount(patient)
    number, total = len(sizes), len(given)
    if number < LEAST_OF_A_CLASS:
        plural = "" if number == 1 else "s"
        nothing = undefined(f"{number} patient{plural} measured twice, fewer than {LEAST_OF_A_CLASS}", METHOD)
        return Repeatability(number, total, math.nan, nothing, nothing, nothing, nothing)
    # Around the mean, so that squares lose nothing to rounding.
    given = given - given.mean()
    means = np.bincount(patient, given) / sizes
    degrees = number - 1, total - number
    between = float((sizes * means**2).sum()) / degrees[0]
    within = float(((given - means[patient]) ** 2).sum()) / degrees[1]
    per_patient = (total - float((sizes**2).sum()) / total) / degrees[0]
    single, average = _correlations(between, within, degrees, per_patient, confidence)
    deviation = _deviation(within, degrees[1], confidence)
    limits = (REPEATABILITY * part for part in (deviation.value, deviation.low, deviation.high))
    coefficient = Estimate(*limits, METHOD, deviation.reason)
    return Repeatability(number, total, per_patient, single, average, deviation, coefficient)


def _correlations(
    between: float, within: float, degrees: tuple[int, int], k: float, confidence: float
) -> tuple[Estimate, Estimate]:
    """ICC(1,1) and ICC(1,k) of the mean squares."""
    if between == 0 and within == 0:
        nothing = undefined("measurements do not vary", METHOD)
        return nothing, nothing
    if within == 0:
        sure = Estimate(1.0, math.nan, math.nan, METHOD, "an interval needs a difference within a patient")
        return sure, sure
    ratio, tail = between / within, (1 + confidence) / 2
    low = ratio / float(special.fdtri(*degrees, tail))
    high = ratio * float(special.fdtri(*degrees[::-1], tail))
    single = (float((x - 1) / (x + k - 1)) for x in (ratio, low, high))
    # Nothing between patients: minus infinity is what arithmetic says of the mean's ICC, and no number.
    average = tuple(1 - 1 / x if x > 0 else math.nan for x in (ratio, low, high))
    reason = "" if ratio > 0 else "all patients have the same mean"
    return Estimate(*single, METHOD), Estimate(*average, METHOD, reason)


def _deviation(within: float, degrees: int, confidence: float) -> Estimate:
    if within == 0:
        return Estimate(0.0, math.nan, math.nan, METHOD, "an interval needs a difference within a patient")
    tail = (1 - confidence) / 2
    # chdtri gives the point above which the share lies.
    limits = (math.sqrt(within * degrees / float(special.chdtri(degrees, share))) for share in (tail, 1 - tail))
    return Estimate(math.sqrt(within), *limits, METHOD)


def reliability_of_mean(single: float, measurements: ArrayLike) -> np.ndarray:
    r"""ICC of the mean of k measurements by Spearman and Brown's formula: :math:`k r / (1 + (k - 1) r)`.

    Parameters
    ----------
    single : float
        ICC of one measurement, r.
    measurements : (m,) int
        k.

    Returns
    -------
    (m,) float64

    References
    ----------
    Brown W. Br J Psychol 1910;3:296-322 (doi:10.1111/j.2044-8295.1910.tb00207.x).
    Spearman C. Br J Psychol 1910;3:271-295 (doi:10.1111/j.2044-8295.1910.tb00206.x).

    Examples
    --------
    >>> reliability_of_mean(0.5, [1, 2, 3]).round(3).tolist()
    [0.5, 0.667, 0.75]
    """
    k = np.asarray(measurements, dtype=np.float64)
    return k * single / (1 + (k - 1) * single)


def measurements_needed(single: float, wanted: float) -> int | None:
    """The fewest measurements whose mean has an ICC of ``wanted`` or more; None where no number has.

    Parameters
    ----------
    single : float
        ICC of one measurement.
    wanted : float
        Above 0, below 1.

    Raises
    ------
    ValueError
        If ``wanted`` is not between 0 and 1.

    References
    ----------
    As `reliability_of_mean`, solved for k.

    Examples
    --------
    >>> measurements_needed(0.76, 0.9), measurements_needed(0.97, 0.9), measurements_needed(-0.1, 0.9)
    (3, 1, None)
    """
    if not 0 < wanted < 1:
        raise ValueError(f"wanted = {wanted}: an ICC between 0 and 1 is needed, such as 0.9")
    if math.isnan(single) or single <= 0:
        return None
    # Rounded, so that a whole number that arithmetic misses by its last bit stays that number.
    exact = wanted * (1 - single) / (single * (1 - wanted))
    return max(1, math.ceil(round(exact, 9)))
