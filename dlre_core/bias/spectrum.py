"""AUCs of cohorts with other shares of the stages, made comparable."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from dlre_core.statistics.estimates import Estimate, check_confidence, too_few, undefined

# DANA where every stage from F0 to F4 is as frequent, whatever the question: 3 - 0.5, 3.5 - 1, 4 - 1.5.
STANDARD_DANA = 2.5
# Poynard's slope, of FibroTest for F2 and more: AUC per stage of DANA.
SLOPE, SLOPE_STAGE = 0.1056, 2


def dana(stages: ArrayLike, lowest_stage: int) -> float:
    """Difference between advanced and non-advanced fibrosis: mean stage of the cases minus that of the controls.

    Parameters
    ----------
    stages : (n,) int
        METAVIR, 0 to 4.
    lowest_stage : int
        Of the cases.

    Returns
    -------
    float
        NaN without cases or without controls.

    References
    ----------
    Poynard T, et al. Clin Chem 2007;53:1615-22. doi:10.1373/clinchem.2007.085795.

    Examples
    --------
    >>> dana([0, 1, 2, 3, 4], 2), dana([1, 1, 2, 2], 2)
    (2.5, 1.0)
    """
    values = np.asarray(stages, dtype=np.float64)
    cases = values >= lowest_stage
    return float(values[cases].mean() - values[~cases].mean()) if 0 < cases.sum() < len(values) else math.nan


def dana_adjusted_auc(auc: float, found: float) -> float:
    """AUC expected where every stage is as frequent: AUC + 0.1056 (2.5 - DANA), at most 1.

    The slope was estimated for FibroTest and F2 or more; it describes no other question.

    Examples
    --------
    >>> round(dana_adjusted_auc(0.80, 2.0), 4)
    0.8528
    """
    return min(auc + SLOPE * (STANDARD_DANA - found), 1.0)


def standardised_auc(stages: ArrayLike, scores: ArrayLike, lowest_stage: int, *, confidence: float = 0.95) -> Estimate:
    """AUC if every stage among the cases, and every stage among the controls, were as frequent as the others.

    With the cases' classes C and the controls' classes D it is the mean over C x D of the AUC of one class against the
    other, and its variance is the sum of S_c^2 / (n_c |C|^2) and S_d^2 / (n_d |D|^2) with DeLong's placements: a
    directly standardised mean. F0 and F1 are one class, since biopsies of F0 are rare, unless the question parts them.

    Parameters
    ----------
    stages : (n,) int
        METAVIR, 0 to 4.
    scores : (n,) float
        NaN is left out.
    lowest_stage : int
        Of the cases.
    confidence : float

    Returns
    -------
    Estimate
        No interval with fewer than five cases or controls, or with one patient of a class; undefined where a class
        is empty.

    References
    ----------
    DeLong ER, et al. Biometrics 1988;44:837-45. doi:10.2307/2531595. Janes H, Pepe MS. Biometrika 2009;96:371-82.
    doi:10.1093/biomet/asp002 (AUCs adjusted by weighting classes).

    Examples
    --------
    >>> standardised_auc([1, 1, 2, 2, 2, 3, 4], [1, 2, 1, 3, 4, 5, 6], 2).value
    0.9166666666666666
    """
    check_confidence(confidence)
    given, values = np.asarray(stages), np.asarray(scores, dtype=np.float64)
    known = ~np.isnan(values)
    member, values = _classes(given[known], lowest_stage), values[known]
    wanted = np.unique(_classes(np.arange(5), lowest_stage))
    absent = [f"F{name}" for name in wanted if not (member == name).any()]
    if absent:
        return undefined(f"no patient with {', '.join(absent)}")
    cases, controls = wanted[wanted >= lowest_stage], wanted[wanted < lowest_stage]
    groups = {name: values[member == name] for name in wanted}
    wins = {
        name: np.mean([_wins(groups[name], groups[other]) for other in (controls if name in cases else cases)], axis=0)
        for name in wanted
    }
    auc = float(np.mean([wins[name].mean() for name in cases]))
    few = too_few(int(np.isin(member, cases).sum()), int(np.isin(member, controls).sum()))
    if few or min(map(len, groups.values())) < 2:
        return Estimate(auc, math.nan, math.nan, reason=few or "one patient of a stage")
    variance = 0.0
    for side in (cases, controls):
        variance += sum(float(wins[name].var(ddof=1)) / len(wins[name]) for name in side) / len(side) ** 2
    half = float(special.ndtri((1 + confidence) / 2)) * math.sqrt(variance)
    if not half:
        return Estimate(auc, math.nan, math.nan, reason="no variance")
    return Estimate(auc, max(auc - half, 0.0), min(auc + half, 1.0), "delong")


def _classes(stages: NDArray[np.int64], lowest_stage: int) -> NDArray[np.int64]:
    return stages if lowest_stage == 1 else np.maximum(stages, 1)


def _wins(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of the others below each of ours, ties half."""
    ranked = np.sort(theirs)
    below, through = (np.searchsorted(ranked, ours, side=side) for side in ("left", "right"))
    return (below + through) / (2 * len(ranked))
