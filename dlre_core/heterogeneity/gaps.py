"""Gaps between independent groups of patients: the difference of two estimates, with limits from those of each."""

import math

from dlre_core.statistics.estimates import Estimate, undefined
from dlre_core.statistics.proportions import proportion

MOVER = "limits of each group combined"
NEWCOMBE = "Newcombe's hybrid score"


def gap(first: Estimate, second: Estimate) -> Estimate:
    r"""The first estimate minus the second, of groups without a common patient.

    Of estimates :math:`a` and :math:`b` with limits :math:`l` and :math:`u` and the difference :math:`d = a - b` the
    interval reaches from :math:`d - \sqrt{(a - l_a)^2 + (u_b - b)^2}` to
    :math:`d + \sqrt{(u_a - a)^2 + (b - l_b)^2}` (method of variance estimates recovery). Symmetrical limits give what
    adding the variances gives.

    Parameters
    ----------
    first, second : Estimate
        With limits of the same confidence.

    Returns
    -------
    Estimate
        Undefined, with the reason, where either has no value or no limits.

    References
    ----------
    Zou GY, Donner A. Stat Med 2008;27:1693-1702 (doi:10.1002/sim.3095).

    Examples
    --------
    >>> found = gap(Estimate(0.9, 0.86, 0.94), Estimate(0.8, 0.77, 0.83))
    >>> round(found.value, 2), round(found.low, 3), round(found.high, 3)
    (0.1, 0.05, 0.15)
    """
    for part in (first, second):
        if not part.defined or math.isnan(part.low) or math.isnan(part.high):
            return undefined(part.reason or "a group has no interval", MOVER)
    difference = first.value - second.value
    below = math.hypot(first.value - first.low, second.high - second.value)
    above = math.hypot(first.high - first.value, second.value - second.low)
    return Estimate(difference, difference - below, difference + above, MOVER)


def proportion_gap(first: tuple[int, int], second: tuple[int, int], *, confidence: float = 0.95) -> Estimate:
    """Difference of two independent proportions with Newcombe's hybrid score interval: `gap` of Wilson's limits.

    Parameters
    ----------
    first, second : (successes, total)
    confidence : float

    Raises
    ------
    ValueError
        If the counts are no counts.

    References
    ----------
    Newcombe RG. Stat Med 1998;17:873-890 (doi:10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I),
    method 10.

    Examples
    --------
    >>> found = proportion_gap((56, 70), (48, 80))
    >>> round(found.value, 4), round(found.low, 4), round(found.high, 4)
    (0.2, 0.0524, 0.3339)
    """
    shares = [proportion(*counts, confidence=confidence, method="wilson") for counts in (first, second)]
    found = gap(*shares)
    return Estimate(found.value, found.low, found.high, NEWCOMBE, found.reason)
