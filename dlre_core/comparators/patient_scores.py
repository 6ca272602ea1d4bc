"""One score per patient and method, from image predictions, stiffness and blood."""

from collections.abc import Mapping
from types import MappingProxyType

import pandas as pd

from dlre_core.comparators.registry import COMPARATORS, UpperLimit, comparator_scores, given_column
from dlre_core.foundation.design import design_in_use, score_columns, study_questions
from dlre_core.foundation.errors import StoreMismatch
from dlre_core.foundation.study_terms import KEYS

# Of AST, IU/L, as the paper has it.
DEFAULT_LIMITS: Mapping[str, UpperLimit] = MappingProxyType({"ast_iu_l": UpperLimit(40.0)})


def patient_scores(
    predictions: pd.DataFrame,
    acquisitions: pd.DataFrame,
    patients: pd.DataFrame,
    *,
    aggregate: str = "mean",
    upper_limits: Mapping[str, UpperLimit] = DEFAULT_LIMITS,
) -> pd.DataFrame:
    """Aggregate what was measured to the unit of analysis, the patient.

    ``dlre_*`` aggregates the probabilities of the images used; ``lsm`` is the median of the Q-Box
    means (kPa) of the same acquisitions; the design's other comparators come from the clinical table. A higher score
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
    upper_limits : mapping of column to UpperLimit
        Of normal, IU/L, of the columns whose comparators need one.

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
    known = clinical.assign(lsm=scores["lsm"]).reset_index()
    for method in design_in_use().comparators:
        chosen = COMPARATORS.get(method.name) or given_column(method.name, method.label, direction=method.direction)
        values = comparator_scores(known, [chosen], upper_limits)[chosen.name]
        scores[method.name] = chosen.direction * values.to_numpy()
    scores = scores.join(clinical[["inflammation_grade", "alt_iu_l", "bmi_kg_m2"]])
    return scores.reset_index()[score_columns()]
