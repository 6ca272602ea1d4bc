"""Intervals of proportions and of likelihood ratios."""

import math

from scipy import special

from dlre_core.statistics.estimates import ONE_SIDED, Estimate, check_confidence, undefined

PROPORTION_METHODS = ("clopper-pearson", "wilson", "jeffreys")
LIKELIHOOD_RATIO_METHODS = ("simel", "published")


def proportion(successes: int, total: int, *, confidence: float = 0.95, method: str = "clopper-pearson") -> Estimate:
    """A proportion and its interval.

    Parameters
    ----------
    successes, total : int
    confidence : float
    method : {"clopper-pearson", "wilson", "jeffreys"}

    Returns
    -------
    Estimate
        NaN with a reason where ``total`` is 0.

    Raises
    ------
    ValueError
        If the counts are no counts, or the method is unknown.

    References
    ----------
    Clopper CJ, Pearson ES. Biometrika 1934;26:404-413. Wilson EB. JASA 1927;22:209-212.
    Brown LD, Cai TT, DasGupta A. Stat Sci 2001;16:101-133 (Jeffreys).

    Examples
    --------
    >>> share = proportion(28, 32)
    >>> f"{100 * share.value:.1f} ({100 * share.low:.1f} to {100 * share.high:.1f})"
    '87.5 (71.0 to 96.5)'
    """
    check_confidence(confidence)
    if method not in PROPORTION_METHODS:
        raise ValueError(f"method {method!r} is none of {', '.join(PROPORTION_METHODS)}")
    if not 0 <= successes <= total:
        raise ValueError(f"{successes} of {total} is no proportion")
    if total == 0:
        return undefined("nobody to count", method)
    alpha, share = 1 - confidence, successes / total
    if method == "wilson":
        z = -special.ndtri(alpha / 2)
        centre = (share + z**2 / (2 * total)) / (1 + z**2 / total)
        half = z * math.sqrt(share * (1 - share) / total + z**2 / (4 * total**2)) / (1 + z**2 / total)
        low, high = centre - half, centre + half
    else:
        prior = 0.5 if method == "jeffreys" else 0.0
        a, b = successes + prior, total - successes + prior
        shift = 0.0 if method == "jeffreys" else 1.0
        low = float(special.betaincinv(a, b + shift, alpha / 2)) if a else 0.0
        high = float(special.betainccinv(a + shift, b, alpha / 2)) if b else 1.0
    low = 0.0 if successes == 0 else max(low, 0.0)
    high = 1.0 if successes == total else min(high, 1.0)
    return Estimate(share, float(low), float(high), method)


def logit_predictive_value(
    sensitivity: tuple[int, int],
    specificity: tuple[int, int],
    prevalence: float,
    *,
    negative: bool = False,
    confidence: float = 0.95,
) -> Estimate:
    """PPV or NPV at a given prevalence, with Mercaldo's logit interval.

    Parameters
    ----------
    sensitivity, specificity : (successes, total)
        True positives of cases, and true negatives of controls.
    prevalence : float
        Between 0 and 1.
    negative : bool
        NPV instead of PPV.

    Returns
    -------
    Estimate
        The interval is NaN with a reason where a cell is empty, since the logit has no variance
        there.

    References
    ----------
    Mercaldo ND, Lau KF, Zhou XH. Stat Med 2007;26:2170-2183. doi:10.1002/sim.2677
    """
    check_confidence(confidence)
    (tp, cases), (tn, controls) = sensitivity, specificity
    if not cases or not controls:
        return undefined("no cases or no controls", "mercaldo-logit")
    se, sp, p = tp / cases, tn / controls, prevalence
    top, bottom = (sp * (1 - p), (1 - se) * p) if negative else (se * p, (1 - sp) * (1 - p))
    if top + bottom == 0:
        return undefined("no such test result", "mercaldo-logit")
    value = top / (top + bottom)
    if 0 in (tp, cases - tp, tn, controls - tn):
        return Estimate(value, math.nan, math.nan, "mercaldo-logit", "an empty cell has no logit variance")
    if negative:
        variance = se / ((1 - se) * cases) + (1 - sp) / (sp * controls)
    else:
        variance = (1 - se) / (se * cases) + sp / ((1 - sp) * controls)
    half = -special.ndtri((1 - confidence) / 2) * math.sqrt(variance)
    logit = math.log(top / bottom)
    return Estimate(value, _expit(logit - half), _expit(logit + half), "mercaldo-logit")


def likelihood_ratios(
    tp: int, fn: int, tn: int, fp: int, *, confidence: float = 0.95, method: str = "simel"
) -> tuple[Estimate, Estimate]:
    """Positive and negative likelihood ratio with log intervals.

    Parameters
    ----------
    tp, fn, tn, fp : int
    confidence : float
    method : {"simel", "published"}
        ``published`` exchanges the terms of specificity, which is what reproduces printed intervals
        of the paper's comparators; it is there for the audit only.

    Returns
    -------
    (LR+, LR-) : Estimate
        Where a cell is 0 the value is what arithmetic gives (0, infinity, or NaN for 0/0) and the
        finite limit is the one-sided bound of the exact limits of sensitivity and specificity.

    References
    ----------
    Simel DL, Samsa GP, Matchar DB. J Clin Epidemiol 1991;44:763-770.
    """
    check_confidence(confidence)
    if method not in LIKELIHOOD_RATIO_METHODS:
        raise ValueError(f"method {method!r} is none of {', '.join(LIKELIHOOD_RATIO_METHODS)}")
    cases, controls = tp + fn, tn + fp
    if not cases or not controls:
        nothing = undefined("no cases or no controls", method)
        return nothing, nothing
    se, sp = tp / cases, tn / controls
    false_positive = _variance_term(sp, fp)
    true_negative = _variance_term(1 - sp, tn)
    positive_terms = (_variance_term(1 - se, tp), false_positive)
    negative_terms = (_variance_term(se, fn), true_negative)
    if method == "published":
        positive_terms = (positive_terms[0], true_negative)
        negative_terms = (negative_terms[0], false_positive)
    bounds = _bounds(tp, fn, tn, fp, confidence)
    return (
        _ratio(se, 1 - sp, sum(positive_terms), confidence, method, bounds[0]),
        _ratio(1 - se, sp, sum(negative_terms), confidence, method, bounds[1]),
    )


def _variance_term(share: float, count: int) -> float:
    return share / count if count else math.inf


def _ratio(
    top: float,
    bottom: float,
    variance: float,
    confidence: float,
    method: str,
    bound: tuple[float, float],
) -> Estimate:
    if top == 0 and bottom == 0:
        return undefined("0 divided by 0: nobody has this test result", method)
    if top == 0:
        return Estimate(0.0, 0.0, bound[1], ONE_SIDED, "a zero cell: one-sided bound")
    if bottom == 0:
        return Estimate(math.inf, bound[0], math.inf, ONE_SIDED, "a zero cell: one-sided bound")
    value = top / bottom
    if not math.isfinite(variance):
        return Estimate(value, math.nan, math.nan, method, "a zero cell has no log variance")
    if variance == 0:
        # Everybody, or nobody, is positive: the log method would give an interval without width.
        return Estimate(value, *bound, ONE_SIDED, "a zero cell: exact one-sided bounds")
    half = -special.ndtri((1 - confidence) / 2) * math.sqrt(variance)
    return Estimate(value, value * math.exp(-half), value * math.exp(half), method)


def _bounds(tp: int, fn: int, tn: int, fp: int, confidence: float) -> tuple[tuple[float, float], tuple[float, float]]:
    """Conservative one-sided limits of both ratios, from one-sided exact limits of the shares."""
    tail = 1 - math.sqrt(confidence)

    def lower(x: int, n: int) -> float:
        return float(special.betaincinv(x, n - x + 1, tail)) if x else 0.0

    def upper(x: int, n: int) -> float:
        return float(special.betainccinv(x + 1, n - x, tail)) if x < n else 1.0

    cases, controls = tp + fn, tn + fp

    def divided(top: float, bottom: float) -> float:
        return top / bottom if bottom else math.inf

    positive = (
        divided(lower(tp, cases), upper(fp, controls)),
        divided(upper(tp, cases), lower(fp, controls)),
    )
    negative = (
        divided(lower(fn, cases), upper(tn, controls)),
        divided(upper(fn, cases), lower(tn, controls)),
    )
    return positive, negative


def _expit(x: float) -> float:
    return 1 / (1 + math.exp(-x))
