"""From a hospital's folder to its shard: every picture stored, or rejected with a reason."""

import hashlib
import logging
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlre_core.clinical import read_clinical
from dlre_core.contract import MEASUREMENT_COLUMNS
from dlre_core.deidentify import Pseudonymiser, blank_identity
from dlre_core.dicom import Header, ReadLimits, SweImage, read_dicom, read_header
from dlre_core.elastogram import BoxQuality, box_quality, find_layout
from dlre_core.errors import ClinicalTableError, MissingRegion, StoreMismatch, UnreadableDicom
from dlre_core.found_files import FoundFile, find_files
from dlre_core.layout import Rectangle, ScreenLayout
from dlre_core.rejects import Reason
from dlre_core.roi import find_square
from dlre_core.store import write_shard
from dlre_core.tabular import write_table

logger = logging.getLogger(__name__)

NO_TIME = datetime(1900, 1, 1)
Q_BOX_COLUMNS = [
    "q_box_mean_kpa",
    "q_box_min_kpa",
    "q_box_max_kpa",
    "q_box_sd_kpa",
    "q_box_diameter_mm",
]
ACQUISITION_COLUMNS = [
    "image_id", "hospital", "patient", "acquisition", "acquired_at", "height", "width", "frame", "frames",
    *(f"{part}_{side}" for part in ("top_picture", "box", "bottom_picture")
      for side in ("left", "top", "right", "bottom")),
    "pixel_spacing_mm", "layout_source", "scale_maximum_kpa", "opacity", "transfer_syntax",
    "photometric_interpretation", "fill_fraction", "saturated_fraction", "flags", "pixel_digest",
    *Q_BOX_COLUMNS, "q_box_source", "roi_row", "roi_column", "roi_size",
]  # fmt: skip
REJECT_COLUMNS = ["file", "hospital", "patient", "processing_stage", "code", "reason", "remedy"]


@dataclass(frozen=True)
class IngestionSettings:
    """Limits of quality and reading; the meaning of each is in ``config.yaml``."""

    images_per_patient: int = 5
    scale_maximum_kpa: float = 40.0
    minimum_fill: float = 0.5
    maximum_saturated: float = 0.9
    limits: ReadLimits = field(default_factory=ReadLimits)


class _Rejected(Exception):
    """Control flow inside this module: a picture is not used, for a reason."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.code)
        self.reason = reason


@dataclass(frozen=True)
class _Candidate:
    file: FoundFile
    header: Header
    patient_id: str

    @property
    def order(self) -> tuple[datetime, int, str]:
        return (self.header.acquired_at or NO_TIME, self.header.instance_number, self.file.name)


@dataclass(frozen=True)
class _Picture:
    """The frame of a file that is used, and what was measured on it."""

    screen: NDArray[np.uint8]
    frame: int
    layout: ScreenLayout
    quality: BoxQuality
    pixel_digest: str


def ingest_hospital(
    pictures: str | Path,
    hospital: str,
    *,
    clinical_csv: str | Path,
    measurements_csv: str | Path | None,
    roi_csv: str | Path | None,
    pseudonymiser: Pseudonymiser,
    settings: IngestionSettings,
    shard: str | Path,
    acquisitions_csv: str | Path,
    rejects_csv: str | Path,
    counts_csv: str | Path,
    private_map_csv: str | Path,
) -> None:
    """Read one hospital's pictures into its shard.

    Parameters
    ----------
    pictures : path
        ``dicom/<hospital>/``.
    hospital : str
    clinical_csv, measurements_csv, roi_csv : path
        The cohort's tables; the last two may be None.
    pseudonymiser : Pseudonymiser
    settings : IngestionSettings
    shard, acquisitions_csv, rejects_csv, counts_csv : path
        Written; columns in docs/architecture.md. The reject list names files by keyed labels.
    private_map_csv : path
        Written with mode 0600, outside results: label and true name of every rejected file.

    Raises
    ------
    ClinicalTableError
        If the clinical table cannot be used at all.
    StoreMismatch
        If files found are not files stored, rejected and ignored: a fault of the program.
    """
    job = _Hospital(Path(pictures), hospital, pseudonymiser, settings)
    job.match_files(_patient_ids(clinical_csv, hospital))
    job.measurements = _by_file(measurements_csv, hospital)
    job.squares = _by_file(roi_csv, hospital)
    write_shard(shard, job.pictures())
    table = pd.DataFrame(job.rows, columns=ACQUISITION_COLUMNS)
    write_table(table, acquisitions_csv)
    write_table(pd.DataFrame(job.rejects, columns=REJECT_COLUMNS), rejects_csv)
    counts = {
        "hospital": hospital,
        "files_found": job.found,
        "images_stored": len(table),
        "rejected": len(job.rejects),
        "ignored": job.ignored,
    }
    if job.found != len(table) + len(job.rejects) + job.ignored:
        raise StoreMismatch(f"Hospital {hospital}: the counts of files do not close: {counts}.")
    write_table(pd.DataFrame([counts]), counts_csv)
    _write_private(private_map_csv, job.private)
    logger.info(
        "hospital %s: %d files, %d pictures stored, %d rejected, %d ignored (not DICOM)",
        *(hospital, job.found, len(table), len(job.rejects), job.ignored),
    )
    for code, number in sorted(Counter(row["code"] for row in job.rejects).items()):
        logger.info("hospital %s: %d rejected as %s", hospital, number, code)


class _Hospital:
    """State of one hospital's ingestion."""

    def __init__(
        self, root: Path, hospital: str, pseudonymiser: Pseudonymiser, settings: IngestionSettings
    ) -> None:
        self.root, self.hospital = root, hospital
        self.pseudonymiser, self.settings = pseudonymiser, settings
        self.found = self.ignored = 0
        self.rows: list[dict[str, object]] = []
        self.rejects: list[dict[str, str]] = []
        self.private: list[tuple[str, str]] = []
        self.candidates: dict[str, list[_Candidate]] = defaultdict(list)
        self.measurements: Mapping[str, Mapping[str, str]] = {}
        self.squares: Mapping[str, Mapping[str, str]] = {}
        self.seen: set[str] = set()

    def reject(self, file: FoundFile, reason: Reason, patient_id: str = "") -> None:
        label = self.pseudonymiser.file(self.hospital, file.name)
        patient = self.pseudonymiser.patient(self.hospital, patient_id) if patient_id else ""
        values = (label, self.hospital, patient, reason.processing_stage, reason.code)
        self.rejects.append(
            dict(zip(REJECT_COLUMNS, (*values, reason.sentence, reason.remedy), strict=True))
        )
        self.private.append((label, file.name))

    def match_files(self, known: set[str]) -> None:
        """Sort files into patients by header; reject or ignore what is no patient's picture."""
        by_uid: dict[str, list[_Candidate]] = defaultdict(list)
        for file in find_files(self.root, self.settings.limits.bytes_per_file):
            self.found += 1
            try:
                header = self._header(file)
            except _Rejected as rejected:
                self.reject(file, rejected.reason)
                continue
            if header is None:
                self.ignored += 1
                continue
            names = (header.patient_id, *file.folders)
            patient = next((name for name in names if name in known), None)
            if patient is None:
                # What a picture is matters more to the user than whose it is not.
                self.reject(file, self._reason_without_patient(file))
                continue
            by_uid[header.sop_instance_uid or file.name].append(_Candidate(file, header, patient))
        for candidates in by_uid.values():
            for candidate in self._one_of(candidates):
                self.candidates[candidate.patient_id].append(candidate)

    def pictures(self) -> Iterator[tuple[str, NDArray[np.uint8]]]:
        """Yield id and blanked picture of each that is stored, patients in order of pseudonym."""
        for patient_id in sorted(
            self.candidates, key=lambda name: self.pseudonymiser.patient(self.hospital, name)
        ):
            taken = 0
            for candidate in sorted(self.candidates[patient_id], key=lambda c: c.order):
                if taken == self.settings.images_per_patient:
                    self.reject(candidate.file, Reason.SURPLUS, patient_id)
                    continue
                try:
                    image = self._read(candidate.file)
                    picture = self._usable_picture(image)
                except _Rejected as rejected:
                    self.reject(candidate.file, rejected.reason, patient_id)
                    continue
                taken += 1
                row = self._row(candidate, image, picture, taken)
                self.rows.append(row)
                yield str(row["image_id"]), blank_identity(picture.screen, picture.layout)

    def _header(self, file: FoundFile) -> Header | None:
        if file.problem is not None:
            raise _Rejected(file.problem)
        try:
            return read_header(file.source())
        except UnreadableDicom:
            raise _Rejected(Reason.DAMAGED_DICOM) from None
        except (OSError, zipfile.BadZipFile):
            raise _Rejected(Reason.UNREADABLE_FILE) from None

    def _read(self, file: FoundFile) -> SweImage:
        try:
            return read_dicom(file.source(), self.settings.limits)
        except UnreadableDicom as error:
            raise _Rejected(Reason[error.message.upper()]) from None
        except (OSError, zipfile.BadZipFile):
            raise _Rejected(Reason.UNREADABLE_FILE) from None

    def _reason_without_patient(self, file: FoundFile) -> Reason:
        try:
            self._usable_picture(self._read(file))
        except _Rejected as rejected:
            return rejected.reason
        return Reason.NO_PATIENT

    def _one_of(self, candidates: list[_Candidate]) -> list[_Candidate]:
        """Of files with one SOP Instance UID: the first, if all show the same; else none."""
        if len(candidates) == 1:
            return candidates
        digests = [self._all_pixels(candidate.file) for candidate in candidates]
        same = len(set(digests)) == 1
        for candidate in candidates[1 if same else 0 :]:
            reason = Reason.DUPLICATE if same else Reason.CONFLICT
            self.reject(candidate.file, reason, candidate.patient_id)
        return candidates[:1] if same else []

    def _all_pixels(self, file: FoundFile) -> str:
        try:
            return ";".join(_digest(picture) for picture in self._read(file).pictures())
        except (_Rejected, UnreadableDicom):
            return f"unreadable {file.name}"

    def _usable_picture(self, image: SweImage) -> _Picture:
        """The frame with the best filled box; the reason of the best one where none will do."""
        best: _Picture | None = None
        problem = Reason.NO_PIXELS
        previous = ""
        try:
            for number, screen in enumerate(image.pictures(), start=1):
                digest = _digest(screen)
                if digest == previous:
                    continue
                previous = digest
                try:
                    layout = find_layout(screen, image.regions)
                except MissingRegion:
                    problem = Reason.NO_ELASTOGRAM if best is None else problem
                    continue
                quality = box_quality(screen, layout, self.settings.scale_maximum_kpa)
                if best is None or quality.fill_fraction > best.quality.fill_fraction:
                    best = _Picture(screen, number, layout, quality, digest)
        except UnreadableDicom as error:
            if best is None:
                raise _Rejected(Reason[error.message.upper()]) from None
        if best is None:
            raise _Rejected(problem)
        self._judge(best, image)
        return best

    def _judge(self, picture: _Picture, image: SweImage) -> None:
        height, width = picture.screen.shape[:2]
        if picture.quality.recoloured:
            raise _Rejected(Reason.RECOLOURED)
        if picture.quality.fill_fraction < self.settings.minimum_fill:
            raise _Rejected(Reason.LITTLE_SIGNAL)
        if picture.quality.saturated_fraction > self.settings.maximum_saturated:
            raise _Rejected(Reason.SATURATED)
        ssi = image.ssi
        if ssi is not None and abs(ssi.scale_maximum_kpa - self.settings.scale_maximum_kpa) > 0.5:
            raise _Rejected(Reason.WRONG_SCALE)
        try:
            find_square(picture.layout.box, height, width)
        except ValueError:
            raise _Rejected(Reason.BOX_OUTSIDE) from None
        if picture.pixel_digest in self.seen:
            raise _Rejected(Reason.DUPLICATE)
        self.seen.add(picture.pixel_digest)

    def _row(
        self, candidate: _Candidate, image: SweImage, picture: _Picture, number: int
    ) -> dict[str, object]:
        header, layout, hospital = candidate.header, picture.layout, self.hospital
        patient = self.pseudonymiser.patient(hospital, candidate.patient_id)
        uid = header.sop_instance_uid or candidate.file.name
        when = header.acquired_at
        shifted = self.pseudonymiser.shift(when, hospital, candidate.patient_id) if when else None
        name = f"{hospital}/{candidate.file.name}"
        given, square = self.measurements.get(name, {}), self.squares.get(name, {})
        spacing = layout.pixel_spacing_mm
        return {
            "image_id": self.pseudonymiser.image(uid, picture.frame),
            "hospital": hospital,
            "patient": patient,
            "acquisition": number,
            "acquired_at": shifted.isoformat() if shifted else "",
            "height": image.height,
            "width": image.width,
            "frame": picture.frame,
            "frames": image.frames,
            **_sides("top_picture", layout.top_picture),
            **_sides("box", layout.box),
            **_sides("bottom_picture", layout.bottom_picture),
            "pixel_spacing_mm": spacing,
            "layout_source": layout.source,
            "scale_maximum_kpa": self.settings.scale_maximum_kpa,
            "opacity": image.ssi.opacity if image.ssi else None,
            "transfer_syntax": image.transfer_syntax,
            "photometric_interpretation": image.photometric_interpretation,
            "fill_fraction": round(picture.quality.fill_fraction, 6),
            "saturated_fraction": round(picture.quality.saturated_fraction, 6),
            "flags": "" if when else "no_time",
            "pixel_digest": picture.pixel_digest,
            **{column: _float(given.get(column)) for column in Q_BOX_COLUMNS},
            "q_box_source": "given" if _float(given.get("q_box_mean_kpa")) is not None else "",
            "roi_row": _float(square.get("row")),
            "roi_column": _float(square.get("column")),
            "roi_size": _float(square.get("size")),
        }


def _digest(picture: NDArray[np.uint8]) -> str:
    shape = f"{picture.shape}".encode()
    return hashlib.blake2b(shape + np.ascontiguousarray(picture).data, digest_size=16).hexdigest()


def _patient_ids(clinical_csv: str | Path, hospital: str) -> set[str]:
    patients = read_clinical(clinical_csv).patients
    return set(patients.loc[patients["hospital"] == hospital, "patient_id"])


def _by_file(path: str | Path | None, hospital: str) -> dict[str, dict[str, str]]:
    """Rows of measurements.csv or roi.csv of a hospital, by file below ``dicom/``."""
    if path is None:
        return {}
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    if "file" not in table:
        raise ClinicalTableError(f"{path} has no column file.", "See docs/data_contract.md.")
    needed = {column.name for column in MEASUREMENT_COLUMNS}
    names = [name for name in table if name in needed | {"file", "row", "column", "size"}]
    here = table[table["file"].str.startswith(f"{hospital}/")]
    return {row["file"]: row for row in here[names].to_dict("records")}


def _sides(name: str, rectangle: Rectangle | None) -> dict[str, int | None]:
    sides = ("left", "top", "right", "bottom")
    return {f"{name}_{side}": getattr(rectangle, side, None) for side in sides}


def _float(text: str | None) -> float | None:
    try:
        value = float(text) if text else None
    except ValueError:
        return None
    return value if value is not None and np.isfinite(value) else None


def _write_private(path: str | Path, rows: list[tuple[str, str]]) -> None:
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.touch(mode=0o600)
    path.chmod(0o600)
    pd.DataFrame(rows, columns=["label", "file"]).to_csv(path, index=False)
