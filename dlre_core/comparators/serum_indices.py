"""Serum fibrosis indices (paper, "Serological examinations")."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def apri(
    ast_iu_l: ArrayLike, platelets_10e9_l: ArrayLike, upper_limit_of_normal_iu_l: ArrayLike = 40.0
) -> NDArray[np.float64]:
    """Aspartate transaminase-to-platelet ratio index, (AST / its upper limit x 100) / platelets.

    Parameters
    ----------
    ast_iu_l : array_like of float
        Aspartate aminotransferase, IU/L.
    platelets_10e9_l : array_like of float
        Platelet count, 10^9/L.
    upper_limit_of_normal_iu_l : array_like of float
        Of AST, IU/L; one value or one a patient.

    Returns
    -------
    ndarray of float64
        NaN where an input is NaN or platelets are not positive.

    References
    ----------
    Wai C-T, et al. Hepatology 2003;38:518-526. doi:10.1053/jhep.2003.50346

    Examples
    --------
    >>> float(apri(80, 100))
    2.0
    """
    ast, platelets, limit = _floats(ast_iu_l, platelets_10e9_l, upper_limit_of_normal_iu_l)
    with np.errstate(divide="ignore", invalid="ignore"):
        # One division, so that patients whose index is the same have the same number.
        index = 100.0 * ast / (limit * platelets)
    return np.where(platelets > 0, index, np.nan)


def fib4(
    age_years: ArrayLike, ast_iu_l: ArrayLike, alt_iu_l: ArrayLike, platelets_10e9_l: ArrayLike
) -> NDArray[np.float64]:
    """Fibrosis index based on four factors, age x AST / (platelets x sqrt(ALT)).

    Parameters
    ----------
    age_years, ast_iu_l, alt_iu_l, platelets_10e9_l : array_like of float
        Age in years, enzymes in IU/L, platelets in 10^9/L.

    Returns
    -------
    ndarray of float64
        NaN where an input is NaN, or platelets or ALT are not positive.

    References
    ----------
    Sterling RK, et al. Hepatology 2006;43:1317-1325. doi:10.1002/hep.21178

    Examples
    --------
    >>> float(fib4(50, 80, 64, 100))
    5.0
    """
    age, ast, alt, platelets = _floats(age_years, ast_iu_l, alt_iu_l, platelets_10e9_l)
    with np.errstate(divide="ignore", invalid="ignore"):
        # One division and one root, so that patients whose index is the same have the same number.
        index = np.sqrt((age * ast) ** 2 / (platelets**2 * alt))
    return np.where((platelets > 0) & (alt > 0), index, np.nan)


def _floats(*values: ArrayLike) -> list[NDArray[np.float64]]:
    return [np.asarray(value, dtype=np.float64) for value in values]
