"""Check a cohort folder in seconds, before a study: every problem at once, each with its remedy.

Use: ``python -m dlre_core.preflight.folder_check FOLDER``.
"""

import argparse
import contextlib
import os
import sys
import textwrap
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from dlre_core.dicom.file_search import find_files
from dlre_core.dicom.guarded_reader import GuardedReader
from dlre_core.dicom.reject_reasons import Reason, Unusable
from dlre_core.foundation.errors import ClinicalTableError, CohortError, ConfigurationError
from dlre_core.ingestion.acquisition_table import hand_square
from dlre_core.ingestion.usable_picture import IngestionSettings, frames_of, usable_picture
from dlre_core.pacs.failures import Failure
from dlre_core.patients.clinical_table import ClinicalTable, examine_table
from dlre_core.patients.cohort_folder import hospital_codes, stray_files
from dlre_core.patients.doubts import doubts
from dlre_core.patients.enrolment import EnrolmentSettings
from dlre_core.patients.other_tables import examine_other_table, other_tables, values_by_file
from dlre_core.patients.study_list import TABLE as STUDY_LIST
from dlre_core.patients.study_list import read_study_list
from dlre_core.patients.table_file import table_path
from dlre_core.preflight.picture_checks import check_pictures, doubts_text
from dlre_core.preflight.problems_page import SHOWN, problems_text, stopping
from dlre_core.preflight.proposed_config import outlook
from dlre_core.screen_kinds.reading_settings import reading_settings
from dlre_core.user_tables.csv_input import FLAGGED, PROBLEM_COLUMNS
from dlre_core.user_tables.units import GivenUnit, given_units
from dlre_core.workflow.configuration import CONFIGURATION, SCHEMA, checked_section
from dlre_core.workflow.study_design import follow_design

NEEDED_IMAGES = EnrolmentSettings.images_per_patient
READING = IngestionSettings()
# So long pictures are looked at, for what cannot be used and what states their full scale.
LOOKING_SECONDS = 20.0


def check_folder(
    folder: str | Path,
    needed_images: int = NEEDED_IMAGES,
    units: Sequence[GivenUnit] = (),
    reading: IngestionSettings = READING,
) -> pd.DataFrame:
    """List everything that a study on this folder would stumble over.

    Tables are read as the study reads them. Of pictures only headers are read; ingestion judges them.

    Parameters
    ----------
    folder : path
        Holds ``dicom/<hospital>/...``, the clinical table and the optional tables.
    needed_images : int
        Pictures a patient needs to be enrolled.
    units : sequence of GivenUnit, optional
        Units that the user gave for columns.
    reading : IngestionSettings
        How the study would read pictures.

    Returns
    -------
    DataFrame
        Columns as in `dlre_core.user_tables.csv_input.PROBLEM_COLUMNS`, ``file`` first and ``cell`` last. Ids and
        cells are the user's own: the table is for the screen, not for ``results/``.
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
    clinical = table_path(folder, "clinical")
    try:
        table = examine_table(clinical, hospitals or None, units=units)
        patients = table.patients
        problems += _found(table)
    except ClinicalTableError as error:
        problems.append(_problem(clinical.name, "unusable_table", error.message, error.remedy))
    found = {name: list(find_files(folder / "dicom" / name, reading.limits.bytes_per_file)) for name in hospitals}
    names = {f"{hospital}/{file.name}" for hospital, files in found.items() for file in files}
    for name, path in other_tables(folder).items():
        problems += _check_other_table(name, Path(path), hospitals, names, units)
    if patients is not None:
        # What is still to be pulled lacks its pictures, and that is said already.
        for hospital in [h for h in hospitals if (folder / "dicom" / h).is_dir()]:
            problems += check_pictures(hospital, found[hospital], patients, needed_images, reading.at(folder, hospital))
    return pd.DataFrame(problems, columns=["file", *PROBLEM_COLUMNS, "cell"]).fillna({"cell": ""})


def _found(table: ClinicalTable) -> list[dict[str, object]]:
    rows = table.problems.assign(cell=list(table.cells)).to_dict("records")
    return [{"file": table.path.name, **row} for row in rows]


def _check_study_list(folder: Path) -> tuple[set[str], list[dict[str, object]]]:
    """Hospitals of ``studies.csv``, where there is one, and what is wrong with it."""
    path = table_path(folder, STUDY_LIST)
    if not path.exists():
        return set(), []
    try:
        lines = read_study_list(folder)
    except CohortError as error:
        return set(), [_problem(path.name, "unusable_table", error.message, error.remedy)]
    bad = Failure.BAD_LINE
    found = [
        _problem(path.name, bad.code, bad.sentence, bad.remedy, hospital=line.hospital) | {"row": line.line}
        for line in lines
        if not line.sound
    ]
    hospitals = {line.hospital for line in lines}
    absent = sorted(h for h in hospitals if not (folder / "dicom" / h).is_dir())
    if absent:
        problem = f"Nothing was pulled yet for {', '.join(absent)}."
        remedy = "Run make pull once config.yaml names your hospitals (docs/guide/pacs.md)."
        found.append(_problem(path.name, "not_pulled", problem, remedy))
    return hospitals, found


def _check_other_table(
    name: str, path: Path, hospitals: list[str], names: set[str], units: Sequence[GivenUnit]
) -> list[dict[str, object]]:
    """Problems of the measurements or the squares, and rows that name no picture."""
    try:
        table = examine_other_table(path, name, hospitals or None, units)
    except ClinicalTableError as error:
        return [_problem(path.name, "unusable_table", error.message, error.remedy)]
    return [*_found(table), *_absent_pictures(path.name, list(table.patients["file"]), names)]


def _absent_pictures(table: str, files: Sequence[str], names: set[str]) -> Iterable[dict[str, object]]:
    absent = [name for name in files if name not in names]
    if absent:
        yield _problem(
            table,
            "picture_missing",
            f"{_rows(len(absent), len(files))} a picture that is not there, such as {absent[0]}.",
            "Write the path below dicom/, with forward slashes: <hospital>/.../<file>.",
        )


def _rows(number: int, of: int) -> str:
    return "Its only row names" if of == 1 else f"{number} of {of} rows name"


def _problem(file: str, code: str, problem: str, remedy: str, **where: str) -> dict[str, object]:
    return {
        "file": file,
        "row": 0,
        "hospital": where.get("hospital", ""),
        "patient_id": where.get("patient_id", ""),
        "column": "",
        "effect": FLAGGED,
        "code": code,
        "problem": problem,
        "remedy": remedy,
        "cell": "",
    }


@dataclass
class LookedAt:
    """What was seen in a folder's pictures.

    ``sources`` say what states the full scale of each that can be used; ``unusable`` are the names of the others by
    reason; ``left`` is the number of files that were not opened for want of time.
    """

    sources: list[str] = field(default_factory=list)
    unusable: dict[Reason, list[str]] = field(default_factory=lambda: defaultdict(list))
    left: int = 0


def look_at_pictures(folder: Path, settings: IngestionSettings, seconds: float = LOOKING_SECONDS) -> LookedAt:
    """Judge pictures as ingestion does, squares of ``roi.csv`` included, whoever they are of.

    Parameters
    ----------
    folder : Path
        The cohort folder.
    settings : IngestionSettings
    seconds : float
        After these no other file is opened.
    """
    root, seen = folder / "dicom", LookedAt()
    end = time.monotonic() + seconds
    hospitals = sorted(p for p in root.iterdir() if p.is_dir()) if root.is_dir() else []
    with GuardedReader(settings.limits) as reader:
        for hospital in hospitals:
            of_hospital = settings.at(folder, hospital.name)
            squares = _squares(folder, hospital.name)
            for file in find_files(hospital, settings.limits.bytes_per_file):
                if time.monotonic() > end:
                    seen.left += 1
                    continue
                try:
                    if file.problem or reader.header(file) is None:
                        continue
                except Unusable:
                    # Said already: headers are read of all.
                    continue
                try:
                    square = hand_square(squares.get(file.name, {}))
                    images = frames_of(reader, file, of_hospital, square)
                    seen.sources.append(usable_picture(images, of_hospital, square).scale.source)
                except Unusable as unusable:
                    name = f"{hospital.name}/{file.name}"
                    detail = f": {unusable.detail}" if unusable.detail else ""
                    seen.unusable[unusable.reason].append(name + detail)
    return seen


def _squares(folder: Path, hospital: str) -> dict[str, dict[str, float]]:
    """Squares drawn by hand, by file; none where the table cannot be used, which is said elsewhere."""
    with contextlib.suppress(ClinicalTableError):
        return values_by_file(other_tables(folder).get("roi"), "roi", hospital)
    return {}


def unusable_text(seen: LookedAt) -> str:
    """Pictures that cannot be used, by reason in their order, each with what to do, for a terminal."""
    number = sum(len(names) for names in seen.unusable.values())
    looked = number + len(seen.sources)
    text = f"\nPictures that cannot be used: {number} of {looked} looked at.\n"
    for reason in sorted(seen.unusable, key=list(Reason).index):
        names = seen.unusable[reason]
        such = f"{len(names)}, such as {names[0]}" if len(names) > 1 else names[0]
        for words in (f"{reason.code} ({such}): {reason.sentence}", f"What to do: {reason.remedy}"):
            text += textwrap.indent(textwrap.fill(words, 96, subsequent_indent="  "), "  ") + "\n"
    return text


def _summary(
    folder: Path,
    problems: pd.DataFrame,
    enrolment: pd.DataFrame,
    reading: IngestionSettings,
) -> str:
    """The numbers that the study will say again in its report, zero included."""
    seen = look_at_pictures(folder, reading)
    none = problems.iloc[:0]
    sentences = doubts(problems, none, enrolment, pd.Series(seen.sources, dtype=str)).sentences()
    if seen.left:
        sentences[0] += f" {seen.left} files were not looked at, to save time; the study looks at all."
    said = "\nWhat is assumed, removed or doubted:\n" + "".join(f"  {s}\n" for s in sentences)
    return unusable_text(seen) + said


def main(arguments: list[str] | None = None) -> int:
    """Print the problems and the next step; status 1 if there are problems."""
    parser = argparse.ArgumentParser(prog="make check-data", description="Check a cohort folder before a study.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--images", type=int, help="pictures a patient needs, if not as many as the study asks for")
    parser.add_argument("--all", action="store_true", help="every problem, not ten of a kind")
    parser.add_argument("--design", default="", help="the study's, where config.yaml does not name it")
    options = parser.parse_args(arguments)
    fault: ConfigurationError | None = None
    units: tuple[GivenUnit, ...] = ()
    reading, needed = READING, NEEDED_IMAGES
    try:
        follow_design(CONFIGURATION, options.design)
        units = given_units(checked_section(CONFIGURATION, SCHEMA, "units", options.design))
        enrolment = checked_section(CONFIGURATION, SCHEMA, "enrolment", options.design)
        needed = int(enrolment.get("images_per_patient", NEEDED_IMAGES))
        reading = reading_settings()
    except ConfigurationError as error:
        fault = error
    problems = check_folder(options.folder, options.images or needed, units, reading)
    number = len(problems)
    stops = int(stopping(problems).sum())
    verdict = f"{number} problem{'s' * (number > 1)}" if number else "No problems found"
    verdict += f", {stops} of which stop{'s' * (stops == 1)} the study." if stops else "."
    sys.stdout.write(f"{problems_text(problems, None if options.all else SHOWN)}\n\n{options.folder}: {verdict}\n")
    sys.stdout.write(doubts_text(problems))
    try:
        patients, then = outlook(options.folder, problems, units, options.design)
        sys.stdout.write(_summary(options.folder, problems, patients, reading))
        sys.stdout.write(then)
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
