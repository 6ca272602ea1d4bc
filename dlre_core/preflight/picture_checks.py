"""What a check of a cohort folder says of its pictures, by their headers."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date

import pandas as pd

from dlre_core.dicom.decoder_process import Archives, opened
from dlre_core.dicom.file_search import FoundFile
from dlre_core.dicom.guarded_reader import GuardedReader
from dlre_core.dicom.picture_files import file_header, is_named_as_picture
from dlre_core.dicom.reader import Header, ReadLimits
from dlre_core.dicom.reject_reasons import Reason, Unusable
from dlre_core.ingestion.hospital import PICTURES_OF_AN_ANONYMISER
from dlre_core.ingestion.usable_picture import IngestionSettings, pixel_digest


def check_pictures(
    hospital: str,
    files: Sequence[FoundFile],
    patients: pd.DataFrame,
    needed: int,
    settings: IngestionSettings,
) -> Iterator[dict[str, object]]:
    """Findings on a hospital's pictures, by their headers alone.

    Parameters
    ----------
    hospital : str
    files : sequence of FoundFile
    patients : DataFrame
        Usable rows of ``clinical.csv``.
    needed : int
        Pictures a patient needs to be enrolled.
    settings : IngestionSettings

    Yields
    ------
    dict
        A row of `dlre_core.preflight.folder_check.check_folder`.
    """
    here = patients[patients["hospital"] == hospital]
    days = dict(zip(here["patient_id"], here["elastography_date"], strict=True))
    where = f"dicom/{hospital}/"
    archives = Archives(settings.limits)
    pictures: dict[str, list[Header]] = defaultdict(list)
    strangers: Counter[str] = Counter()
    by_uid: dict[str, list[FoundFile]] = defaultdict(list)
    unread: dict[Reason, list[str]] = defaultdict(list)
    for file in files:
        try:
            header = _header(file, archives)
        except Unusable as unusable:
            unread[unusable.reason].append(file.name)
            continue
        if header is None:
            continue
        if header.sop_instance_uid:
            by_uid[header.sop_instance_uid].append(file)
        match = next((name for name in (header.patient_id, *file.folders) if name in days), None)
        if match is None:
            strangers[header.patient_id or next(iter(file.folders), "")] += 1
        else:
            pictures[match].append(header)
    for reason, names in unread.items():
        problem = f"{len(names)} not read, such as {names[0]}. {reason.sentence}"
        yield _finding(where, reason.code, problem, reason.remedy, hospital=hospital)
    if not pictures and not strangers:
        yield _finding(
            where,
            "no_pictures",
            f"The folder holds no picture, neither DICOM nor PNG, JPEG, BMP or TIFF "
            f"({len(files)} files of other kinds).",
            "Put the hospital's export there; or delete the folder.",
            hospital=hospital,
        )
    if settings.trust_uids:
        yield from _shared_uids(hospital, by_uid, settings.limits)
    for patient, number in sorted(strangers.items()):
        yield _finding(
            where,
            "pictures_without_patient",
            f"{number} pictures belong to {patient or 'nobody'}, who has no usable row in clinical.csv.",
            "Add the patient's row to clinical.csv, correct patient_id so that it equals Patient ID in the pictures, "
            "or of PNG, JPEG, BMP and TIFF files their folder's name, or put right why the row was rejected.",
            hospital=hospital,
            patient_id=patient,
        )
    for patient in sorted(days):
        who = {"hospital": hospital, "patient_id": patient}
        examined = days[patient] if isinstance(days[patient], date) else None
        found = pictures[patient]
        counting = of_the_examination(
            [header.examined_on for header in found],
            examined,
            settings.maximum_days_from_elastography,
        )
        number = sum(counting)
        if number < len(found):
            reason = Reason.SEVERAL_EXAMINATIONS if examined is None else Reason.OTHER_EXAMINATION
            others = sorted({str(h.examined_on) for h, counts in zip(found, counting, strict=True) if not counts})
            problem = (
                f"{len(found) - number} of {len(found)} pictures of {patient} are of {', '.join(others)}; "
                f"elastography_date is {examined or 'unknown'}."
            )
            yield _finding(where, reason.code, problem, reason.remedy, **who)
        undated = sum(header.examined_on is None for header in found)
        if undated:
            problem = f"{undated} of {len(found)} pictures of {patient} have no date: of which examination are they?"
            remedy = "See whether they are of elastography_date; they are used, with the flag no_time."
            yield _finding(where, "no_date", problem, remedy, **who)
        if number < needed:
            yield _finding(
                where,
                "too_few_pictures",
                f"{patient} has {number} pictures{' of the examination' * (number < len(found))}; {needed} are needed.",
                "Add the missing pictures; without them the patient is excluded.",
                **who,
            )


def of_the_examination(days: Sequence[date | None], examined: date | None, most_days: int) -> list[bool]:
    """Which pictures belong to the examination of the clinical row, by their days; an unknown day belongs.

    Examples
    --------
    >>> first, later = date(2016, 3, 2), date(2017, 3, 2)
    >>> of_the_examination([first, later, None], first, 7)
    [True, False, True]
    >>> of_the_examination([first, later, None], None, 7)
    [False, False, True]
    """
    known = [day for day in days if day is not None]
    if examined is None:
        several = bool(known) and (max(known) - min(known)).days > most_days
        return [day is None or not several for day in days]
    return [day is None or abs((day - examined).days) <= most_days for day in days]


def doubts_text(problems: pd.DataFrame) -> str:
    """What a check doubts of pictures, each with its number, zero included, for a terminal.

    Parameters
    ----------
    problems : DataFrame
        As `dlre_core.preflight.folder_check.check_folder` returns it.
    """
    codes = problems["code"].value_counts()
    numbers = {
        "Patients with pictures without a date, of which nobody knows the examination": ("no_date",),
        "Patients with pictures of another examination, which do not count": (
            Reason.OTHER_EXAMINATION.code,
            Reason.SEVERAL_EXAMINATIONS.code,
        ),
        "SOP Instance UIDs that an anonymiser gave to several pictures": (Reason.CONSTANT_UID.code,),
    }
    lines = (f"  {words}: {sum(int(codes.get(code, 0)) for code in found)}.\n" for words, found in numbers.items())
    return "\nPictures:\n" + "".join(lines)


def _header(file: FoundFile, archives: Archives) -> Header | None:
    """None where the file is neither DICOM nor a picture, and is not named as one."""
    if file.problem is not None:
        raise Unusable(file.problem)
    try:
        with opened({"path": str(file.path), "member": file.member}, archives) as stream:
            header = file_header(stream)
    except OSError:
        raise Unusable(Reason.UNREADABLE_FILE) from None
    if header is None and is_named_as_picture(file.name):
        raise Unusable(Reason.NOT_WHAT_IT_SAYS)
    return header


def _shared_uids(
    hospital: str, by_uid: Mapping[str, Sequence[FoundFile]], limits: ReadLimits
) -> Iterator[dict[str, object]]:
    """UIDs that an anonymiser gave to several pictures."""
    reason = Reason.CONSTANT_UID
    shared = [files for files in by_uid.values() if len(files) >= PICTURES_OF_AN_ANONYMISER and _differ(files, limits)]
    for files in shared:
        problem = (
            f"{len(files)} files have one SOP Instance UID, such as {files[0].name} and {files[1].name}, "
            "and differ: an anonymiser wrote it."
        )
        yield _finding(f"dicom/{hospital}/", reason.code, problem, reason.remedy, hospital=hospital)


def _differ(files: Sequence[FoundFile], limits: ReadLimits) -> bool:
    """Whether so many files show different pictures, as ingestion sees it, that no slip of a hand explains it."""
    seen: set[str] = set()
    with GuardedReader(limits) as reader:
        for file in files:
            try:
                seen.add(";".join(pixel_digest(image.pixels) for image in reader.images(file)))
            except Unusable:
                continue
            if len(seen) >= PICTURES_OF_AN_ANONYMISER:
                return True
    return False


def _finding(
    file: str, code: str, problem: str, remedy: str, *, hospital: str, patient_id: str = ""
) -> dict[str, object]:
    return {
        "file": file,
        "row": 0,
        "hospital": hospital,
        "patient_id": patient_id,
        "column": "",
        "effect": "flagged",
        "code": code,
        "problem": problem,
        "remedy": remedy,
    }
