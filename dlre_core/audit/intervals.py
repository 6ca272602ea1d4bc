"""Which interval method reproduces a printed interval, and how many patients it would need."""

import math
from dataclasses import replace
from functools import lru_cache

import numpy as np
from scipy import stats

from dlre_core.audit.counts import Fit
from dlre_core.audit.printed import SHARES, Printed, rounding_steps
from dlre_core.statistics.estimates import Estimate, undefined
from dlre_core.statistics.proportions import (
    LIKELIHOOD_RATIO_METHODS,
    PROPORTION_METHODS,
    likelihood_ratios,
    logit_predictive_value,
    proportion,
)

Limits = tuple[float, float]
TWICE = " (two roundings)"


@lru_cache(maxsize=4096)
def intervals_of_cell(cell: str, counts: tuple[int, int, int, int], confidence: float) -> dict[str, Limits]:
    """Intervals of a share (per cent) or a likelihood ratio by every method.

    Parameters
    ----------
    cell : {"sens", "spec", "ppv", "npv", "lr_pos", "lr_neg"}
    counts : (TP, FN, TN, FP)
    confidence : float

    Returns
    -------
    dict
        From method to (low, high); methods without an interval there are left out.

    Notes
    -----
    Wald's limits, which no study should print, are cut off at 0 and 100. "Of whole per cents" is Simel's method on a
    sensitivity and a specificity that were rounded first.
    """
    tp, fn, tn, fp = counts
    if cell in SHARES:
        found = tp, tp + fn
        successes, total = {
            "sens": found,
            "spec": (tn, tn + fp),
            "ppv": (tp, tp + fp),
            "npv": (tn, tn + fn),
        }[cell]
        estimates = {
            method: proportion(successes, total, confidence=confidence, method=method) for method in PROPORTION_METHODS
        }
        if total:
            estimates["wald"] = _wald(successes / total, total, confidence)
            estimates["agresti-coull"] = _two_more(successes, total, confidence)
        if cell in ("ppv", "npv") and total > 1:
            estimates["clopper-pearson, n - 1"] = _one_less(successes / total, total, confidence)
        if cell in ("ppv", "npv") and tp + fn and tn + fp:
            estimates["mercaldo-logit"] = logit_predictive_value(
                found,
                (tn, tn + fp),
                (tp + fn) / sum(counts),
                negative=cell == "npv",
                confidence=confidence,
            )
        scale = 100.0
    else:
        side = ("lr_pos", "lr_neg").index(cell)
        estimates = {
            method: likelihood_ratios(*counts, confidence=confidence, method=method)[side]
            for method in LIKELIHOOD_RATIO_METHODS
        }
        estimates["simel, of whole per cents"] = _of_whole_per_cents(side, counts, confidence)
        scale = 1.0
    return {
        method: (scale * estimate.low, scale * estimate.high)
        for method, estimate in estimates.items()
        if not math.isnan(estimate.low) and not math.isnan(estimate.high)
    }


def auc_intervals(auc: float, cases: int, controls: int, confidence: float) -> dict[str, Limits]:
    """Intervals of an AUC that need no scores: exact binomial on AUC x n, and Hanley-McNeil.

    References
    ----------
    Hanley JA, McNeil BJ. Radiology 1982;143:29-36. DeLong's interval needs the scores.
    """
    if not cases or not controls or not 0 <= auc <= 1:
        return {}
    n, tail = cases + controls, (1 - confidence) / 2
    x = auc * n
    low = float(stats.beta.ppf(tail, x, n - x + 1)) if x > 0 else 0.0
    high = float(stats.beta.isf(tail, x + 1, n - x)) if x < n else 1.0
    q1, q2 = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    variance = (auc * (1 - auc) + (cases - 1) * (q1 - auc**2) + (controls - 1) * (q2 - auc**2)) / (cases * controls)
    half = stats.norm.isf(tail) * math.sqrt(max(variance, 0.0))
    return {
        "exact_binomial_n": (low, high),
        "hanley-mcneil": (max(auc - half, 0.0), min(auc + half, 1.0)),
    }


def reproducing_methods(cell: str, printed: tuple[Printed, Printed], fit: Fit, confidence: float) -> list[str]:
    """Methods whose interval prints as this one; ``(two roundings)`` is said where it needs them."""
    return _matching(printed, [intervals_of_cell(cell, fit.counts, confidence)])


def reproducing_auc_methods(auc: Printed, printed: tuple[Printed, Printed], fit: Fit, confidence: float) -> list[str]:
    """As `reproducing_methods`, for any AUC that prints as this one."""
    low, high = auc.window()
    return _matching(
        printed,
        [
            auc_intervals(float(value), fit.cases, fit.n - fit.cases, confidence)
            for value in np.linspace(max(low, 0.0), min(high, 1.0), 11)
        ],
    )


def recommended_interval(cell: str, fit: Fit, confidence: float) -> Limits:
    """Clopper-Pearson of a share (per cent), Simel of a likelihood ratio; NaN where there is none."""
    method = "clopper-pearson" if cell in SHARES else "simel"
    intervals = intervals_of_cell(cell, fit.counts, confidence)
    return intervals.get(method, (math.nan, math.nan))


def width_ratio(cell: str, printed: tuple[Printed, Printed], fit: Fit, confidence: float) -> float:
    """Printed width over the width of the nearest method; likelihood ratios on the log scale.

    Returns
    -------
    float
        1 where some method is as wide (within rounding), below 1 where all are wider; NaN where
        widths say nothing (an infinite limit).
    """
    measure = _width if cell in SHARES else _log_width
    rounding = printed[0].unit
    widest = measure(printed[0].value - rounding / 2, printed[1].value + rounding / 2)
    narrowest = measure(printed[0].value + rounding / 2, max(printed[1].value, printed[0].value) - rounding / 2)
    widths = [
        width
        for limits in intervals_of_cell(cell, fit.counts, confidence).values()
        if math.isfinite(width := measure(*limits)) and width > 0
    ]
    if not widths or not math.isfinite(widest):
        return math.nan
    if widest < min(widths):
        return widest / min(widths)
    return narrowest / max(widths) if narrowest > max(widths) else 1.0


def nearest_method(cell: str, printed: tuple[Printed, Printed], fit: Fit, confidence: float) -> tuple[str, float]:
    """The method whose limits come nearest, and how far the further one is away (cell's unit)."""
    gaps = {
        method: max(abs(limit - number.value) for limit, number in zip(limits, printed, strict=True))
        for method, limits in intervals_of_cell(cell, fit.counts, confidence).items()
    }
    if not gaps:
        return "none", math.nan
    nearest = min(gaps, key=lambda method: gaps[method])
    return nearest, gaps[nearest]


def effective_n(ratio: float, fit: Fit, cell: str) -> float:
    """Patients that an interval of ``ratio`` times the right width would need."""
    tp, fn, tn, fp = fit.counts
    found, total = {
        "sens": (tp, tp + fn),
        "spec": (tn, tn + fp),
        "ppv": (tp, tp + fp),
        "npv": (tn, tn + fn),
    }.get(cell, (1, fit.n))
    # The limit of a share of 0 or 1 approaches it as 1/n, others as 1/sqrt(n).
    power = 1 if cell in SHARES and found in (0, total) else 2
    return total / ratio**power if ratio > 0 else math.inf


def _width(low: float, high: float) -> float:
    return high - low


def _log_width(low: float, high: float) -> float:
    return math.log(high / low) if 0 < low <= high < math.inf else math.nan


def _wald(share: float, total: int, confidence: float) -> Estimate:
    half = stats.norm.isf((1 - confidence) / 2) * math.sqrt(share * (1 - share) / total)
    return Estimate(share, max(share - half, 0.0), min(share + half, 1.0), "wald")


def _two_more(successes: int, total: int, confidence: float) -> Estimate:
    """Agresti and Coull's limits: Wald's with two successes and two failures more (Am Stat 1998;52:119-126)."""
    return replace(_wald((successes + 2) / (total + 4), total + 4, confidence), method="agresti-coull")


def _of_whole_per_cents(side: int, counts: tuple[int, int, int, int], confidence: float) -> Estimate:
    tp, fn, tn, fp = counts
    if not tp + fn or not tn + fp:
        return undefined("a class is empty", "simel")
    cases, controls = tp + fn, tn + fp
    se, sp = round(100 * tp / cases) / 100, round(100 * tn / controls) / 100
    pair = ((se, cases), (1 - sp, controls)) if side == 0 else ((1 - se, cases), (sp, controls))
    if min(pair[0][0], pair[1][0]) <= 0:
        return undefined("a share is 0", "simel")
    error = math.sqrt(sum((1 - share) / (share * size) for share, size in pair))
    half = float(stats.norm.isf((1 - confidence) / 2)) * error
    ratio = pair[0][0] / pair[1][0]
    return Estimate(ratio, ratio * math.exp(-half), ratio * math.exp(half), "simel")


def _one_less(share: float, total: int, confidence: float) -> Estimate:
    """Clopper and Pearson's limits of the same share of one patient less, as some programs have them."""
    n, tail = total - 1, (1 - confidence) / 2
    k = share * n
    low = float(stats.beta.ppf(tail, k, n - k + 1)) if k > 0 else 0.0
    high = float(stats.beta.isf(tail, k + 1, n - k)) if k < n else 1.0
    return Estimate(share, low, high, "clopper-pearson, n - 1")


def _matching(printed: tuple[Printed, Printed], choices: list[dict[str, Limits]]) -> list[str]:
    steps: dict[str, int] = {}
    for intervals in choices:
        for method, limits in intervals.items():
            levels = [int(rounding_steps(*pair)) for pair in zip(printed, limits, strict=True)]
            if all(levels):
                steps[method] = min(max(levels), steps.get(method, 2))
    return [method if count == 1 else f"{method}{TWICE}" for method, count in steps.items()]
