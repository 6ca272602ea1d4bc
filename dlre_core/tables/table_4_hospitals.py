"""Table 4: DLRE trained on different combinations of hospitals."""

from collections.abc import Mapping
from itertools import combinations

import numpy as np
import pandas as pd

from dlre_core.foundation.design import stage_labels, study_questions
from dlre_core.foundation.study_terms import COHORTS, EXTERNAL, KEYS, cohorts_of
from dlre_core.statistics.comparisons import compare_overlapping_aucs
from dlre_core.tables.table_2_accuracy import (
    AccuracySettings,
    accuracy_row,
    judged,
    method_scores,
    samples,
    training_cutoff,
    validated_stars,
    with_comparison,
)


def table_4(
    scores: Mapping[str, pd.DataFrame],
    comparisons: pd.DataFrame,
    settings: AccuracySettings,
    out_of_fold: Mapping[str, pd.DataFrame] | None = None,
) -> pd.DataFrame:
    """Accuracy of DLRE by combination of training hospitals.

    Parameters
    ----------
    scores : mapping of arm to DataFrame
        ``results/scores/{arm}.csv``.
    comparisons : DataFrame
        As `compare_combinations` returns it.
    settings : AccuracySettings
    out_of_fold : mapping of arm to DataFrame, optional
        Out-of-fold scores of the arms' training patients, where there are any.

    Returns
    -------
    DataFrame
        One row a stage, arm and cohort, with the columns of Table 2; p_value is the smallest of the
        row's comparisons with the other combinations, and ``compared_with`` says with which.
    """
    rows, folds = [], out_of_fold or {}
    for stage in study_questions():
        for arm, part in scores.items():
            values = samples(part, "dlre", stage)
            cutoff = training_cutoff(values, settings, (folds.get(arm), "dlre", stage))
            for cohort in cohorts_of(part):
                found = comparisons[
                    (comparisons["stage"] == stage)
                    & (comparisons["cohort"] == cohort)
                    & ((comparisons["first"] == arm) | (comparisons["second"] == arm))
                ]
                rows.append(
                    {"stage": stage, "method": "dlre", "arm": arm, "cohort": cohort}
                    | with_comparison(accuracy_row(values, cohort, settings, cutoff), _closest(found, arm))
                )
    table = pd.DataFrame(rows)
    table["stars"] = validated_stars(table, "p_value")
    return table


def compare_combinations(scores: Mapping[str, pd.DataFrame], *, confidence: float = 0.95) -> pd.DataFrame:
    """Every two combinations against each other, by DeLong's test for cohorts that overlap.

    The cohorts of two combinations share patients, so neither the paired nor the unpaired test holds.

    Parameters
    ----------
    scores : mapping of arm to DataFrame
    confidence : float

    Returns
    -------
    DataFrame
        One row a stage, cohort and pair: patients of each and of both, the difference (first minus
        second) with its interval, t with its degrees of freedom, p raw and, but for the training
        cohorts, Holm-adjusted, stars, and notes that say why there is no p.
    """
    rows = []
    for stage, cohort in ((s, c) for s in study_questions() for c in (*COHORTS, EXTERNAL)):
        having = [arm for arm, part in scores.items() if cohort in cohorts_of(part)]
        for first, second in combinations(having, 2):
            merged = _union(scores[first], scores[second], stage, cohort)
            test = compare_overlapping_aucs(merged["label"], merged["a"], merged["b"], confidence=confidence).reported
            present = merged[["a", "b"]].notna()
            rows.append(
                {
                    "stage": stage,
                    "cohort": cohort,
                    "first": first,
                    "second": second,
                    "n_first": int(present["a"].sum()),
                    "n_second": int(present["b"].sum()),
                    "n_both": int(present.all(axis=1).sum()),
                    "auc_first": test.auc_a,
                    "auc_second": test.auc_b,
                    "difference": test.difference,
                    "difference_low": test.interval[0],
                    "difference_high": test.interval[1],
                    "z": test.statistic,
                    "degrees_of_freedom": test.degrees_of_freedom,
                    "p_value": test.p_value,
                    "log_p_value": test.log_p_value,
                    "notes": test.reason,
                }
            )
    return judged(pd.DataFrame(rows)) if rows else pd.DataFrame(rows)


def _union(a: pd.DataFrame, b: pd.DataFrame, stage: str, cohort: str) -> pd.DataFrame:
    """Patients of either cohort with their label and both scores, NaN where not in that cohort."""
    parts = []
    for name, scores in (("a", a), ("b", b)):
        part = scores[scores["cohort"] == cohort]
        parts.append(
            pd.DataFrame(
                {
                    **{key: part[key] for key in KEYS},
                    f"label_{name}": stage_labels(part["fibrosis_stage"], stage),
                    name: method_scores(part, "dlre", stage),
                }
            )
        )
    merged = parts[0].merge(parts[1], on=KEYS, how="outer").sort_values(KEYS, ignore_index=True)
    merged["label"] = merged["label_a"].fillna(merged["label_b"]).astype(np.int64)
    return merged


def _closest(found: pd.DataFrame, arm: str) -> dict[str, object]:
    if found["p_value"].notna().sum() == 0:
        nothing = dict.fromkeys(("z", "p_value", "log_p_value", "p_holm"), np.nan)
        why = "; ".join(dict.fromkeys(note for note in found["notes"] if note))
        return {"compared_with": "", **nothing, "comparison_notes": why}
    row = found.loc[found["p_value"].idxmin()]
    # As in the other tables, z is that of what the row is compared with minus the row.
    is_first = row["first"] == arm
    return {
        "compared_with": row["second"] if is_first else row["first"],
        "z": -row["z"] if is_first else row["z"],
        **{name: row[name] for name in ("p_value", "log_p_value", "p_holm")},
        "comparison_notes": "",
    }
