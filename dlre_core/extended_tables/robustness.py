"""Optional tables: the same study with other divisions of its patients, or with permuted stages."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from dlre_core.bias.optimism import corrected_resampled
from dlre_core.foundation.design import method_labels, question_labels, stage_labels, study_questions
from dlre_core.statistics.estimates import Estimate
from dlre_core.statistics.roc import roc_analysis
from dlre_core.tables.accuracy_print import estimate, undefined
from dlre_core.tables.formatting import format_interval, format_p_value
from dlre_core.tables.table_2_accuracy import AccuracySettings, method_scores, spread
from dlre_core.tables.table_3_pictures import STRATEGIES
from dlre_core.tables.typeset import Block, PrintedTable, simulated_caption

MEAN, DIFFERENCE = "mean", "difference"
# All variants' validation patients together, where each is in one of them.
EVERYBODY = "everybody"
# Variants that differ on purpose, so that their mean says nothing; and those whose patients can be taken together.
LEARNING_CURVE, CROSS_VALIDATION = "learning_curve", "cross_validation"
# Variants whose networks are trained on other parts of the same patients.
RESAMPLED = ("repeated_splits", CROSS_VALIDATION)
TITLES: Mapping[str, str] = {
    "negative_control": "Stages permuted among all patients before the split: AUCs must be near 0.5",
    LEARNING_CURVE: "AUC by the share of training patients, in %",
    "repeated_splits": "AUC in repeated random splits",
    CROSS_VALIDATION: "Cross-validation: AUC in every part of the patients, with networks trained on the others",
    "hospitals_left_out": "AUC in each hospital, with networks trained on the others",
}


EVERYBODY_NOTE = (
    "Row everybody: each with the probability of networks that were trained on the other parts. These networks "
    "differ a little in their scale, which a common AUC counts as error."
)
CORRECTED_NOTE = (
    "Row mean: over the variants that have an AUC. They share patients; the interval allows "
    "for that by Nadeau and Bengio's variance, (1/k + validation/training patients) times that of the k variants."
)
MEAN_NOTE = (
    "Last row: the mean over the variants that have an AUC, with Student's interval. "
    "Variants share patients, so that it "
    "describes their spread and not what other patients would give."
)


def robustness_table(scores: Mapping[str, pd.DataFrame], analysis: str, settings: AccuracySettings) -> pd.DataFrame:
    """Validation AUC of DLRE and 2D-SWE in every variant of the split, and, but for a learning curve, their means; of a
    cross-validation that of everybody.

    Parameters
    ----------
    scores : mapping of variant to DataFrame
        As `dlre_core.comparators.patient_scores.patient_scores` returns them.
    analysis : str
        One of `TITLES`.
    settings : AccuracySettings

    Returns
    -------
    DataFrame
        variant, n_training, n_validation, stage, method, AUC with limits, SD, notes; in the rows ``mean``
        the limits are Student's t over the variants, which share patients: they describe the spread. Of repeated
        splits and cross-validation they are Nadeau and Bengio's, and rows of the method ``difference`` have the mean
        of DLRE minus 2D-SWE with p_value, by the same variance.
    """
    rows = []
    if analysis == CROSS_VALIDATION:
        held_back = [table[table["cohort"] == "validation"] for table in scores.values()]
        scores = {**scores, EVERYBODY: pd.concat(held_back, ignore_index=True)}
    for variant, table in scores.items():
        part = table[table["cohort"] == "validation"]
        for stage in study_questions():
            for method in STRATEGIES:
                roc = roc_analysis(
                    stage_labels(part["fibrosis_stage"], stage),
                    method_scores(part, method, stage),
                    confidence=settings.confidence,
                    interval=settings.auc_interval,
                )
                rows.append(
                    {
                        "variant": variant,
                        "n_training": math.nan if variant == EVERYBODY else len(table) - len(part),
                        "n_validation": len(part),
                        "stage": stage,
                        "method": method,
                        **spread("auc", roc.estimate),
                        "auc_sd": math.nan,
                        "notes": f"{variant.replace('_', ' ')}: {roc.estimate.reason}" if roc.estimate.reason else "",
                    }
                )
    table = pd.DataFrame(rows)
    if analysis == LEARNING_CURVE:
        return table
    if analysis in RESAMPLED:
        return pd.concat([table, pd.DataFrame(_resampled(table, settings.confidence))], ignore_index=True)
    means = [
        {
            "variant": MEAN,
            "stage": stage,
            "method": method,
            **_mean(part["auc"], settings.confidence),
            "notes": "",
        }
        for (stage, method), part in table.groupby(["stage", "method"], sort=False)
    ]
    return pd.concat([table, pd.DataFrame(means)], ignore_index=True)


def _resampled(table: pd.DataFrame, confidence: float) -> list[dict[str, Any]]:
    """Means over the variants, and of the difference of the two methods, for every question."""
    splits = table[table["variant"] != EVERYBODY]
    share = float((splits["n_validation"] / splits["n_training"]).mean())
    rows = []
    for stage, part in splits.groupby("stage", sort=False):
        aucs = part.pivot(index="variant", columns="method", values="auc")
        aucs[DIFFERENCE] = aucs[STRATEGIES[0]] - aucs[STRATEGIES[1]]
        for method in (*STRATEGIES, DIFFERENCE):
            found, p = corrected_resampled(aucs[method], share, confidence)
            low, high = np.clip([found.low, found.high], -1 if method == DIFFERENCE else 0, 1)
            row = {"variant": MEAN, "stage": stage, "method": method, "auc": found.value, "auc_low": low}
            row |= {"auc_high": high, "auc_sd": aucs[method].std(ddof=1), "notes": ""}
            rows.append(row | {"p_value": p if method == DIFFERENCE else math.nan})
    return rows


def printed_robustness(table: pd.DataFrame, analysis: str, settings: AccuracySettings, simulated: bool) -> PrintedTable:
    """The table for print: a row a variant, a pair of columns a stage question."""
    columns = ["Variant", "Training", "Validation"]
    columns += [f"{question_labels()[stage]}: {method_labels()[m]}" for stage in study_questions() for m in STRATEGIES]
    cells = {(r["variant"], r["stage"], r["method"]): r for r in table.to_dict("records")}
    rows = []
    for variant in table["variant"].unique():
        first = cells[variant, study_questions()[0], STRATEGIES[0]]
        counts = ["" if math.isnan(first[n]) else f"{first[n]:.0f}" for n in ("n_training", "n_validation")]
        row = [variant.replace("_", " "), *counts]
        for stage in study_questions():
            for method in STRATEGIES:
                cell = cells[variant, stage, method]
                row.append(format_interval(Estimate(cell["auc"], cell["auc_low"], cell["auc_high"])))
        rows.append(row)
    notes = [
        f"Validation patients. AUC with {100 * settings.confidence:g} % confidence interval.",
        *([EVERYBODY_NOTE] if analysis == CROSS_VALIDATION else []),
        *([CORRECTED_NOTE, *_differences(table)] if analysis in RESAMPLED else []),
        *([MEAN_NOTE] if MEAN in set(table["variant"]) and analysis not in RESAMPLED else []),
        *undefined(table["notes"]),
    ]
    return PrintedTable(simulated_caption(TITLES[analysis], simulated), columns, [Block("", rows)], notes)


def _differences(table: pd.DataFrame) -> list[str]:
    """The mean difference of the two methods, a sentence."""
    parts = [
        f"{question_labels()[row['stage']]} {format_interval(estimate(row, 'auc'), 3)}, "
        f"p {format_p_value(row['p_value'])}"
        for row in table[table["method"] == DIFFERENCE].to_dict("records")
    ]
    names = " minus ".join(method_labels()[method] for method in STRATEGIES)
    return [f"Mean difference, {names}, by the same variance: {'; '.join(parts)}."]


def _mean(values: pd.Series, confidence: float) -> dict[str, float]:
    known = values.dropna()
    n, mean, sd = len(known), float(known.mean()), float(known.std(ddof=1))
    spreads = n > 1 and sd > 0
    half = float(stats.t.ppf((1 + confidence) / 2, n - 1)) * sd / math.sqrt(n) if spreads else math.nan
    low, high = np.clip([mean - half, mean + half], 0, 1)
    return {"auc": mean, "auc_low": float(low), "auc_high": float(high), "auc_sd": sd}
