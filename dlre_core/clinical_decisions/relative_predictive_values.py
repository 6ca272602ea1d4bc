"""Two tests on the same patients: how many times the predictive value of the other one has the first?"""

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

from dlre_core.clinical_decisions.paired_proportions import PairedProportions
from dlre_core.statistics.estimates import Estimate, check_confidence, undefined

ZERO_VARIANCE = "zero variance of the ratio"


@dataclass(frozen=True)
class RelativePredictiveValue:
    """Predictive values of two tests and their ratio, first over second.

    ``ratio`` has the interval, and ``p_value`` the test, of Moskowitz and Pepe; ``score_p`` is that of Kosinski's
    weighted score test. NaN with a reason in ``ratio`` where there is none.
    """

    first: float
    second: float
    ratio: Estimate
    p_value: float
    score_p: float


def relative_predictive_value(
    cases: PairedProportions, controls: PairedProportions, *, negative: bool = False, confidence: float = 0.95
) -> RelativePredictiveValue:
    """Ratio of the PPVs, or NPVs, of two tests on the same patients, with interval and tests.

    PPV_k = cases / all among the n_k patients with a positive test k. The variance of log(PPV_1 / PPV_2) is, by the
    delta method for the eight cells of tests by disease, the sum over patients of (u_1 / PPV_1 - u_2 / PPV_2)^2 with
    u_k = (D - PPV_k) / n_k where test k is positive, else 0, and D = 1 in cases, 0 in controls. With the pooled
    P = (cases of both tests) / (n_1 + n_2) and C = sum of (D - P)^2 / (n_1 + n_2) over those positive by both, the
    weighted score statistic (PPV_1 - PPV_2)^2 / ((P (1 - P) - 2 C) (1 / n_1 + 1 / n_2)) is chi-squared on one degree of
    freedom if the values are equal. For the NPV negative tests and controls take these places.

    Parameters
    ----------
    cases, controls : PairedProportions
        Counts of positive tests (yes: positive), in cases and in controls.
    negative : bool
        NPV instead of PPV.
    confidence : float

    Returns
    -------
    RelativePredictiveValue

    References
    ----------
    Moskowitz CS, Pepe MS. Clin Trials 2006;3:272-279. doi:10.1191/1740774506cn147oa. Kosinski AS. Stat Med
    2013;32:964-977. doi:10.1002/sim.5587.

    Examples
    --------
    >>> from dlre_core.clinical_decisions.paired_proportions import compare_paired_proportions
    >>> cases = compare_paired_proportions(319, 22, 78, 32)
    >>> found = relative_predictive_value(cases, compare_paired_proportions(31, 22, 53, 155))
    >>> f"{found.ratio.value:.3f} ({found.ratio.low:.3f} to {found.ratio.high:.3f}), p {found.p_value:.4f}"
    '1.049 (1.008 to 1.090), p 0.0171'
    """
    check_confidence(confidence)
    method = "moskowitz-pepe"
    # Rows: who is meant, and the others; columns: both tests say so, the first only, the second only.
    told = [
        (group.neither, group.second_only, group.first_only)
        if negative
        else (group.both, group.first_only, group.second_only)
        for group in (cases, controls)
    ]
    right, wrong = (np.array(row, dtype=np.float64) for row in (told[::-1] if negative else told))
    says = np.array([[1.0, 1.0, 0.0], [1.0, 0.0, 1.0]])
    sizes = says @ (right + wrong)
    if not sizes.all():
        reason = f"nobody is {'negative' if negative else 'positive'} by one test"
        return RelativePredictiveValue(math.nan, math.nan, undefined(reason, method), math.nan, math.nan)
    values = says @ right / sizes
    first, second = (float(value) for value in values)
    if not values.all():
        return RelativePredictiveValue(
            first, second, undefined("a predictive value of 0", method), math.nan, _score_p(right, wrong, sizes, values)
        )
    ratio = first / second
    influence = [says * (outcome - values)[:, None] / (sizes * values)[:, None] for outcome in (1.0, 0.0)]
    variance = sum(float(n @ (part[0] - part[1]) ** 2) for n, part in zip((right, wrong), influence, strict=True))
    if variance <= 0:
        found = Estimate(ratio, math.nan, math.nan, method, ZERO_VARIANCE)
        return RelativePredictiveValue(first, second, found, math.nan, math.nan)
    error = math.sqrt(variance)
    half = -float(special.ndtri((1 - confidence) / 2)) * error
    p_value = 2 * float(special.ndtr(-abs(math.log(ratio)) / error))
    estimate = Estimate(ratio, ratio * math.exp(-half), ratio * math.exp(half), method)
    return RelativePredictiveValue(first, second, estimate, p_value, _score_p(right, wrong, sizes, values))


def _score_p(right: np.ndarray, wrong: np.ndarray, sizes: np.ndarray, values: np.ndarray) -> float:
    total = float(sizes.sum())
    pooled = float(values @ sizes) / total
    common = (right[0] * (1 - pooled) ** 2 + wrong[0] * pooled**2) / total
    variance = (pooled * (1 - pooled) - 2 * common) * float((1 / sizes).sum())
    return float(special.chdtrc(1, (values[0] - values[1]) ** 2 / variance)) if variance > 1e-15 else math.nan
