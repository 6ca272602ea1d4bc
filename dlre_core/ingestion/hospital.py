"""From a hospital's folder to its shard: every picture stored, or rejected with a reason."""

import contextlib
import logging
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import chain, zip_longest
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from tqdm import tqdm

from dlre_core.dicom.file_search import FoundFile, find_files
from dlre_core.dicom.guarded_reader import GuardedReader
from dlre_core.dicom.reader import Header
from dlre_core.dicom.reject_reasons import COUNTED_INSTEAD, Reason, Unusable
from dlre_core.foundation.csv_tables import write_private_table, write_table
from dlre_core.foundation.errors import StoreMismatch
from dlre_core.foundation.job_log import bars_stand_on_the_terminal
from dlre_core.foundation.picture_store import write_shard
from dlre_core.foundation.study_terms import UNKNOWN_SCALE_SOURCE
from dlre_core.ingestion.acquisition_table import (
    AcquisitionTable,
    MeasuredPicture,
    q_box_columns,
    q_box_disagrees,
)
from dlre_core.ingestion.flags import OTHERS_TOO, QUALITY_UNKNOWN, SCALE_UNKNOWN, SQUARE_BY_HAND, UNDATED
from dlre_core.ingestion.hospital_files import HospitalFiles
from dlre_core.ingestion.memory import IngestionMemory
from dlre_core.ingestion.repeated_acquisitions import (
    Fingerprint,
    fingerprint_of_text,
    same_acquisition,
)
from dlre_core.ingestion.square_by_hand import SOURCE
from dlre_core.ingestion.usable_picture import IngestionSettings
from dlre_core.patients.clinical_table import read_clinical
from dlre_core.patients.other_tables import values_by_file
from dlre_core.patients.pseudonyms import Pseudonymiser
from dlre_core.user_tables.units import GivenUnit

logger = logging.getLogger(__name__)

NO_TIME = datetime(1900, 1, 1)
# So many different pictures with one UID are no slip of a hand.
PICTURES_OF_AN_ANONYMISER = 3
# Only in the list that stays with the hospital.
IGNORED = (
    "ignored",
    "Neither a DICOM file nor a PNG, JPEG, BMP or TIFF picture, or the index of a medium.",
    "Nothing to do, unless it should be a picture.",
)
REJECT_COLUMNS = ["file", "hospital", "patient", "processing_stage", "code", "reason", "remedy"]
PRIVATE_COLUMNS = ["label", "file", "patient_id", "code", "reason", "remedy"]


@dataclass(frozen=True, slots=True)
class _Candidate:
    file: FoundFile
    header: Header
    patient_id: str
    # Where the hospital's table gives one.
    acquisition_number: float = math.inf

    @property
    def order(self) -> tuple[object, ...]:
        when, number = self.header.acquired_at or NO_TIME, self.header.instance_number
        return (when, number, self.acquisition_number, natural_order(self.file.name))


def natural_order(name: str) -> tuple[object, ...]:
    """Sorts names as people do: runs of digits by their number.

    Examples
    --------
    >>> sorted(["p/10.png", "p/9.png", "p/b.png"], key=natural_order)
    ['p/9.png', 'p/10.png', 'p/b.png']
    """
    parts = re.split("([0-9]+)", name)
    # Not as numbers: a name in an archive may be longer than any that Python converts.
    digits = (part.lstrip("0") for part in parts[1::2])
    return (*chain.from_iterable(zip_longest(parts[::2], ((len(d), d) for d in digits), fillvalue=(0, ""))), name)


@dataclass(frozen=True)
class HospitalFolder:
    """What a hospital sent.

    Attributes
    ----------
    hospital : str
        Its code.
    pictures : path
        ``dicom/<hospital>/``.
    clinical_csv, measurements_csv, roi_csv : path or None
        The cohort's tables. Without a clinical table every examination of everybody whom a file's Patient ID names is
        a patient, and where it names nobody, of the folder that the file lies in.
    """

    hospital: str
    pictures: str | Path
    clinical_csv: str | Path | None = None
    measurements_csv: str | Path | None = None
    roi_csv: str | Path | None = None


@dataclass(frozen=True)
class IngestedFiles:
    """What ingestion writes of a hospital.

    Attributes
    ----------
    shard, acquisitions_csv, rejects_csv, counts_csv : path
        Columns in docs/reference/files_between_rules.md. The reject list names files by keyed labels.
    private_map_csv : path
        Written with mode 0600, outside results: the reject list with true names, and what was ignored.
    """

    shard: str | Path
    acquisitions_csv: str | Path
    rejects_csv: str | Path
    counts_csv: str | Path
    private_map_csv: str | Path


@dataclass(slots=True)
class _Saved:
    """A usable picture of a patient."""

    candidate: _Candidate
    picture: MeasuredPicture
    fingerprint: Fingerprint

    @property
    def rank(self) -> tuple[object, ...]:
        """Of pictures of one acquisition the one with the lowest counts (docs/reference/examinations.md)."""
        columns, given = self.picture.columns, self.picture.given
        return (
            not q_box_columns(given, self.picture.measured)["q_box_source"],
            given["roi_row"] is None,
            self.candidate.header.derived,
            -int(columns["height"]) * int(columns["width"]),
            self.candidate.header.lossy,
            columns["layout_source"] != "regions",
            self.candidate.order,
        )

    def shows_the_same_as(self, other: "_Saved") -> bool:
        return self.picture.digest == other.picture.digest or same_acquisition(self.fingerprint, other.fingerprint)


def ingest_hospital(
    given: HospitalFolder,
    written: IngestedFiles,
    pseudonymiser: Pseudonymiser,
    settings: IngestionSettings,
    units: Sequence[GivenUnit] = (),
    *,
    memory: str | Path | None = None,
    version: str = "",
) -> None:
    """Read one hospital's pictures into its shard.

    Parameters
    ----------
    given : HospitalFolder
    written : IngestedFiles
    pseudonymiser : Pseudonymiser
    settings : IngestionSettings
    units : sequence of GivenUnit, optional
        Units that the user gave for columns of the tables.
    memory : path, optional
        Of `dlre_core.ingestion.memory`, outside results: files known from there are not read again.
    version : str
        Digest of the code, on which the memory depends.

    Raises
    ------
    ClinicalTableError
        If a table cannot be used at all.
    StoreMismatch
        If files found are not files stored, rejected and ignored: a fault of the program.
    """
    hospital = given.hospital
    known_by = f"{version} {settings}"
    with (
        GuardedReader(settings.limits) as reader,
        IngestionMemory(memory, known_by) as remembered,
        AcquisitionTable(written.acquisitions_csv) as table,
    ):
        tables = (
            values_by_file(given.measurements_csv, "measurements", hospital, units),
            values_by_file(given.roi_csv, "roi", hospital),
        )
        files = HospitalFiles(reader, remembered, settings, *tables)
        known = None if given.clinical_csv is None else examination_days(given.clinical_csv, hospital, units)
        job = _Hospital(hospital, pseudonymiser, files, table, known)
        job.match_files(find_files(given.pictures, settings.limits.bytes_per_file))
        write_shard(written.shard, job.pictures())
        table.finish()
        rejects = pd.DataFrame(job.rejects, columns=REJECT_COLUMNS)
        write_table(rejects.sort_values("file", ignore_index=True), written.rejects_csv)
        write_table(pd.DataFrame([job.counts()]), written.counts_csv)
        remembered.save(written.shard, list(job.stored))
    write_private_table(written.private_map_csv, PRIVATE_COLUMNS, job.private)
    logger.info(
        "hospital %s: %d files found, %d pictures stored, %d rejected, %d ignored (no pictures)",
        *job.counts().values(),
    )
    sources = table.scale_sources
    logger.info(
        "hospital %s: scale stated by %d files, %d labels and the profiles of %d pictures, unknown of %d",
        *(hospital, *(sources[name] for name in ("file", "label", "profile", UNKNOWN_SCALE_SOURCE))),
    )
    for code, number in sorted(Counter(row["code"] for row in job.rejects).items()):
        logger.info("hospital %s: %d rejected as %s", hospital, number, code)


def examination_days(
    clinical_csv: str | Path, hospital: str, units: Sequence[GivenUnit] = ()
) -> dict[str, date | None]:
    """The day of the examination of every patient of a hospital, by patient id; None where it is unknown.

    Raises
    ------
    ClinicalTableError
        If the table cannot be used at all.
    """
    patients = read_clinical(clinical_csv, units=units).patients
    here = patients[patients["hospital"] == hospital]
    return {
        row.patient_id: row.elastography_date if isinstance(row.elastography_date, date) else None
        for row in here.itertuples()
    }


def patient_named(header: Header, file: FoundFile) -> str:
    """Whom a file names where no clinical table does: its Patient ID, else its folder; may be empty."""
    return header.patient_id or "".join(file.folders[-1:])


def examination_named(header: Header, file: FoundFile) -> str:
    """Whose and which examination it is where no clinical table says who there is; empty where nobody is named.

    People with one Patient ID and examinations of one patient are kept apart: by the study's UID, or the folder where
    there is none, and by name and date of birth.
    """
    patient = patient_named(header, file)
    study = header.study_instance_uid or "/".join(file.folders)
    return f"{patient}, examination {study} {header.person}" if patient else ""


class _Hospital:
    """State of one hospital's ingestion."""

    def __init__(
        self,
        hospital: str,
        pseudonymiser: Pseudonymiser,
        files: HospitalFiles,
        table: AcquisitionTable,
        examined: Mapping[str, date | None] | None,
    ) -> None:
        self.hospital, self.pseudonymiser, self.files = hospital, pseudonymiser, files
        self.settings, self.table = files.settings, table
        # Day of the examination of every known patient; None without a clinical table.
        self.examined = examined
        self.found = self.ignored = 0
        self.rejects: list[dict[str, str]] = []
        self.private: list[tuple[str, ...]] = []
        self.candidates: dict[str, list[_Candidate]] = defaultdict(list)
        # By their pixels: rows of stored pictures, and patients of those that are usable and not stored.
        self.stored: dict[str, int] = {}
        self.left_out: dict[str, str] = {}

    def counts(self) -> dict[str, object]:
        """Numbers of files, which close.

        Raises
        ------
        StoreMismatch
            If they do not.
        """
        numbers = {"images_stored": len(self.table), "rejected": len(self.rejects), "ignored": self.ignored}
        if self.found != sum(numbers.values()):
            raise StoreMismatch(f"Hospital {self.hospital}: {self.found} files were found, but {numbers}.")
        return {"hospital": self.hospital, "files_found": self.found, **numbers}

    def reject(
        self,
        file: FoundFile,
        reason: Reason,
        patient_id: str = "",
        instead: FoundFile | None = None,
        detail: str = "",
    ) -> None:
        """Put a file on the reject list, under a label that hides its name; name the one that counts ``instead``."""
        label = self.pseudonymiser.file(self.hospital, file.name)
        told = named = f"{reason.sentence} {detail}".rstrip()
        if instead is not None:
            told += f"{COUNTED_INSTEAD}{self.pseudonymiser.file(self.hospital, instead.name)}."
            named += f"{COUNTED_INSTEAD}{instead.name}."
        patient = self.pseudonymiser.patient(self.hospital, patient_id) if patient_id else ""
        values = (label, self.hospital, patient, reason.processing_stage, reason.code)
        self.rejects.append(dict(zip(REJECT_COLUMNS, (*values, told, reason.remedy), strict=True)))
        self.private.append((label, file.name, patient_id, reason.code, named, reason.remedy))

    def match_files(self, files: Iterator[FoundFile]) -> None:
        """Sort files into patients by header; reject or ignore what is no patient's picture."""
        by_uid: dict[str, list[_Candidate]] = defaultdict(list)
        for file in files:
            self.found += 1
            try:
                header = self.files.header(file)
                if header is None:
                    self.ignored += 1
                    label = self.pseudonymiser.file(self.hospital, file.name)
                    self.private.append((label, file.name, "", *IGNORED))
                    continue
                patient = self._patient(file, header)
            except Unusable as unusable:
                self.reject(file, unusable.reason, detail=unusable.detail)
                continue
            candidate = _Candidate(file, header, patient, self.files.acquisition_number(file))
            by_uid[self._uid(candidate)].append(candidate)
        for candidates in by_uid.values():
            for candidate in self._one_of(candidates):
                self.candidates[candidate.patient_id].append(candidate)

    def pictures(self) -> Iterator[tuple[str, NDArray[np.uint8]]]:
        """Yield id and blanked picture of each that is stored, patients in order of pseudonym."""
        order = sorted(self.candidates, key=lambda p: self.pseudonymiser.patient(self.hospital, p))
        for patient_id in tqdm(
            order,
            desc=f"hospital {self.hospital}",
            unit="patient",
            disable=bars_stand_on_the_terminal() or None,
        ):
            taken = 0
            # Taken out, so that headers make room for rows.
            for saved in self._acquisitions(patient_id, self.candidates.pop(patient_id)):
                try:
                    picture = saved.picture
                    if picture.screen is None:
                        picture = self.files.measured(saved.candidate.file)
                except Unusable as unusable:
                    self.reject(saved.candidate.file, unusable.reason, patient_id, detail=unusable.detail)
                    continue
                taken += 1
                row = self._row(saved.candidate, picture, taken)
                self.stored[picture.digest] = len(self.table)
                self.table.add(row)
                if self.left_out.get(picture.digest, patient_id) != patient_id:
                    self.table.flag(len(self.table) - 1, OTHERS_TOO)
                yield str(row["image_id"]), picture.screen

    def _acquisitions(self, patient_id: str, candidates: Sequence[_Candidate]) -> list[_Saved]:
        """The patient's acquisitions that count, each in the picture that counts; all others are rejected."""
        counted = self.settings.images_per_patient
        several = self._several_examinations(patient_id, candidates)
        acquisitions: list[list[_Saved]] = []
        for candidate in sorted(candidates, key=lambda c: c.order):
            try:
                picture = self.files.measured(candidate.file, needs_screen=False)
            except Unusable as unusable:
                full = len(acquisitions) >= counted
                reason, detail = (Reason.SURPLUS, "") if full else (unusable.reason, unusable.detail)
                self.reject(candidate.file, reason, patient_id, detail=detail)
                continue
            try:
                self._refuse_known(picture)
                self._refuse_other_examination(candidate, several)
            except Unusable as unusable:
                self._leave_out(candidate, picture, unusable.reason)
                continue
            saved = _Saved(candidate, picture, fingerprint_of_text(picture.fingerprint))
            same = next((a for a in acquisitions if any(map(saved.shows_the_same_as, a))), None)
            if same is not None:
                same.append(saved)
                same.sort(key=lambda one: one.rank)
                # One picture of each is held.
                for other in same[1:]:
                    other.picture = replace(other.picture, screen=None)
            elif len(acquisitions) < counted:
                acquisitions.append([saved])
            else:
                self._leave_out(candidate, picture, Reason.SURPLUS)
        for best, *others in acquisitions:
            for other in others:
                exact = other.picture.digest == best.picture.digest
                reason = Reason.DUPLICATE if exact else Reason.SAME_ACQUISITION
                instead = None if exact else best.candidate.file
                self._leave_out(other.candidate, other.picture, reason, instead)
        return [best for best, *_ in acquisitions]

    def _leave_out(
        self,
        candidate: _Candidate,
        picture: MeasuredPicture,
        reason: Reason,
        instead: FoundFile | None = None,
    ) -> None:
        """Reject a usable picture, and remember whose it was: somebody else's file may show it as well."""
        self.reject(candidate.file, reason, candidate.patient_id, instead)
        self.left_out.setdefault(picture.digest, candidate.patient_id)

    def _several_examinations(self, patient_id: str, candidates: Sequence[_Candidate]) -> bool:
        """Whether usable pictures are of several examinations, and nothing says which one counts."""
        if self._examined(patient_id) is not None:
            return False
        if not self._apart([c.header.examined_on for c in candidates]):
            return False
        days = []
        for candidate in candidates:
            with contextlib.suppress(Unusable):
                self.files.measured(candidate.file, needs_screen=False)
                days.append(candidate.header.examined_on)
        return self._apart(days)

    def _examined(self, patient_id: str) -> date | None:
        return (self.examined or {}).get(patient_id)

    def _apart(self, days: Sequence[date | None]) -> bool:
        """Whether days are further apart than those of one examination; unknown ones aside."""
        known = [day for day in days if day is not None]
        limit = self.settings.maximum_days_from_elastography
        return bool(known) and (max(known) - min(known)).days > limit

    def _refuse_other_examination(self, candidate: _Candidate, several: bool) -> None:
        day = candidate.header.examined_on
        if several and day is not None:
            raise Unusable(Reason.SEVERAL_EXAMINATIONS)
        if self._apart([day, self._examined(candidate.patient_id)]):
            raise Unusable(Reason.OTHER_EXAMINATION)

    def _patient(self, file: FoundFile, header: Header) -> str:
        """Whose picture it is, by the file's Patient ID and by the folders' names."""
        if self.examined is None:
            named = {examination_named(header, file)} - {""}
        else:
            names = (header.patient_id, *file.folders)
            named = {name for name in names if name in self.examined}
        if len(named) == 1:
            return named.pop()
        if named:
            raise Unusable(Reason.TWO_PATIENTS)
        # What a picture is matters more to the user than whose it is not.
        self.files.judge(file)
        raise Unusable(Reason.NO_PATIENT)

    def _uid(self, candidate: _Candidate) -> str:
        """What tells a file apart: its SOP Instance UID, or where that is none or not to be trusted, its name."""
        uid = candidate.header.sop_instance_uid if self.settings.trust_uids else ""
        return uid or candidate.file.name

    def _image_id(self, candidate: _Candidate, frame: int) -> str:
        return self.pseudonymiser.image(self.hospital, self._uid(candidate), frame)

    def _one_of(self, candidates: Sequence[_Candidate]) -> Sequence[_Candidate]:
        """Of files with one SOP Instance UID: the first, if all show the same; else none."""
        if len(candidates) == 1:
            return candidates
        readable: dict[str, list[_Candidate]] = defaultdict(list)
        for candidate in candidates:
            try:
                content = self.files.content(candidate.file)
            except Unusable as unusable:
                self.reject(candidate.file, unusable.reason, candidate.patient_id)
                continue
            readable[content].append(candidate)
        left = [candidate for group in readable.values() for candidate in group]
        # Of files that show the same, the one that the hospital measured.
        left.sort(key=lambda candidate: not self.files.named(candidate.file))
        kept = left[:1]
        reason = Reason.DUPLICATE
        if len(readable) >= PICTURES_OF_AN_ANONYMISER:
            kept, reason = [], Reason.CONSTANT_UID
        elif len({candidate.patient_id for candidate in left}) > 1:
            kept, reason = [], Reason.TWO_PATIENTS
        elif len(readable) > 1:
            kept, reason = [], Reason.CONFLICT
        for candidate in left[len(kept) :]:
            clash = reason in (Reason.CONFLICT, Reason.CONSTANT_UID)
            none = clash and not self._is_elastogram(candidate.file)
            self.reject(candidate.file, Reason.NO_ELASTOGRAM if none else reason, candidate.patient_id)
        return kept

    def _is_elastogram(self, file: FoundFile) -> bool:
        try:
            self.files.judge(file)
        except Unusable as unusable:
            return unusable.reason is not Reason.NO_ELASTOGRAM
        return True

    def _refuse_known(self, picture: MeasuredPicture) -> None:
        """Refuse a picture that is stored already for another patient, under whatever UID."""
        if picture.digest not in self.stored:
            return
        self.table.flag(self.stored[picture.digest], OTHERS_TOO)
        raise Unusable(Reason.TWO_PATIENTS)

    def _row(self, candidate: _Candidate, picture: MeasuredPicture, number: int) -> dict[str, object]:
        """One line of acquisitions.csv."""
        key, when = (self.hospital, candidate.patient_id), candidate.header.acquired_at
        flags = {
            UNDATED: when is None,
            "clip_cut_off": not picture.complete,
            SQUARE_BY_HAND: picture.columns["layout_source"] == SOURCE,
            QUALITY_UNKNOWN: math.isnan(float(picture.columns["fill_fraction"])),
            "q_box_disagrees": q_box_disagrees(
                picture.given,
                picture.measured,
                self.settings.q_box_tolerance,
                float(picture.columns["scale_maximum_kpa"]),
            ),
            SCALE_UNKNOWN: picture.columns["scale_source"] == UNKNOWN_SCALE_SOURCE,
        }
        return {
            "image_id": self._image_id(candidate, picture.columns["frame"]),
            "hospital": self.hospital,
            "patient": self.pseudonymiser.patient(*key),
            "acquisition": number,
            # Without the time of day, which together with others can tell who it was.
            "acquired_on": self.pseudonymiser.shift(when.date(), *key).isoformat() if when else "",
            **picture.columns,
            "flags": ";".join(flag for flag, raised in flags.items() if raised),
            **q_box_columns(picture.given, picture.measured),
        }
