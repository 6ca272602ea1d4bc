"""What errors of the biopsy do to an AUC, if they were of a given size and independent of the test."""

from dlre_core.statistics.estimates import Estimate, undefined


def predictive_values(observed: float, sensitivity: float, specificity: float) -> tuple[float, float]:
    """Shares of the biopsy's cases who have the stage, and of its controls who have not.

    The share with the stage is p = (q + sp - 1) / (se + sp - 1) of the biopsy's share q (Rogan and Gladen); then
    PPV = se p / q and NPV = sp (1 - p) / (1 - q).

    Parameters
    ----------
    observed : float
        Share of patients with the stage by biopsy, between 0 and 1.
    sensitivity, specificity : float
        Of the biopsy for the stage; their sum above 1.

    Raises
    ------
    ValueError
        If a biopsy of this accuracy could not have found that share.

    References
    ----------
    Rogan WJ, Gladen B. Am J Epidemiol 1978;107:71-6. doi:10.1093/oxfordjournals.aje.a112510.

    Examples
    --------
    >>> tuple(round(value, 4) for value in predictive_values(0.42, 0.9, 0.9))
    (0.8571, 0.931)
    """
    if not (0 < observed < 1 and 0 < sensitivity <= 1 and 0 < specificity <= 1 and sensitivity + specificity > 1):
        raise ValueError(f"share {observed}, sensitivity {sensitivity}, specificity {specificity}: not of a biopsy")
    true = (observed + specificity - 1) / (sensitivity + specificity - 1)
    if not 0 < true < 1:
        raise ValueError("errors of this size alone would explain the share of patients with the stage")
    return sensitivity * true / observed, specificity * (1 - true) / (1 - observed)


def highest_auc(observed: float, sensitivity: float, specificity: float) -> float:
    """AUC against biopsy of a test that is always right: (PPV + NPV) / 2 of the biopsy.

    Parameters and errors are those of `predictive_values`.

    References
    ----------
    Mehta SH, Lau B, Afdhal NH, Thomas DL. J Hepatol 2009;50:36-41. doi:10.1016/j.jhep.2008.07.039.

    Examples
    --------
    The paper's best case, 40 % with the stage and a biopsy right in 90 %, gives 0.90 at most:

    >>> round(highest_auc(0.4 * 0.9 + 0.6 * 0.1, 0.9, 0.9), 3)
    0.894
    """
    return sum(predictive_values(observed, sensitivity, specificity)) / 2


def corrected_auc(auc: Estimate, observed: float, sensitivity: float, specificity: float) -> Estimate:
    """AUC against the true stage that explains an AUC against biopsy.

    Cases and controls by biopsy are mixtures of true cases and controls, so that, where errors are independent of the
    score, AUC - 1/2 = (PPV + NPV - 1) (true AUC - 1/2). The limits are carried over; those of the prevalence and of the
    biopsy's accuracy are not in them.

    Parameters
    ----------
    auc : Estimate
        Against biopsy.
    observed, sensitivity, specificity : float
        As for `predictive_values`.

    Returns
    -------
    Estimate
        Undefined, with the reason, where errors of this size cannot be, or would need an AUC above 1 or below 0.

    References
    ----------
    As for `highest_auc`, which is this formula at a true AUC of 1.

    Examples
    --------
    >>> found = corrected_auc(Estimate(0.85, 0.80, 0.88), 0.42, 0.9, 0.9)
    >>> [round(value, 3) for value in (found.value, found.low, found.high)]
    [0.944, 0.881, 0.982]
    """
    try:
        shrinkage = sum(predictive_values(observed, sensitivity, specificity)) - 1
    except ValueError as error:
        return undefined(str(error))
    value, low, high = (0.5 + (part - 0.5) / shrinkage for part in (auc.value, auc.low, auc.high))
    if value > 1 or value < 0:
        place = "above 1" if value > 1 else "below 0"
        return undefined(f"{place}: errors of this size, independent of the score, cannot be")
    return Estimate(value, max(low, 0.0), min(high, 1.0), auc.method, auc.reason)
