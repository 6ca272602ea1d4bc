"""The cohorts that the project brings along, by the name of the design that they are for."""

from pathlib import Path

import pandas as pd

from dlre_core.simulation.cohort import HospitalScreens, write_clinical_csv, write_hospital
from dlre_core.simulation.international import (
    EXCLUDED_SHARE,
    SIZES,
    number_of_patients,
    write_centre,
    write_international_csv,
)
from dlre_core.simulation.presets import number_enrolled, number_excluded

INTERNATIONAL = "international"


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
        write_international_csv(path, _size(size), seed)
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
            folder, hospital, _size(size), seed, texture_signal=texture_signal, truth_folder=truth_folder
        )
    return write_hospital(
        folder, hospital, size, seed, texture_signal=texture_signal, truth_folder=truth_folder, screens=screens
    )


def embedded_patients(name: str, size: str | int) -> int:
    """Eligible patients of an embedded cohort, enrolled or not.

    Examples
    --------
    >>> embedded_patients("gut_2019", "paper"), embedded_patients("international", "paper")
    (654, 2111)
    """
    if name == INTERNATIONAL:
        return round(number_of_patients(_size(size)) * (1 + sum(EXCLUDED_SHARE.values())))
    enrolled = number_enrolled(size)
    return enrolled + number_excluded(enrolled)


def _size(size: str | int) -> str | int:
    full = next(name for name in SIZES if name != "demo")
    return full if size == "paper" else size
