"""Tables of diagnostic accuracy: the paper's Table 2, and what Tables 3 and 4 share with it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlre_core.splits import stage_labels
from dlre_core.statistics import (
    Cutoff,
    DiagnosticAccuracy,
    Estimate,
    compare_paired_aucs,
    diagnostic_accuracy,
    holm,
    roc_analysis,
    sensitivity_cutoff,
    specificity_cutoff,
    youden_cutoff,
)
from dlre_core.tables.formatting import stars

STAGES = ("f4", "ge_f3", "ge_f2")
METHODS = ("dlre", "lsm", "apri", "fib4")
COHORTS = ("training", "validation")
MEASURES = (
    "sensitivity", "specificity", "positive_predictive_value", "negative_predictive_value",
    "positive_likelihood_ratio", "negative_likelihood_ratio",
)  # fmt: skip


@dataclass(frozen=True)
class AccuracySettings:
    """How estimates, intervals and cut-offs are made; see config.yaml, section statistics."""

    confidence: float = 0.95
    cutoff: str = "youden"
    auc_interval: str = "delong"
    proportion_interval: str = "clopper-pearson"
    likelihood_ratio_interval: str = "simel"


def method_scores(scores: pd.DataFrame, method: str, stage: str) -> NDArray[np.float64]:
    """A method's score for a stage question; only DLRE has one of its own for each."""
    column = f"dlre_{stage}" if method == "dlre" else method
    return scores[column].to_numpy(dtype=np.float64)


def choose_cutoff(labels: NDArray[np.int64], values: NDArray[np.float64], how: str) -> Cutoff:
    """The cut-off on one cohort by the rule named in the configuration."""
    if how == "sensitivity_90":
        return sensitivity_cutoff(labels, values, 0.90)
    if how == "specificity_90":
        return specificity_cutoff(labels, values, 0.90)
    return youden_cutoff(labels, values)


def table_2(
    scores: pd.DataFrame, settings: AccuracySettings, methods: Sequence[str] = METHODS
) -> pd.DataFrame:
    """Diagnostic accuracy of every method, stage question and cohort, at full precision.

    Cut-offs are chosen in the training cohort and frozen, unless the settings say ``reoptimised``.
    DLRE is compared with each other method by the paired DeLong test.

    Parameters
    ----------
    scores : DataFrame
        ``results/scores/{arm}.csv``.
    settings : AccuracySettings
    methods : sequence of str
        The first is the reference of the comparisons.

    Returns
    -------
    DataFrame
        One row a stage, method and cohort: n, n_missing, prevalence, the four counts, cut-off and
        its choice, AUC and six measures each with _low and _high, p against the reference raw and
        Holm-adjusted (over all comparisons of the table), stars, and notes for undefined cells.
    """
    rows = [
        _row(scores, stage, method, cohort, settings)
        | _comparison(scores, stage, method, methods[0], cohort, settings)
        for stage in STAGES
        for method in methods
        for cohort in COHORTS
    ]
    table = pd.DataFrame(rows)
    table["p_holm"] = holm(table["p_value"])
    table["stars"] = [stars(p) for p in table["p_value"]]
    return table


def _row(
    scores: pd.DataFrame, stage: str, method: str, cohort: str, settings: AccuracySettings
) -> dict[str, object]:
    parts = {name: scores[scores["cohort"] == name] for name in COHORTS}
    part = parts[cohort]
    labels, values = stage_labels(part["fibrosis_stage"], stage), method_scores(part, method, stage)
    roc = roc_analysis(
        labels, values, confidence=settings.confidence, interval=settings.auc_interval
    )
    reoptimised = settings.cutoff == "reoptimised"
    source = part if reoptimised else parts["training"]
    cutoff = choose_cutoff(
        stage_labels(source["fibrosis_stage"], stage),
        method_scores(source, method, stage),
        settings.cutoff,
    )
    notes = [f"AUC: {roc.reason}"] if roc.reason else []
    row: dict[str, object] = {
        "stage": stage,
        "method": method,
        "cohort": cohort,
        "n": roc.n_cases + roc.n_controls,
        "n_missing": roc.n_missing,
        "prevalence": roc.n_cases / max(roc.n_cases + roc.n_controls, 1),
        "cutoff": cutoff.threshold,
        "cutoff_choice": settings.cutoff,
        "cutoff_cohort": cohort if reoptimised else "training",
        **_spread("auc", roc.estimate),
        "auc_variance": roc.auc_variance,
    }
    accuracy: DiagnosticAccuracy | None = None
    if math.isnan(cutoff.threshold):
        notes.append(f"cut-off: {cutoff.reason}")
    else:
        accuracy = diagnostic_accuracy(
            labels, values, cutoff.threshold, confidence=settings.confidence,
            interval=settings.proportion_interval,
            likelihood_ratio_interval=settings.likelihood_ratio_interval,
        )  # fmt: skip
    for name in ("true_positives", "false_negatives", "true_negatives", "false_positives"):
        row[name] = getattr(accuracy, name, None)
    for name in MEASURES:
        estimate: Estimate = getattr(accuracy, name, Estimate(math.nan, math.nan, math.nan))
        row |= _spread(name, estimate)
        if estimate.reason:
            notes.append(f"{name}: {estimate.reason}")
    return row | {"notes": "; ".join(notes)}


def _comparison(
    scores: pd.DataFrame,
    stage: str,
    method: str,
    reference: str,
    cohort: str,
    settings: AccuracySettings,
) -> dict[str, object]:
    """DeLong's test of the reference against a method, on patients who have both scores."""
    if method == reference:
        nothing = dict.fromkeys(
            ("difference", "difference_low", "difference_high", "z", "p_value", "log_p_value"),
            math.nan,
        )
        return nothing | {"compared_with": "", "n_compared": 0}
    part = scores[scores["cohort"] == cohort]
    labels = stage_labels(part["fibrosis_stage"], stage)
    test = compare_paired_aucs(
        labels, method_scores(part, reference, stage), method_scores(part, method, stage),
        confidence=settings.confidence,
    )  # fmt: skip
    return {
        "compared_with": reference,
        "n_compared": len(part) - test.n_missing,
        "difference": test.difference,
        "difference_low": test.interval[0],
        "difference_high": test.interval[1],
        "z": test.statistic,
        "p_value": test.p_value,
        "log_p_value": test.log_p_value,
    }


def _spread(name: str, estimate: Estimate) -> Mapping[str, float]:
    return {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}
