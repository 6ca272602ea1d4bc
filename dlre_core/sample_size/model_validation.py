"""Patients for the external validation of a prediction model: the four criteria of Riley and colleagues.

References
----------
Riley RD, Debray TPA, Collins GS, et al. Minimum sample size for external validation of a clinical
prediction model with a binary outcome. Stat Med 2021;40:4230-51. doi:10.1002/sim.9025
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit, ndtri

from dlre_core.sample_size.auc_precision import separation

CRITERIA = {
    "observed_expected": "observed/expected cases",
    "calibration_slope": "calibration slope",
    "auc": "AUC",
    "net_benefit": "standardised net benefit",
}
NODES = 80


@dataclass(frozen=True)
class Precision:
    """Whole widths of the confidence intervals that a validation is to have.

    Attributes
    ----------
    observed_expected, calibration_slope, auc, net_benefit : float
        Upper minus lower limit, above 0; of a perfectly calibrated model for the first two.
    """

    observed_expected: float
    calibration_slope: float
    auc: float
    net_benefit: float


@dataclass(frozen=True)
class ExpectedModel:
    """What is expected of the model in the patients of the validation.

    Attributes
    ----------
    prevalence : float
        Share of cases, between 0 and 1.
    auc : float
        0.5 to below 1.
    threshold : float
        Probability from which a patient is treated as a case.
    sensitivity, specificity : float
        At that threshold.
    """

    prevalence: float
    auc: float
    threshold: float
    sensitivity: float
    specificity: float


def patients_for_validation(expected: ExpectedModel, precision: Precision, confidence: float = 0.95) -> dict[str, int]:
    """Patients that each criterion asks for; the largest number is the study's size.

    Parameters
    ----------
    expected : ExpectedModel
    precision : Precision
    confidence : float

    Returns
    -------
    dict
        A whole number for every key of `CRITERIA`.
    """
    z = float(ndtri((1 + confidence) / 2))
    scores, weights = calibrated_scores(expected.prevalence, expected.auc)
    return {
        "observed_expected": patients_for_observed_expected(expected.prevalence, precision.observed_expected, z),
        "calibration_slope": patients_for_slope(scores, weights, precision.calibration_slope, z),
        "auc": patients_for_auc(expected.auc, expected.prevalence, precision.auc, z),
        "net_benefit": patients_for_net_benefit(expected, precision.net_benefit, z),
    }


def patients_for_observed_expected(prevalence: float, width: float, z: float) -> int:
    """Patients for an interval of this width around observed/expected of 1, symmetric in its logarithm.

    Examples
    --------
    >>> patients_for_observed_expected(0.1, 0.2, 1.96)
    3469
    """
    error = math.asinh(width / 2) / z
    return math.ceil((1 - prevalence) / (prevalence * error**2))


def patients_for_slope(scores: NDArray[np.float64], weights: NDArray[np.float64], width: float, z: float) -> int:
    """Patients for an interval of this width around a calibration slope of 1.

    Parameters
    ----------
    scores : (n,) float64
        Log odds that the model gives, as they are distributed among the patients.
    weights : (n,) float64
        Share of the patients with each, sum 1.
    width, z : float
    """
    p = expit(scores)
    information = weights * p * (1 - p)
    intercept, both, slope = (float((information * scores**power).sum()) for power in (0, 1, 2))
    error = width / (2 * z)
    return math.ceil(intercept / (error**2 * (intercept * slope - both**2)))


def patients_for_auc(auc: float, prevalence: float, width: float, z: float) -> int:
    """Patients for an interval of this width around the AUC, by Newcombe's variance.

    References
    ----------
    Newcombe RG. Stat Med 2006;25:559-73. doi:10.1002/sim.2324 (method 4)

    Examples
    --------
    >>> patients_for_auc(0.8, 0.1, 0.1, 1.96)
    836
    """
    wanted = (width / (2 * z)) ** 2
    # n^2 wanted phi (1 - phi) = auc (1 - auc) (1 + (n / 2 - 1) s): a quadratic in n.
    s = (1 - auc) / (2 - auc) + auc / (1 + auc)
    a, b = wanted * prevalence * (1 - prevalence), auc * (1 - auc)
    return math.ceil((b * s / 2 + math.sqrt((b * s / 2) ** 2 + 4 * a * b * (1 - s))) / (2 * a))


def patients_for_net_benefit(expected: ExpectedModel, width: float, z: float) -> int:
    """Patients for an interval of this width around the standardised net benefit at the threshold."""
    phi, spec, sens = expected.prevalence, expected.specificity, expected.sensitivity
    w = (1 - phi) / phi * expected.threshold / (1 - expected.threshold)
    of_one = sens * (1 - sens) / phi + w**2 * spec * (1 - spec) / (1 - phi)
    of_one += w**2 * (1 - spec) ** 2 / (phi * (1 - phi))
    return math.ceil(of_one / (width / (2 * z)) ** 2)


def calibrated_scores(prevalence: float, auc: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Log odds of a calibrated model with this AUC, and the share of the patients with each.

    Normal in cases and in controls with one variance; calibrated then means that the variance is the
    distance of the means, and that the means lie on both sides of the prevalence's log odds.

    Returns
    -------
    (2 * NODES,) float64, (2 * NODES,) float64
        Nodes and weights of Gauss and Hermite's quadrature; the weights' sum is 1.
    """
    spread = separation(auc)
    nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
    weights = weights / weights.sum()
    middle = float(logit(prevalence))
    cases, controls = (middle + sign * spread**2 / 2 + spread * nodes for sign in (1, -1))
    return np.concatenate([cases, controls]), np.concatenate([weights * prevalence, weights * (1 - prevalence)])
