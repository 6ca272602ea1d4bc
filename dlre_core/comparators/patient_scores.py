"""One score per patient and method, from image predictions, stiffness and blood."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from dlre_core.comparators.serum_indices import apri, fib4
from dlre_core.foundation.design import score_columns, study_questions
from dlre_core.foundation.errors import StoreMismatch
from dlre_core.foundation.study_terms import KEYS


def patient_scores(
    predictions: pd.DataFrame,
    acquisitions: pd.DataFrame,
    patients: pd.DataFrame,
    *,
    aggregate: str = "mean",
    upper_limit_of_normal_iu_l: float = 40.0,
    upper_limit_by_hospital_iu_l: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """Aggregate what was measured to the unit of analysis, the patient.

    ``dlre_*`` aggregates the probabilities of the images used; ``lsm`` is the median of the Q-Box
    means (kPa) of the same acquisitions; APRI and FIB-4 come from the clinical table. A higher score
    always means more disease; a score that cannot be computed is NaN.

    Parameters
    ----------
    predictions : DataFrame
        ``results/predictions/{arm}.csv``.
    acquisitions : DataFrame
        ``results/store/acquisitions.csv``: image_id and q_box_mean_kpa are used.
    patients : DataFrame
        ``results/clinical/patients.csv``.
    aggregate : {"mean", "median", "max"}
    upper_limit_of_normal_iu_l : float
        Of AST, IU/L, for APRI.
    upper_limit_by_hospital_iu_l : mapping, optional
        Where a hospital has its own.

    Returns
    -------
    DataFrame
        One row a patient, `score_columns()`, sorted by hospital and patient.

    Raises
    ------
    StoreMismatch
        If a predicted image is not in the store, or a predicted patient not in the clinical table.
    """
    stiffness = acquisitions.set_index("image_id")["q_box_mean_kpa"]
    unknown = sorted(set(predictions["image_id"]) - set(stiffness.index))
    if unknown:
        raise StoreMismatch(
            f"{len(unknown)} predicted images are not in the store, such as {unknown[0]}.",
            "Delete results/predictions and run again.",
        )
    images = predictions.assign(lsm=predictions["image_id"].map(stiffness))
    grouped = images.groupby(KEYS, sort=True)
    scores = grouped[["cohort", "fibrosis_stage"]].first()
    scores["images"] = grouped.size()
    for stage in study_questions():
        scores[f"dlre_{stage}"] = grouped[stage].agg(aggregate)
    scores["lsm"] = grouped["lsm"].median()
    clinical = patients.set_index(KEYS)
    missing = scores.index.difference(clinical.index)
    if len(missing):
        raise StoreMismatch(
            f"{len(missing)} predicted patients are not in the clinical table.",
            "Delete results/predictions and run again.",
        )
    clinical = clinical.reindex(scores.index)
    limits = pd.Series(scores.index.get_level_values("hospital"), index=scores.index)
    limits = limits.map(dict(upper_limit_by_hospital_iu_l or {})).astype(float)
    limits = limits.fillna(upper_limit_of_normal_iu_l)
    ast, alt, platelets, age = (
        clinical[name].to_numpy(dtype=np.float64, na_value=np.nan)
        for name in ("ast_iu_l", "alt_iu_l", "platelets_10e9_l", "age_years")
    )
    scores["apri"] = apri(ast, platelets, limits.to_numpy())
    scores["fib4"] = fib4(age, ast, alt, platelets)
    scores = scores.join(clinical[["inflammation_grade", "alt_iu_l", "bmi_kg_m2"]])
    return scores.reset_index()[score_columns()]
