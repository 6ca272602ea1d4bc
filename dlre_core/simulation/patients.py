"""The clinical model: a Gaussian copula over laboratory values, driven by stage and inflammation.

All parameters were calibrated to Table 1 and to the biomarker and stiffness AUCs of the paper (Gut
2019;68:729); docs/measurements/learning.md lists what they reach.
"""

from datetime import date, timedelta
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlre_core.simulation.presets import (
    EXCLUSIONS,
    HOSPITAL_SIZES,
    STAGE_BY_GRADE,
    largest_remainder,
    number_enrolled,
    number_excluded,
)

FIRST_DAY, LAST_DAY = date(2015, 1, 1), date(2016, 1, 31)
LATENT_COLUMNS = ["stiffness_kpa", "severity", "heterogeneity", "graininess", "reason"]
MEASUREMENTS = 5
SEROLOGY = [
    "platelets_10e9_l",
    "ast_iu_l",
    "alt_iu_l",
    "ggt_iu_l",
    "total_bilirubin_umol_l",
    "albumin_g_l",
]


class _Variable(NamedTuple):
    """T(c + k z) clipped, z shifted by stage (F0-1, F2, F3, F4) and inflammation (A0 to A3)."""

    name: str
    transform: str
    c: float
    k: float
    low: float
    high: float
    by_stage: tuple[float, float, float, float]
    by_grade: tuple[float, float, float, float]
    digits: int


_NONE = (0.0, 0.0, 0.0, 0.0)
VARIABLES = (
    _Variable("age_years", "exp14", 3.0918, 0.4876, 18, 78, (-0.325, -0.190, -0.026, 0.462), _NONE, 0),
    _Variable(
        "platelets_10e9_l",
        "square",
        13.1118,
        2.4254,
        25,
        480,
        (0.008, 0.153, 0.047, -0.338),
        (0.10, 0.10, 0.0, -0.12),
        0,
    ),
    _Variable(
        "ast_iu_l", "exp", 3.3881, 0.8776, 9, 650, (0.156, -0.222, -0.044, 0.139), (-0.55, -0.50, -0.05, 0.65), 0
    ),
    _Variable(
        "alt_iu_l", "exp", 3.6637, 0.8252, 6, 800, (0.114, -0.143, 0.055, -0.006), (-0.50, -0.45, -0.02, 0.55), 0
    ),
    _Variable("ggt_iu_l", "exp", 3.3406, 1.0190, 6, 900, (-0.20, -0.25, 0.05, 0.40), (-0.25, -0.25, 0.0, 0.30), 0),
    _Variable(
        "direct_bilirubin_umol_l",
        "exp",
        1.3130,
        0.8296,
        0.6,
        90,
        (-0.05, -0.10, 0.0, 0.20),
        (-0.15, -0.10, 0.0, 0.15),
        1,
    ),
    _Variable("indirect_bilirubin_umol_l", "exp", 2.2500, 0.5073, 1.5, 70, (-0.05, -0.05, 0.0, 0.10), _NONE, 1),
    _Variable("alp_iu_l", "exp", 4.3545, 0.3847, 25, 320, (-0.10, -0.15, 0.0, 0.25), (-0.10, -0.10, 0.0, 0.15), 0),
    _Variable(
        "albumin_g_l", "identity", 43.5277, 6.5867, 24, 58, (0.15, 0.15, 0.0, -0.30), (0.10, 0.10, 0.0, -0.15), 1
    ),
    _Variable(
        "prothrombin_activity_percent",
        "identity",
        90.705,
        13.1191,
        40,
        135,
        (0.20, 0.20, 0.05, -0.50),
        (0.10, 0.05, 0.0, -0.10),
        1,
    ),
    _Variable("fasting_glucose_mmol_l", "exp", 1.6214, 0.2301, 3.2, 18, (-0.05, -0.05, 0.0, 0.10), _NONE, 1),
    _Variable("bmi_kg_m2", "identity", 22.7885, 3.2979, 15.5, 38, _NONE, _NONE, 1),
)
_INDEX = {variable.name: i for i, variable in enumerate(VARIABLES)}
_CORRELATIONS = {
    ("age_years", "platelets_10e9_l"): -0.15,
    ("age_years", "ast_iu_l"): 0.05,
    ("age_years", "alt_iu_l"): -0.10,
    ("platelets_10e9_l", "ast_iu_l"): -0.12,
    ("platelets_10e9_l", "alt_iu_l"): -0.05,
    ("ast_iu_l", "alt_iu_l"): 0.80,
    ("ast_iu_l", "ggt_iu_l"): 0.45,
    ("alt_iu_l", "ggt_iu_l"): 0.40,
    ("age_years", "fasting_glucose_mmol_l"): 0.25,
    ("direct_bilirubin_umol_l", "indirect_bilirubin_umol_l"): 0.30,
    ("ast_iu_l", "direct_bilirubin_umol_l"): 0.25,
    ("alt_iu_l", "direct_bilirubin_umol_l"): 0.20,
    ("ggt_iu_l", "alp_iu_l"): 0.40,
    ("ast_iu_l", "alp_iu_l"): 0.20,
    ("albumin_g_l", "prothrombin_activity_percent"): 0.30,
    ("albumin_g_l", "ast_iu_l"): -0.15,
    ("platelets_10e9_l", "prothrombin_activity_percent"): 0.15,
    ("platelets_10e9_l", "albumin_g_l"): 0.10,
    ("bmi_kg_m2", "alt_iu_l"): 0.12,
    ("bmi_kg_m2", "fasting_glucose_mmol_l"): 0.20,
    ("ggt_iu_l", "bmi_kg_m2"): 0.10,
}

# Stiffness: exp(a + s e) of the stage plus an additive term of inflammation, kPa.
_LOG_STIFFNESS = np.array([1.853, 1.863, 2.044, 2.372])
_STIFFNESS_SPREAD = 0.234
_INFLAMMATION_KPA = np.array([0.0, 0.368, 0.800, 5.683])
_INFLAMMATION_SPREAD = 0.971
_ACQUISITION_SPREAD = 0.08
# What a Q-Box of 2 cm adds by sampling a heterogeneous field.
_Q_BOX_SPREAD = 0.057

# Texture severity, the cue that a network can learn (docs/design/simulated_cohort.md).
_SEVERITY = np.array([0.0, 0.30, 1.05, 1.75])
_SEVERITY_SPREAD = 0.09


def simulate_patients(n_enrolled: int, seed: int) -> pd.DataFrame:
    """Simulate the clinical table of a cohort.

    Parameters
    ----------
    n_enrolled : int
        Patients who meet all criteria; excluded ones are added in the paper's proportion.
    seed : int

    Returns
    -------
    DataFrame
        One row an eligible patient: the columns of ``clinical.csv`` (docs/reference/data_contract.md), then
        ``q_box_mean_kpa_1`` to ``_5``, simulated stiffness measurements in kPa. Enrolled and
        excluded patients are mixed; the criteria tell them apart.
    """
    return simulate_with_latents(n_enrolled, seed).drop(columns=LATENT_COLUMNS)


def simulate_with_latents(n_enrolled: int, seed: int) -> pd.DataFrame:
    """As `simulate_patients`, with what drives the pictures and must not reach the pipeline.

    Adds ``stiffness_kpa`` (of the patient), ``severity`` (of texture), ``heterogeneity`` and
    ``graininess`` (nuisances) and ``reason`` (of exclusion, or empty).
    """
    n_enrolled = number_enrolled(n_enrolled)
    plan, clinical = np.random.default_rng([seed, 1]), np.random.default_rng([seed, 2])
    reason = _reasons(n_enrolled)
    stage, grade = _stages_and_grades(n_enrolled, len(reason) - n_enrolled, plan)
    hospital = np.concatenate([_hospitals(n_enrolled, plan), _hospitals(len(reason) - n_enrolled, plan)])
    values, noise = _laboratory(stage, grade, clinical)
    table = _demography(values, stage, grade, reason, clinical)
    table["hospital"] = hospital
    _dates(table, plan)
    _stiffness(table, stage, grade, noise[:, _INDEX["alt_iu_l"]], clinical)
    if n_enrolled == number_enrolled("paper"):
        # One mistyped albumin reproduces Table 1's 44.8 +- 26.5 g/L.
        table.loc[plan.integers(0, n_enrolled), "albumin_g_l"] = 556.0
    _exclude(table, reason, plan)
    table = table.iloc[plan.permutation(len(table))].reset_index(drop=True)
    return _identify(table)


def _reasons(n_enrolled: int) -> NDArray[np.str_]:
    quotas = largest_remainder(np.array(list(EXCLUSIONS.values())), number_excluded(n_enrolled))
    return np.array([""] * n_enrolled + list(np.repeat(list(EXCLUSIONS), quotas)))


def _stages_and_grades(
    n_enrolled: int, n_excluded: int, generator: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    flat = STAGE_BY_GRADE.ravel()
    cells = np.repeat(np.arange(16), largest_remainder(flat, n_enrolled))
    cells = generator.permutation(cells)
    others = generator.choice(16, n_excluded, p=flat / flat.sum())
    cells = np.concatenate([cells, others])
    return cells // 4, cells % 4


def _hospitals(n: int, generator: np.random.Generator) -> NDArray[np.str_]:
    quotas = largest_remainder(np.array(list(HOSPITAL_SIZES.values())), n)
    return generator.permutation(np.repeat(list(HOSPITAL_SIZES), quotas))


def _laboratory(
    stage: NDArray[np.int64], grade: NDArray[np.int64], generator: np.random.Generator
) -> tuple[dict[str, NDArray[np.float64]], NDArray[np.float64]]:
    correlation = np.eye(len(VARIABLES))
    for (first, second), value in _CORRELATIONS.items():
        i, j = _INDEX[first], _INDEX[second]
        correlation[i, j] = correlation[j, i] = value
    noise = generator.standard_normal((len(stage), len(VARIABLES)))
    noise = noise @ np.linalg.cholesky(correlation).T
    share = STAGE_BY_GRADE / STAGE_BY_GRADE.sum()
    values = {}
    for j, variable in enumerate(VARIABLES):
        shift = np.add.outer(variable.by_stage, variable.by_grade)
        mean = (share * shift).sum()
        variance = (share * shift**2).sum() - mean**2
        z = shift[stage, grade] - mean + np.sqrt(1 - variance) * noise[:, j]
        x = variable.c + variable.k * z
        if variable.transform == "exp14":
            x = 14 + np.exp(x)
        elif variable.transform == "exp":
            x = np.exp(x)
        elif variable.transform == "square":
            x = np.maximum(x, 1) ** 2
        values[variable.name] = np.clip(x, variable.low, variable.high)
        values[f"z_{variable.name}"] = z
    return values, noise


def _demography(
    values: dict[str, NDArray[np.float64]],
    stage: NDArray[np.int64],
    grade: NDArray[np.int64],
    reason: NDArray[np.str_],
    generator: np.random.Generator,
) -> pd.DataFrame:
    n = len(stage)
    table = pd.DataFrame({variable.name: np.round(values[variable.name], variable.digits) for variable in VARIABLES})
    for group in (reason == "", reason != ""):
        # The paper's 265 of 398 men, exactly, in both groups.
        size = int(group.sum())
        men = generator.permutation(size) < round(0.6658 * size)
        table.loc[group, "sex"] = np.where(men, "M", "F")
    male = (table["sex"] == "M").to_numpy()
    height = np.where(male, generator.normal(171, 6, n), generator.normal(159.5, 5.5, n))
    table["height_cm"] = np.round(height, 0)
    weight = values["bmi_kg_m2"] * (table["height_cm"] / 100) ** 2
    table["weight_kg"] = np.round(weight, 1)
    table["bmi_kg_m2"] = np.round(table["weight_kg"] / (table["height_cm"] / 100) ** 2, 1)
    direct, indirect = values["direct_bilirubin_umol_l"], values["indirect_bilirubin_umol_l"]
    table["total_bilirubin_umol_l"] = np.round(direct + indirect, 1)
    positive = generator.random(n) < _logistic(-0.690 - 0.45 * values["z_age_years"] + 0.25 * (grade >= 2))
    table["hbeag_positive"] = positive.astype(int)
    baseline = np.where(positive, -0.124, 0.548)
    chronic = _logistic(baseline - 1.2 * values["z_alt_iu_l"] - 0.6 * (grade == 3))
    table["chronic_infection"] = (generator.random(n) < chronic).astype(int)
    table["hbsag_positive_months"] = generator.integers(7, 400, n)
    table["biopsy_length_mm"] = np.round(np.clip(generator.normal(17.8, 2.0, n), 15.1, 28), 1)
    table["portal_tracts"] = generator.integers(6, 17, n)
    table["fibrosis_stage"] = np.where(stage == 0, (generator.random(n) >= 0.12).astype(int), stage + 1)
    table["inflammation_grade"] = grade
    table["reason"] = reason
    return table


def _dates(table: pd.DataFrame, generator: np.random.Generator) -> None:
    n = len(table)
    day = generator.integers(0, (LAST_DAY - FIRST_DAY).days + 1, n)
    table["_day"] = day
    # Days before the first and after the last: serology and biopsy may be a week off.
    span = (LAST_DAY - FIRST_DAY).days + 1
    calendar = np.array([FIRST_DAY + timedelta(days=d) for d in range(-7, span + 7)], dtype=object)
    table["elastography_date"] = calendar[day + 7]
    for name in ("biopsy_date", "serology_date"):
        apart = generator.integers(-7, 8, n)
        table[name] = calendar[day + apart + 7]


def _stiffness(
    table: pd.DataFrame,
    stage: NDArray[np.int64],
    grade: NDArray[np.int64],
    alt_noise: NDArray[np.float64],
    generator: np.random.Generator,
) -> None:
    n = len(stage)
    fibrosis = np.exp(_LOG_STIFFNESS[stage] + _STIFFNESS_SPREAD * generator.standard_normal(n))
    # Flares of inflammation go with ALT.
    flare = 0.40 * alt_noise + np.sqrt(1 - 0.40**2) * generator.standard_normal(n)
    inflammation = _INFLAMMATION_KPA[grade] * np.exp(_INFLAMMATION_SPREAD * flare - _INFLAMMATION_SPREAD**2 / 2)
    table["stiffness_kpa"] = np.clip(fibrosis + inflammation, 2.5, 60)
    noise = generator.standard_normal((n, MEASUREMENTS, 2)) * [_ACQUISITION_SPREAD, _Q_BOX_SPREAD]
    kpa = table["stiffness_kpa"].to_numpy()[:, None] * np.exp(noise.sum(axis=2))
    for k in range(MEASUREMENTS):
        table[f"q_box_mean_kpa_{k + 1}"] = np.round(kpa[:, k], 1)
    table["severity"] = _SEVERITY[stage] + _SEVERITY_SPREAD * generator.standard_normal(n)
    table["heterogeneity"], table["graininess"] = generator.standard_normal((2, n))


def _exclude(table: pd.DataFrame, reason: NDArray[np.str_], generator: np.random.Generator) -> None:
    for name in (
        "other_liver_disease",
        "viral_coinfection",
        "liver_transplantation",
        "antiviral_treatment_6_months",
    ):
        table[name] = (reason == name).astype(int)
    poor = np.flatnonzero(reason == "unqualified_histology")
    short = generator.random(len(poor)) < 0.6
    length = np.round(generator.uniform(6, 14.8, len(poor)), 1)
    tracts = generator.integers(2, 6, len(poor))
    table.loc[poor[short], "biopsy_length_mm"] = length[short]
    table.loc[poor[~short], "portal_tracts"] = tracts[~short]
    for name in SEROLOGY:
        table[name] = table[name].astype(float)
    # One to three values are missing, any of them.
    lacking = np.flatnonzero(reason == "missing_serology")
    number = generator.integers(1, 4, len(lacking))
    rank = generator.random((len(lacking), len(SEROLOGY))).argsort(axis=1).argsort(axis=1)
    for column, name in enumerate(SEROLOGY):
        table.loc[lacking[rank[:, column] < number], name] = np.nan


def _identify(table: pd.DataFrame) -> pd.DataFrame:
    """Number the patients of a hospital in the order of their examinations."""
    order = table.sort_values(["hospital", "_day"], kind="stable").index
    number = table.loc[order].groupby("hospital").cumcount() + 1
    table["patient_id"] = table["hospital"] + number.map("{:04d}".format)
    columns = [
        "patient_id",
        "hospital",
        "elastography_date",
        "biopsy_date",
        "serology_date",
        "age_years",
        "sex",
        "height_cm",
        "weight_kg",
        "bmi_kg_m2",
        "hbsag_positive_months",
        "other_liver_disease",
        "viral_coinfection",
        "liver_transplantation",
        "antiviral_treatment_6_months",
        "fasting_glucose_mmol_l",
        "platelets_10e9_l",
        "ast_iu_l",
        "alt_iu_l",
        "ggt_iu_l",
        "total_bilirubin_umol_l",
        "direct_bilirubin_umol_l",
        "indirect_bilirubin_umol_l",
        "alp_iu_l",
        "albumin_g_l",
        "prothrombin_activity_percent",
        "hbeag_positive",
        "chronic_infection",
        "biopsy_length_mm",
        "portal_tracts",
        "fibrosis_stage",
        "inflammation_grade",
        *(f"q_box_mean_kpa_{k + 1}" for k in range(MEASUREMENTS)),
        *LATENT_COLUMNS,
    ]
    return table[columns]


def _logistic(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1 / (1 + np.exp(-x))
