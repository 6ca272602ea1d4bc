"""Check a cohort folder in seconds, before a study: every problem at once, each with its remedy.

Use: ``python -m dlre_core.check_data FOLDER``.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pandas as pd
import pydicom
from pydicom.errors import InvalidDicomError

from dlre_core.clinical import PROBLEM_COLUMNS, read_clinical
from dlre_core.cohort import hospital_codes
from dlre_core.contract import MEASUREMENT_COLUMNS
from dlre_core.errors import ClinicalTableError, CohortError
from dlre_core.pacs.failures import Failure
from dlre_core.pacs.study_list import NAME as STUDY_LIST
from dlre_core.pacs.study_list import read_study_list

NEEDED_IMAGES = 5


def check_folder(folder: str | Path, needed_images: int = NEEDED_IMAGES) -> pd.DataFrame:
    """List everything that a study on this folder would stumble over.

    Only headers are read, so pictures are not judged; ingestion does that.

    Parameters
    ----------
    folder : path
        Holds ``dicom/<hospital>/...``, ``clinical.csv`` and the optional tables.
    needed_images : int
        Pictures a patient needs to be enrolled.

    Returns
    -------
    DataFrame
        Columns as in `dlre_core.clinical.PROBLEM_COLUMNS`, and ``file`` first. Ids are the user's
        own: the table is for the screen, not for ``results/``.
    """
    folder = Path(folder)
    problems: list[dict[str, object]] = []
    listed, findings = _check_study_list(folder)
    problems += findings
    try:
        source = "dicomweb" if listed else "folder"
        hospitals = hospital_codes({"source": source, "folder": folder})
    except CohortError as error:
        hospitals = []
        problems.append(_problem("dicom/", "no_hospitals", error.message, error.remedy))
    patients: pd.DataFrame | None = None
    try:
        table = read_clinical(folder / "clinical.csv", hospitals or None)
        patients = table.patients
        problems += [{"file": "clinical.csv", **row} for row in table.problems.to_dict("records")]
    except ClinicalTableError as error:
        problems.append(_problem("clinical.csv", "unusable_table", error.message, error.remedy))
    if (folder / "measurements.csv").exists():
        problems += list(_check_measurements(folder, hospitals))
    if patients is not None:
        # What is still to be pulled lacks its pictures, and that is said already.
        for hospital in [h for h in hospitals if (folder / "dicom" / h).is_dir()]:
            problems += list(_check_pictures(folder, hospital, patients, needed_images))
    return pd.DataFrame(problems, columns=["file", *PROBLEM_COLUMNS])


def _check_study_list(folder: Path) -> tuple[set[str], list[dict[str, object]]]:
    """Hospitals of ``studies.csv``, where there is one, and what is wrong with it."""
    if not (folder / STUDY_LIST).exists():
        return set(), []
    try:
        lines = read_study_list(folder)
    except CohortError as error:
        return set(), [_problem(STUDY_LIST, "unusable_table", error.message, error.remedy)]
    bad = Failure.BAD_LINE
    found = [
        _problem(STUDY_LIST, bad.code, bad.sentence, bad.remedy, hospital=line.hospital)
        | {"row": line.line}
        for line in lines
        if not line.sound
    ]
    hospitals = {line.hospital for line in lines}
    absent = sorted(h for h in hospitals if not (folder / "dicom" / h).is_dir())
    if absent:
        problem = f"Nothing was pulled yet for {', '.join(absent)}."
        remedy = f"Run: make pull FOLDER={folder} URL=https://... (docs/pacs.md)"
        found.append(_problem(STUDY_LIST, "not_pulled", problem, remedy))
    return hospitals, found


def _check_measurements(folder: Path, hospitals: list[str]) -> Iterable[dict[str, object]]:
    try:
        table = read_clinical(
            folder / "measurements.csv", hospitals or None, MEASUREMENT_COLUMNS, ("file",)
        )
    except ClinicalTableError as error:
        yield _problem("measurements.csv", "unusable_table", error.message, error.remedy)
        return
    for row in table.problems.to_dict("records"):
        yield {"file": "measurements.csv", **row}
    absent = [name for name in table.patients["file"] if not (folder / "dicom" / name).is_file()]
    if absent:
        yield _problem(
            "measurements.csv",
            "picture_missing",
            f"{len(absent)} rows name a picture that is not there, such as {absent[0]}.",
            "Write the path below dicom/, with forward slashes.",
        )


def _check_pictures(
    folder: Path, hospital: str, patients: pd.DataFrame, needed: int
) -> Iterable[dict[str, object]]:
    known = set(patients.loc[patients["hospital"] == hospital, "patient_id"])
    counts: Counter[str] = Counter()
    strangers: Counter[str] = Counter()
    root = folder / "dicom" / hospital
    for path in sorted(p for p in root.rglob("*") if p.is_file() and not p.is_symlink()):
        patient = _patient_of(path)
        if patient is None:
            continue
        candidates = [patient, *path.relative_to(root).parts[:-1]]
        match = next((name for name in candidates if name in known), None)
        if match is None:
            strangers[patient or path.relative_to(root).parts[0]] += 1
        else:
            counts[match] += 1
    where = f"dicom/{hospital}/"
    for patient, number in sorted(strangers.items()):
        yield _problem(
            where,
            "pictures_without_patient",
            f"{number} pictures belong to {patient or 'nobody'}, who is not in clinical.csv.",
            "Add the patient's row to clinical.csv, or correct patient_id so that it equals Patient ID in the pictures.",
            hospital=hospital,
            patient_id=patient,
        )
    for patient in sorted(known):
        if counts[patient] < needed:
            yield _problem(
                where,
                "too_few_pictures",
                f"{patient} has {counts[patient]} DICOM pictures; {needed} are needed.",
                "Add the missing pictures; without them the patient is excluded.",
                hospital=hospital,
                patient_id=patient,
            )


def _patient_of(path: Path) -> str | None:
    """Patient ID of a DICOM file, ``""`` where it has none, None where the file is not DICOM."""
    try:
        header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=["PatientID"])
        return str(header.get("PatientID", "") or "").strip()
    except (InvalidDicomError, OSError, EOFError, ValueError):
        return None


def _problem(file: str, code: str, problem: str, remedy: str, **where: str) -> dict[str, object]:
    return {
        "file": file,
        "row": 0,
        "hospital": where.get("hospital", ""),
        "patient_id": where.get("patient_id", ""),
        "column": "",
        "effect": "flagged",
        "code": code,
        "problem": problem,
        "remedy": remedy,
    }


def main(arguments: list[str] | None = None) -> int:
    """Print the findings, grouped; status 1 if there are any."""
    parser = argparse.ArgumentParser(description="Check a cohort folder before a study.")
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "--images", type=int, default=NEEDED_IMAGES, help="pictures a patient needs"
    )
    options = parser.parse_args(arguments)
    problems = check_folder(options.folder, options.images)
    for (file, code), group in problems.groupby(["file", "code"], sort=False):
        sys.stdout.write(f"\n{file}: {code} ({len(group)})\n")
        for row in group.head(10).to_dict("records"):
            line = f"line {row['row']}: " if row["row"] else ""
            who = f"[{row['hospital']} {row['patient_id']}] " if row["patient_id"] else ""
            sys.stdout.write(f"  {line}{who}{row['problem']} ({row['effect']})\n")
        if len(group) > 10:
            sys.stdout.write(f"  ... and {len(group) - 10} more\n")
        sys.stdout.write(f"  What to do: {group.iloc[0]['remedy']}\n")
    verdict = f"{len(problems)} findings." if len(problems) else "No problems found."
    sys.stdout.write(f"\n{options.folder}: {verdict}\n")
    return int(len(problems) > 0)


if __name__ == "__main__":
    sys.exit(main())
