"""Tables of diagnostic accuracy: the paper's Table 2, and what Tables 3 and 4 share with it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlre_core.foundation.design import stage_labels, study_methods, study_questions
from dlre_core.foundation.study_terms import cohorts_of
from dlre_core.statistics.comparisons import compare_paired_aucs, holm
from dlre_core.statistics.cutoffs import (
    Cutoff,
    cutoff_interval,
    sensitivity_cutoff,
    specificity_cutoff,
    youden_cutoff,
)
from dlre_core.statistics.diagnostic import DiagnosticAccuracy, diagnostic_accuracy
from dlre_core.statistics.estimates import Estimate
from dlre_core.statistics.roc import roc_analysis
from dlre_core.tables.formatting import stars

# Methods that are fitted to the training patients, with a score of their own for every stage question.
OF_EACH_STAGE = ("dlre", "dlre_fusion", "radiomics")
MEASURES = (
    "sensitivity",
    "specificity",
    "positive_predictive_value",
    "negative_predictive_value",
    "positive_likelihood_ratio",
    "negative_likelihood_ratio",
)
MEASURE_NAMES = {
    "positive_predictive_value": "PPV",
    "negative_predictive_value": "NPV",
    "positive_likelihood_ratio": "LR+",
    "negative_likelihood_ratio": "LR−",
}
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
    bootstrap_replicates: int = 2000
    seed: int = 0


@dataclass(frozen=True)
class TableCutoff:
    """A cut-off as the tables report it.

    ``low`` and ``high`` are limits of a bootstrap in which it is chosen anew, ``youden`` is Youden's index of
    the choice. ``cohort`` is the one in which it was chosen, ``predictions`` says whether DLRE's were
    ``out of fold`` or ``apparent`` there. ``reason`` says why the threshold is NaN or divides nobody.
    """

    threshold: float
    low: float = math.nan
    high: float = math.nan
    youden: float = math.nan
    cohort: str = "training"
    predictions: str = ""
    reason: str = ""


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
    parts = {cohort: scores[scores["cohort"] == cohort] for cohort in cohorts_of(scores)}
    return {
        cohort: Sample(stage_labels(part["fibrosis_stage"], stage), method_scores(part, method, stage))
        for cohort, part in parts.items()
    }


def table_2(
    scores: pd.DataFrame,
    settings: AccuracySettings,
    methods: Sequence[str] = (),
    cohorts: Sequence[str] = (),
    frozen: Mapping[str, Mapping[str, float]] | None = None,
    out_of_fold: pd.DataFrame | None = None,
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
        The first is the reference of the comparisons; the design's where none are named.
    cohorts : sequence of str
        Those to be tabulated; all that the scores have where none are named.
    frozen : mapping of method to stage to float, optional
        Cut-offs that another study chose.
    out_of_fold : DataFrame, optional
        Scores of the training patients by networks that were not fitted to them, on which DLRE's cut-offs are chosen.

    Returns
    -------
    DataFrame
        One row per stage, method and cohort: n, n_missing, prevalence, the four counts, cut-off with its
        bootstrap interval and how it was chosen, AUC and six measures each with _low and _high, p against the
        reference, in the validation and the external cohort also Holm-adjusted (over the cohort's comparisons in the
        table) and as stars, and notes for undefined cells.
    """
    rows = []
    methods = methods or study_methods()
    for stage in study_questions():
        reference = samples(scores, methods[0], stage)
        for method in methods:
            values = samples(scores, method, stage)
            if frozen is not None:
                given = frozen[method][stage]
                cutoff = TableCutoff(given, reason="none was chosen in training" if math.isnan(given) else "")
            else:
                cutoff = training_cutoff(values, settings, (out_of_fold, method, stage))
            for cohort in cohorts or cohorts_of(scores):
                compared = None if method == methods[0] else reference[cohort]
                row = accuracy_row(values, cohort, settings, cutoff)
                comparison = paired_comparison(compared, values[cohort], methods[0], settings.confidence)
                rows.append({"stage": stage, "method": method, "cohort": cohort} | with_comparison(row, comparison))
    return judged(pd.DataFrame(rows))


def training_cutoff(
    values: Mapping[str, Sample],
    settings: AccuracySettings,
    refitted: tuple[pd.DataFrame | None, str, str] = (None, "", ""),
) -> TableCutoff | None:
    """The cut-off of a score chosen on the training patients; None where every cohort chooses its own.

    Parameters
    ----------
    values : mapping of cohort to Sample
    settings : AccuracySettings
    refitted : (DataFrame or None, method, stage)
        Out-of-fold scores of the training patients, which stand in for DLRE's own where both classes have them.
    """
    if settings.cutoff == "reoptimised":
        return None
    table, method, stage = refitted
    sample, predictions = values["training"], "apparent" if method in OF_EACH_STAGE else ""
    if table is not None and method == "dlre":
        known = table[table[f"dlre_{stage}"].notna()]
        labels = stage_labels(known["fibrosis_stage"], stage)
        if len(set(labels)) == 2:
            sample, predictions = Sample(labels, method_scores(known, method, stage)), "out of fold"
    return _chosen_on(sample, settings, "training", predictions)


def _chosen_on(sample: Sample, settings: AccuracySettings, cohort: str, predictions: str) -> TableCutoff:
    cutoff = choose_cutoff(sample.labels, sample.values, settings.cutoff)
    rule = "youden" if settings.cutoff == "reoptimised" else settings.cutoff
    low, high = cutoff_interval(
        sample.labels,
        sample.values,
        rule,
        replicates=settings.bootstrap_replicates,
        seed=settings.seed,
        confidence=settings.confidence,
    )
    return TableCutoff(cutoff.threshold, low, high, cutoff.youden, cohort, predictions, cutoff.reason)


def accuracy_row(
    values: Mapping[str, Sample], cohort: str, settings: AccuracySettings, cutoff: TableCutoff | None
) -> dict[str, object]:
    """n, prevalence, cut-off, AUC, counts and six measures of one score in one cohort.

    Parameters
    ----------
    values : mapping of cohort to Sample
    cohort : str
    settings : AccuracySettings
    cutoff : TableCutoff, optional
        Without one it is chosen in this cohort.

    Returns
    -------
    dict
        Undefined cells are NaN, and ``notes`` says why.
    """
    part = values[cohort]
    roc = roc_analysis(part.labels, part.values, confidence=settings.confidence, interval=settings.auc_interval)
    logit = roc_analysis(part.labels, part.values, confidence=settings.confidence, interval="logit")
    cutoff = cutoff or _chosen_on(part, settings, cohort, "")
    found = roc.estimate
    notes = [f"AUC: {found.reason}"] if found.reason else []
    row: dict[str, object] = {
        "n": roc.n_cases + roc.n_controls,
        "n_missing": roc.n_missing,
        "prevalence": roc.n_cases / (roc.n_cases + roc.n_controls) if roc.n_cases + roc.n_controls else math.nan,
        "cutoff": cutoff.threshold,
        "cutoff_low": cutoff.low,
        "cutoff_high": cutoff.high,
        "cutoff_youden": cutoff.youden,
        "cutoff_choice": settings.cutoff,
        "cutoff_cohort": cutoff.cohort,
        "cutoff_predictions": cutoff.predictions,
        **spread("auc", found),
        # Covers its level where DeLong's does not: high AUCs, few cases (docs/measurements/statistics.md).
        "auc_logit_low": logit.estimate.low,
        "auc_logit_high": logit.estimate.high,
        "auc_variance": roc.auc_variance,
        "auc_one_sided_bound": roc.one_sided_bound,
    }
    accuracy: DiagnosticAccuracy | None = None
    if cutoff.reason:
        notes.append(f"cut-off: {cutoff.reason}")
    if not math.isnan(cutoff.threshold):
        accuracy = diagnostic_accuracy(
            part.labels,
            part.values,
            cutoff.threshold,
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
            notes.append(f"{MEASURE_NAMES.get(name, name)}: {estimate.reason}")
    shares = [getattr(accuracy, name, Estimate(math.nan, math.nan, math.nan)).value for name in MEASURES[:2]]
    return row | {"youden": sum(shares) - 1, "notes": "; ".join(notes)}


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

    Returns
    -------
    dict
        ``comparison_notes`` says why there is no p.
    """
    if reference is None:
        nothing = dict.fromkeys(COMPARISON, math.nan)
        cells: dict[str, object] = {"compared_with": "", "n_compared": 0} | nothing | {"comparison_notes": ""}
    else:
        test = compare_paired_aucs(reference.labels, reference.values, other.values, confidence=confidence).reported
        cells = {
            "compared_with": name,
            "n_compared": len(reference.labels) - test.n_missing,
            "difference": test.difference,
            "difference_low": test.interval[0],
            "difference_high": test.interval[1],
            "z": test.statistic,
            "p_value": test.p_value,
            "log_p_value": test.log_p_value,
            "comparison_notes": test.reason,
        }
    return {prefix + key: value for key, value in cells.items()}


def with_comparison(row: Mapping[str, object], *comparisons: Mapping[str, object]) -> dict[str, object]:
    """A row with its comparisons, whose reasons join the row's notes."""
    joined = dict(row)
    notes = [str(row["notes"])] if row["notes"] else []
    for comparison in comparisons:
        cells = dict(comparison)
        (name,) = [key for key in cells if key.endswith("comparison_notes")]
        if reason := cells.pop(name):
            notes.append(f"comparison: {reason}")
        joined |= cells
    return joined | {"notes": "; ".join(dict.fromkeys(notes))}


def judged(table: pd.DataFrame, prefix: str = "") -> pd.DataFrame:
    """The table with Holm's adjustment and stars, of the validation and the external cohort, each a family of its own.

    Training rows are apparent: the networks were fitted to these patients.
    """
    adjusted = holm_by_cohort(table[[f"{prefix}p_value"]].to_numpy(), table["cohort"])[:, 0]
    return table.assign(**{f"{prefix}p_holm": adjusted, "stars": validated_stars(table, f"{prefix}p_value")})


def holm_by_cohort(p_values: NDArray[np.float64], cohorts: pd.Series) -> NDArray[np.float64]:
    """Holm's adjustment of p values, (rows, tests), over all of a cohort; NaN in the training cohort.

    Examples
    --------
    >>> cohorts = pd.Series(["training", "validation", "validation", "external"])
    >>> holm_by_cohort(np.array([[0.01], [0.01], [0.04], [0.04]]), cohorts).ravel().tolist()
    [nan, 0.02, 0.04, 0.04]
    """
    adjusted = np.full(p_values.shape, np.nan)
    for cohort in cohorts_of(cohorts.to_frame("cohort"))[1:]:
        here = (cohorts == cohort).to_numpy()
        adjusted[here] = holm(p_values[here].ravel()).reshape(p_values[here].shape)
    return adjusted


def validated_stars(table: pd.DataFrame, column: str) -> list[str]:
    """Stars of a column of p values, nothing in the rows of the training cohort."""
    return ["" if cohort == "training" else stars(p) for p, cohort in zip(table[column], table["cohort"], strict=True)]


def spread(name: str, estimate: Estimate) -> dict[str, float]:
    """An estimate as three columns."""
    return {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}
