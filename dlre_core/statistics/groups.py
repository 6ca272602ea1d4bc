"""Compare two groups of patients, one variable at a time (Table 1)."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

# Normality is rejected below this p of Shapiro and Wilk's test, in either group.
NORMALITY_LEVEL = 0.05
# Cochran: below this expected count the chi-squared distribution is a poor approximation.
LEAST_EXPECTED = 5.0
CHOICE = (
    "Numbers: mean±SD and Student's t test where Shapiro and Wilk's test rejects normality (p<0.05) in "
    "neither cohort, else median (IQR) and the Mann-Whitney test. Shares: χ² test without "
    "correction where all expected counts are 5 or more, else Fisher's exact test."
)


@dataclass(frozen=True)
class GroupComparison:
    """A test of two groups: its name, statistic, p (two-sided) and standardised mean difference.

    ``reason`` says why p is NaN.
    """

    test: str
    statistic: float
    p_value: float
    standardised_mean_difference: float
    reason: str = ""


def compare_means(a: ArrayLike, b: ArrayLike) -> GroupComparison:
    """Student's or the Mann-Whitney test of a number in two groups, chosen by `CHOICE`.

    Parameters
    ----------
    a, b : (n,) float
        NaN is missing and left out.
    """
    first, second = _present(a), _present(b)
    difference = _mean_difference(first, second)
    if min(len(first), len(second)) < 2:
        return GroupComparison("", math.nan, math.nan, difference, "fewer than two values in a cohort")
    if np.ptp(np.concatenate([first, second])) == 0:
        return GroupComparison("", math.nan, math.nan, difference, "all values are equal")
    if is_normal(first) and is_normal(second):
        test = stats.ttest_ind(first, second)
        return GroupComparison("Student t", float(test.statistic), float(test.pvalue), difference)
    test = stats.mannwhitneyu(first, second, alternative="two-sided")
    return GroupComparison("Mann-Whitney", float(test.statistic), float(test.pvalue), difference)


def student_t(a: ArrayLike, b: ArrayLike) -> float:
    """p of Student's t test, whatever the distribution (as in the paper's Table 1)."""
    first, second = _present(a), _present(b)
    if min(len(first), len(second)) < 2 or np.ptp(np.concatenate([first, second])) == 0:
        return math.nan
    return float(stats.ttest_ind(first, second).pvalue)


def compare_shares(yes_a: int, n_a: int, yes_b: int, n_b: int) -> GroupComparison:
    """χ² (uncorrected) or Fisher's exact test of a share in two groups, chosen by `CHOICE`.

    Parameters
    ----------
    yes_a, yes_b : int
        Patients with the property.
    n_a, n_b : int
        Patients in whom it is known.

    Raises
    ------
    ValueError
        If a count is larger than its group.

    Examples
    --------
    >>> found = compare_shares(175, 266, 90, 132)
    >>> found.test, round(found.p_value, 3)
    ('χ²', 0.634)
    """
    if not (0 <= yes_a <= n_a and 0 <= yes_b <= n_b):
        raise ValueError(f"{yes_a} of {n_a} and {yes_b} of {n_b} are no shares")
    if not n_a or not n_b:
        return GroupComparison("", math.nan, math.nan, math.nan, "nobody in a cohort")
    p, q = yes_a / n_a, yes_b / n_b
    spread = math.sqrt((p * (1 - p) + q * (1 - q)) / 2)
    difference = (p - q) / spread if spread else (0.0 if p == q else math.copysign(math.inf, p - q))
    counts = np.array([[yes_a, n_a - yes_a], [yes_b, n_b - yes_b]])
    if 0 in counts.sum(axis=0):
        return GroupComparison("", math.nan, math.nan, difference, "the same in everybody")
    expected = stats.contingency.expected_freq(counts)
    if expected.min() >= LEAST_EXPECTED:
        test = stats.chi2_contingency(counts, correction=False)
        return GroupComparison("χ²", float(test.statistic), float(test.pvalue), difference)
    exact = stats.fisher_exact(counts)
    return GroupComparison("Fisher", float(exact.statistic), float(exact.pvalue), difference)


def is_normal(values: NDArray[np.float64]) -> bool:
    """True where Shapiro and Wilk's test does not reject normality (at most 5,000 values used)."""
    if len(values) < 3 or np.ptp(values) == 0:
        return False
    # The test's p is not accurate above 5,000 values; every k-th sorted value keeps the shape.
    ordered = np.sort(values)[:: max(1, math.ceil(len(values) / 5000))]
    return bool(stats.shapiro(ordered).pvalue >= NORMALITY_LEVEL)


def _present(values: ArrayLike) -> NDArray[np.float64]:
    numbers = np.asarray(values, dtype=np.float64)
    return numbers[np.isfinite(numbers)]


def _mean_difference(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Difference of means over the root of the mean variance (Austin, 2009)."""
    if len(a) < 2 or len(b) < 2:
        return math.nan
    spread = math.sqrt((a.var(ddof=1) + b.var(ddof=1)) / 2)
    return float((a.mean() - b.mean()) / spread) if spread else math.nan
