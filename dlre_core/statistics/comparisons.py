"""DeLong tests: two scores on the same patients, one in two or more groups of patients, and cohorts that overlap."""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from dlre_core.statistics.delong import AucParts, auc_parts, complete_cases, delong_covariance
from dlre_core.statistics.estimates import check_confidence, too_few


@dataclass(frozen=True)
class AucComparison:
    """Difference of two AUCs, first minus second, and its test (two-sided).

    ``log_p_value`` is natural; it stays finite where p underflows. ``degrees_of_freedom`` is
    infinite for the paired (normal) test. ``degenerate`` is True where the difference has no
    variance: equal AUCs then give z = 0 and p = 1, others NaN with a reason. ``least_cases`` and
    ``least_controls`` are those of the smaller of both samples. ``standard_error`` is the difference's.
    """

    difference: float
    statistic: float
    p_value: float
    log_p_value: float
    interval: tuple[float, float]
    covariance: float
    degrees_of_freedom: float = math.inf
    n_missing: int = 0
    degenerate: bool = False
    reason: str = ""
    auc_a: float = math.nan
    auc_b: float = math.nan
    least_cases: int = 0
    least_controls: int = 0
    standard_error: float = math.nan

    @property
    def reported(self) -> "AucComparison":
        """The comparison as tables report it: p and interval only where something carries them.

        Withheld, with the reason, where a class has fewer than five patients, where an AUC is exactly
        0 or 1 (its variance is then 0, which nobody believes) and where the difference has no variance.
        """
        reason = "" if math.isnan(self.difference) else too_few(self.least_cases, self.least_controls)
        if not reason and not math.isnan(self.difference):
            if {self.auc_a, self.auc_b} & {0.0, 1.0}:
                reason = "an AUC of 0 or 1 has no variance"
            elif self.degenerate:
                reason = "no variance of the difference"
        if not reason:
            return self
        nan = math.nan
        return replace(self, statistic=nan, p_value=nan, log_p_value=nan, interval=(nan, nan), reason=reason)


def compare_paired_aucs(
    labels: ArrayLike, scores_a: ArrayLike, scores_b: ArrayLike, *, confidence: float = 0.95
) -> AucComparison:
    """DeLong's test of two scores on the same patients, complete cases only.

    Parameters
    ----------
    labels : (n,) of 0 and 1
    scores_a, scores_b : (n,) float
        NaN in either leaves the patient out.

    Returns
    -------
    AucComparison

    References
    ----------
    DeLong ER, DeLong DM, Clarke-Pearson DL. Biometrics 1988;44:837-845.

    Examples
    --------
    >>> test = compare_paired_aucs([0, 0, 1, 1], [1, 2, 3, 4], [1, 3, 2, 4])
    >>> test.difference
    0.25
    """
    check_confidence(confidence)
    truth, (a, b), missing = complete_cases(labels, scores_a, scores_b)
    first, second = auc_parts(truth, a), auc_parts(truth, b)
    covariance = delong_covariance(first.placements, second.placements)
    total = first.variance + second.variance
    variance = total - 2 * covariance
    # Identical scores differ by rounding only; pROC's own limit would give p = 0 or NaN.
    same = len(truth) > 0 and all(map(np.array_equal, first.placements, second.placements))
    if variance < 1e-15 * max(total, 1e-300) or same:
        variance = 0.0
    return _compare(first, second, variance, covariance, math.inf, missing, confidence)


def non_inferiority(comparison: AucComparison, margin: float) -> tuple[float, float]:
    """Test of a paired comparison whether the first AUC is lower than the second by the margin or more.

    Under the null hypothesis the difference is -margin; z = (difference + margin) / SE with DeLong's standard error,
    and p is the upper tail of the normal distribution. It is below half of 1 - confidence exactly where the lower limit
    of the difference's interval lies above -margin.

    Parameters
    ----------
    comparison : AucComparison
        As `compare_paired_aucs` returns it; what `AucComparison.reported` withholds is not tested.
    margin : float
        In AUC, above 0 and below 1.

    Returns
    -------
    z, p : float
        One-sided; NaN where there is no test.

    Raises
    ------
    ValueError
        If the margin is out of its range.

    References
    ----------
    Liu JP, Ma MC, Wu CY, Tai JY. Stat Med 2006;25:1219-38. doi:10.1002/sim.2358.

    Examples
    --------
    >>> labels, scores = [0, 1] * 10, [0, 2, 1, 3, 2, 1, 3, 4, 4, 5] * 2
    >>> test = compare_paired_aucs(labels, scores, scores[::-1])
    >>> z, p = non_inferiority(test, 0.1)
    >>> z == (test.difference + 0.1) / test.standard_error
    True
    """
    if not 0 < margin < 1:
        raise ValueError(f"margin = {margin}: a difference of AUCs above 0 and below 1 is needed, such as 0.05")
    if math.isnan(comparison.reported.p_value):
        return math.nan, math.nan
    z = (comparison.difference + margin) / comparison.standard_error
    return z, float(special.ndtr(-z))


def compare_unpaired_aucs(
    labels_a: ArrayLike,
    scores_a: ArrayLike,
    labels_b: ArrayLike,
    scores_b: ArrayLike,
    *,
    confidence: float = 0.95,
    scale: str = "auc",
) -> AucComparison:
    """DeLong's test of one score in two groups without common patients, as pROC does it.

    Parameters
    ----------
    labels_a, labels_b : (n,), (m,) of 0 and 1
    scores_a, scores_b : (n,), (m,) float
        NaN is missing and left out.
    confidence : float
    scale : {"auc", "logit"}
        ``auc`` compares the statistic with Student's t at Satterthwaite's degrees of freedom, as
        pROC. ``logit`` compares the logits of the AUCs with the normal distribution, which keeps the
        level better in small groups (benchmarks/interval_coverage.py); ``difference`` and ``interval`` stay
        those of the AUCs.

    Raises
    ------
    ValueError
        If the scale is unknown.
    """
    if scale not in ("auc", "logit"):
        raise ValueError(f"scale {scale!r} is neither auc nor logit")
    check_confidence(confidence)
    groups, missing = [], 0
    for labels, scores in ((labels_a, scores_a), (labels_b, scores_b)):
        truth, (values,), absent = complete_cases(labels, scores)
        groups.append(auc_parts(truth, values))
        missing += absent
    first, second = groups
    variance = first.variance + second.variance
    degrees = math.nan
    if variance > 0:
        degrees = variance**2 / sum(part.variance**2 / (part.n - 1) for part in groups)
    result = _compare(first, second, variance, 0.0, degrees, missing, confidence)
    return result if scale == "auc" or math.isnan(result.p_value) else _on_logits(result, groups)


def compare_overlapping_aucs(
    labels: ArrayLike, scores_a: ArrayLike, scores_b: ArrayLike, *, confidence: float = 0.95
) -> AucComparison:
    """DeLong's test of two scores whose cohorts share some of their patients, all or none.

    Parameters
    ----------
    labels : (n,) of 0 and 1
        Of everybody who is in either cohort.
    scores_a, scores_b : (n,) float
        NaN where a patient is not in the score's cohort.
    confidence : float

    Returns
    -------
    AucComparison
        ``covariance`` is what the shared patients contribute; t has Satterthwaite's degrees of freedom from the
        variances of cases and of controls, which keeps the level where a class is small
        (docs/measurements/statistics.md).

    References
    ----------
    Zhou XH, Gatsonis CA. Stat Med 1996;15:1687-1693. Satterthwaite FE. Biometrics 1946;2:110-114.
    """
    check_confidence(confidence)
    columns = [np.asarray(scores, dtype=np.float64) for scores in (scores_a, scores_b)]
    truth = complete_cases(labels, np.zeros(len(columns[0])))[0]
    present = [~np.isnan(column) for column in columns]
    first, second = (auc_parts(truth[here], column[here]) for column, here in zip(columns, present, strict=True))
    # Variance of the difference, degrees of freedom and covariance: of the cases, then of the controls.
    terms = []
    for value, ours, theirs in zip((1, 0), first.placements, second.placements, strict=True):
        of_class = truth == value
        shared = of_class & present[0] & present[1]
        a, b = (part[shared[of_class & here]] for part, here in zip((ours, theirs), present, strict=True))
        sizes = len(ours), len(theirs)
        if min(sizes) < 2:
            terms.append((math.nan, math.nan, math.nan))
            continue
        common = len(a) * float(np.cov(a, b)[0, 1]) / (sizes[0] * sizes[1]) if len(a) > 1 else 0.0
        own = float(ours.var(ddof=1)) / sizes[0] + float(theirs.var(ddof=1)) / sizes[1]
        terms.append((max(own - 2 * common, 0.0), min(sizes) - 1, common))
    variance = sum(term[0] for term in terms)
    # Identical scores differ by rounding only.
    if variance < 1e-15 * max(first.variance + second.variance, 1e-300):
        variance = 0.0
    degrees = variance**2 / sum(term[0] ** 2 / term[1] for term in terms) if variance > 0 else math.nan
    missing = int((~present[0] & ~present[1]).sum())
    return _compare(first, second, variance, sum(term[2] for term in terms), degrees, missing, confidence)


@dataclass(frozen=True)
class AucHeterogeneity:
    """A test whether k independent groups have one AUC: chi-squared on k - 1 degrees of freedom.

    ``groups`` are those that were tested; ``left_out`` names the others with the reason. ``pooled`` is the AUC that is
    common under the null hypothesis. NaN with a ``reason`` below two groups.
    """

    statistic: float
    degrees_of_freedom: int
    p_value: float
    pooled: float
    groups: tuple[Hashable, ...]
    left_out: tuple[tuple[Hashable, str], ...] = ()
    reason: str = ""


def auc_heterogeneity(
    labels: ArrayLike, scores: ArrayLike, groups: ArrayLike, names: Sequence[Hashable], *, scale: str = "auc"
) -> AucHeterogeneity:
    """Test one score's AUC for equality over independent groups of patients.

    With DeLong variances v_i, weights w_i = 1 / v_i and the weighted mean AUC_w, Q = sum of w_i (AUC_i - AUC_w)^2 has
    the chi-squared distribution on k - 1 degrees of freedom under equality. It is the Wald test of the k - 1 contrasts
    of independent AUCs; of two groups Q is z^2.

    Parameters
    ----------
    labels : (n,) of 0 and 1
    scores : (n,) float
        NaN is missing and left out.
    groups : (n,) of the names
        Patients of no name are left out.
    names : sequence
        The groups. A group with fewer than five cases or controls, or with an AUC of 0 or 1, has no variance to be
        believed and is left out with the reason.
    scale : {"auc", "logit"}
        ``logit`` compares the logits by the delta method, which keeps the level better in small groups with high AUCs;
        ``pooled`` is an AUC on either.

    Returns
    -------
    AucHeterogeneity

    Raises
    ------
    ValueError
        If the scale is unknown.

    References
    ----------
    McClish DK. Med Decis Making 1987;7:149-155. doi:10.1177/0272989X8700700305. DeLong ER, DeLong DM, Clarke-Pearson
    DL. Biometrics 1988;44:837-845. doi:10.2307/2531595.

    Examples
    --------
    >>> labels = [0, 1] * 15
    >>> scores = [0, 2, 1, 3, 2, 1, 3, 4, 4, 5] * 3
    >>> test = auc_heterogeneity(labels, scores, ["A"] * 10 + ["B"] * 10 + ["C"] * 10, ["A", "B", "C"])
    >>> test.statistic, test.degrees_of_freedom, test.p_value
    (0.0, 2, 1.0)
    """
    if scale not in ("auc", "logit"):
        raise ValueError(f"scale {scale!r} is neither auc nor logit")
    truth, values, member = (np.asarray(column) for column in (labels, scores, groups))
    tested: list[tuple[Hashable, AucParts]] = []
    left_out: list[tuple[Hashable, str]] = []
    for name in names:
        here = member == name
        present, (kept,), _ = complete_cases(truth[here], values[here])
        parts = auc_parts(present, kept)
        reason = parts.reason if math.isnan(parts.auc) else too_few(parts.n_cases, parts.n - parts.n_cases)
        if not reason and parts.auc in (0.0, 1.0):
            reason = "an AUC of 0 or 1 has no variance"
        if not reason and not parts.variance > 0:
            reason = "zero variance"
        if reason:
            left_out.append((name, reason))
        else:
            tested.append((name, parts))
    common = {"groups": tuple(name for name, _ in tested), "left_out": tuple(left_out)}
    if len(tested) < 2:
        reason = f"{len(tested)} group{'s' * (len(tested) != 1)} with a variance: nothing to compare"
        return AucHeterogeneity(math.nan, max(len(tested) - 1, 0), math.nan, math.nan, reason=reason, **common)
    area = np.array([parts.auc for _, parts in tested])
    variance = np.array([parts.variance for _, parts in tested])
    if scale == "logit":
        area, variance = special.logit(area), variance / (area * (1 - area)) ** 2
    weights = 1 / variance
    middle = float((weights * area).sum() / weights.sum())
    # Equal AUCs differ by rounding only.
    equal = np.ptp(area) < 1e-12
    statistic = 0.0 if equal else float((weights * (area - middle) ** 2).sum())
    degrees = len(tested) - 1
    pooled = float(special.expit(middle)) if scale == "logit" else middle
    return AucHeterogeneity(statistic, degrees, float(special.chdtrc(degrees, statistic)), pooled, **common)


@dataclass(frozen=True)
class PairOfGroups:
    """One of the pairwise tests between groups: ``p_holm`` is adjusted within the family of all pairs."""

    first: Hashable
    second: Hashable
    comparison: AucComparison
    p_holm: float


def compare_every_two_groups(
    labels: ArrayLike,
    scores: ArrayLike,
    groups: ArrayLike,
    names: Sequence[Hashable],
    *,
    confidence: float = 0.95,
) -> list[PairOfGroups]:
    """Every two groups against each other, as tables report it, with Holm's adjustment over all pairs.

    Parameters
    ----------
    labels, scores, groups, names
        As `auc_heterogeneity` takes them.
    confidence : float

    Returns
    -------
    list of PairOfGroups
        In the order of the names. p is NaN, with the reason, where a class has fewer than five patients or an AUC is 0
        or 1; such a pair is not counted by Holm.

    References
    ----------
    Zhou XH, Gatsonis CA. Stat Med 1996;15:1687-1693. Holm S. Scand J Stat 1979;6:65-70.
    """
    values, member = np.asarray(scores, dtype=np.float64), np.asarray(groups)
    of_group = {name: np.where(member == name, values, np.nan) for name in names}
    pairs = list(combinations(names, 2))
    tests = [
        compare_overlapping_aucs(labels, of_group[first], of_group[second], confidence=confidence).reported
        for first, second in pairs
    ]
    adjusted = holm([test.p_value for test in tests])
    return [PairOfGroups(*pair, test, float(p)) for pair, test, p in zip(pairs, tests, adjusted, strict=True)]


def holm(p_values: ArrayLike) -> NDArray[np.float64]:
    """Holm's step-down adjustment; NaN stays NaN and is not counted.

    References
    ----------
    Holm S. Scand J Stat 1979;6:65-70.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03]).round(2).tolist()
    [0.03, 0.06, 0.06]
    """
    # Here, since it takes as long to import as most tables take to make.
    from statsmodels.stats.multitest import multipletests

    values = np.asarray(p_values, dtype=np.float64)
    result = np.full(values.shape, np.nan)
    present = ~np.isnan(values)
    if present.any():
        result[present] = multipletests(values[present], method="holm")[1]
    return result


def _on_logits(result: AucComparison, groups: Sequence[AucParts]) -> AucComparison:
    """The same comparison with z and p of the logits, by the delta method."""
    if any(part.auc in (0.0, 1.0) for part in groups):
        nan, reason = math.nan, "an AUC of 0 or 1 has no logit"
        return replace(result, statistic=nan, p_value=nan, log_p_value=nan, reason=reason)
    first, second = (math.log(part.auc / (1 - part.auc)) for part in groups)
    error = math.sqrt(sum(p.variance / (p.auc * (1 - p.auc)) ** 2 for p in groups))
    z = (first - second) / error if error else 0.0
    log_p = min(math.log(2) + float(special.log_ndtr(-abs(z))), 0.0)
    return replace(result, statistic=z, p_value=math.exp(log_p), log_p_value=log_p, degrees_of_freedom=math.inf)


def _compare(
    first: AucParts,
    second: AucParts,
    variance: float,
    covariance: float,
    degrees: float,
    missing: int,
    confidence: float,
) -> AucComparison:
    difference = first.auc - second.auc
    common = {
        "n_missing": missing,
        "auc_a": first.auc,
        "auc_b": second.auc,
        "least_cases": min(first.n_cases, second.n_cases),
        "least_controls": min(first.n - first.n_cases, second.n - second.n_cases),
    }
    nan = math.nan
    if math.isnan(variance):
        reason = first.reason or second.reason or "no variance"
        return AucComparison(difference, nan, nan, nan, (nan, nan), covariance, degrees, reason=reason, **common)
    if variance <= 0:
        equal = abs(difference) < 1e-12
        reason = "zero variance of the difference"
        statistic, p, log_p = (0.0, 1.0, 0.0) if equal else (nan, nan, nan)
        limits = (0.0, 0.0) if equal else (nan, nan)
        return AucComparison(
            difference,
            statistic,
            p,
            log_p,
            limits,
            covariance,
            degrees,
            degenerate=True,
            reason=reason,
            **common,
        )
    error = math.sqrt(variance)
    statistic = difference / error
    tail = (1 - confidence) / 2
    if math.isinf(degrees):
        log_p = min(math.log(2) + float(special.log_ndtr(-abs(statistic))), 0.0)
        p, half = 2 * float(special.ndtr(-abs(statistic))), -float(special.ndtri(tail)) * error
    else:
        p = 2 * float(special.stdtr(degrees, -abs(statistic)))
        log_p = min(math.log(p), 0.0) if p > 0 else log_t_tails(degrees, statistic)
        half = -float(special.stdtrit(degrees, tail)) * error
    interval = (max(difference - half, -1.0), min(difference + half, 1.0))
    tested = (difference, statistic, min(p, 1.0), log_p, interval, covariance, degrees)
    return AucComparison(*tested, standard_error=error, **common)


def log_t_tails(degrees: float, t: float) -> float:
    """Natural logarithm of both tails of Student's t, where they are too small for a float.

    The tails are the incomplete beta function of degrees / (degrees + t^2), here by its hypergeometric series
    (NIST Digital Library of Mathematical Functions, 8.17.8).
    """
    a, b = degrees / 2, 0.5
    x = degrees / (degrees + t * t)
    logarithm = a * math.log(x) + b * math.log1p(-x) - math.log(a) - float(special.betaln(a, b))
    return logarithm + math.log(float(special.hyp2f1(a + b, 1.0, a + 1.0, x)))
