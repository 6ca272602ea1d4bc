"""From a hospital's folder to its shard: every picture stored, or rejected with a reason."""

import logging
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from tqdm import tqdm

from dlre_core.dicom.file_search import FoundFile, find_files
from dlre_core.dicom.guarded_reader import GuardedReader
from dlre_core.dicom.reader import Header
from dlre_core.dicom.reject_reasons import Reason, Unusable
from dlre_core.foundation.csv_tables import write_private_table, write_table
from dlre_core.foundation.errors import StoreMismatch
from dlre_core.foundation.job_log import bars_stand_on_the_terminal
from dlre_core.foundation.picture_store import write_shard
from dlre_core.ingestion.acquisition_table import (
    AcquisitionTable,
    MeasuredPicture,
    q_box_columns,
    q_box_disagrees,
)
from dlre_core.ingestion.hospital_files import HospitalFiles
from dlre_core.ingestion.memory import IngestionMemory
from dlre_core.ingestion.usable_picture import IngestionSettings
from dlre_core.patients.clinical_table import read_clinical
from dlre_core.patients.other_tables import values_by_file
from dlre_core.patients.pseudonyms import Pseudonymiser
from dlre_core.user_tables.units import GivenUnit

logger = logging.getLogger(__name__)

# Flag of a picture that somebody else's file shows as well.
OTHERS_TOO = "also_sent_for_another_patient"
NO_TIME = datetime(1900, 1, 1)
# Only in the list that stays with the hospital.
IGNORED = (
    "ignored",
    "No DICOM file, or the index of a medium.",
    "Nothing to do, unless it should be a picture.",
)
REJECT_COLUMNS = ["file", "hospital", "patient", "processing_stage", "code", "reason", "remedy"]
PRIVATE_COLUMNS = ["label", "file", "patient_id", "code", "reason", "remedy"]


@dataclass(frozen=True, slots=True)
class _Candidate:
    file: FoundFile
    header: Header
    patient_id: str

    @property
    def order(self) -> tuple[datetime, int, str]:
        return (self.header.acquired_at or NO_TIME, self.header.instance_number, self.file.name)


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
        job = _Hospital(hospital, pseudonymiser, settings.images_per_patient, files, table)
        known = None
        if given.clinical_csv is not None:
            patients = read_clinical(given.clinical_csv, units=units).patients
            known = set(patients.loc[patients["hospital"] == hospital, "patient_id"])
        job.match_files(find_files(given.pictures, settings.limits.bytes_per_file), known)
        write_shard(written.shard, job.pictures())
        table.finish()
        rejects = pd.DataFrame(job.rejects, columns=REJECT_COLUMNS)
        write_table(rejects.sort_values("file", ignore_index=True), written.rejects_csv)
        write_table(pd.DataFrame([job.counts()]), written.counts_csv)
        remembered.save(written.shard, list(job.stored))
    write_private_table(written.private_map_csv, PRIVATE_COLUMNS, job.private)
    logger.info(
        "hospital %s: %d files found, %d pictures stored, %d rejected, %d ignored (not DICOM)",
        *job.counts().values(),
    )
    sources = table.scale_sources
    logger.info(
        "hospital %s: full scale stated by %d files and %d labels, taken as configured for %d pictures",
        *(hospital, sources["file"], sources["label"], sources["configured"]),
    )
    for code, number in sorted(Counter(row["code"] for row in job.rejects).items()):
        logger.info("hospital %s: %d rejected as %s", hospital, number, code)


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
        images_per_patient: int,
        files: HospitalFiles,
        table: AcquisitionTable,
    ) -> None:
        self.hospital, self.pseudonymiser = hospital, pseudonymiser
        self.images_per_patient, self.files = images_per_patient, files
        self.found = self.ignored = 0
        self.table = table
        self.rejects: list[dict[str, str]] = []
        self.private: list[tuple[str, ...]] = []
        self.candidates: dict[str, list[_Candidate]] = defaultdict(list)
        # Row and patient of each stored picture, by its pixels.
        self.stored: dict[str, tuple[int, str]] = {}

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

    def reject(self, file: FoundFile, reason: Reason, patient_id: str = "") -> None:
        """Put a file on the reject list, under a label that tells nobody its name."""
        label = self.pseudonymiser.file(self.hospital, file.name)
        patient = self.pseudonymiser.patient(self.hospital, patient_id) if patient_id else ""
        values = (label, self.hospital, patient, reason.processing_stage, reason.code)
        self.rejects.append(dict(zip(REJECT_COLUMNS, (*values, reason.sentence, reason.remedy), strict=True)))
        named = (label, file.name, patient_id, reason.code, reason.sentence, reason.remedy)
        self.private.append(named)

    def match_files(self, files: Iterator[FoundFile], known: set[str] | None) -> None:
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
                patient = self._patient(file, header, known)
            except Unusable as unusable:
                self.reject(file, unusable.reason)
                continue
            by_uid[header.sop_instance_uid or file.name].append(_Candidate(file, header, patient))
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
            for candidate in sorted(self.candidates.pop(patient_id), key=lambda c: c.order):
                if taken == self.images_per_patient:
                    self.reject(candidate.file, Reason.SURPLUS, patient_id)
                    continue
                try:
                    picture = self.files.measured(candidate.file)
                    self._refuse_known(picture, patient_id)
                except Unusable as unusable:
                    self.reject(candidate.file, unusable.reason, patient_id)
                    continue
                taken += 1
                row = self._row(candidate, picture, taken)
                self.stored[picture.digest] = len(self.table), patient_id
                self.table.add(row)
                yield str(row["image_id"]), picture.screen

    def _patient(self, file: FoundFile, header: Header, known: set[str] | None) -> str:
        """Whose picture it is, by the file's Patient ID and by the folders' names."""
        if known is None:
            named = {examination_named(header, file)} - {""}
        else:
            named = {name for name in (header.patient_id, *file.folders) if name in known}
        if len(named) == 1:
            return named.pop()
        if named:
            raise Unusable(Reason.TWO_PATIENTS)
        # What a picture is matters more to the user than whose it is not.
        self.files.judge(file)
        raise Unusable(Reason.NO_PATIENT)

    def _image_id(self, candidate: _Candidate, frame: int) -> str:
        uid = candidate.header.sop_instance_uid or candidate.file.name
        return self.pseudonymiser.image(self.hospital, uid, frame)

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
        kept = left[:1]
        reason = Reason.DUPLICATE
        if len({candidate.patient_id for candidate in left}) > 1:
            kept, reason = [], Reason.TWO_PATIENTS
        elif len(readable) > 1:
            kept, reason = [], Reason.CONFLICT
        for candidate in left[len(kept) :]:
            none = reason is Reason.CONFLICT and not self._is_elastogram(candidate.file)
            self.reject(candidate.file, Reason.NO_ELASTOGRAM if none else reason, candidate.patient_id)
        return kept

    def _is_elastogram(self, file: FoundFile) -> bool:
        try:
            self.files.judge(file)
        except Unusable as unusable:
            return unusable.reason is not Reason.NO_ELASTOGRAM
        return True

    def _refuse_known(self, picture: MeasuredPicture, patient_id: str) -> None:
        """Refuse a picture that is stored already, under whatever UID and for whomever."""
        if picture.digest not in self.stored:
            return
        row, owner = self.stored[picture.digest]
        if owner == patient_id:
            raise Unusable(Reason.DUPLICATE)
        self.table.flag(row, OTHERS_TOO)
        raise Unusable(Reason.TWO_PATIENTS)

    def _row(self, candidate: _Candidate, picture: MeasuredPicture, number: int) -> dict[str, object]:
        """One line of acquisitions.csv."""
        key, when = (self.hospital, candidate.patient_id), candidate.header.acquired_at
        flags = {
            "no_time": when is None,
            "clip_cut_off": not picture.complete,
            "q_box_disagrees": q_box_disagrees(picture.given, picture.measured, self.files.settings),
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
