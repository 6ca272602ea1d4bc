"""Bootstrap of AUCs that draws whole hospitals, whose patients resemble one another."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dlre_core.statistics.delong import complete_cases
from dlre_core.statistics.estimates import LEAST_OF_A_CLASS, Estimate, check_confidence, too_few, undefined
from dlre_core.statistics.roc import roc_analysis

METHOD = "cluster bootstrap"


def clustered_auc(
    labels: ArrayLike,
    scores: ArrayLike,
    clusters: ArrayLike,
    *,
    replicates: int,
    seed: int,
    confidence: float = 0.95,
) -> Estimate:
    """AUC of all patients with the percentile interval of a bootstrap that draws clusters with all of their patients.

    Parameters
    ----------
    labels : (n,) of 0 and 1
    scores : (n,) float
        NaN is missing and left out.
    clusters : (n,)
        A patient's hospital.
    replicates, seed : int
        The same seed draws the same hospitals for every score.
    confidence : float

    Returns
    -------
    Estimate
        Without an interval, and with the reason, where there are fewer than five cases, controls or clusters, or where
        nothing varies. Replicates without cases or without controls are left out.

    Raises
    ------
    ValueError
        For labels other than 0 and 1, or other shapes.

    References
    ----------
    Rutter CM. Acad Radiol 2000;7:413-419 (doi:10.1016/S1076-6332(00)80381-5).
    Obuchowski NA. Biometrics 1997;53:567-578 (doi:10.2307/2533958): why patients of a cluster are drawn together.

    Examples
    --------
    >>> labels, hospitals = [0, 1] * 10, [h for h in "ABCDE" for _ in range(4)]
    >>> scores = [0.1, 0.9, 0.2, 0.8, 0.3, 0.7, 0.6, 0.5, 0.1, 0.9, 0.4, 0.3, 0.2, 0.6, 0.7, 0.8, 0.1, 0.4, 0.3, 0.9]
    >>> round(clustered_auc(labels, scores, hospitals, replicates=200, seed=1).value, 3)
    0.895
    """
    check_confidence(confidence)
    truth, (values,), _ = complete_cases(labels, scores)
    where = np.asarray(clusters)
    if where.shape != np.shape(labels):
        raise ValueError(f"clusters {where.shape} and labels {np.shape(labels)} must be vectors of one length")
    names, member = np.unique(where[~np.isnan(np.asarray(scores, dtype=np.float64))], return_inverse=True)
    found = roc_analysis(truth, values)
    if np.isnan(found.auc):
        return undefined(found.reason, METHOD)
    few = too_few(found.n_cases, found.n_controls)
    if not few and len(names) < LEAST_OF_A_CLASS:
        few = f"{len(names)} hospital{'s' * (len(names) != 1)}, fewer than {LEAST_OF_A_CLASS}"
    if few:
        return Estimate(found.auc, np.nan, np.nan, METHOD, f"no interval: {few}")
    drawn = cluster_aucs(truth, values, member, replicates=replicates, seed=seed)
    drawn = drawn[~np.isnan(drawn)]
    if not len(drawn) or np.ptp(drawn) == 0:
        return Estimate(found.auc, np.nan, np.nan, METHOD, "no interval: nothing varies between hospitals")
    low, high = np.quantile(drawn, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Estimate(found.auc, float(low), float(high), METHOD)


def cluster_aucs(
    truth: NDArray[np.int64],
    values: NDArray[np.float64],
    member: NDArray[np.int64],
    *,
    replicates: int,
    seed: int,
) -> NDArray[np.float64]:
    """AUCs of replicates that draw as many clusters as there are, with replacement.

    The pairs that cases of one cluster win against controls of another are counted once; a replicate weighs them by how
    often both were drawn.

    Parameters
    ----------
    truth : (n,) int64 of 0 and 1
    values : (n,) float64
    member : (n,) int64
        Cluster of each patient, 0 to k - 1.
    replicates, seed : int

    Returns
    -------
    (replicates,) float64
        NaN without cases or without controls.
    """
    k = int(member.max()) + 1
    cases, controls = (np.bincount(member[truth == value], minlength=k) for value in (1, 0))
    won = np.zeros((k, k))
    for cluster in range(k):
        here = np.sort(values[(truth == 0) & (member == cluster)])
        case = values[truth == 1]
        # Half a win for each of both sides of a tie.
        wins = (np.searchsorted(here, case, side="left") + np.searchsorted(here, case, side="right")) / 2
        won[:, cluster] = np.bincount(member[truth == 1], wins, minlength=k)
    generator = np.random.default_rng(seed)
    drawn = generator.multinomial(k, np.full(k, 1 / k), size=replicates).astype(np.float64)
    pairs = (drawn @ cases) * (drawn @ controls)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.einsum("rk,kl,rl->r", drawn, won, drawn, optimize=True) / np.where(pairs > 0, pairs, np.nan)
