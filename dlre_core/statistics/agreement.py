"""Agreement of ordered stages: weighted kappa, and Obuchowski's measure for a score."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special, stats
from statsmodels.stats.inter_rater import cohens_kappa

from dlre_core.statistics.estimates import Estimate, undefined

# Patients compared with all others at a time, which bounds the memory.
BLOCK = 2000


def weighted_kappa(
    confusion: ArrayLike, weights: str = "quadratic", *, confidence: float = 0.95
) -> Estimate:
    """Cohen's weighted kappa of a square table of counts, with its asymptotic interval.

    Parameters
    ----------
    confusion : (k, k) int
        Rows are one rater's stages, columns the other's, both in rising order.
    weights : {"linear", "quadratic"}
    confidence : float

    References
    ----------
    Fleiss JL, Cohen J, Everitt BS. Psychol Bull 1969;72:323-327.
    """
    table = np.asarray(confusion, dtype=np.float64)
    if not table.sum():
        return undefined("nobody to compare", f"kappa, {weights}")
    if (table.sum(axis=1) > 0).sum() < 2 and (table.sum(axis=0) > 0).sum() < 2:
        return undefined("both raters use one stage only", f"kappa, {weights}")
    # Rounding can leave a variance just below 0; its root is NaN, and so are the limits.
    with np.errstate(invalid="ignore", divide="ignore"):
        result = cohens_kappa(table, wt=weights, return_results=True)
    half = -special.ndtri((1 - confidence) / 2) * float(result.std_kappa)
    low, high = result.kappa - half, min(result.kappa + half, 1.0)
    reason = "kappa has no variance here" if math.isnan(half) else ""
    return Estimate(float(result.kappa), float(low), float(high), f"kappa, {weights}", reason)


def obuchowski(
    stages: ArrayLike,
    scores: ArrayLike,
    *,
    replicates: int = 2000,
    seed: int = 0,
    confidence: float = 0.95,
) -> Estimate:
    """Obuchowski's measure of a score against ordered stages, penalised by distance.

    1 - sum over pairs of stages i < j of w_ij L_ij (1 - AUC_ij), with weights w_ij in proportion to
    n_i n_j and the penalty L_ij = (j - i) / (largest difference). 1 is perfect.

    Parameters
    ----------
    stages : (n,) int
    scores : (n,) float
        NaN is missing and left out; higher means more disease.
    replicates, seed : int
        Of the bootstrap within stages that gives the percentile interval.
    confidence : float

    References
    ----------
    Obuchowski NA. Acad Radiol 2005;12:1198-1204. Lambert J, et al. Stat Med 2008;27:5512-5523.
    """
    stage, score = np.asarray(stages), np.asarray(scores, dtype=np.float64)
    known = ~np.isnan(score)
    stage, score = stage[known], score[known]
    levels = np.unique(stage)
    if len(levels) < 2:
        return undefined("fewer than two stages", "obuchowski")
    order = np.argsort(stage, kind="stable")
    # Ranks, since infinite scores have no difference.
    stage, score = stage[order], stats.rankdata(score[order], method="dense").astype(np.float64)
    sizes = np.array([(stage == level).sum() for level in levels])
    generator = np.random.default_rng(seed)
    # How often each patient is drawn, within stages; the first row is the sample itself.
    drawn = [generator.multinomial(size, np.full(size, 1 / size), replicates) for size in sizes]
    weights = np.vstack([np.ones(len(stage)), np.hstack(drawn)])
    pairs = (sizes.sum() ** 2 - (sizes**2).sum()) / 2
    values = 1 - _loss(stage, score, weights) / pairs
    tails = [(1 - confidence) / 2, (1 + confidence) / 2]
    low, high = np.quantile(values[1:], tails) if replicates else (math.nan, math.nan)
    return Estimate(float(values[0]), float(low), float(high), "obuchowski, bootstrap")


def _loss(
    stage: NDArray[np.int64], score: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Penalty over all pairs of patients of different stages whose scores disagree; ties half."""
    largest = float(stage[-1] - stage[0])
    loss = np.zeros(len(weights))
    for start in range(0, len(stage), BLOCK):
        here = slice(start, start + BLOCK)
        distance = np.maximum(stage[None, :] - stage[here, None], 0) / largest
        wrong = 0.5 * (1 - np.sign(score[None, :] - score[here, None]))
        loss += ((weights[:, here] @ (distance * wrong)) * weights).sum(axis=1)
    return loss
