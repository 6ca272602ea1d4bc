"""Extended table 10: Table 2's AUCs as they are, and as they would be if no reader had excluded a picture."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from torch import nn

from dlre_core.foundation.csv_tables import read_table
from dlre_core.foundation.design import (
    method_labels,
    prediction_columns,
    question_labels,
    stage_labels,
    study_methods,
    study_questions,
)
from dlre_core.foundation.picture_store import open_rois
from dlre_core.foundation.study_terms import KEYS, cohorts_of
from dlre_core.network.inference import picture_probabilities, seen_pictures
from dlre_core.network.kinds import PAPERS, NetworkKind
from dlre_core.patients.enrolment import EnrolmentSettings, enrolled_patients
from dlre_core.patients.splits import select_images
from dlre_core.statistics.comparisons import compare_overlapping_aucs
from dlre_core.statistics.estimates import Estimate
from dlre_core.statistics.roc import roc_analysis
from dlre_core.tables.accuracy_print import estimate, printed_auc, short_cohort_letters, undefined
from dlre_core.tables.formatting import COHORT_NAMES, format_interval, methods_in_words
from dlre_core.tables.table_2_accuracy import AccuracySettings, method_scores, spread
from dlre_core.tables.typeset import Block, PrintedTable, simulated_caption


def everybody_pictured(
    split: pd.DataFrame, patients: pd.DataFrame, acquisitions: pd.DataFrame, criteria: EnrolmentSettings
) -> pd.DataFrame:
    """A split with the patients whom only readers' exclusions kept out: no network has seen them, so they validate.

    Parameters
    ----------
    split : DataFrame
        ``results/splits/{split}.csv``.
    patients : DataFrame
        ``results/clinical/patients.csv``.
    acquisitions : DataFrame
        Of every picture that is stored.
    criteria : EnrolmentSettings

    Returns
    -------
    DataFrame
        hospital, patient, cohort and fibrosis_stage; only hospitals of the split.
    """
    columns = [*KEYS, "cohort", "fibrosis_stage"]
    everybody = enrolled_patients(patients, acquisitions, criteria)
    everybody = everybody[everybody["hospital"].isin(split["hospital"])]
    known = pd.MultiIndex.from_frame(split[KEYS])
    more = everybody[~pd.MultiIndex.from_frame(everybody[KEYS]).isin(known)].assign(cohort="validation")
    return pd.concat([split[columns], more[columns]], ignore_index=True)


def predicted_everywhere(
    rois: Mapping[str, tuple[str | Path, str | Path]],
    people: pd.DataFrame,
    networks: Mapping[str, nn.Module],
    images: int,
    kind: NetworkKind = PAPERS,
) -> pd.DataFrame:
    """Probabilities of the first pictures of each patient, of all that are stored.

    Parameters
    ----------
    rois : mapping of hospital to (path, path)
        ``results/roi/{hospital}.h5`` and ``{hospital}_rois.csv``: with what readers excluded.
    people : DataFrame
        As `everybody_pictured` returns it.
    networks : mapping of stage to nn.Module
    images : int
        Pictures of each patient, the first in acquisition order.
    kind : NetworkKind, optional
        Of the networks.

    Returns
    -------
    DataFrame
        The columns of ``results/predictions/{arm}.csv``.
    """
    found = []
    for hospital, (squares, table) in rois.items():
        here = people[people["hospital"] == hospital]
        if here.empty:
            continue
        rows = select_images(read_table(table), here, images)
        with open_rois(squares) as store:
            seen = seen_pictures(store, rows, kind)
            for stage in study_questions():
                rows[stage] = picture_probabilities(networks[stage], seen.images, seen.stiffness_kpa)
        found.append(rows[prediction_columns()])
    return pd.concat(found, ignore_index=True)


def stored_acquisitions(tables: Sequence[str | Path]) -> pd.DataFrame:
    """The hospitals' acquisitions as one table: every picture that is stored."""
    parts = [read_table(path) for path in tables]
    return pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)


def every_picture_table(read: pd.DataFrame, kept: pd.DataFrame, settings: AccuracySettings) -> pd.DataFrame:
    """AUCs of both sets of pictures and their difference, by DeLong's test for cohorts that overlap.

    Parameters
    ----------
    read, kept : DataFrame
        ``results/scores/{arm}.csv``: of the pictures that the study uses, and of every picture.
    settings : AccuracySettings

    Returns
    -------
    DataFrame
        A row a stage question, method and cohort: patients and AUC of both, the difference (every picture minus the
        study's), all with limits, its p value; notes.
    """
    rows = []
    for stage in study_questions():
        for method in study_methods():
            for cohort in cohorts_of(read):
                parts = [scores[scores["cohort"] == cohort] for scores in (read, kept)]
                rows.append({"stage": stage, "method": method, "cohort": cohort} | _row(parts, method, stage, settings))
    return pd.DataFrame(rows)


def _row(parts: Sequence[pd.DataFrame], method: str, stage: str, settings: AccuracySettings) -> dict[str, object]:
    columns = []
    found: dict[str, object] = {}
    notes = set()
    for name, part in zip(("study", "every"), parts, strict=True):
        labels, values = stage_labels(part["fibrosis_stage"], stage), method_scores(part, method, stage)
        roc = roc_analysis(labels, values, confidence=settings.confidence, interval=settings.auc_interval)
        found |= {f"n_{name}": int((~np.isnan(values)).sum())} | spread(f"auc_{name}", roc.estimate)
        notes.add(roc.estimate.reason)
        index = pd.MultiIndex.from_frame(part[KEYS])
        columns.append(pd.DataFrame({"label": labels, name: values}, index=index))
    both = columns[0].join(columns[1], how="outer", lsuffix="_study")
    labels = both["label"].fillna(both["label_study"]).astype(int)
    test = compare_overlapping_aucs(labels, both["every"], both["study"], confidence=settings.confidence).reported
    notes.add(test.reason)
    difference = Estimate(test.difference, *test.interval)
    return (
        found | spread("difference", difference) | {"p_value": test.p_value, "notes": "; ".join(sorted(notes - {""}))}
    )


def printed_every_picture(table: pd.DataFrame, confidence: float, simulated: bool) -> PrintedTable:
    """The table for print: a block a stage question."""
    blocks = []
    for stage in study_questions():
        rows = [
            [
                method_labels()[row["method"]],
                COHORT_NAMES[row["cohort"]][:1],
                *(
                    cell
                    for name in ("study", "every")
                    for cell in (str(row[f"n_{name}"]), printed_auc(row, f"auc_{name}"))
                ),
                format_interval(estimate(row, "difference"), 3),
            ]
            for row in table[table["stage"] == stage].to_dict("records")
        ]
        blocks.append(Block(question_labels()[stage], rows))
    columns = ("Method", "Cohort", "n", "AUC, pictures that readers accept", "n, every picture")
    columns += ("AUC, every picture", "Difference")
    notes = [
        f"{short_cohort_letters(table)}Every picture: as if no reader had excluded one. "
        "Patients who then have enough pictures are validation patients, since no network has seen them. The networks "
        f"are the study's{_blood()}.",
        f"{100 * confidence:g} % confidence intervals; that of the difference (every picture less the study's) is by "
        "DeLong's variance for cohorts that share patients.",
        *undefined(table["notes"]),
    ]
    caption = "Extended table 10. AUC if every picture is kept"
    return PrintedTable(simulated_caption(caption, simulated), columns, blocks, notes, heads=2)


def _blood() -> str:
    """What pictures do not change by themselves, in the note's words."""
    methods = [method for method in study_methods()[1:] if method != "lsm"]
    return f"; {methods_in_words(methods)} change only by these patients" if methods else ""
