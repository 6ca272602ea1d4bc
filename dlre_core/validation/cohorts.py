"""Predictions and accuracy of a frozen study in an external cohort."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from dlre_core.foundation.csv_tables import read_table, write_table
from dlre_core.foundation.design import prediction_columns, study_questions
from dlre_core.foundation.errors import CohortError
from dlre_core.foundation.picture_store import open_rois
from dlre_core.foundation.study_terms import MODEL_REPOSITORY
from dlre_core.patients.enrolment import EnrolmentSettings, enrolled_patients
from dlre_core.patients.splits import select_images
from dlre_core.serving.frozen_study import (
    FrozenStudy,
    check_never_seen,
    read_frozen_study,
)
from dlre_core.serving.repository import served_kind
from dlre_core.serving.through_triton import ServingSettings, checked_server, stored_pictures
from dlre_core.tables.table_2_accuracy import AccuracySettings, table_2

# An external cohort is in the tables what the study's own validation cohort is there.
VALIDATION = "validation"


@dataclass(frozen=True)
class ExternalFiles:
    """A cohort's ``patients.csv``, ``acquisitions.csv``, ``rois.h5`` and ``rois.csv``, as a study's rules make them."""

    patients: str | Path
    acquisitions: str | Path
    rois: str | Path
    roi_table: str | Path


def predict_external(
    model: str | Path,
    files: ExternalFiles,
    criteria: EnrolmentSettings,
    serving: ServingSettings,
    server_log: str | Path,
    output: str | Path,
) -> None:
    """Ask the frozen networks for every picture of every enrolled patient of a cohort.

    Parameters
    ----------
    model : path
        ``results/serving`` of a finished study, or a copy.
    files : ExternalFiles
    criteria : EnrolmentSettings
    serving : ServingSettings
    server_log : path
    output : path
        Written: the columns of ``results/predictions/{arm}.csv``, all in cohort ``validation``.

    Raises
    ------
    CohortError
        If nobody is enrolled.
    PatientLeak
        If one of its patients was in the frozen study.
    StoreMismatch, ServerUnavailable
    """
    study = read_frozen_study(model)
    stored = read_table(files.acquisitions)
    with open_rois(files.rois) as store:
        check_never_seen(study, stored, store)
    enrolled = enrolled_patients(read_table(files.patients), stored, criteria)
    if not len(enrolled):
        raise CohortError(
            "Nobody of this cohort is enrolled, so that there is nothing to validate on.",
            "Look at its enrolment.csv and rejects.csv, which say why.",
        )
    chosen = select_images(read_table(files.roi_table), enrolled.assign(cohort=VALIDATION), study.images_per_patient)
    repository = Path(model) / MODEL_REPOSITORY
    with checked_server(repository, study.manifest, server_log, serving) as ask, open_rois(files.rois) as store:
        seen = stored_pictures(store, chosen, served_kind(repository, study.arm))
        chosen[list(study_questions())] = ask(seen, study.arm)
    write_table(chosen[prediction_columns()], output)


def external_table(scores: pd.DataFrame, study: FrozenStudy, settings: AccuracySettings) -> pd.DataFrame:
    """Table 2 of an external cohort, with the frozen study's cut-offs.

    Parameters
    ----------
    scores : DataFrame
        As ``results/scores/{arm}.csv``, of the external cohort.
    study : FrozenStudy
    settings : AccuracySettings

    Returns
    -------
    DataFrame
        The columns of `dlre_core.tables.table_2_accuracy.table_2`, one row per stage and method.
    """
    return table_2(scores, settings, cohorts=(VALIDATION,), frozen=study.cutoffs)
