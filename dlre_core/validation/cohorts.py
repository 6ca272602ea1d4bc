"""Predictions and accuracy of a frozen study in an external cohort."""

from pathlib import Path

import pandas as pd

from dlre_core.foundation.csv_tables import read_table, write_table
from dlre_core.foundation.errors import CohortError
from dlre_core.foundation.picture_store import open_rois
from dlre_core.foundation.study_terms import METHODS, PREDICTION_COLUMNS, STAGES
from dlre_core.patients.enrolment import EnrolmentSettings, enrolled_patients
from dlre_core.patients.splits import select_images
from dlre_core.serving.client import check_served_model, predict_images
from dlre_core.serving.frozen_study import (
    REPOSITORY,
    FrozenStudy,
    check_never_seen,
    read_frozen_study,
)
from dlre_core.serving.through_triton import ServingSettings, server_url, stored_pictures
from dlre_core.statistics.comparisons import holm
from dlre_core.tables.formatting import stars
from dlre_core.tables.table_2_accuracy import (
    AccuracySettings,
    accuracy_row,
    paired_comparison,
    samples,
)

COHORT = "validation"


def predict_cohort(
    *,
    model: str | Path,
    patients: str | Path,
    acquisitions: str | Path,
    rois: str | Path,
    roi_table: str | Path,
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
    patients, acquisitions, rois, roi_table : path
        The cohort's, as the rules of a study make them.
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
    stored = read_table(acquisitions)
    with open_rois(rois) as store:
        check_never_seen(study, stored, store)
    enrolled = enrolled_patients(read_table(patients), stored, criteria)
    if not len(enrolled):
        raise CohortError(
            "Nobody of this cohort is enrolled, so that there is nothing to validate on.",
            "Look at its enrolment.csv and rejects.csv, which say why.",
        )
    chosen = select_images(read_table(roi_table), enrolled.assign(cohort=COHORT), study.images_per_patient)
    with server_url(Path(model) / REPOSITORY, server_log, serving) as url, open_rois(rois) as store:
        check_served_model(url, study.manifest)
        chosen[list(STAGES)] = predict_images(
            url,
            stored_pictures(store, chosen),
            study.arm,
            batch_size=serving.batch_size,
            request_timeout_seconds=serving.request_timeout_seconds,
        )
    write_table(chosen[PREDICTION_COLUMNS], output)


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
        The columns of `dlre_core.tables.table_2_accuracy.table_2`, a row a stage and method.
    """
    rows = []
    for stage in STAGES:
        reference = samples(scores, METHODS[0], stage)[COHORT]
        for method in METHODS:
            part = samples(scores, method, stage)
            cutoff = study.cutoffs[method][stage]
            rows.append(
                {"stage": stage, "method": method, "cohort": COHORT}
                | accuracy_row(part, COHORT, settings, frozen=cutoff)
                | paired_comparison(
                    None if method == METHODS[0] else reference,
                    part[COHORT],
                    METHODS[0],
                    settings.confidence,
                )
            )
    table = pd.DataFrame(rows)
    table["p_holm"] = holm(table["p_value"])
    table["stars"] = [stars(p) for p in table["p_value"]]
    return table
