"""Two tests on the same patients: does one say yes more often than the other?"""

import math
from dataclasses import dataclass

from scipy import stats

from dlre_core.statistics.estimates import Estimate, check_confidence, undefined
from dlre_core.statistics.proportions import proportion

NEVER_DIFFER = "the tests never differ"


@dataclass(frozen=True)
class PairedProportions:
    """Two tests on the same patients, in counts, with the difference of their shares of yes.

    ``difference`` is the first share minus the second one. ``exact_p`` and ``mid_p`` are two-sided; NaN with a
    ``reason`` where no patient tells the tests apart.
    """

    both: int
    first_only: int
    second_only: int
    neither: int
    difference: Estimate
    exact_p: float
    mid_p: float
    reason: str = ""

    @property
    def n(self) -> int:
        """Patients."""
        return self.both + self.first_only + self.second_only + self.neither


def compare_paired_proportions(
    both: int, first_only: int, second_only: int, neither: int, *, confidence: float = 0.95
) -> PairedProportions:
    """McNemar's test, exact and as mid-p, and Newcombe's interval of the difference.

    Among cases, with yes for a positive test, it compares sensitivities; among controls, with yes for a negative test,
    specificities. Of d = b + c discordant pairs b has the binomial distribution with 1/2 under the null hypothesis:
    exact p = min(1, 2 P(B <= min(b, c))), mid-p = 2 P(B <= min(b, c)) - P(B = b), and 1 - P(B = b) / 2 where b = c. The
    interval squares and adds the Wilson limits of both shares (Newcombe's method 10): with n patients, D = (b - c) / n,
    the distances dl and du of each share from its limits, and the correlation phi = max(ad - bc - n/2, 0) / root of the
    product of the margins, or (ad - bc) / root where ad < bc, it is
    D - root(dl1^2 - 2 phi dl1 du2 + du2^2) to D + root(du1^2 - 2 phi du1 dl2 + dl2^2).

    Parameters
    ----------
    both, first_only, second_only, neither : int
        Patients to whom both tests say yes (a), the first one only (b), the second one only (c), neither (d).
    confidence : float

    Returns
    -------
    PairedProportions
        Everything is NaN with a reason without patients.

    Raises
    ------
    ValueError
        If a count is negative or no whole number.

    References
    ----------
    McNemar Q. Psychometrika 1947;12:153-157. doi:10.1007/BF02295996. Fagerland MW, Lydersen S, Laake P. BMC Med Res
    Methodol 2013;13:91. doi:10.1186/1471-2288-13-91. Newcombe RG. Stat Med 1998;17:2635-2650.
    doi:10.1002/(SICI)1097-0258(19981130)17:22<2635::AID-SIM954>3.0.CO;2-C.

    Examples
    --------
    >>> found = compare_paired_proportions(59, 6, 16, 80)
    >>> f"{found.difference.value:.4f} ({found.difference.low:.4f} to {found.difference.high:.4f})"
    '-0.0621 (-0.1186 to -0.0046)'
    >>> round(found.exact_p, 4), round(found.mid_p, 4)
    (0.0525, 0.0347)
    """
    check_confidence(confidence)
    counts = (both, first_only, second_only, neither)
    if any(count < 0 or count != int(count) for count in counts):
        raise ValueError(f"counts {counts}: whole and not negative ones are needed")
    a, b, c, d = (int(count) for count in counts)
    if not a + b + c + d:
        reason = "nobody to count"
        return PairedProportions(a, b, c, d, undefined(reason, "newcombe"), math.nan, math.nan, reason)
    difference = _difference(a, b, c, d, confidence)
    if not b + c:
        return PairedProportions(a, b, c, d, difference, math.nan, math.nan, NEVER_DIFFER)
    pairs = stats.binom(b + c, 0.5)
    tails, here = 2 * float(pairs.cdf(min(b, c))), float(pairs.pmf(b))
    return PairedProportions(a, b, c, d, difference, min(tails, 1.0), 1 - here / 2 if b == c else tails - here)


def _difference(a: int, b: int, c: int, d: int, confidence: float) -> Estimate:
    n = a + b + c + d
    first, second = (proportion(yes, n, confidence=confidence, method="wilson") for yes in (a + b, a + c))
    margins = (a + b) * (c + d) * (a + c) * (b + d)
    product = a * d - b * c
    corrected = max(product - n / 2, 0.0) if product > 0 else product
    phi = corrected / math.sqrt(margins) if margins else 0.0

    def distance(one: float, other: float) -> float:
        return math.sqrt(max(one**2 - 2 * phi * one * other + other**2, 0.0))

    value = (b - c) / n
    low = value - distance(first.value - first.low, second.high - second.value)
    high = value + distance(first.high - first.value, second.value - second.low)
    return Estimate(value, max(low, -1.0), min(high, 1.0), "newcombe")
