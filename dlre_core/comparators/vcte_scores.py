"""Scores of vibration-controlled transient elastography with blood values: FAST, Agile 3+ and Agile 4.

Their stiffness is that of transient elastography (VCTE). Stiffness by 2D-SWE is another quantity and never stands in
for it.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from dlre_core.comparators.serum_indices import floats, positive


def fast(vcte_stiffness_kpa: ArrayLike, cap_db_m: ArrayLike, ast_iu_l: ArrayLike) -> NDArray[np.float64]:
    """FibroScan-AST score: probability of steatohepatitis with activity of 4 or more and fibrosis of F2 or more.

    logit = -1.65 + 1.07 ln(stiffness) + 2.66e-8 CAP^3 - 63.3 / AST.

    Parameters
    ----------
    vcte_stiffness_kpa, cap_db_m, ast_iu_l : array_like of float
        Stiffness by VCTE in kPa, controlled attenuation parameter in dB/m, AST in IU/L.

    Returns
    -------
    ndarray of float64
        0 to 1; NaN where an input is NaN, or stiffness or AST are not positive.

    References
    ----------
    Newsome PN, et al. Lancet Gastroenterol Hepatol 2020;5:362-373. doi:10.1016/S2468-1253(19)30383-8

    Examples
    --------
    >>> round(float(fast(8, 250, 40)), 3)
    0.356
    """
    stiffness, ast = positive(vcte_stiffness_kpa), positive(ast_iu_l)
    attenuation = np.asarray(cap_db_m, dtype=np.float64)
    return expit(-1.65 + 1.07 * np.log(stiffness) + 2.66e-8 * attenuation**3 - 63.3 / ast)


def agile_3_plus(
    vcte_stiffness_kpa: ArrayLike,
    ast_iu_l: ArrayLike,
    alt_iu_l: ArrayLike,
    platelets_10e9_l: ArrayLike,
    diabetes: ArrayLike,
    male: ArrayLike,
    age_years: ArrayLike,
) -> NDArray[np.float64]:
    """Agile 3+: probability of advanced fibrosis (F3 or F4) in steatotic liver disease.

    logit = -3.92368 + 2.29714 ln(stiffness) - 0.00902 platelets - 0.98633 ALT/AST + 1.08636 diabetes - 0.38581 male
    + 0.03018 age.

    Parameters
    ----------
    vcte_stiffness_kpa, ast_iu_l, alt_iu_l, platelets_10e9_l, age_years : array_like of float
        Stiffness by VCTE in kPa, enzymes in IU/L, platelets in 10^9/L, age in years.
    diabetes, male : array_like of float
        1 for yes, 0 for no.

    Returns
    -------
    ndarray of float64
        0 to 1; NaN where an input is NaN, or stiffness or AST are not positive.

    References
    ----------
    Sanyal AJ, et al. J Hepatol 2023;78:247-259. doi:10.1016/j.jhep.2022.10.034

    Examples
    --------
    >>> round(float(agile_3_plus(12, 40, 50, 180, 1, 1, 55)), 3)
    0.784
    """
    stiffness, ast = positive(vcte_stiffness_kpa), positive(ast_iu_l)
    alt, platelets, diabetic, is_male, age = floats(alt_iu_l, platelets_10e9_l, diabetes, male, age_years)
    return expit(
        -3.92368
        + 2.29714 * np.log(stiffness)
        - 0.00902 * platelets
        - 0.98633 * alt / ast
        + 1.08636 * diabetic
        - 0.38581 * is_male
        + 0.03018 * age
    )


def agile_4(
    vcte_stiffness_kpa: ArrayLike,
    ast_iu_l: ArrayLike,
    alt_iu_l: ArrayLike,
    platelets_10e9_l: ArrayLike,
    diabetes: ArrayLike,
    male: ArrayLike,
) -> NDArray[np.float64]:
    """Agile 4: probability of cirrhosis in steatotic liver disease.

    logit = 7.50139 - 15.42498 / sqrt(stiffness) - 0.01378 platelets - 1.41149 ALT/AST - 0.53281 male
    + 0.41741 diabetes.

    Parameters
    ----------
    vcte_stiffness_kpa, ast_iu_l, alt_iu_l, platelets_10e9_l : array_like of float
        Stiffness by VCTE in kPa, enzymes in IU/L, platelets in 10^9/L.
    diabetes, male : array_like of float
        1 for yes, 0 for no.

    Returns
    -------
    ndarray of float64
        0 to 1; NaN where an input is NaN, or stiffness or AST are not positive.

    References
    ----------
    Sanyal AJ, et al. J Hepatol 2023;78:247-259. doi:10.1016/j.jhep.2022.10.034

    Examples
    --------
    >>> round(float(agile_4(12, 40, 50, 180, 1, 1)), 3)
    0.212
    """
    stiffness, ast = positive(vcte_stiffness_kpa), positive(ast_iu_l)
    alt, platelets, diabetic, is_male = floats(alt_iu_l, platelets_10e9_l, diabetes, male)
    return expit(
        7.50139
        - 15.42498 / np.sqrt(stiffness)
        - 0.01378 * platelets
        - 1.41149 * alt / ast
        - 0.53281 * is_male
        + 0.41741 * diabetic
    )
