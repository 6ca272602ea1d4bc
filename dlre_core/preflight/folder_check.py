"""Check a cohort folder in seconds, before a study: every problem at once, each with its remedy.

Use: ``python -m dlre_core.preflight.folder_check FOLDER``.
"""

import argparse
import csv
import os
import sys
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from dlre_core.dicom.file_search import find_files
from dlre_core.foundation.errors import ClinicalTableError, CohortError, ConfigurationError
from dlre_core.ingestion.usable_picture import IngestionSettings
from dlre_core.pacs.failures import Failure
from dlre_core.patients.clinical_table import read_clinical
from dlre_core.patients.cohort_folder import hospital_codes, stray_files
from dlre_core.patients.csv_input import PROBLEM_COLUMNS
from dlre_core.patients.data_contract import MEASUREMENT_COLUMNS
from dlre_core.patients.enrolment import EnrolmentSettings
from dlre_core.patients.study_list import NAME as STUDY_LIST
from dlre_core.patients.study_list import read_study_list
from dlre_core.preflight.picture_checks import check_pictures, doubts_text
from dlre_core.preflight.proposed_config import next_step, reading_settings

NEEDED_IMAGES = EnrolmentSettings.images_per_patient
READING = IngestionSettings()
SQUARE_COLUMNS = ("file", "row", "column", "size")
SHOWN = 10


def check_folder(
    folder: str | Path, needed_images: int = NEEDED_IMAGES, reading: IngestionSettings = READING
) -> pd.DataFrame:
    """List everything that a study on this folder would stumble over.

    Only headers are read, so pictures are not judged; ingestion does that.

    Parameters
    ----------
    folder : path
        Holds ``dicom/<hospital>/...``, ``clinical.csv`` and the optional tables.
    needed_images : int
        Pictures a patient needs to be enrolled.
    reading : IngestionSettings
        How the study would read pictures.

    Returns
    -------
    DataFrame
        Columns as in `dlre_core.patients.csv_input.PROBLEM_COLUMNS`, and ``file`` first. Ids are the user's
        own: the table is for the screen, not for ``results/``.
    """
    folder = Path(folder)
    problems: list[dict[str, object]] = []
    listed, found_there = _check_study_list(folder)
    problems += found_there
    try:
        source = "dicomweb" if listed else "folder"
        hospitals = hospital_codes({"source": source, "folder": folder})
    except CohortError as error:
        hospitals = []
        problems.append(_problem("dicom/", "no_hospitals", error.message, error.remedy))
    stray = stray_files(folder)
    if stray:
        problem = f"{len(stray)} files lie beside the hospitals' folders, such as {stray[0]}, and are not read."
        remedy = "Put them into the folder of the hospital that sent them: dicom/<hospital>/."
        problems.append(_problem("dicom/", "outside_hospitals", problem, remedy))
    patients: pd.DataFrame | None = None
    try:
        table = read_clinical(folder / "clinical.csv", hospitals or None)
        patients = table.patients
        problems += [{"file": "clinical.csv", **row} for row in table.problems.to_dict("records")]
    except ClinicalTableError as error:
        problems.append(_problem("clinical.csv", "unusable_table", error.message, error.remedy))
    found = {name: list(find_files(folder / "dicom" / name, reading.limits.bytes_per_file)) for name in hospitals}
    names = {f"{hospital}/{file.name}" for hospital, files in found.items() for file in files}
    if (folder / "measurements.csv").exists():
        problems += list(_check_measurements(folder, hospitals, names))
    if (folder / "roi.csv").exists():
        problems += list(_check_squares(folder / "roi.csv", names))
    if patients is not None:
        # What is still to be pulled lacks its pictures, and that is said already.
        for hospital in [h for h in hospitals if (folder / "dicom" / h).is_dir()]:
            problems += check_pictures(hospital, found[hospital], patients, needed_images, reading)
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
        _problem(STUDY_LIST, bad.code, bad.sentence, bad.remedy, hospital=line.hospital) | {"row": line.line}
        for line in lines
        if not line.sound
    ]
    hospitals = {line.hospital for line in lines}
    absent = sorted(h for h in hospitals if not (folder / "dicom" / h).is_dir())
    if absent:
        problem = f"Nothing was pulled yet for {', '.join(absent)}."
        remedy = "Run make pull once config.yaml names your hospitals (docs/guide/pacs.md)."
        found.append(_problem(STUDY_LIST, "not_pulled", problem, remedy))
    return hospitals, found


def _check_measurements(folder: Path, hospitals: list[str], names: set[str]) -> Iterable[dict[str, object]]:
    try:
        table = read_clinical(folder / "measurements.csv", hospitals or None, MEASUREMENT_COLUMNS, ("file",))
    except ClinicalTableError as error:
        yield _problem("measurements.csv", "unusable_table", error.message, error.remedy)
        return
    for row in table.problems.to_dict("records"):
        yield {"file": "measurements.csv", **row}
    yield from _absent_pictures("measurements.csv", list(table.patients["file"]), names)


def _check_squares(path: Path, names: set[str]) -> Iterable[dict[str, object]]:
    with open(path, encoding="utf-8-sig", errors="replace", newline="") as file:
        reader = csv.DictReader(file)
        missing = [name for name in SQUARE_COLUMNS if name not in (reader.fieldnames or [])]
        rows = list(reader)
    if missing:
        yield _problem(
            path.name,
            "unusable_table",
            f"{path} lacks the columns {', '.join(missing)}.",
            f"Write a header with {', '.join(SQUARE_COLUMNS)}, separated by commas.",
        )
        return
    for line, row in enumerate(rows, 2):
        if not all((row[name] or "").strip().isdigit() for name in SQUARE_COLUMNS[1:]):
            yield _problem(
                path.name,
                "not_a_square",
                "row, column and size are not whole pixels.",
                "Write the top left corner and the side in whole pixels of the stored picture.",
            ) | {"row": line}
    yield from _absent_pictures(path.name, [row["file"] or "" for row in rows], names)


def _absent_pictures(table: str, files: Sequence[str], names: set[str]) -> Iterable[dict[str, object]]:
    absent = [name for name in files if name not in names]
    if absent:
        yield _problem(
            table,
            "picture_missing",
            f"{len(absent)} of {len(files)} rows name a picture that is not there, such as {absent[0]}.",
            "Write the path below dicom/, with forward slashes: <hospital>/.../<file>.",
        )


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


def problems_text(problems: pd.DataFrame, shown: int | None = SHOWN) -> str:
    """Problems for a terminal: what is the same stands together, with what to do once.

    Parameters
    ----------
    problems : DataFrame
        As `check_folder` returns it.
    shown : int or None
        Of every kind; None for all.
    """
    lines = []
    # Pictures of all hospitals stand together; problems with different remedies do not.
    place = problems["file"].str.replace(r"^dicom/.+", "dicom/", regex=True)
    for (file, code, _), group in problems.groupby([place, "code", problems["remedy"]], sort=False):
        lines.append(f"\n{file}: {str(code).replace('_', ' ')} ({len(group)})")
        for row in group[:shown].to_dict("records"):
            line = f"line {row['row']}: " if row["row"] else ""
            who = f"[{row['hospital']} {row['patient_id']}] " if row["patient_id"] else ""
            effect = "" if row["effect"] == "flagged" else f" ({row['effect']})"
            lines.append(f"  {line}{who}{row['problem']}{effect}")
        if shown is not None and len(group) > shown:
            lines.append(f"  ... and {len(group) - shown} more (ALL=1 shows them)")
        words = textwrap.fill(f"What to do: {group.iloc[0]['remedy']}", 96, subsequent_indent="  ")
        lines.append(textwrap.indent(words, "  "))
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Print the problems and the next step; status 1 if there are problems."""
    parser = argparse.ArgumentParser(prog="make check-data", description="Check a cohort folder before a study.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--images", type=int, default=NEEDED_IMAGES, help="pictures a patient needs")
    parser.add_argument("--all", action="store_true", help="every problem, not ten of a kind")
    options = parser.parse_args(arguments)
    fault: ConfigurationError | None = None
    reading = READING
    try:
        reading = reading_settings()
    except ConfigurationError as error:
        fault = error
    problems = check_folder(options.folder, options.images, reading)
    number = len(problems)
    verdict = f"{number} problem{'s' * (number > 1)}." if number else "No problems found."
    sys.stdout.write(f"{problems_text(problems, None if options.all else SHOWN)}\n\n{options.folder}: {verdict}\n")
    sys.stdout.write(doubts_text(problems))
    try:
        sys.stdout.write(next_step(options.folder, problems))
        if fault is not None:
            raise fault
    except ConfigurationError as error:
        sys.stdout.write(f"\n{error}\n")
        return 1
    return int(number > 0)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BrokenPipeError:
        # Whoever reads has seen enough (head, less).
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
