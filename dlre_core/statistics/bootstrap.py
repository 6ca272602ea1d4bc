"""Patient bootstrap of AUCs, several scores at once."""

import numba
import numpy as np
from numpy.typing import ArrayLike, NDArray

# Draws held in memory at a time.
DRAWS = 20_000_000


def bootstrap_aucs(labels: ArrayLike, scores: ArrayLike, *, replicates: int, seed: int) -> NDArray[np.float64]:
    """AUCs of several scores in replicates that draw whole patients.

    Patients are drawn with replacement among those with the same label and the same scores present,
    so that every replicate has each cohort's cases and controls (as pROC's stratified bootstrap).

    Parameters
    ----------
    labels : (n,) of 0 (control) and 1 (case)
    scores : (n, m) float
        NaN where a patient does not belong to a score's cohort.
    replicates : int
    seed : int

    Returns
    -------
    (replicates, m) float64
        NaN where a score has no cases or no controls.

    Raises
    ------
    ValueError
        If shapes differ, or a label is neither 0 nor 1.

    Examples
    --------
    Scores that never change their order give the same AUC in every replicate:

    >>> labels, scores = [0, 0, 1, 1], [[1.0, 4.0], [1.0, 3.0], [2.0, 2.0], [2.0, 1.0]]
    >>> bootstrap_aucs(labels, scores, replicates=2, seed=1).tolist()
    [[1.0, 0.0], [1.0, 0.0]]
    """
    truth, values = np.asarray(labels), np.asarray(scores, dtype=np.float64)
    if values.ndim != 2 or truth.shape != values.shape[:1]:
        raise ValueError(f"labels {truth.shape} and scores {values.shape}: (n,) and (n, m) needed")
    if truth.size and not np.isin(truth, (0, 1)).all():
        raise ValueError("labels must be 0 (control) or 1 (case)")
    present = ~np.isnan(values)
    strata = np.unique(np.column_stack([truth, present]), axis=0, return_inverse=True)[1].ravel()
    members = np.argsort(strata, kind="stable")
    sizes = np.bincount(strata)
    firsts = np.repeat(np.cumsum(sizes) - sizes, sizes).astype(np.int32)
    widths = np.repeat(sizes, sizes).astype(np.float32)
    last = (np.repeat(sizes, sizes) - 1).astype(np.int32)
    orders, groups = rank_scores(values, present)
    case = truth.astype(np.int32)
    generator = np.random.default_rng(seed)
    result = np.empty((replicates, values.shape[1]))
    step = max(1, DRAWS // max(len(truth), 1))
    for start in range(0, replicates, step):
        part = result[start : start + step]
        # One uniform number a draw keeps the stream independent of the sizes of strata.
        uniform = generator.random((len(part), len(truth)), dtype=np.float32)
        drawn = np.minimum((uniform * widths).astype(np.int32), last)
        replicate_aucs(drawn + firsts, members, case, orders, groups, part)
    return result


def rank_scores(values: NDArray[np.float64], present: NDArray[np.bool_]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Put the patients of every score in order.

    Parameters
    ----------
    values : (n, m) float64
    present : (n, m) bool

    Returns
    -------
    orders : (m, n) int32
        Row numbers by rising score, -1 after the last.
    groups : (m, n) int32
        Number of each one's tie group.
    """
    orders = np.full(values.T.shape, -1, dtype=np.int32)
    groups = np.zeros(values.T.shape, dtype=np.int32)
    for column in range(values.shape[1]):
        rows = np.flatnonzero(present[:, column])
        rows = rows[np.argsort(values[rows, column], kind="stable")]
        orders[column, : len(rows)] = rows
        groups[column, : len(rows)] = np.unique(values[rows, column], return_inverse=True)[1]
    return orders, groups


@numba.njit(parallel=True, cache=True)
def replicate_aucs(
    drawn: NDArray[np.int32],
    members: NDArray[np.int64],
    case: NDArray[np.int32],
    orders: NDArray[np.int32],
    groups: NDArray[np.int32],
    out: NDArray[np.float64],
) -> None:
    """Mann-Whitney with half ties of every replicate and score.

    Parameters
    ----------
    drawn : (replicates, n) int32
        Positions in ``members``.
    members : (n,) int64
        Row numbers of patients.
    case : (n,) int32
        1 where a patient is a case, else 0.
    orders, groups : (m, n) int32
        From `rank_scores`.
    out : (replicates, m) float64
        Written whole; NaN without cases or without controls.
    """
    for replicate in numba.prange(drawn.shape[0]):
        weight = np.zeros(case.shape[0], dtype=np.int32)
        for draw in range(drawn.shape[1]):
            weight[members[drawn[replicate, draw]]] += 1
        for score in range(orders.shape[0]):
            # Twice the number of pairs won, in whole numbers: exact, and the same in any order.
            won, below, tied_cases, tied_controls, cases = 0, 0, 0, 0, 0
            group = 0
            for position in range(orders.shape[1]):
                row = orders[score, position]
                if row < 0:
                    break
                if groups[score, position] != group:
                    won += tied_cases * (2 * below + tied_controls)
                    cases += tied_cases
                    below += tied_controls
                    tied_cases, tied_controls = 0, 0
                    group = groups[score, position]
                if case[row]:
                    tied_cases += weight[row]
                else:
                    tied_controls += weight[row]
            won += tied_cases * (2 * below + tied_controls)
            cases += tied_cases
            below += tied_controls
            out[replicate, score] = won / (2 * cases * below) if cases > 0 and below > 0 else np.nan
