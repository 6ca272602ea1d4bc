"""Tables of diagnostic accuracy: the paper's Table 2, and what Tables 3 and 4 share with it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlre_core.foundation.study_terms import COHORTS, METHODS, STAGES, stage_labels
from dlre_core.statistics.comparisons import compare_paired_aucs, holm
from dlre_core.statistics.cutoffs import Cutoff, sensitivity_cutoff, specificity_cutoff, youden_cutoff
from dlre_core.statistics.diagnostic import DiagnosticAccuracy, diagnostic_accuracy
from dlre_core.statistics.estimates import Estimate
from dlre_core.statistics.roc import roc_analysis
from dlre_core.tables.formatting import stars

# Methods with a score of their own for every stage question.
OF_EACH_STAGE = ("dlre", "dlre_fusion", "radiomics")
MEASURES = (
    "sensitivity",
    "specificity",
    "positive_predictive_value",
    "negative_predictive_value",
    "positive_likelihood_ratio",
    "negative_likelihood_ratio",
)
COUNTS = ("true_positives", "false_negatives", "true_negatives", "false_positives")
COMPARISON = ("difference", "difference_low", "difference_high", "z", "p_value", "log_p_value")


@dataclass(frozen=True)
class AccuracySettings:
    """How estimates, intervals and cut-offs are made; see config.yaml, section statistics."""

    confidence: float = 0.95
    cutoff: str = "youden"
    auc_interval: str = "delong"
    proportion_interval: str = "clopper-pearson"
    likelihood_ratio_interval: str = "simel"


def method_scores(scores: pd.DataFrame, method: str, stage: str) -> NDArray[np.float64]:
    """A method's score for a stage question; biomarkers have one for all."""
    column = f"{method}_{stage}" if method in OF_EACH_STAGE else method
    return scores[column].to_numpy(dtype=np.float64)


def choose_cutoff(labels: NDArray[np.int64], values: NDArray[np.float64], how: str) -> Cutoff:
    """The cut-off on one cohort by the rule named in the configuration."""
    if how == "sensitivity_90":
        return sensitivity_cutoff(labels, values, 0.90)
    if how == "specificity_90":
        return specificity_cutoff(labels, values, 0.90)
    return youden_cutoff(labels, values)


@dataclass(frozen=True)
class Sample:
    """One score against one stage question: labels (n,) of 0 and 1, values (n,) float."""

    labels: NDArray[np.int64]
    values: NDArray[np.float64]


def samples(scores: pd.DataFrame, method: str, stage: str) -> dict[str, Sample]:
    """A method's labels and scores of each cohort.

    Parameters
    ----------
    scores : DataFrame
        ``results/scores/{arm}.csv``.
    """
    parts = {cohort: scores[scores["cohort"] == cohort] for cohort in COHORTS}
    return {
        cohort: Sample(stage_labels(part["fibrosis_stage"], stage), method_scores(part, method, stage))
        for cohort, part in parts.items()
    }


def table_2(
    scores: pd.DataFrame,
    settings: AccuracySettings,
    methods: Sequence[str] = METHODS,
    cohorts: Sequence[str] = COHORTS,
    frozen: Mapping[str, Mapping[str, float]] | None = None,
) -> pd.DataFrame:
    """Diagnostic accuracy of every method, stage question and cohort, at full precision.

    Cut-offs are chosen in the training cohort and frozen, unless the settings say ``reoptimised`` or they are given.
    DLRE is compared with each other method by the paired DeLong test.

    Parameters
    ----------
    scores : DataFrame
        ``results/scores/{arm}.csv``.
    settings : AccuracySettings
    methods : sequence of str
        The first is the reference of the comparisons.
    cohorts : sequence of str
        Those to be tabulated.
    frozen : mapping of method to stage to float, optional
        Cut-offs that another study chose.

    Returns
    -------
    DataFrame
        One row per stage, method and cohort: n, n_missing, prevalence, the four counts, cut-off and
        its choice, AUC and six measures each with _low and _high, p against the reference raw and
        Holm-adjusted (over all comparisons of the table), stars, and notes for undefined cells.
    """
    rows = []
    for stage in STAGES:
        reference = samples(scores, methods[0], stage)
        for method in methods:
            values = samples(scores, method, stage)
            cutoff = None if frozen is None else frozen[method][stage]
            for cohort in cohorts:
                rows.append(
                    {"stage": stage, "method": method, "cohort": cohort}
                    | accuracy_row(values, cohort, settings, cutoff)
                    | paired_comparison(
                        None if method == methods[0] else reference[cohort],
                        values[cohort],
                        methods[0],
                        settings.confidence,
                    )
                )
    table = pd.DataFrame(rows)
    table["p_holm"] = holm(table["p_value"])
    table["stars"] = [stars(p) for p in table["p_value"]]
    return table


def accuracy_row(
    values: Mapping[str, Sample],
    cohort: str,
    settings: AccuracySettings,
    frozen: float | None = None,
) -> dict[str, object]:
    """n, prevalence, cut-off, AUC, counts and six measures of one score in one cohort.

    Parameters
    ----------
    values : mapping of cohort to Sample
        The training cohort's gives the cut-off, unless the settings say ``reoptimised``.
    cohort : str
    settings : AccuracySettings
    frozen : float, optional
        A cut-off that another study chose; then only ``cohort`` is looked at.

    Returns
    -------
    dict
        Undefined cells are NaN, and ``notes`` says why.
    """
    part = values[cohort]
    roc = roc_analysis(part.labels, part.values, confidence=settings.confidence, interval=settings.auc_interval)
    logit = roc_analysis(part.labels, part.values, confidence=settings.confidence, interval="logit")
    source = cohort if settings.cutoff == "reoptimised" else "training"
    threshold, reason = frozen, "none was chosen in training"
    if frozen is None:
        cutoff = choose_cutoff(values[source].labels, values[source].values, settings.cutoff)
        threshold, reason = cutoff.threshold, cutoff.reason
    notes = [f"AUC: {roc.reason}"] if roc.reason else []
    row: dict[str, object] = {
        "n": roc.n_cases + roc.n_controls,
        "n_missing": roc.n_missing,
        "prevalence": roc.n_cases / (roc.n_cases + roc.n_controls) if roc.n_cases + roc.n_controls else math.nan,
        "cutoff": threshold,
        "cutoff_choice": settings.cutoff,
        "cutoff_cohort": source,
        **spread("auc", roc.estimate),
        # Covers its level where DeLong's does not: high AUCs, few cases (docs/measurements/statistics.md).
        "auc_logit_low": logit.estimate.low,
        "auc_logit_high": logit.estimate.high,
        "auc_variance": roc.auc_variance,
        "auc_one_sided_bound": roc.one_sided_bound,
    }
    accuracy: DiagnosticAccuracy | None = None
    if math.isnan(threshold):
        notes.append(f"cut-off: {reason}")
    else:
        accuracy = diagnostic_accuracy(
            part.labels,
            part.values,
            threshold,
            confidence=settings.confidence,
            interval=settings.proportion_interval,
            likelihood_ratio_interval=settings.likelihood_ratio_interval,
        )
    for name in COUNTS:
        row[name] = getattr(accuracy, name, None)
    for name in MEASURES:
        estimate: Estimate = getattr(accuracy, name, Estimate(math.nan, math.nan, math.nan))
        row |= spread(name, estimate)
        if estimate.reason:
            notes.append(f"{name.replace('_', ' ')}: {estimate.reason}")
    return row | {"notes": "; ".join(notes)}


def paired_comparison(
    reference: Sample | None, other: Sample, name: str, confidence: float, prefix: str = ""
) -> dict[str, object]:
    """DeLong's test of a reference against a score of the same patients, complete cases only.

    Parameters
    ----------
    reference : Sample or None
        None where a row has nothing to be compared with.
    other : Sample
    name : str
        What the reference is called in ``compared_with``.
    confidence : float
    prefix : str
        Put before every column's name.
    """
    if reference is None:
        nothing = dict.fromkeys(COMPARISON, math.nan)
        cells: dict[str, object] = {"compared_with": "", "n_compared": 0} | nothing
    else:
        test = compare_paired_aucs(reference.labels, reference.values, other.values, confidence=confidence)
        cells = {
            "compared_with": name,
            "n_compared": len(reference.labels) - test.n_missing,
            "difference": test.difference,
            "difference_low": test.interval[0],
            "difference_high": test.interval[1],
            "z": test.statistic,
            "p_value": test.p_value,
            "log_p_value": test.log_p_value,
        }
    return {prefix + key: value for key, value in cells.items()}


def spread(name: str, estimate: Estimate) -> dict[str, float]:
    """An estimate as three columns."""
    return {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}
