"""Where the cohort of a study lies on disk and which hospitals it has."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dlre_core.foundation.errors import CohortError

SIMULATED_FOLDER = "results/simulated_cohort"
PAPER_HOSPITALS = tuple("ABCDEFGHIJKL")
# Of the embedded cohorts.
SIMULATED_HOSPITALS = {"gut_2019": PAPER_HOSPITALS, "international": tuple("ABCDEFGHIJKLMNOPQ")}
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
    """Codes of the hospitals, sorted: those of the embedded cohort when simulated, else the folders below ``dicom/``.

    With a PACS as the source, also those of ``studies.csv``.

    Raises
    ------
    CohortError
        If the folder has no ``dicom/<hospital>/`` in it, or one whose name is no code, or its ``studies.csv`` cannot
        be used.
    """
    if cohort["source"] == "simulated":
        return list(SIMULATED_HOSPITALS[cohort.get("simulated", "gut_2019")])
    root = Path(str(cohort["folder"])) / "dicom"
    if cohort["source"] == "dicomweb":
        # The reading room asks for the codes and opens without the seconds that reading tables takes.
        from dlre_core.patients.study_list import read_study_list

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
