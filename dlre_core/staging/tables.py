"""Tables of staged patients: a row per picture, and a row per patient."""

from collections.abc import Collection

import numpy as np
import pandas as pd

from dlre_core.clinical_decisions.dual_cutoffs import DualCutoffs, zones
from dlre_core.foundation.design import rising_questions, stage_classes, study_questions
from dlre_core.foundation.picture_store import RoiStore
from dlre_core.foundation.study_terms import KEYS
from dlre_core.ingestion.flags import OTHERS_TOO
from dlre_core.network.inference import lacks
from dlre_core.network.kinds import PAPERS, NetworkKind
from dlre_core.patients.splits import first_pictures
from dlre_core.serving.frozen_study import FrozenStudy, outside_training, picture_measures


def image_columns() -> list[str]:
    """Columns of the table of staged pictures."""
    measured = ["q_box_mean_kpa", "q_box_source", "fill_fraction", "outside_training"]
    return [*KEYS, "acquisition", "image_id", *study_questions(), *measured]


def patient_columns() -> list[str]:
    """Columns of the table of staged patients."""
    answers = ["implied_stage", "liver_stiffness_kpa", "images_outside_training", "outside_training", "notes"]
    return [*KEYS, "images", *study_questions(), *zone_columns().values(), *answers]


def zone_columns() -> dict[str, str]:
    """For each question the column that says whether the stage is ruled out, ruled in or in the grey zone."""
    return {stage: f"{stage}_zone" for stage in study_questions()}


def chosen_pictures(
    rois: pd.DataFrame, acquisitions: pd.DataFrame, images: int, kind: NetworkKind = PAPERS
) -> pd.DataFrame:
    """The first pictures of every patient, in acquisition order, with their row in the store.

    Parameters
    ----------
    rois : DataFrame
        ``rois.csv``; row i is square i.
    acquisitions : DataFrame
        ``acquisitions.csv``.
    images : int
        At most so many of each patient.
    kind : NetworkKind, optional
        Pictures that lack what such a network sees are left out.
    """
    table = rois.reset_index(names="index")
    for name in kind.besides_the_square:
        table = table[~lacks(table, name)]
    table = table[["index", "image_id"]].merge(acquisitions, on="image_id")
    return first_pictures(table, images)


def image_table(chosen: pd.DataFrame, squares: RoiStore, probabilities: np.ndarray, study: FrozenStudy) -> pd.DataFrame:
    """Probabilities of every picture, and in what it is unlike those of training.

    Parameters
    ----------
    chosen : DataFrame
        From `chosen_pictures`.
    squares : RoiStore
    probabilities : (n, questions) float64
        In the order of `study_questions`.
    study : FrozenStudy

    Returns
    -------
    DataFrame
        `image_columns`.
    """
    table = chosen.copy()
    table[list(study_questions())] = probabilities
    measures = picture_measures(chosen, squares.read(chosen["index"].to_numpy()))
    table["outside_training"] = [";".join(names) for names in outside_training(measures, study)]
    return table[image_columns()]


def patient_table(images: pd.DataFrame, study: FrozenStudy) -> pd.DataFrame:
    """One row a patient: probabilities aggregated as in the study, implied stage, doubts.

    Parameters
    ----------
    images : DataFrame
        From `image_table`.
    study : FrozenStudy

    Returns
    -------
    DataFrame
        `patient_columns`; ``implied_stage`` is the highest stage whose question is answered with yes
        at the study's frozen cut-off, empty if a cut-off is undefined. Zones follow the study's two frozen cut-offs,
        empty if it froze none.
    """
    rows = []
    for key, part in images.groupby(KEYS, sort=True):
        probabilities = {stage: float(part[stage].agg(study.aggregate)) for stage in study_questions()}
        answers = [probabilities[stage] >= study.cutoffs["dlre"][stage] for stage in rising_questions()]
        undefined = any(np.isnan(study.cutoffs["dlre"][stage]) for stage in rising_questions())
        highest = max((level for level, yes in enumerate(answers, start=1) if yes), default=0)
        outside = sorted({n for names in part["outside_training"] for n in names.split(";") if n})
        notes = []
        if len(part) < study.images_per_patient:
            notes.append(f"{len(part)} of {study.images_per_patient} pictures")
        if not all(answers[:highest]):
            notes.append("the answers contradict each other")
        if undefined:
            notes.append("the study has no cut-off")
        if outside:
            notes.append("unlike the pictures of training")
        rows.append(
            dict(zip(KEYS, key, strict=True))
            | {"images": len(part)}
            | probabilities
            | {column: zone_of(probabilities[stage], stage, study) for stage, column in zone_columns().items()}
            | {
                "implied_stage": "" if undefined else stage_classes()[highest],
                "liver_stiffness_kpa": float(part["q_box_mean_kpa"].median()),
                "images_outside_training": int((part["outside_training"] != "").sum()),
                "outside_training": ";".join(outside),
                "notes": "; ".join(notes),
            }
        )
    return pd.DataFrame(rows, columns=patient_columns())


def zone_of(probability: float, stage: str, study: FrozenStudy) -> str:
    """Whether a stage is ruled out, ruled in or in the grey zone by the study's two cut-offs; empty without them."""
    if np.isnan(study.dual_cutoffs.get(stage, np.nan)).all():
        return ""
    return str(zones([probability], DualCutoffs(*study.dual_cutoffs[stage]))[0])


def withheld(acquisitions: pd.DataFrame) -> set[str]:
    """Pseudonyms of whom a picture was sent for another patient, too: nobody can say whose it is."""
    flags = acquisitions["flags"].fillna("").str.split(";")
    return set(acquisitions.loc[[OTHERS_TOO in names for names in flags], "patient"])


def not_staged(
    acquisitions: pd.DataFrame, rejects: pd.DataFrame, staged: Collection[str], kind: NetworkKind = PAPERS
) -> pd.DataFrame:
    """A row, without answers, for everybody who sent files and is not staged.

    Parameters
    ----------
    acquisitions, rejects : DataFrame
        ``acquisitions.csv`` and ``rejects.csv`` of the inbox.
    staged : collection of str
        Pseudonyms.
    kind : NetworkKind, optional
        Of the study's networks; whoever sent pictures that lack what these see is told so.

    Returns
    -------
    DataFrame
        `patient_columns`.
    """
    seen = pd.concat([acquisitions[KEYS], rejects[KEYS]]).dropna().drop_duplicates()
    seen = seen[(seen["patient"] != "") & ~seen["patient"].isin(list(staged))].sort_values(KEYS)
    doubtful = withheld(acquisitions)
    pictured = set(acquisitions["patient"])
    notes = [
        "a picture was sent for another patient, too"
        if p in doubtful
        else (f"no picture with what the network sees (input: {kind.input})" if p in pictured else "no usable picture")
        for p in seen["patient"]
    ]
    rows = seen.assign(images=0, images_outside_training=0, implied_stage="", outside_training="", notes=notes)
    rows = rows.assign(**dict.fromkeys(zone_columns().values(), ""))
    return rows.reindex(columns=patient_columns()).reset_index(drop=True)


def question_shown(row: pd.Series) -> str:
    """The stage question whose heat maps say most: the highest one answered yes, else the lowest."""
    level = stage_classes().index(row["implied_stage"]) if row["implied_stage"] else 1
    return rising_questions()[max(level, 1) - 1]
