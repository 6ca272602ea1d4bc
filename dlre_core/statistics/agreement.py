"""Agreement of ordered stages: weighted kappa, and Obuchowski's measure for a score."""

import math

import numba
import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special, stats
from statsmodels.stats.inter_rater import cohens_kappa

from dlre_core.statistics.estimates import Estimate, undefined

# Replicates at a time, which bounds the memory.
BLOCK = 200


def weighted_kappa(confusion: ArrayLike, weights: str = "quadratic", *, confidence: float = 0.95) -> Estimate:
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

    Examples
    --------
    >>> round(weighted_kappa([[10, 0], [0, 10]]).value, 2)
    1.0
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
    level = np.searchsorted(levels, stage[order])
    # Tie groups in rising order of score, which infinite scores have too.
    score = score[order]
    ranking = np.argsort(score, kind="stable")
    groups = stats.rankdata(score, method="dense")[ranking]
    sizes = np.bincount(level)
    penalty = np.abs(levels[:, None] - levels[None, :]) / float(levels[-1] - levels[0])
    generator = np.random.default_rng(seed)
    pairs = (sizes.sum() ** 2 - (sizes**2).sum()) / 2
    # The first row is the sample itself, the others draw patients within stages.
    values = [1 - _loss(np.ones((1, len(score)), np.int64), ranking, groups, level, penalty) / pairs]
    for start in range(0, replicates, BLOCK):
        block = min(BLOCK, replicates - start)
        drawn = [generator.multinomial(size, np.full(size, 1 / size), block) for size in sizes]
        values.append(1 - _loss(np.hstack(drawn), ranking, groups, level, penalty) / pairs)
    tails = [(1 - confidence) / 2, (1 + confidence) / 2]
    found = np.concatenate(values)
    low, high = np.quantile(found[1:], tails) if replicates else (math.nan, math.nan)
    return Estimate(float(found[0]), float(low), float(high), "obuchowski, bootstrap")


@numba.njit(cache=True)
def _loss(
    weights: NDArray[np.int64],
    ranking: NDArray[np.int64],
    groups: NDArray[np.int64],
    level: NDArray[np.int64],
    penalty: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Penalty over all pairs of patients of different stages whose scores disagree; ties half.

    One pass from the highest score down, counting the patients of each stage above.
    """
    replicates, n = weights.shape
    stages = penalty.shape[0]
    loss = np.zeros(replicates)
    for replicate in range(replicates):
        above, tied = np.zeros(stages), np.zeros(stages)
        position = n - 1
        while position >= 0:
            group = groups[position]
            tied[:] = 0
            while position >= 0 and groups[position] == group:
                patient = ranking[position]
                tied[level[patient]] += weights[replicate, patient]
                position -= 1
            for high in range(1, stages):
                for low in range(high):
                    pairs = tied[high] * (above[low] + 0.5 * tied[low])
                    loss[replicate] += pairs * penalty[high, low]
            above += tied
    return loss
