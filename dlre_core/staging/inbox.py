"""Stage the patients of an inbox: probabilities, pages, and files for the PACS."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from torch import nn

from dlre_core.dicom.decoder_process import Archives
from dlre_core.dicom.file_search import FoundFile, find_files
from dlre_core.dicom.guarded_reader import GuardedReader
from dlre_core.dicom.reader import ReadLimits
from dlre_core.dicom.reject_reasons import Unusable
from dlre_core.foundation.csv_tables import read_table, write_private_table, write_table
from dlre_core.foundation.design import study_questions
from dlre_core.foundation.errors import UnreadableDicom
from dlre_core.foundation.picture_store import RoiStore, open_rois
from dlre_core.foundation.study_terms import MODEL_REPOSITORY
from dlre_core.ingestion.hospital import examination_named, patient_named
from dlre_core.network.grad_cam import grad_cam
from dlre_core.network.inference import seen_pictures
from dlre_core.network.kinds import NetworkKind
from dlre_core.patients.pseudonyms import Pseudonymiser
from dlre_core.serving.frozen_study import (
    FrozenStudy,
    check_same_settings,
    read_frozen_study,
)
from dlre_core.serving.repository import served_kind, served_networks
from dlre_core.serving.through_triton import ServingSettings, checked_server
from dlre_core.staging import pacs, pages
from dlre_core.staging.tables import (
    chosen_pictures,
    image_table,
    not_staged,
    patient_table,
    question_shown,
    withheld,
)

logger = logging.getLogger(__name__)


OUTBOX_FILES = ("_report.dcm", "_heat_maps.dcm")


@dataclass(frozen=True)
class Inbox:
    """Where new patients' files are, and whose they are.

    ``code`` stands in for a hospital in pseudonyms; ``outbox`` takes the files for the PACS, in
    which patients have their names, and the list that says which pseudonym is whose. ``trust_uids`` says whether
    SOP Instance UIDs tell pictures apart.
    """

    folder: Path
    code: str
    pseudonymiser: Pseudonymiser
    limits: ReadLimits
    outbox: Path
    trust_uids: bool = True


@dataclass(frozen=True)
class IngestedInbox:
    """What ingestion and cropping made of the inbox, and the settings that they had, which must suit the study."""

    rois: str | Path
    roi_table: str | Path
    acquisitions: str | Path
    rejects: str | Path
    counts: str | Path
    images_per_patient: int
    scale_maximum_kpa: float


@dataclass(frozen=True)
class StagedFiles:
    """What staging writes: one row per picture, one row per patient, the page of all, and a folder of their pages."""

    images_csv: str | Path
    patients_csv: str | Path
    overview: str | Path
    patient_pages: str | Path


def stage_inbox(
    inbox: Inbox,
    ingested: IngestedInbox,
    written: StagedFiles,
    model: str | Path,
    serving: ServingSettings,
    server_log: str | Path,
) -> None:
    """Apply a frozen study to new patients.

    Parameters
    ----------
    inbox : Inbox
    ingested : IngestedInbox
    written : StagedFiles
    model : path
        ``results/serving`` of a finished study, or a copy.
    serving : ServingSettings
    server_log : path

    Raises
    ------
    ServerUnavailable, StoreMismatch, ModelRepositoryError, ConfigurationError
    """
    study = read_frozen_study(model)
    check_same_settings(
        study,
        images_per_patient=ingested.images_per_patient,
        scale_maximum_kpa=ingested.scale_maximum_kpa,
        aggregate=study.aggregate,
    )
    repository = Path(model) / MODEL_REPOSITORY
    kind = served_kind(repository, study.arm)
    stored, refused = read_table(ingested.acquisitions), read_table(ingested.rejects)
    chosen = chosen_pictures(read_table(ingested.roi_table), stored, study.images_per_patient, kind)
    chosen = chosen[~chosen["patient"].isin(list(withheld(stored)))].reset_index(drop=True)
    networks = served_networks(repository, study.arm)
    with open_rois(ingested.rois) as store:
        probabilities = np.zeros((0, len(study_questions())))
        if len(chosen):
            with checked_server(repository, study.manifest, server_log, serving) as ask:
                probabilities = ask(seen_pictures(store, chosen, kind), study.arm)
        images = image_table(chosen, store, probabilities, study)
        patients = patient_table(images, study)
        sheets = _heat_map_sheets(patients, chosen, store, networks, kind, simulated=study.simulated)
    others = not_staged(stored, refused, set(patients["patient"]), kind)
    failures = _fill_outbox(inbox, patients, chosen, sheets, study)
    patients["notes"] = [
        "; ".join(filter(None, (notes, failures.get(patient))))
        for patient, notes in zip(patients["patient"], patients["notes"], strict=True)
    ]
    everybody = pd.concat([patients, others]) if len(others) else patients
    write_table(images, written.images_csv)
    write_table(everybody, written.patients_csv)
    made = [
        (name, pages.patient_page(patient, images[images["patient"] == name], sheets[name], study))
        for name, (_, patient) in zip(patients["patient"], patients.iterrows(), strict=True)
    ]
    pages.write_pages(written.patient_pages, made)
    text = pages.overview_page(everybody, refused, read_table(ingested.counts), study)
    Path(written.overview).write_text(text, encoding="utf-8")
    logger.info("%d patients staged, %d pictures", len(patients), len(images))


def _heat_map_sheets(
    patients: pd.DataFrame,
    chosen: pd.DataFrame,
    store: RoiStore,
    networks: Mapping[str, nn.Module] | None,
    kind: NetworkKind,
    *,
    simulated: bool,
) -> dict[str, NDArray[np.uint8]]:
    """By pseudonym, the heat maps of the question that says most; the squares alone where networks cannot be had."""
    sheets = {}
    for _, patient in patients.iterrows():
        stage = question_shown(patient)
        here = chosen[chosen["patient"] == patient["patient"]]
        index = here["index"].to_numpy()
        heats = None
        if networks is not None:
            given = zip(store.read(index, kind.input), here["q_box_mean_kpa"], strict=True)
            heats = [grad_cam(networks[stage], seen, kpa) for seen, kpa in given]
        sheets[patient["patient"]] = pages.heat_map_sheet(store.read(index), heats, stage, simulated=simulated)
    return sheets


def _fill_outbox(
    inbox: Inbox,
    patients: pd.DataFrame,
    chosen: pd.DataFrame,
    sheets: dict[str, np.ndarray],
    study: FrozenStudy,
) -> dict[str, str]:
    """Write what goes back to the PACS, and the list of whose pseudonym is whose.

    Returns
    -------
    dict of str
        By pseudonym, why there is nothing for the PACS, or what was left out of it.
    """
    files, people = files_by_image(inbox, chosen)
    rows = [(pseudonym, *person) for pseudonym, person in sorted(people.items())]
    columns = ("patient", "patient_id", "examined_on")
    write_private_table(inbox.outbox / "patients.csv", columns, rows)
    failures = {}
    # Of an earlier inbox: whoever sends the folder to the PACS would send them again.
    for kind in OUTBOX_FILES:
        for earlier in inbox.outbox.glob(f"P*{kind}*"):
            earlier.unlink()
    for _, patient in patients.iterrows():
        here = chosen[chosen["patient"] == patient["patient"]]
        found = [files[image_id] for image_id in here["image_id"] if image_id in files]
        try:
            left_out = _write_for_pacs(inbox, patient, here["q_box_mean_kpa"], found, sheets[patient["patient"]], study)
        except UnreadableDicom as error:
            logger.warning("%s: nothing for the PACS: %s", patient["patient"], error)
            failures[patient["patient"]] = f"nothing for the PACS: {error.message}"
            continue
        if left_out:
            logger.warning("%s: left out for the PACS: %s", patient["patient"], left_out)
            failures[patient["patient"]] = (
                f"left out for the PACS, in a character set that the file does not declare: {left_out}"
            )
    return failures


def _write_for_pacs(
    inbox: Inbox,
    patient: pd.Series,
    stiffness_kpa: pd.Series,
    files: Sequence[FoundFile],
    sheet: np.ndarray,
    study: FrozenStudy,
) -> str:
    """Write both files; return the names of elements that had to be left out."""
    if len(files) < patient["images"]:
        raise UnreadableDicom("Some of its pictures are no longer in the inbox.", "Put them back, and stage again.")
    archives = Archives(inbox.limits)
    with pacs.odd_headers_named():
        identities = [pacs.read_identity(file, archives) for file in files]
        pictures = [identity.elements for identity in identities]
        if len({(picture.PatientID, picture.StudyInstanceUID) for picture in pictures}) > 1:
            raise UnreadableDicom("Its files name several patients.", "Look at them one by one.")
        report = pacs.structured_report(
            pictures,
            {stage: patient[stage] for stage in study_questions()},
            stiffness_kpa=stiffness_kpa.tolist(),
            stage=patient["implied_stage"] or "unknown",
            simulated=study.simulated,
            model=study.manifest,
        )
        capture = pacs.secondary_capture(pictures, sheet, model=study.manifest)
        for made, end in zip((report, capture), OUTBOX_FILES, strict=True):
            pacs.write_private_dicom(made, inbox.outbox / f"{patient['patient']}{end}")
    return ", ".join(sorted({name for identity in identities for name in identity.left_out}))


def files_by_image(inbox: Inbox, chosen: pd.DataFrame) -> tuple[dict[str, FoundFile], dict[str, tuple[str, str]]]:
    """The file of each picture, and the Patient ID or folder and the day of examination behind each pseudonym.

    A file that was rejected may have the UID of one that was not: only the owner's own count.
    """
    frames = dict(zip(chosen["image_id"], chosen["frame"].astype(int), strict=True))
    owners = dict(zip(chosen["image_id"], chosen["patient"], strict=True))
    files: dict[str, FoundFile] = {}
    people: dict[str, tuple[str, str]] = {}
    with GuardedReader(inbox.limits) as reader:
        for file in find_files(inbox.folder, inbox.limits.bytes_per_file):
            try:
                header = None if file.problem else reader.header(file)
            except Unusable:
                continue
            if header is None:
                continue
            examination = examination_named(header, file)
            if not examination:
                continue
            pseudonym = inbox.pseudonymiser.patient(inbox.code, examination)
            day = header.acquired_at.date().isoformat() if header.acquired_at else ""
            people[pseudonym] = patient_named(header, file), day
            uid = (header.sop_instance_uid if inbox.trust_uids else "") or file.name
            for frame in set(frames.values()):
                image_id = inbox.pseudonymiser.image(inbox.code, uid, frame)
                if frames.get(image_id) == frame and owners[image_id] == pseudonym:
                    files.setdefault(image_id, file)
    return files, people
