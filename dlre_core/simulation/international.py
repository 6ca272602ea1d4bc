"""A second simulated cohort: 17 centres, three regions, three aetiologies, three makers' screens.

It has the size and the question of the group's study of 2025 (Vis Comput Ind Biomed Art 2025, PMC12354435): 1,937
adults with HBV, HCV or MASLD, and >=F3. All else is invented: sizes of centres, their countries, and every parameter
below. They are chosen so that stiffness answers >=F3 with an AUC near 0.83 that differs by region and aetiology and not
by maker, while texture answers it alike everywhere. Laboratory values are those of the 2019 cohort's clinical model at
the same stage, moved by aetiology. At the end: both embedded cohorts, by the names that designs give them.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlre_core.foundation.csv_tables import write_table
from dlre_core.simulation.cohort import HospitalScreens, write_clinical_csv, write_hospital, write_pictures
from dlre_core.simulation.patients import LATENT_COLUMNS, MEASUREMENTS, simulate_with_latents
from dlre_core.simulation.presets import (
    EXCLUDED_SHARE,
    INTERNATIONAL,
    international_size,
    largest_remainder,
    number_of_patients,
)

# As a design calls the cohort.
# Layouts of `DESIGNS`, by maker; SuperSonic has two.
LAYOUTS = {"stacked_offset": "SuperSonic", "side_by_side": "SuperSonic"}
LAYOUTS |= {"bar_blue_stiff": "GE", "side_by_side_left": "Mindray"}


class Centre(NamedTuple):
    """A centre: region, ISO 3166 country, layout of its machine, and enrolled patients at full size."""

    region: str
    country: str
    layout: str
    patients: int


CENTRES = {
    "A": Centre("China", "CN", "stacked_offset", 210),
    "B": Centre("China", "CN", "bar_blue_stiff", 190),
    "C": Centre("China", "CN", "side_by_side_left", 180),
    "D": Centre("China", "CN", "side_by_side", 140),
    "E": Centre("China", "CN", "bar_blue_stiff", 120),
    "F": Centre("China", "CN", "side_by_side_left", 110),
    "G": Centre("China", "CN", "stacked_offset", 80),
    "H": Centre("China", "CN", "bar_blue_stiff", 70),
    "I": Centre("China", "CN", "side_by_side_left", 50),
    "J": Centre("Japan", "JP", "side_by_side", 110),
    "K": Centre("Japan", "JP", "bar_blue_stiff", 100),
    "L": Centre("Japan", "JP", "side_by_side_left", 80),
    "M": Centre("Europe", "DE", "stacked_offset", 130),
    "N": Centre("Europe", "IT", "bar_blue_stiff", 117),
    "O": Centre("Europe", "FR", "side_by_side_left", 110),
    "P": Centre("Europe", "ES", "side_by_side", 80),
    "Q": Centre("Europe", "RO", "bar_blue_stiff", 60),
}
REGIONS = ("China", "Japan", "Europe")
AETIOLOGIES = ("hbv", "hcv", "masld")
# Enrolled patients at full size by region and aetiology.
MIX = {"China": (800, 120, 230), "Japan": (40, 120, 130), "Europe": (60, 170, 267)}
# Per cent F0-1, F2, F3 and F4: 35 % are >=F3 whatever the aetiology, so that it does not tell the answer.
STAGES = {"hbv": (36, 29, 17, 18), "hcv": (38, 27, 18, 17), "masld": (46, 19, 20, 15)}
F0_OF_F0_1 = {"hbv": 0.25, "hcv": 0.20, "masld": 0.35}
# Stiffness: exp(a + s e), a by METAVIR stage; s and the shift of a by region and aetiology.
LOG_STIFFNESS = np.array([1.58, 1.68, 1.86, 2.12, 2.52])
SPREAD = {"China": 0.45, "Japan": 0.30, "Europe": 0.36}
RELATIVE_SPREAD = {"hbv": 1.0, "hcv": 0.80, "masld": 1.05}
SHIFT = {"hbv": 0.03, "hcv": 0.05, "masld": -0.05}
# Severity of texture by METAVIR stage, and between patients of a stage: the same everywhere.
SEVERITY = np.array([0.0, 0.10, 0.45, 1.00, 1.60])
SEVERITY_SPREAD = 0.44
# Of the excluded: too short a specimen, or no usable picture.


def maker_of(hospital: str) -> str:
    """Maker of a centre's machine: SuperSonic, GE or Mindray.

    Examples
    --------
    >>> maker_of("A"), maker_of("B")
    ('SuperSonic', 'GE')
    """
    return LAYOUTS[CENTRES[hospital].layout]


def simulate_international(size: str | int, seed: int) -> pd.DataFrame:
    """Simulate the clinical table of the cohort.

    Parameters
    ----------
    size : str or int
        demo (170 enrolled), full (1,937), or a number of enrolled patients.
    seed : int

    Returns
    -------
    DataFrame
        One row per eligible patient: the columns of ``clinical.csv`` with some of the optional ones, then those of
        `dlre_core.simulation.patients.LATENT_COLUMNS`. NaN where a column is of HBV only.
    """
    n = number_of_patients(size)
    generator = np.random.default_rng([seed, 7])
    people = _plan(n, generator)
    table = _clinical_values(people, seed, generator)
    _aetiology_moves(table, generator)
    _stiffness_and_texture(table, people["region"].to_numpy(), generator)
    _optional_values(table, generator)
    table = table.iloc[generator.permutation(len(table))]
    order = table.sort_values(["hospital", "elastography_date"], kind="stable").index
    number = table.loc[order].groupby("hospital").cumcount() + 1
    table["patient_id"] = table["hospital"] + number.map("{:04d}".format)
    return table.reset_index(drop=True)


def write_international_csv(path: str | Path, size: str | int, seed: int) -> None:
    """Write ``clinical.csv`` of the cohort, by centre and number."""
    table = simulate_international(size, seed).drop(columns=LATENT_COLUMNS)
    write_table(table.sort_values(["hospital", "patient_id"], ignore_index=True), path)


def write_centre(
    folder: str | Path,
    hospital: str,
    size: str | int,
    seed: int,
    *,
    texture_signal: float = 1.0,
    truth_folder: str | Path | None = None,
) -> pd.DataFrame:
    """Write the pictures of one centre, whose layout is that of its machine.

    Parameters and return are those of `dlre_core.simulation.cohort.write_hospital`; centres are A to Q.

    Raises
    ------
    ValueError
        If there is no such centre.
    """
    if hospital not in CENTRES:
        raise ValueError(f"hospital {hospital!r} is none of {', '.join(CENTRES)}")
    return write_pictures(
        folder,
        hospital,
        simulate_international(size, seed),
        seed,
        texture_signal=texture_signal,
        truth_folder=truth_folder,
        screens=HospitalScreens(CENTRES[hospital].layout),
    )


def _plan(n: int, generator: np.random.Generator) -> pd.DataFrame:
    """Region, aetiology, stage and centre of everybody: quotas of the enrolled, then the excluded in proportion."""
    cells = np.array([MIX[region] for region in REGIONS])
    quotas = largest_remainder(cells.ravel(), n).reshape(cells.shape)
    parts = []
    for region, row in zip(REGIONS, quotas, strict=True):
        here = [name for name, centre in CENTRES.items() if centre.region == region]
        weights = np.array([CENTRES[name].patients for name in here])
        centres = generator.permutation(np.repeat(here, largest_remainder(weights, int(row.sum()))))
        people = pd.DataFrame({"hospital": centres, "region": region, "aetiology": np.repeat(AETIOLOGIES, row)})
        groups = [
            generator.permutation(np.repeat(np.arange(4), largest_remainder(np.array(STAGES[aetiology]), int(count))))
            for aetiology, count in zip(AETIOLOGIES, row, strict=True)
        ]
        parts.append(people.assign(group=np.concatenate(groups), reason=""))
    enrolled = pd.concat(parts, ignore_index=True)
    excluded = [
        enrolled.sample(round(share * n), random_state=generator).assign(reason=reason)
        for reason, share in EXCLUDED_SHARE.items()
    ]
    people = pd.concat([enrolled, *excluded], ignore_index=True)
    none = generator.random(len(people)) < people["aetiology"].map(F0_OF_F0_1)
    people["fibrosis_stage"] = np.where(people["group"] > 0, people["group"] + 1, np.where(none, 0, 1))
    return people


def _clinical_values(people: pd.DataFrame, seed: int, generator: np.random.Generator) -> pd.DataFrame:
    """Everybody's values from an enrolled patient of the 2019 model with the same group of stages."""
    pool = simulate_with_latents(len(people), seed)
    enrolled = pool[pool["reason"] == ""]
    groups = np.maximum(enrolled["fibrosis_stage"].to_numpy() - 1, 0)
    drawn = np.empty(len(people), dtype=np.int64)
    for group in range(4):
        of_group = np.flatnonzero(people["group"] == group)
        # With returns: the 2019 model has fewer mild stages. Values are moved below, so that nobody is there twice.
        drawn[of_group] = generator.choice(np.flatnonzero(groups == group), len(of_group))
    table = enrolled.iloc[drawn].reset_index(drop=True)
    table = table.drop(columns=[f"q_box_mean_kpa_{k + 1}" for k in range(MEASUREMENTS)])
    for name in ("hospital", "aetiology", "fibrosis_stage", "reason"):
        table[name] = people[name].to_numpy()
    short = (table["reason"] == "unqualified_histology").to_numpy()
    table.loc[short, "biopsy_length_mm"] = np.round(generator.uniform(6, 14.8, short.sum()), 1)
    return table


def _aetiology_moves(table: pd.DataFrame, generator: np.random.Generator) -> None:
    """Age, build and blood by aetiology, and a jitter for everybody; HBV's own columns are empty elsewhere."""
    n = len(table)
    masld, hbv = ((table["aetiology"] == name).to_numpy() for name in ("masld", "hbv"))
    older = 13.0 * ~hbv
    table["age_years"] = np.clip(np.round(table["age_years"] + older + generator.normal(0, 3, n)), 18, 82)
    bmi = np.clip(table["bmi_kg_m2"] + 6.0 * masld + 1.5 * (~hbv & ~masld) + generator.normal(0, 0.8, n), 15.5, 45)
    table["weight_kg"] = np.round(bmi * (table["height_cm"] / 100) ** 2, 1)
    table["bmi_kg_m2"] = np.round(table["weight_kg"] / (table["height_cm"] / 100) ** 2, 1)
    moves = {
        "ast_iu_l": 0.85,
        "alt_iu_l": 0.95,
        "ggt_iu_l": 1.25,
        "fasting_glucose_mmol_l": 1.12,
        "platelets_10e9_l": 1.05,
    }
    for name, factor in moves.items():
        digits = 1 if name == "fasting_glucose_mmol_l" else 0
        moved = table[name] * np.where(masld, factor, 1.0) * np.exp(generator.normal(0, 0.05, n))
        table[name] = np.round(np.maximum(moved, 3), digits)
    for name in ("hbsag_positive_months", "hbeag_positive", "chronic_infection"):
        table[name] = table[name].astype("Int64").where(hbv)


def _stiffness_and_texture(table: pd.DataFrame, region: NDArray[np.object_], generator: np.random.Generator) -> None:
    stage, aetiology = table["fibrosis_stage"].to_numpy(), table["aetiology"]
    spread = pd.Series(region).map(SPREAD).to_numpy() * aetiology.map(RELATIVE_SPREAD).to_numpy()
    middle = LOG_STIFFNESS[stage] + aetiology.map(SHIFT).to_numpy()
    table["stiffness_kpa"] = np.clip(np.exp(middle + spread * generator.standard_normal(len(table))), 2.2, 60)
    table["severity"] = SEVERITY[stage] + SEVERITY_SPREAD * generator.standard_normal(len(table))
    table["heterogeneity"], table["graininess"] = generator.standard_normal((2, len(table)))


def _optional_values(table: pd.DataFrame, generator: np.random.Generator) -> None:
    """Optional columns of the contract. Of the stage only stiffness by VCTE and INR know, as stiffness and blood do."""
    n = len(table)
    masld = (table["aetiology"] == "masld").to_numpy()
    viral_share = np.where(table["aetiology"] == "hbv", 0.08, 0.15)
    table["country"] = table["hospital"].map({name: centre.country for name, centre in CENTRES.items()})
    table["diabetes"] = (generator.random(n) < np.where(masld, 0.45, viral_share)).astype(int)
    table["cholesterol_mmol_l"] = np.round(np.clip(generator.normal(4.7 + 0.5 * masld, 0.9, n), 2, 10), 1)
    table["triglycerides_mmol_l"] = np.round(np.exp(generator.normal(np.where(masld, 0.55, 0.15), 0.4, n)), 1)
    inr = (95 / table["prothrombin_activity_percent"]) ** 0.8 * np.exp(generator.normal(0, 0.03, n))
    table["inr"] = np.round(np.clip(inr, 0.8, 4), 2)
    table["cap_db_m"] = np.round(np.clip(generator.normal(np.where(masld, 300, 226), 42, n), 100, 400))
    vcte = 0.95 * table["stiffness_kpa"] * np.exp(generator.normal(0, 0.18, n))
    table["vcte_stiffness_kpa"] = np.round(np.clip(vcte, 2, 75), 1)
    table["alcohol_g_week"] = np.round(generator.exponential(25, n))


def write_embedded_table(name: str, path: str | Path, size: str | int, seed: int) -> None:
    """Write ``clinical.csv`` of an embedded cohort.

    Parameters
    ----------
    name : {"gut_2019", "international"}
    path : path
    size : str or int
        demo, paper (the size of the cohort's publication), or a number of enrolled patients.
    seed : int
    """
    if name == INTERNATIONAL:
        write_international_csv(path, international_size(size), seed)
    else:
        write_clinical_csv(path, size, seed)


def write_embedded_hospital(
    name: str,
    folder: str | Path,
    hospital: str,
    size: str | int,
    seed: int,
    *,
    texture_signal: float = 1.0,
    truth_folder: str | Path | None = None,
    screens: HospitalScreens | None = None,
) -> pd.DataFrame:
    """Write the picture files of one hospital of an embedded cohort.

    Parameters and return are those of `dlre_core.simulation.cohort.write_hospital`; the centres of the international
    cohort have screens of their own.
    """
    if name == INTERNATIONAL:
        return write_centre(
            folder, hospital, international_size(size), seed, texture_signal=texture_signal, truth_folder=truth_folder
        )
    return write_hospital(
        folder, hospital, size, seed, texture_signal=texture_signal, truth_folder=truth_folder, screens=screens
    )
