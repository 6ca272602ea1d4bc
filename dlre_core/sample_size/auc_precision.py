"""Patients for an AUC of a given width and for a difference between two AUCs; power and least difference of a size.

Scores are taken as normal in cases and in controls, with the same variance in both. Variances are
Obuchowski's, which leave out the covariance of the two parameters of the binormal curve, and so are larger
than with it.

References
----------
Obuchowski NA, McClish DK. Sample size determination for diagnostic accuracy studies involving binormal
ROC curve indices. Stat Med 1997;16:1529-42. doi:10.1002/(SICI)1097-0258(19970715)16:13<1529::AID-SIM565>3.0.CO;2-H
"""

import math

from scipy.special import ndtr, ndtri


def separation(auc: float) -> float:
    """Distance of the two means in standard deviations for an AUC: sqrt(2) times its normal quantile.

    Raises
    ------
    ValueError
        If the AUC is not between 0.5 and 1.

    Examples
    --------
    >>> round(separation(0.76), 3)
    0.999
    """
    if not 0.5 <= auc < 1:
        raise ValueError(f"An AUC of {auc} cannot be planned for: give one of 0.5 or more, below 1.")
    return math.sqrt(2) * float(ndtri(auc))


def auc_variance(auc: float, controls_per_case: float) -> float:
    """Variance of an estimated AUC, times the number of cases.

    Parameters
    ----------
    auc : float
        Expected AUC, 0.5 to below 1.
    controls_per_case : float
        Controls divided by cases, above 0.
    """
    return auc_covariance(auc, auc, controls_per_case, 1.0) + _left_out(auc)


def auc_covariance(first: float, second: float, controls_per_case: float, correlation: float) -> float:
    """Covariance of the estimated AUCs of two scores of the same patients, times the number of cases.

    Parameters
    ----------
    first, second : float
        Expected AUCs, 0.5 to below 1.
    controls_per_case : float
        Controls divided by cases, above 0.
    correlation : float
        Of the two scores, within cases and within controls alike, -1 to 1.
    """
    a, b = separation(first), separation(second)
    # Derivatives of the area by the two parameters of a binormal curve, at equal variances.
    f, g = _slopes(a), _slopes(b)
    r, k = correlation, controls_per_case
    means = r + r / k + r**2 * a * b / 2
    spreads = r**2 * (1 + k) / (2 * k)
    return f[0] * g[0] * means + f[1] * g[1] * spreads + r**2 * (f[0] * g[1] * a + f[1] * g[0] * b) / 2


def cases_for_width(auc: float, width: float, controls_per_case: float, confidence: float = 0.95) -> float:
    """Cases for a confidence interval of the AUC of this whole width.

    Parameters
    ----------
    auc : float
    width : float
        Upper minus lower limit, above 0.
    controls_per_case : float
    confidence : float

    Returns
    -------
    float
        Not rounded.
    """
    z = float(ndtri((1 + confidence) / 2))
    return auc_variance(auc, controls_per_case) * (2 * z / width) ** 2


def cases_for_difference(
    first: float,
    second: float,
    controls_per_case: float,
    correlation: float,
    power: float = 0.8,
    level: float = 0.05,
) -> float:
    """Cases to find the difference between two AUCs of the same patients (two-sided test).

    Parameters
    ----------
    first, second : float
        Expected AUCs.
    controls_per_case, correlation : float
        As in `auc_covariance`.
    power, level : float
        Chance to find the difference, and of a false positive test.

    Returns
    -------
    float
        Not rounded.

    Raises
    ------
    ValueError
        If the AUCs are the same.
    """
    if first == second:
        raise ValueError("Two equal AUCs have no difference to be found.")
    null, expected = _variances(first, second, controls_per_case, correlation)
    alpha, beta = float(ndtri(1 - level / 2)), float(ndtri(power))
    return ((alpha * math.sqrt(null) + beta * math.sqrt(expected)) / (first - second)) ** 2


def power_of_difference(
    first: float, second: float, cases: float, controls: float, correlation: float, level: float = 0.05
) -> float:
    """Chance that a two-sided test finds the difference between two AUCs of the same patients.

    The test in the wrong direction is left out, as the field does.
    """
    null, expected = _variances(first, second, controls / cases, correlation)
    z = float(ndtri(1 - level / 2))
    return float(ndtr((abs(first - second) * math.sqrt(cases) - z * math.sqrt(null)) / math.sqrt(expected)))


def least_difference(standard_error: float, power: float = 0.8, level: float = 0.05) -> float:
    """The least difference that a finished study finds with this power, from the standard error that it has.

    Parameters
    ----------
    standard_error : float
        Of the estimated difference; NaN gives NaN.
    power, level : float
        Chance to find it, and of a false positive two-sided test.

    References
    ----------
    Hoenig JM, Heisey DM. Am Stat 2001;55:19-24. doi:10.1198/000313001300339897 (it is of the design, and says
    nothing of the difference that was seen)

    Examples
    --------
    >>> round(least_difference(0.05), 3)
    0.14
    """
    return float(ndtri(1 - level / 2) + ndtri(power)) * standard_error


def auc_of_mean(auc: float, pictures: int, reliability: float) -> float:
    """AUC of the mean of several pictures' scores, from that of one picture's.

    The distance between cases and controls stays; the spread within them falls as by Spearman and Brown.

    Parameters
    ----------
    auc : float
        With one picture per patient.
    pictures : int
        Pictures per patient whose scores are averaged, 1 or more.
    reliability : float
        Intraclass correlation of one picture's scores within cases and within controls, 0 to 1.

    References
    ----------
    Brown W. Br J Psychol 1910;3:296-322. doi:10.1111/j.2044-8295.1910.tb00207.x

    Examples
    --------
    >>> round(auc_of_mean(0.9, 5, 1.0), 3), round(auc_of_mean(0.9, 5, 0.5), 3)
    (0.9, 0.951)
    """
    return float(ndtr(separation(auc) / _spread_of_mean(pictures, reliability) / math.sqrt(2)))


def auc_of_one(auc: float, pictures: int, reliability: float) -> float:
    """AUC of one picture's score, from that of the mean of several: the reverse of `auc_of_mean`.

    Examples
    --------
    >>> round(auc_of_one(auc_of_mean(0.9, 5, 0.5), 5, 0.5), 6)
    0.9
    """
    return float(ndtr(separation(auc) * _spread_of_mean(pictures, reliability) / math.sqrt(2)))


def _spread_of_mean(pictures: int, reliability: float) -> float:
    """Standard deviation of the mean of pictures' scores, that of one picture's being 1."""
    return math.sqrt((1 + (pictures - 1) * reliability) / pictures)


def _slopes(a: float) -> tuple[float, float]:
    f = math.exp(-(a**2) / 4) / math.sqrt(4 * math.pi)
    return f, -f * a / 2


def _left_out(auc: float) -> float:
    """The covariance of a curve's two parameters, which Obuchowski's variance does not subtract."""
    a = separation(auc)
    f, g = _slopes(a)
    return -f * g * a


def _variances(first: float, second: float, controls_per_case: float, correlation: float) -> tuple[float, float]:
    """Variance of the difference, times the cases: if there is none, and as expected."""
    one, two = auc_variance(first, controls_per_case), auc_variance(second, controls_per_case)
    shared = auc_covariance(first, second, controls_per_case, correlation)
    expected = one + two - 2 * shared
    # As pROC: the first score's variance for both. Of very different AUCs that correlate it may not be there.
    null = 2 * (one - shared)
    return (null if null > 0 else expected), expected
