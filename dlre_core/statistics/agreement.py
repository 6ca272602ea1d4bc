"""Agreement of ordered stages: weighted kappa, and Obuchowski's measure for a score."""

import math

import numba
import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special, stats
from statsmodels.stats.inter_rater import cohens_kappa

from dlre_core.statistics.estimates import ONE_SIDED, Estimate, undefined

# Replicates at a time, which bounds the memory.
BLOCK = 200


def weighted_kappa(confusion: ArrayLike, weights: str = "quadratic", *, confidence: float = 0.95) -> Estimate:
    """Cohen's weighted kappa of a square table of counts, with its interval on Fisher's scale.

    Parameters
    ----------
    confusion : (k, k) int
        Rows are one rater's stages, columns the other's, both in rising order.
    weights : {"linear", "quadratic"}
    confidence : float

    Returns
    -------
    Estimate
        Without disagreement the limits are 1 and a bound: the kappa at which as many as the exact one-sided limit
        allows would disagree by the largest distance. Where a rater uses one stage only kappa is 0 by its
        definition, and has no limits.

    References
    ----------
    Fleiss JL, Cohen J, Everitt BS. Psychol Bull 1969;72:323-327. Lin LI. Biometrics 1989;45:255-268 (the scale).

    Examples
    --------
    >>> found = weighted_kappa([[10, 0], [0, 10]])
    >>> round(found.value, 2), round(found.low, 2), found.high
    (1.0, 0.72, 1.0)
    """
    table = np.asarray(confusion, dtype=np.float64)
    if not table.sum():
        return undefined("nobody to compare", f"kappa, {weights}")
    if (table.sum(axis=1) > 0).sum() < 2 and (table.sum(axis=0) > 0).sum() < 2:
        return undefined("both raters use one stage only", f"kappa, {weights}")
    words = f"kappa, {weights}"
    # Rounding can leave a variance just below 0; its root is NaN, and so are the limits.
    with np.errstate(invalid="ignore", divide="ignore"):
        result = cohens_kappa(table, wt=weights, return_results=True)
    value, error = float(result.kappa), float(result.std_kappa)
    rows, columns = table.sum(axis=1), table.sum(axis=0)
    if min((rows > 0).sum(), (columns > 0).sum()) < 2:
        return Estimate(value, math.nan, math.nan, words, "kappa: one rater uses one stage only")
    if np.trace(table) == table.sum():
        n = float(table.sum())
        distance = np.abs(np.subtract.outer(np.arange(len(table)), np.arange(len(table)))) / (len(table) - 1)
        penalty = distance if weights == "linear" else distance**2
        expected = float((penalty * np.outer(rows, columns)).sum()) / n**2
        disagree = 1 - (1 - confidence) ** (1 / n)
        low = 1 - disagree * float(penalty[rows > 0][:, columns > 0].max()) / expected
        return Estimate(1.0, max(low, -1.0), 1.0, ONE_SIDED, "kappa: nobody disagrees, one-sided bound")
    if not error > 0 or not -1 < value < 1:
        return Estimate(value, math.nan, math.nan, words, "kappa has no variance here")
    half = -float(special.ndtri((1 - confidence) / 2)) * error / (1 - value**2)
    centre = math.atanh(value)
    return Estimate(value, math.tanh(centre - half), math.tanh(centre + half), words)


def obuchowski_by_chance(stages: ArrayLike, scores: ArrayLike) -> float:
    """What a score that tells nothing gets in `obuchowski` from the same patients: it is not 0.5.

    Parameters
    ----------
    stages : (n,) int
    scores : (n,) float
        NaN is missing and left out.

    Examples
    --------
    With two stages it is that of an AUC, with more it is higher:

    >>> obuchowski_by_chance([0, 1, 1], [1.0, 2.0, 3.0])
    0.5
    >>> obuchowski_by_chance([0, 1, 2], [1.0, 2.0, 3.0])
    0.6666666666666667
    """
    known = ~np.isnan(np.asarray(scores, dtype=np.float64))
    return obuchowski(np.asarray(stages)[known], np.zeros(int(known.sum())), replicates=0).value


def rescaled(found: Estimate, chance: float) -> Estimate:
    """An estimate of `obuchowski` on the scale of an AUC: 0.5 by chance, 1 where perfect."""

    def moved(value: float) -> float:
        return 0.5 + 0.5 * (value - chance) / (1 - chance)

    return Estimate(moved(found.value), moved(found.low), moved(found.high), found.method, found.reason)


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
    n_i n_j and the penalty L_ij = (j - i) / (largest difference). 1 is perfect; what chance gives depends on
    the patients' stages (`obuchowski_by_chance`).

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
    # Rounding apart, every replicate is the sample: all pairs agree, or all tie.
    if not replicates or np.ptp(found) < 1e-12:
        reason = "Obuchowski: no variance, no interval" if replicates else ""
        return Estimate(float(found[0]), math.nan, math.nan, "obuchowski, bootstrap", reason)
    low, high = np.quantile(found[1:], tails)
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
