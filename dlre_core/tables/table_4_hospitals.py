"""Table 4: DLRE trained on different combinations of hospitals."""

from collections.abc import Mapping
from itertools import combinations

import numpy as np
import pandas as pd

from dlre_core.foundation.study_terms import COHORTS, KEYS, STAGES, stage_labels
from dlre_core.statistics.bootstrap import compare_overlapping_aucs
from dlre_core.statistics.comparisons import holm
from dlre_core.tables.formatting import stars
from dlre_core.tables.table_2_accuracy import AccuracySettings, accuracy_row, method_scores, samples


def table_4(scores: Mapping[str, pd.DataFrame], comparisons: pd.DataFrame, settings: AccuracySettings) -> pd.DataFrame:
    """Accuracy of DLRE by combination of training hospitals.

    Parameters
    ----------
    scores : mapping of arm to DataFrame
        ``results/scores/{arm}.csv``.
    comparisons : DataFrame
        As `compare_combinations` returns it.
    settings : AccuracySettings

    Returns
    -------
    DataFrame
        One row a stage, arm and cohort, with the columns of Table 2; p_value is the smallest of the
        row's comparisons with the other combinations, and ``compared_with`` says with which.
    """
    rows = []
    for stage in STAGES:
        for arm, part in scores.items():
            values = samples(part, "dlre", stage)
            for cohort in COHORTS:
                found = comparisons[
                    (comparisons["stage"] == stage)
                    & (comparisons["cohort"] == cohort)
                    & ((comparisons["first"] == arm) | (comparisons["second"] == arm))
                ]
                rows.append(
                    {"stage": stage, "method": "dlre", "arm": arm, "cohort": cohort}
                    | accuracy_row(values, cohort, settings)
                    | _closest(found, arm)
                )
    table = pd.DataFrame(rows)
    table["stars"] = [stars(p) for p in table["p_value"]]
    return table


def compare_combinations(
    scores: Mapping[str, pd.DataFrame],
    *,
    replicates: int,
    seed: int,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Every two combinations against each other, by a bootstrap that draws patients.

    The cohorts of two combinations share patients, so neither the paired nor the unpaired DeLong
    test holds; a patient who is in both cohorts counts in both AUCs of a replicate.

    Parameters
    ----------
    scores : mapping of arm to DataFrame
    replicates, seed : int
    confidence : float

    Returns
    -------
    DataFrame
        One row a stage, cohort and pair: patients of each and of both, the difference (first minus
        second) with its percentile interval, z, p raw and Holm-adjusted, stars, notes.
    """
    rows = []
    for number, (stage, cohort) in enumerate((s, c) for s in STAGES for c in COHORTS):
        for first, second in combinations(scores, 2):
            merged = _union(scores[first], scores[second], stage, cohort)
            test = compare_overlapping_aucs(
                merged["label"],
                merged["a"],
                merged["b"],
                replicates=replicates,
                seed=seed + number,
                confidence=confidence,
            )
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
                    "p_value": test.p_value,
                    "log_p_value": test.log_p_value,
                    "replicates": replicates,
                    "notes": test.reason,
                }
            )
    table = pd.DataFrame(rows)
    table["p_holm"] = holm(table["p_value"]) if len(table) else []
    table["stars"] = [stars(p) for p in table["p_value"]]
    return table


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
        return {"compared_with": "", **nothing}
    row = found.loc[found["p_value"].idxmin()]
    # As in the other tables, z is that of what the row is compared with minus the row.
    is_first = row["first"] == arm
    return {
        "compared_with": row["second"] if is_first else row["first"],
        "z": -row["z"] if is_first else row["z"],
        **{name: row[name] for name in ("p_value", "log_p_value", "p_holm")},
    }
