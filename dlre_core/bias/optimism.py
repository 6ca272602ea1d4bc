"""How much a model's AUC owes to the patients that it was fitted to, and the spread of repeated splits."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from dlre_core.statistics.estimates import Estimate, check_confidence, too_few, undefined

# Ridge penalty of the models, as scikit-learn's LogisticRegression has it by default (C = 1).
PENALTY = 1.0
MOST_STEPS, TOLERANCE = 50, 1e-10
# Numbers held in memory at a time.
NUMBERS = 4_000_000


@dataclass(frozen=True)
class Optimism:
    """AUC of a logistic model in the patients it was fitted to, outside them, and corrected.

    ``apparent`` is that of the model fitted to all; ``out_of_bag`` the mean over bootstrap samples of the AUC in those
    who were not drawn; ``corrected`` is the .632+ estimate.
    """

    apparent: float
    out_of_bag: float
    corrected: Estimate


def bootstrap_632_plus(
    labels: ArrayLike, features: ArrayLike, *, replicates: int, seed: int, confidence: float = 0.95
) -> Optimism:
    """The .632+ estimate of the AUC of a ridge logistic regression of standardised features (C = 1).

    With the apparent AUC A, the out-of-bag AUC B and 0.5 as the AUC without information: B' = max(B, 0.5);
    R = (A - B') / (A - 0.5) where A > B' and A > 0.5, else 0; w = 0.632 / (1 - 0.368 R); the estimate is
    (1 - w) A + w B'. Samples draw patients within cases and controls. The interval is the percentile interval of the
    AUC that each sample's model has in its own sample, moved by the estimate minus A (Noma).

    Parameters
    ----------
    labels : (n,) of 0 and 1
    features : (n, k) float
        Patients with a value that is not finite are left out.
    replicates, seed : int
    confidence : float

    Returns
    -------
    Optimism
        Undefined, with the reason, with fewer than five cases or controls.

    References
    ----------
    Efron B, Tibshirani R. J Am Stat Assoc 1997;92:548-60. doi:10.1080/01621459.1997.10474007. For AUCs: Sahiner B, et
    al. Med Phys 2008;35:1559-70. doi:10.1118/1.2868757. Interval: Noma H, et al. Stat Med 2021;40:5691-701.
    doi:10.1002/sim.9148.
    """
    check_confidence(confidence)
    values = np.asarray(features, dtype=np.float64)
    known = np.isfinite(values).all(axis=1)
    truth, values = np.asarray(labels, dtype=np.int64)[known], values[known]
    few = too_few(int(truth.sum()), int((1 - truth).sum()))
    if few:
        return Optimism(math.nan, math.nan, undefined(few))
    everybody = np.ones((1, len(truth)))
    apparent = weighted_auc(truth, linear_predictors(truth, values, everybody)[0], everybody[0])
    generator = np.random.default_rng(seed)
    own, outside = [], []
    step = max(1, NUMBERS // values.size)
    for start in range(0, replicates, step):
        drawn = _drawn(truth, min(step, replicates - start), generator)
        for weights, predicted in zip(drawn, linear_predictors(truth, values, drawn), strict=True):
            own.append(weighted_auc(truth, predicted, weights))
            outside.append(weighted_auc(truth, predicted, (weights == 0).astype(np.float64)))
    out_of_bag = float(np.nanmean(outside))
    value = plus_estimate(apparent, out_of_bag)
    low, high = np.clip(np.quantile(own, [(1 - confidence) / 2, (1 + confidence) / 2]) + value - apparent, 0, 1)
    return Optimism(apparent, out_of_bag, Estimate(value, float(low), float(high), "location-shifted bootstrap"))


def plus_estimate(apparent: float, out_of_bag: float) -> float:
    """The .632+ estimate of an AUC from the apparent and the out-of-bag one.

    Examples
    --------
    Without overfitting it is their common value, with R = 0.5 the weight is 0.632 / 0.816:

    >>> plus_estimate(0.8, 0.8), round(plus_estimate(0.9, 0.7), 4), plus_estimate(0.9, 0.4)
    (0.8, 0.7451, 0.5)
    """
    outside = max(out_of_bag, 0.5)
    rate = (apparent - outside) / (apparent - 0.5) if apparent > outside else 0.0
    weight = 0.632 / (1 - 0.368 * rate)
    return apparent + weight * (outside - apparent)


def linear_predictors(
    truth: NDArray[np.int64], values: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Logits of everybody by ridge logistic regressions that count patients differently, all fitted at once by Newton.

    Parameters
    ----------
    truth : (n,) int64 of 0 and 1
    values : (n, k) float64
    weights : (m, n) float64
        How often each regression counts each patient.

    Returns
    -------
    (m, n) float64
    """
    total = weights.sum(axis=1)
    mean = weights @ values / total[:, None]
    spread = np.sqrt(np.maximum(weights @ values**2 / total[:, None] - mean**2, 0.0))
    # A feature without spread is 0 everywhere, as scikit-learn's StandardScaler leaves it.
    spread = np.where(spread > 1e-12, spread, 1.0)
    scaled = (values[None] - mean[:, None]) / spread[:, None]
    design = np.concatenate([np.ones((*scaled.shape[:2], 1)), scaled], axis=2)
    ridge = np.diag([0.0, *[PENALTY] * values.shape[1]])
    beta = np.zeros((len(weights), design.shape[2]))
    for _ in range(MOST_STEPS):
        probability = 1 / (1 + np.exp(-np.einsum("mnk,mk->mn", design, beta)))
        gradient = np.einsum("mnk,mn->mk", design, weights * (probability - truth)) + beta @ ridge
        curvature = weights * probability * (1 - probability)
        hessian = np.einsum("mnk,mn,mnl->mkl", design, curvature, design, optimize=True) + ridge
        move = np.linalg.solve(hessian, gradient[:, :, None])[:, :, 0]
        beta -= move
        if np.abs(move).max() < TOLERANCE:
            break
    return np.einsum("mnk,mk->mn", design, beta)


def weighted_auc(truth: NDArray[np.int64], scores: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    """Mann-Whitney with half ties of patients who count differently; NaN without cases or without controls.

    Examples
    --------
    >>> weighted_auc(np.array([0, 1, 1]), np.array([2.0, 1.0, 3.0]), np.array([1.0, 1.0, 3.0]))
    0.75
    """
    order = np.argsort(scores, kind="stable")
    ranked, case, weight = scores[order], truth[order], weights[order]
    starts = np.concatenate([[0], np.flatnonzero(ranked[1:] != ranked[:-1]) + 1])
    cases, controls = (np.add.reduceat(weight * part, starts) for part in (case, 1 - case))
    pairs = cases.sum() * controls.sum()
    return float((cases * (np.cumsum(controls) - controls / 2)).sum() / pairs) if pairs else math.nan


def _drawn(truth: NDArray[np.int64], replicates: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """How often each patient is drawn in each sample, within cases and controls: (replicates, n)."""
    counts = np.zeros((replicates, len(truth)))
    for value in (0, 1):
        members = np.flatnonzero(truth == value)
        counts[:, members] = generator.multinomial(len(members), np.full(len(members), 1 / len(members)), replicates)
    return counts


def corrected_resampled(values: ArrayLike, test_share: float, confidence: float = 0.95) -> tuple[Estimate, float]:
    """Mean over splits that share patients, with Nadeau and Bengio's variance, and p of the hypothesis that it is 0.

    The variance of the mean of k values with sample variance s^2 is (1/k + test/train) s^2, and t has k - 1 degrees of
    freedom.

    Parameters
    ----------
    values : (k,) float
        One of each split; NaN is left out.
    test_share : float
        Test patients divided by training patients of a split.
    confidence : float

    Returns
    -------
    Estimate
        Without an interval below two values or where they are all the same.
    p_value : float
        Two-sided, of a mean of 0: for differences between two methods.

    References
    ----------
    Nadeau C, Bengio Y. Mach Learn 2003;52:239-81. doi:10.1023/A:1024068626366.

    Examples
    --------
    >>> found, p = corrected_resampled([0.1, 0.2, 0.3], 0.5)
    >>> round(found.value, 3), round(found.low, 3), round(found.high, 3), round(p, 3)
    (0.2, -0.193, 0.593, 0.16)
    """
    check_confidence(confidence)
    known = np.asarray(values, dtype=np.float64)
    known = known[~np.isnan(known)]
    k = len(known)
    mean, sd = (float(known.mean()) if k else math.nan), (float(known.std(ddof=1)) if k > 1 else 0.0)
    if not sd > 0:
        return Estimate(mean, math.nan, math.nan, reason="fewer than two different values"), math.nan
    error = sd * math.sqrt(1 / k + test_share)
    half = float(stats.t.ppf((1 + confidence) / 2, k - 1)) * error
    return Estimate(mean, mean - half, mean + half, "Nadeau-Bengio"), 2 * float(stats.t.sf(abs(mean) / error, k - 1))
