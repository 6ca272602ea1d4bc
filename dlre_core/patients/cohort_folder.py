"""Where the cohort of a study lies on disk and which hospitals it has."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dlre_core.foundation.digests import value_digest
from dlre_core.foundation.errors import ClinicalTableError, CohortError
from dlre_core.patients.csv_input import Problems, open_table
from dlre_core.patients.study_list import read_study_list

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
    codes = _directories(root)
    odd = [code for code in codes if not CODE.fullmatch(code) or code in RESERVED]
    if odd:
        raise CohortError(
            f"{root} has folders whose names cannot be codes of hospitals: {', '.join(odd)}.",
            "Rename them, and the hospital in the tables, to letters, digits, _ and - "
            f"(and not to {' or '.join(RESERVED)}).",
        )
    return codes


def _directories(root: Path) -> list[str]:
    if not root.is_dir():
        return []
    return sorted(p.name for p in root.iterdir() if p.is_dir() and not p.name.startswith("."))


def stray_files(folder: str | Path) -> list[str]:
    """Names of files directly in ``dicom/``, which belong to no hospital and are not read; hidden ones aside."""
    root = Path(folder) / "dicom"
    if not root.is_dir():
        return []
    return sorted(p.name for p in root.iterdir() if not p.is_dir() and not p.name.startswith("."))


def linked_folders(folder: str | Path) -> list[str]:
    """Links to folders below the hospitals' folders, which are not followed: ``<hospital>/.../<link>``, sorted."""
    root = Path(folder) / "dicom"
    found = []
    for hospital in _directories(root):
        # A hospital's own folder may be a link: the user put it there by its code.
        for directory, folders, _ in os.walk(root / hospital, followlinks=False):
            found += [
                Path(directory, name).relative_to(root).as_posix()
                for name in folders
                if os.path.islink(os.path.join(directory, name))
            ]
    return sorted(found)


def not_read(folder: str | Path, shown: int = 5) -> list[str]:
    """Sentences, for a study's start, on what lies in ``dicom/`` and is not read; some of each by name.

    Parameters
    ----------
    folder : path
        The cohort folder.
    shown : int
        Names of each kind.
    """
    kinds = {
        "lie in no hospital's folder; put them into dicom/<hospital>/": stray_files(folder),
        "are links to folders, which are not followed; copy the folders there": linked_folders(folder),
    }
    sentences = []
    for words, names in kinds.items():
        if names:
            listed = ", ".join(f"dicom/{name}" for name in names[:shown])
            more = f" and {len(names) - shown} more" if len(names) > shown else ""
            sentences.append(f"Not read: {listed}{more} {words}.")
    return sentences


def optional_tables(folder: str | Path) -> dict[str, str]:
    """Paths of measurements.csv and roi.csv by name, where the folder has them."""
    paths = {name: Path(folder) / f"{name}.csv" for name in ("measurements", "roi")}
    return {name: str(path) for name, path in paths.items() if path.is_file()}


def hospital_tables_digest(folder: str | Path, hospital: str) -> str:
    """Digest of what ingestion of one hospital reads from the tables.

    That is: the patient ids and days of examination of ``clinical.csv`` and the rows of ``measurements.csv`` and
    ``roi.csv`` of this hospital. A corrected laboratory value or stage does not change it.
    """
    folder = Path(folder)
    rows = [
        [
            [(row.get(name) or "").strip() for name in ("patient_id", "elastography_date")]
            for row in _rows(folder / "clinical.csv", hospital)
        ],
        [sorted(row.items()) for row in _rows(folder / "measurements.csv", hospital)],
        [sorted(row.items()) for row in _rows(folder / "roi.csv", hospital)],
    ]
    return value_digest(rows)


def _rows(path: Path, hospital: str) -> list[dict[str, str]]:
    # Read as everywhere else: else a change in a table with semicolons would not be seen.
    try:
        table = open_table(path, Problems())
    except ClinicalTableError:
        return []
    return [
        {key: value for key, value in row.items() if isinstance(key, str)}
        for row in table
        if (row.get("hospital") or (row.get("file") or "").split("/")[0]).strip() == hospital
    ]
