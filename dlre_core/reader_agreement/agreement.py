"""Agreement of two raters on pictures of the same patients: Cohen's kappa and Gwet's AC1, patients as clusters."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from dlre_core.statistics.estimates import Estimate, check_confidence, undefined

# With fewer the jackknife says nothing.
LEAST_PATIENTS = 5


def cohen_kappa(a: ArrayLike, b: ArrayLike, patients: ArrayLike, *, confidence: float = 0.95) -> Estimate:
    """Cohen's kappa of two raters' yes and no.

    Parameters
    ----------
    a, b : (n,) bool
        What each rater says of a picture.
    patients : (n,)
        Whose picture it is: pictures of one patient are a cluster.
    confidence : float

    Returns
    -------
    Estimate
        The interval is that of the jackknife over patients, by the t distribution.

    References
    ----------
    Cohen J. Educ Psychol Meas 1960;20:37-46 (doi:10.1177/001316446002000104).
    Yang Z, Zhou M. Stat Med 2015;34:1399-1416 (doi:10.1002/sim.6421): kappa for clustered pairs.

    Examples
    --------
    >>> round(cohen_kappa([1, 1, 0, 0], [1, 0, 0, 0], [1, 2, 3, 4]).value, 3)
    0.5
    """
    return _jackknifed(_kappa, a, b, patients, confidence, "kappa, jackknife over patients")


def gwet_ac1(a: ArrayLike, b: ArrayLike, patients: ArrayLike, *, confidence: float = 0.95) -> Estimate:
    """Gwet's AC1 of two raters' yes and no, which stays near the agreement where nearly all are accepted.

    Parameters, returns
        As `cohen_kappa`.

    References
    ----------
    Gwet KL. Br J Math Stat Psychol 2008;61:29-48 (doi:10.1348/000711006X126600).

    Examples
    --------
    >>> round(gwet_ac1([1, 1, 0, 0], [1, 0, 0, 0], [1, 2, 3, 4]).value, 3)
    0.529
    """
    return _jackknifed(_ac1, a, b, patients, confidence, "AC1, jackknife over patients")


def _kappa(tables: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of tables (..., 2, 2) of counts; NaN where both raters say one thing only."""
    shares = tables / tables.sum(axis=(-2, -1), keepdims=True)
    chance = (shares.sum(axis=-1) * shares.sum(axis=-2)).sum(axis=-1)
    observed = np.trace(shares, axis1=-2, axis2=-1)
    return (observed - chance) / np.where(chance < 1, 1 - chance, np.nan)


def _ac1(tables: NDArray[np.float64]) -> NDArray[np.float64]:
    shares = tables / tables.sum(axis=(-2, -1), keepdims=True)
    yes = (shares.sum(axis=-1) + shares.sum(axis=-2))[..., 1] / 2
    chance = 2 * yes * (1 - yes)
    return (np.trace(shares, axis1=-2, axis2=-1) - chance) / (1 - chance)


def _jackknifed(
    statistic: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    a: ArrayLike,
    b: ArrayLike,
    patients: ArrayLike,
    confidence: float,
    method: str,
) -> Estimate:
    check_confidence(confidence)
    first, second = np.asarray(a).astype(bool), np.asarray(b).astype(bool)
    names, patient = np.unique(np.asarray(patients), return_inverse=True)
    if not len(names):
        return undefined("no picture has both answers", method)
    each = np.zeros((len(names), 2, 2))
    np.add.at(each, (patient, first.astype(int), second.astype(int)), 1)
    whole = each.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        value = float(statistic(whole))
        without = statistic(whole - each)
    if np.isnan(value):
        return undefined("both accept all, or exclude all", method)
    spread = (len(names) - 1) * float(np.mean((without - without.mean()) ** 2))
    reason = ""
    if len(names) < LEAST_PATIENTS:
        reason = f"an interval needs {LEAST_PATIENTS} patients"
    elif np.isnan(spread):
        reason = "without one of the patients both accept all, or exclude all"
    elif spread == 0:
        reason = "an interval needs a disagreement"
    if reason:
        return Estimate(value, np.nan, np.nan, method, reason)
    half = float(stats.t.ppf((1 + confidence) / 2, len(names) - 1)) * spread**0.5
    return Estimate(value, max(value - half, -1.0), min(value + half, 1.0), method)
