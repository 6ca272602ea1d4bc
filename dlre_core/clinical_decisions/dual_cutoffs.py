"""Two cut-offs for one question: below the first a stage is ruled out, from the second on it is ruled in."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dlre_core.statistics.delong import complete_cases
from dlre_core.statistics.estimates import LEAST_OF_A_CLASS, check_confidence, too_few
from dlre_core.statistics.roc import roc_analysis

RULED_OUT, GREY_ZONE, RULED_IN, NO_SCORE = "ruled out", "grey zone", "ruled in", "no score"
RULE_OUT_MEASURES = ("sensitivity", "npv")
RULE_IN_MEASURES = ("specificity", "ppv")
ONE_CUTOFF = "one cut-off meets both targets: no grey zone"
TOLERANCE = 1e-12
# Replicates at a time, which bounds the memory.
BLOCK = 200
NEVER = np.iinfo(np.int64).min


@dataclass(frozen=True)
class Target:
    """What a cut-off has to reach: a ``measure`` of at least ``at_least``, a share between 0 and 1."""

    measure: str
    at_least: float


@dataclass(frozen=True)
class DualCutoffs:
    """Cut-offs of one score; NaN where nobody can be ruled out, or in, and then ``reason`` says why.

    A patient is ruled out at score < ``rule_out`` and ruled in at score >= ``rule_in``.
    """

    rule_out: float
    rule_in: float
    reason: str = ""


def dual_cutoffs(labels: ArrayLike, scores: ArrayLike, rule_out: Target, rule_in: Target) -> DualCutoffs:
    """The cut-offs that rule out most controls, and rule in most cases, while they reach their targets.

    With the cases and controls below a cut-off c, sensitivity = 1 - cases below / cases and NPV = controls below / all
    below; with those at or above it, specificity = 1 - controls above / controls and PPV = cases above / all above. Of
    all places midway between two scores, the rule-out cut-off is the one with the most controls below (of ties that
    with the fewest cases below) among those that reach the target; the rule-in cut-off is its mirror image.

    Parameters
    ----------
    labels : (n,) of 0 and 1
    scores : (n,) float
        In any unit; higher means more disease. NaN is missing and left out.
    rule_out : Target
        Its measure is one of `RULE_OUT_MEASURES`.
    rule_in : Target
        Its measure is one of `RULE_IN_MEASURES`.

    Returns
    -------
    DualCutoffs
        In the score's unit. NaN with a reason where a class has fewer than five patients, and where fewer than five
        patients would be ruled out, or in. Where the targets leave no grey zone, since the rule-in cut-off lies below
        the rule-out cut-off, both are the cut-off with the highest Youden index between them.

    Raises
    ------
    ValueError
        If a measure is unknown, or a target not between 0 and 1.

    References
    ----------
    Coste J, Jourdain P, Pouchot J. A gray zone assigned to inconclusive results of quantitative diagnostic tests. Clin
    Chem 2006;52:2229-2235. doi:10.1373/clinchem.2006.072629. Sterling RK, et al. Hepatology 2006;43:1317-1325.
    doi:10.1002/hep.21178 (FIB-4's two cut-offs).

    Examples
    --------
    >>> labels, scores = [0] * 6 + [1, 0, 1, 0] + [1] * 6, range(16)
    >>> found = dual_cutoffs(labels, scores, Target("sensitivity", 1.0), Target("specificity", 1.0))
    >>> found.rule_out, found.rule_in
    (5.5, 9.5)
    """
    _check(rule_out, RULE_OUT_MEASURES)
    _check(rule_in, RULE_IN_MEASURES)
    truth, (values,), _ = complete_cases(labels, scores)
    cases = int(truth.sum())
    if few := too_few(cases, len(truth) - cases):
        return DualCutoffs(math.nan, math.nan, few)
    places, cases_at, controls_at = _counts(truth, values)
    out, inside = _choose(_below(cases_at), _below(controls_at), rule_out, rule_in)
    low, high = (float(places[int(index)]) if index >= 0 else math.nan for index in (out, inside))
    reasons = [
        f"fewer than {LEAST_OF_A_CLASS} patients can be {words}"
        for limit, words in ((low, RULED_OUT), (high, RULED_IN))
        if math.isnan(limit)
    ]
    if low == high:
        reasons.append(ONE_CUTOFF)
    return DualCutoffs(low, high, "; ".join(reasons))


def dual_cutoff_intervals(
    labels: ArrayLike,
    scores: ArrayLike,
    targets: tuple[Target, Target],
    *,
    replicates: int = 2000,
    seed: int = 0,
    confidence: float = 0.95,
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Percentile intervals of both cut-offs, which are chosen anew in every bootstrap replicate.

    Parameters
    ----------
    labels : (n,) of 0 and 1
    scores : (n,) float
        NaN is missing and left out.
    targets : (Target, Target)
        Of rule-out and rule-in, as `dual_cutoffs` takes them.
    replicates, seed : int
        Replicates draw patients within cases and controls.
    confidence : float

    Returns
    -------
    (low, high) of the rule-out cut-off, (low, high) of the rule-in cut-off
        In the score's unit. NaN where the cut-off is, and where more than 1 - ``confidence`` of the replicates have
        none.

    References
    ----------
    Efron B, Tibshirani RJ. An introduction to the bootstrap. Chapman & Hall, 1993.
    """
    check_confidence(confidence)
    nothing = (math.nan, math.nan)
    chosen = dual_cutoffs(labels, scores, *targets)
    if replicates < 2 or (math.isnan(chosen.rule_out) and math.isnan(chosen.rule_in)):
        return nothing, nothing
    truth, (values,), _ = complete_cases(labels, scores)
    places, *counts = _counts(truth, values)
    generator = np.random.default_rng(seed)
    found: list[list[NDArray[np.float64]]] = [[], []]
    for start in range(0, replicates, BLOCK):
        size = min(BLOCK, replicates - start)
        below = [_below(generator.multinomial(count.sum(), count / count.sum(), size)) for count in counts]
        for side, index in enumerate(_choose(*below, *targets)):
            found[side].append(np.where(index >= 0, places[np.maximum(index, 0)], np.nan))
    tails = [(1 - confidence) / 2, (1 + confidence) / 2]
    limits = []
    for side, point in enumerate((chosen.rule_out, chosen.rule_in)):
        drawn = np.concatenate(found[side])
        known = drawn[~np.isnan(drawn)]
        believed = not math.isnan(point) and len(known) >= confidence * len(drawn)
        low, high = np.quantile(known, tails, method="closest_observation") if believed else nothing
        limits.append((float(low), float(high)))
    return limits[0], limits[1]


def zones(scores: ArrayLike, cutoffs: DualCutoffs) -> NDArray[np.str_]:
    """The zone of every patient: `RULED_OUT`, `GREY_ZONE`, `RULED_IN` or, where the score is NaN, `NO_SCORE`.

    Parameters
    ----------
    scores : (n,) float
        In the unit of the cut-offs.
    cutoffs : DualCutoffs
        Nobody is ruled out, or in, by a cut-off that is NaN.

    Returns
    -------
    (n,) str

    Examples
    --------
    >>> zones([1.0, 2.0, 3.0, float("nan")], DualCutoffs(2.0, 3.0)).tolist()
    ['ruled out', 'grey zone', 'ruled in', 'no score']
    """
    values = np.asarray(scores, dtype=np.float64)
    found = np.full(values.shape, GREY_ZONE, dtype="<U9")
    found[values < cutoffs.rule_out] = RULED_OUT
    found[values >= cutoffs.rule_in] = RULED_IN
    found[np.isnan(values)] = NO_SCORE
    return found


def stepwise_zones(steps: Sequence[NDArray[np.str_]]) -> NDArray[np.str_]:
    """The zone after several tests, each of which sees those whom the tests before have not decided.

    Parameters
    ----------
    steps : sequence of (n,) str
        As `zones` gives them, in the order of the tests.

    Returns
    -------
    (n,) str
        The first decision; of patients whom no test decides the grey zone if any test had a score, else `NO_SCORE`.

    Examples
    --------
    >>> first, second = np.array(["grey zone", "ruled out"]), np.array(["ruled in", "ruled in"])
    >>> stepwise_zones([first, second]).tolist()
    ['ruled in', 'ruled out']
    """
    found = np.full(steps[0].shape, NO_SCORE, dtype="<U9")
    for step in steps:
        decided = (found == RULED_OUT) | (found == RULED_IN)
        found = np.where(decided | (step == NO_SCORE), found, step)
    return found


def _check(target: Target, measures: Sequence[str]) -> None:
    if target.measure not in measures:
        raise ValueError(f"measure {target.measure!r} is none of {', '.join(measures)}")
    if not 0 < target.at_least <= 1:
        raise ValueError(f"at_least = {target.at_least}: a share above 0 and up to 1 is needed, such as 0.95")


def _counts(
    truth: NDArray[np.int64], values: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Places of cut-offs, minus infinity first and infinity last, and cases and controls at each distinct score."""
    groups = np.unique(values, return_inverse=True)[1]
    places = roc_analysis(truth, values).thresholds
    cases, controls = (np.bincount(groups[truth == value], minlength=len(places) - 1) for value in (1, 0))
    return places, cases, controls


def _below(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many lie below each place; one more along the last axis than there are distinct scores."""
    sums = np.cumsum(counts, axis=-1)
    return np.concatenate([np.zeros((*sums.shape[:-1], 1), dtype=np.int64), sums], axis=-1)


def _share(part: NDArray[np.int64], whole: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.where(whole > 0, part / np.maximum(whole, 1), -np.inf)


def _choose(
    cases: NDArray[np.int64], controls: NDArray[np.int64], rule_out: Target, rule_in: Target
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Indices of both places along the last axis, -1 where there is none; counts are those below each place."""
    all_cases, all_controls = cases[..., -1:], controls[..., -1:]
    cases_in, controls_in = all_cases - cases, all_controls - controls
    measures = {
        "sensitivity": _share(cases_in, all_cases),
        "specificity": _share(controls, all_controls),
        "npv": _share(controls, cases + controls),
        "ppv": _share(cases_in, cases_in + controls_in),
    }
    reached = [measures[target.measure] >= target.at_least - TOLERANCE for target in (rule_out, rule_in)]
    below, above = cases + controls, cases_in + controls_in
    enough = [(below >= LEAST_OF_A_CLASS) & (above > 0), (above >= LEAST_OF_A_CLASS) & (below > 0)]
    # Most of those who are meant; of ties the fewest of the others.
    worth = [controls * (all_cases + 1) - cases, cases_in * (all_controls + 1) - controls_in]
    found = [
        np.where((here & many).any(axis=-1), np.argmax(np.where(here & many, value, NEVER), axis=-1), -1)
        for here, many, value in zip(reached, enough, worth, strict=True)
    ]
    places = np.arange(cases.shape[-1])
    between = (places >= found[1][..., None]) & (places <= found[0][..., None])
    crossed = (found[1] >= 0) & (found[0] > found[1])
    youden = cases_in * all_controls + controls * all_cases
    one = np.argmax(np.where(between, youden, NEVER), axis=-1)
    return np.where(crossed, one, found[0]), np.where(crossed, one, found[1])
