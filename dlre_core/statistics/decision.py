"""Decision curves: the net benefit of acting on a test."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dlre_core.statistics.delong import complete_cases
from dlre_core.statistics.estimates import check_confidence, too_few


def net_benefit(labels: ArrayLike, probabilities: ArrayLike, thresholds: ArrayLike) -> NDArray[np.float64]:
    """Net benefit of treating patients whose probability reaches a threshold.

    Parameters
    ----------
    labels : (n,) of 0 and 1
    probabilities : (n,) float in [0, 1]
        NaN is missing and left out.
    thresholds : (k,) float in (0, 1)
        A threshold t says that one missed case weighs as much as (1 - t) / t needless treatments.

    Returns
    -------
    (k,) float64
        TP/n - FP/n * t/(1 - t), per patient; NaN without patients.

    Raises
    ------
    ValueError
        If a threshold lies outside (0, 1).

    References
    ----------
    Vickers AJ, Elkin EB. Med Decis Making 2006;26:565-574. doi:10.1177/0272989X06295361

    Examples
    --------
    >>> net_benefit([1, 1, 0, 0], [0.9, 0.3, 0.3, 0.1], [0.5]).tolist()
    [0.25]
    """
    truth, (p,), _ = complete_cases(labels, probabilities)
    t = np.asarray(thresholds, dtype=np.float64)
    if t.size and (t.min() <= 0 or t.max() >= 1):
        raise ValueError("thresholds must lie between 0 and 1")
    if not len(truth):
        return np.full(t.shape, np.nan)
    positive = p[:, None] >= t[None, :]
    true_positives = (positive & (truth == 1)[:, None]).sum(axis=0)
    false_positives = (positive & (truth == 0)[:, None]).sum(axis=0)
    return (true_positives - false_positives * t / (1 - t)) / len(truth)


def net_benefit_band(
    labels: ArrayLike,
    probabilities: ArrayLike,
    thresholds: ArrayLike,
    *,
    replicates: int = 2000,
    seed: int = 0,
    confidence: float = 0.95,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Pointwise limits of `net_benefit`, by a bootstrap that draws patients.

    Parameters
    ----------
    labels, probabilities, thresholds
        As in `net_benefit`.
    replicates, seed : int
    confidence : float

    Returns
    -------
    low, high : (k,) float64
        NaN with fewer than five cases or controls, or without replicates.
    """
    check_confidence(confidence)
    truth, (p,), _ = complete_cases(labels, probabilities)
    t = np.asarray(thresholds, dtype=np.float64)
    cases = int(truth.sum())
    if too_few(cases, len(truth) - cases) or replicates < 2:
        return np.full(t.shape, np.nan), np.full(t.shape, np.nan)
    positive = p[:, None] >= t[None, :]
    # What each patient adds at each threshold.
    worth = np.where((truth == 1)[:, None], positive * 1.0, positive * -t / (1 - t)) / len(truth)
    generator = np.random.default_rng(seed)
    drawn = generator.multinomial(len(truth), np.full(len(truth), 1 / len(truth)), replicates)
    low, high = np.quantile(drawn @ worth, [(1 - confidence) / 2, (1 + confidence) / 2], axis=0)
    return low, high
