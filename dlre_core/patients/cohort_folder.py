"""Where the cohort of a study lies on disk and which hospitals it has."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from dlre_core.foundation.digests import value_digest
from dlre_core.foundation.errors import ClinicalTableError, CohortError
from dlre_core.patients.clinical_table import read_clinical
from dlre_core.patients.other_tables import other_tables, values_by_file
from dlre_core.patients.study_list import read_study_list
from dlre_core.patients.table_file import table_path
from dlre_core.user_tables.units import GivenUnit

SIMULATED_FOLDER = "results/simulated_cohort"
PAPER_HOSPITALS = tuple("ABCDEFGHIJKL")
# Codes become names of files; these are names of files of all hospitals.
CODE = re.compile(r"[\w-]+")
RESERVED = ("images", "rois")


def cohort_folder(cohort: Mapping[str, Any]) -> str:
    """Folder that holds ``dicom/``, ``clinical.csv`` and the optional tables.

    Parameters
    ----------
    cohort : mapping
        The ``cohort`` section of the configuration.
    """
    return SIMULATED_FOLDER if cohort["source"] == "simulated" else str(cohort["folder"])


def hospital_codes(cohort: Mapping[str, Any]) -> list[str]:
    """Codes of the hospitals, sorted: A to L when simulated, else the folders below ``dicom/``.

    With a PACS as the source, also those of ``studies.csv``.

    Raises
    ------
    CohortError
        If the folder has no ``dicom/<hospital>/`` in it, or one whose name is no code, or its ``studies.csv`` cannot
        be used.
    """
    if cohort["source"] == "simulated":
        return list(PAPER_HOSPITALS)
    root = Path(str(cohort["folder"])) / "dicom"
    if cohort["source"] == "dicomweb":
        listed = {line.hospital for line in read_study_list(str(cohort["folder"]))}
        return sorted(listed | set(_folders(root)))
    if not root.is_dir():
        raise CohortError(
            f"The cohort folder has no folder {root}.",
            "Put each hospital's DICOM files into dicom/<hospital>/ below cohort.folder.",
        )
    codes = _folders(root)
    if not codes:
        raise CohortError(
            f"{root} has no hospital folders.",
            "Put each hospital's DICOM files into dicom/<hospital>/, one folder per hospital.",
        )
    return codes


def _folders(root: Path) -> list[str]:
    """Names of the hospitals' folders, sorted; hidden ones aside."""
    if not root.is_dir():
        return []
    codes = sorted(p.name for p in root.iterdir() if p.is_dir() and not p.name.startswith("."))
    odd = [code for code in codes if not CODE.fullmatch(code) or code in RESERVED]
    if odd:
        raise CohortError(
            f"{root} has folders whose names cannot be codes of hospitals: {', '.join(odd)}.",
            "Rename them, and the hospital in the tables, to letters, digits, _ and - "
            f"(and not to {' or '.join(RESERVED)}).",
        )
    return codes


def stray_files(folder: str | Path) -> list[str]:
    """Names of files directly in ``dicom/``, which belong to no hospital and are not read; hidden ones aside."""
    root = Path(folder) / "dicom"
    if not root.is_dir():
        return []
    return sorted(p.name for p in root.iterdir() if not p.is_dir() and not p.name.startswith("."))


def hospital_tables_digest(folder: str | Path, hospital: str, units: Sequence[GivenUnit] = ()) -> str:
    """Digest of what ingestion of one hospital reads from the tables.

    That is: the ids of the patients of ``clinical.csv`` whose row can be used, and the numbers of
    ``measurements.csv`` and ``roi.csv`` for this hospital. A corrected laboratory value or stage does not change it.
    """
    paths = other_tables(folder)
    read = [
        lambda: _patient_ids(table_path(folder, "clinical"), hospital, units),
        lambda: values_by_file(paths.get("measurements"), "measurements", hospital, units),
        lambda: values_by_file(paths.get("roi"), "roi", hospital),
    ]
    return value_digest([_or_nothing(part) for part in read])


def _patient_ids(path: Path, hospital: str, units: Sequence[GivenUnit]) -> list[str]:
    patients = read_clinical(path, units=units).patients
    return sorted(patients.loc[patients["hospital"] == hospital, "patient_id"])


def _or_nothing(read: Callable[[], object]) -> object:
    """What is read, or nothing of a table that is absent or refused, which the study says elsewhere."""
    try:
        return read()
    except ClinicalTableError:
        return None
