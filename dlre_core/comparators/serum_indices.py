"""Serum fibrosis indices; the 2019 paper uses APRI and FIB-4 ("Serological examinations")."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

# Molar mass of cholesterol 386.65 g/mol: mg/dL per mmol/L, as laboratories round it.
CHOLESTEROL_MG_DL = 38.67
IMPAIRED_GLUCOSE_MMOL_L = 6.1


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
    ast, platelets, limit = floats(ast_iu_l, platelets_10e9_l, upper_limit_of_normal_iu_l)
    # One division, so that patients whose index is the same have the same number.
    return _quotient(100.0 * ast, limit * platelets, platelets)


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
    age, ast, alt, platelets = floats(age_years, ast_iu_l, alt_iu_l, platelets_10e9_l)
    # One division and one root, so that patients whose index is the same have the same number.
    return np.sqrt(_quotient((age * ast) ** 2, platelets**2 * alt, platelets, alt))


def gpr(ggt_iu_l: ArrayLike, platelets_10e9_l: ArrayLike, upper_limit_of_normal_iu_l: ArrayLike) -> NDArray[np.float64]:
    """Gamma-glutamyl transpeptidase-to-platelet ratio, (GGT / its upper limit x 100) / platelets.

    Parameters
    ----------
    ggt_iu_l : array_like of float
        Gamma-glutamyl transpeptidase, IU/L.
    platelets_10e9_l : array_like of float
        Platelet count, 10^9/L.
    upper_limit_of_normal_iu_l : array_like of float
        Of GGT, IU/L; one value or one a patient.

    Returns
    -------
    ndarray of float64
        NaN where an input is NaN, or platelets or the limit are not positive.

    References
    ----------
    Lemoine M, et al. Gut 2016;65:1369-1376. doi:10.1136/gutjnl-2015-309260

    Examples
    --------
    >>> float(gpr(80, 100, 40))
    2.0
    """
    ggt, platelets, limit = floats(ggt_iu_l, platelets_10e9_l, upper_limit_of_normal_iu_l)
    return _quotient(100.0 * ggt, limit * platelets, platelets, limit)


def aar(ast_iu_l: ArrayLike, alt_iu_l: ArrayLike) -> NDArray[np.float64]:
    """Ratio of aspartate to alanine aminotransferase.

    Parameters
    ----------
    ast_iu_l, alt_iu_l : array_like of float
        IU/L.

    Returns
    -------
    ndarray of float64
        NaN where an input is NaN or ALT is not positive.

    References
    ----------
    Williams AL, Hoofnagle JH. Gastroenterology 1988;95:734-739. PMID 3135226

    Examples
    --------
    >>> float(aar(60, 40))
    1.5
    """
    ast, alt = floats(ast_iu_l, alt_iu_l)
    return _quotient(ast, alt, alt)


def forns(
    age_years: ArrayLike, ggt_iu_l: ArrayLike, platelets_10e9_l: ArrayLike, cholesterol_mmol_l: ArrayLike
) -> NDArray[np.float64]:
    """Forns index, 7.811 - 3.131 ln(platelets) + 0.781 ln(GGT) + 3.467 ln(age) - 0.014 cholesterol in mg/dL.

    Parameters
    ----------
    age_years, ggt_iu_l, platelets_10e9_l, cholesterol_mmol_l : array_like of float
        Age in years, GGT in IU/L, platelets in 10^9/L, total cholesterol in mmol/L, which is converted to mg/dL.

    Returns
    -------
    ndarray of float64
        NaN where an input is NaN, or age, GGT or platelets are not positive.

    References
    ----------
    Forns X, et al. Hepatology 2002;36:986-992. doi:10.1053/jhep.2002.36128

    Examples
    --------
    >>> round(float(forns(30, 20, 280, 220 / 38.67)), 2)
    1.22
    """
    age, ggt, platelets, cholesterol = floats(age_years, ggt_iu_l, platelets_10e9_l, cholesterol_mmol_l)
    logs = [np.log(positive(values)) for values in (platelets, ggt, age)]
    of_platelets, of_ggt, of_age = logs
    return 7.811 - 3.131 * of_platelets + 0.781 * of_ggt + 3.467 * of_age - 0.014 * CHOLESTEROL_MG_DL * cholesterol


def nafld_fibrosis_score(
    age_years: ArrayLike,
    bmi_kg_m2: ArrayLike,
    hyperglycaemia: ArrayLike,
    ast_to_alt: ArrayLike,
    platelets_10e9_l: ArrayLike,
    albumin_g_l: ArrayLike,
) -> NDArray[np.float64]:
    """NAFLD fibrosis score.

    -1.675 + 0.037 age + 0.094 BMI + 1.13 (impaired fasting glucose or diabetes) + 0.99 AST/ALT - 0.013 platelets
    - 0.66 albumin in g/dL.

    Parameters
    ----------
    age_years, bmi_kg_m2, ast_to_alt, platelets_10e9_l : array_like of float
        Years, kg/m2, ratio, 10^9/L.
    hyperglycaemia : array_like of float
        1 for impaired fasting glucose or diabetes, else 0; see `impaired_glucose`.
    albumin_g_l : array_like of float
        Albumin in g/L, which is converted to g/dL.

    Returns
    -------
    ndarray of float64
        NaN where an input is NaN.

    References
    ----------
    Angulo P, et al. Hepatology 2007;45:846-854. doi:10.1002/hep.21496

    Examples
    --------
    >>> round(float(nafld_fibrosis_score(55, 32, 1, 60 / 48, 180, 40)), 4)
    0.7555
    """
    age, bmi, glucose, ratio, platelets, albumin = floats(
        age_years, bmi_kg_m2, hyperglycaemia, ast_to_alt, platelets_10e9_l, albumin_g_l
    )
    return -1.675 + 0.037 * age + 0.094 * bmi + 1.13 * glucose + 0.99 * ratio - 0.013 * platelets - 0.66 * albumin / 10


def impaired_glucose(diabetes: ArrayLike, fasting_glucose_mmol_l: ArrayLike) -> NDArray[np.float64]:
    """1 for diabetes or impaired fasting glucose (6.1 mmol/L or more), 0 for neither, NaN where that is not known.

    Parameters
    ----------
    diabetes : array_like of float
        1 for yes, 0 for no.
    fasting_glucose_mmol_l : array_like of float
        mmol/L.

    References
    ----------
    World Health Organization. Definition and diagnosis of diabetes mellitus and intermediate hyperglycaemia. 2006.

    Examples
    --------
    >>> impaired_glucose([1, 0, 0, 0], [float("nan"), 6.1, 5.0, float("nan")]).tolist()
    [1.0, 1.0, 0.0, nan]
    """
    known, glucose = floats(diabetes, fasting_glucose_mmol_l)
    impaired = (known == 1) | (glucose >= IMPAIRED_GLUCOSE_MMOL_L)
    return np.where(impaired, 1.0, np.where(np.isnan(known) | np.isnan(glucose), np.nan, 0.0))


def kings(
    age_years: ArrayLike, ast_iu_l: ArrayLike, inr: ArrayLike, platelets_10e9_l: ArrayLike
) -> NDArray[np.float64]:
    """King's score, age x AST x INR / platelets.

    Parameters
    ----------
    age_years, ast_iu_l, inr, platelets_10e9_l : array_like of float
        Age in years, AST in IU/L, international normalised ratio, platelets in 10^9/L.

    Returns
    -------
    ndarray of float64
        NaN where an input is NaN or platelets are not positive.

    References
    ----------
    Cross TJ, et al. Eur J Gastroenterol Hepatol 2009;21:730-738. doi:10.1097/MEG.0b013e32830dfcb3

    Examples
    --------
    >>> round(float(kings(45, 60, 1.1, 200)), 2)
    14.85
    """
    age, ast, ratio, platelets = floats(age_years, ast_iu_l, inr, platelets_10e9_l)
    return _quotient(age * ast * ratio, platelets, platelets)


def floats(*values: ArrayLike) -> list[NDArray[np.float64]]:
    """Each as float64, whatever it was."""
    return [np.asarray(value, dtype=np.float64) for value in values]


def positive(values: ArrayLike) -> NDArray[np.float64]:
    """NaN where a value is not positive, else the value as float64."""
    (numbers,) = floats(values)
    return np.where(numbers > 0, numbers, np.nan)


def _quotient(
    dividend: NDArray[np.float64], divisor: NDArray[np.float64], *above_zero: NDArray[np.float64]
) -> NDArray[np.float64]:
    """NaN where one of ``above_zero`` is not."""
    with np.errstate(divide="ignore", invalid="ignore"):
        quotient = dividend / divisor
    for values in above_zero:
        quotient = np.where(values > 0, quotient, np.nan)
    return quotient
