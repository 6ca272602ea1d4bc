"""Extended table 18: AUCs with every stage as frequent, and if the biopsy errs."""

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from dlre_core.bias.misclassification import corrected_auc, highest_auc
from dlre_core.bias.spectrum import SLOPE_STAGE, dana, dana_adjusted_auc, standardised_auc
from dlre_core.foundation.design import lowest_stages, method_labels, question_labels, stage_labels, study_methods
from dlre_core.statistics.estimates import Estimate
from dlre_core.statistics.roc import roc_analysis
from dlre_core.tables.accuracy_print import estimate, undefined
from dlre_core.tables.formatting import format_interval, round_half_up
from dlre_core.tables.table_2_accuracy import method_scores, spread
from dlre_core.tables.typeset import Block, PrintedTable, simulated_caption

# Sensitivity and specificity of the biopsy, in percent.
ACCURACIES = (95, 90, 85, 80)
PERFECT = "perfect"


def biases_table(scores: pd.DataFrame, *, confidence: float = 0.95, interval: str = "delong") -> pd.DataFrame:
    """AUCs of the validation patients as they are, standardised, and corrected for errors of the biopsy.

    Parameters
    ----------
    scores : DataFrame
        ``results/scores/{arm}.csv``.
    confidence : float
    interval : {"delong", "logit", "exact_binomial_n"}
        Of the AUC as it is.

    Returns
    -------
    DataFrame
        One row per question and method, and a ``perfect`` test: question, method, n, prevalence, dana, auc,
        dana_adjusted (of the question F2 or more), standardised and, for each of `ACCURACIES`, biopsy_{percent}; AUCs
        but dana_adjusted with _low and _high; notes say why values are absent.
    """
    validation = scores[scores["cohort"] == "validation"]
    rows = []
    for question, lowest in lowest_stages().items():
        for method in study_methods():
            values = method_scores(validation, method, question)
            part, values = validation[~pd.isna(values)], values[~pd.isna(values)]
            labels, stages = stage_labels(part["fibrosis_stage"], question), part["fibrosis_stage"].to_numpy()
            found = roc_analysis(labels, values, confidence=confidence, interval=interval).estimate
            share, spectrum = float(labels.mean()) if len(labels) else math.nan, dana(stages, lowest)
            even = standardised_auc(stages, values, lowest, confidence=confidence)
            row = {"question": question, "method": method, "n": len(labels), "prevalence": share, "dana": spectrum}
            row["dana_adjusted"] = dana_adjusted_auc(found.value, spectrum) if lowest == SLOPE_STAGE else math.nan
            row |= spread("auc", found) | spread("standardised", even)
            errors = {name: corrected_auc(found, share, name / 100, name / 100) for name in ACCURACIES}
            rows.append(row | _spread(errors) | {"notes": _notes(row, {"stages alike": even} | _named(errors))})
        rows.append(_perfect(question, stage_labels(validation["fibrosis_stage"], question)))
    return pd.DataFrame(rows)


def _spread(errors: Mapping[int, Estimate]) -> dict[str, float]:
    return {key: value for name, found in errors.items() for key, value in spread(f"biopsy_{name}", found).items()}


def _named(errors: Mapping[int, Estimate]) -> dict[str, Estimate]:
    return {f"biopsy {name} %": found for name, found in errors.items()}


def _notes(row: Mapping[str, Any], found: Mapping[str, Estimate]) -> str:
    place = f"{question_labels()[row['question']]}, {method_labels()[row['method']]}"
    return "; ".join(f"{place}, {what}: {one.reason}" for what, one in found.items() if one.reason and not one.defined)


def _perfect(question: str, labels: Any) -> dict[str, Any]:
    share = float(labels.mean()) if len(labels) else math.nan
    row = {"question": question, "method": PERFECT, "n": len(labels), "prevalence": share, "notes": ""}
    for name in ACCURACIES:
        try:
            row[f"biopsy_{name}"] = highest_auc(share, name / 100, name / 100)
        except ValueError:
            row[f"biopsy_{name}"] = math.nan
    return row


def printed_biases(table: pd.DataFrame, confidence: float, simulated: bool) -> PrintedTable:
    """The table for print: a block per question; a row of a test that is always right, against this biopsy."""
    blocks = []
    for question, part in table.groupby("question", sort=False):
        first = part.iloc[0]
        rows = [_row(row) for row in part.to_dict("records")]
        share, spectrum = round_half_up(first["prevalence"], 0, 100), round_half_up(first["dana"], 2)
        blocks.append(Block(f"{question_labels()[str(question)]}: DANA {spectrum}, {share} % with the stage", rows))
    notes = [
        f"Validation cohort; {100 * confidence:g} % confidence intervals.",
        "Stages alike: the AUC if every stage among those with and among those without the stage were as frequent (F0 "
        "and F1 as one), so that studies with other shares of the stages can be compared. DANA: mean stage of patients "
        "with the stage minus that of the others, 2.5 where F0 to F4 are as frequent. Poynard: the AUC moved to a DANA "
        "of 2.5 by the slope of FibroTest, 0.1056 a stage, which is known of F2 or more only.",
        "Biopsy 95 % to 80 %: the AUC against the true stage if the biopsy's sensitivity and specificity were that and "
        "its errors independent of the test. Biopsies err most between neighbouring stages, where tests err too: then "
        "these values are too high. Last row: what a test that is always right would have against such a biopsy. A "
        "dash: an AUC this high, or this share of patients with the stage, does not go with such errors.",
        *undefined(table["notes"]),
    ]
    columns = ["Method", "n", "AUC", "Stages alike", "Poynard", *(f"Biopsy {name} %" for name in ACCURACIES)]
    caption = "Extended table 18. AUC with all stages as frequent, and if the biopsy errs"
    return PrintedTable(simulated_caption(caption, simulated), columns, blocks, notes)


def _row(row: Mapping[str, Any]) -> list[str]:
    if row["method"] == PERFECT:
        highest = [round_half_up(row[f"biopsy_{name}"], 2) for name in ACCURACIES]
        return ["A test that is always right", str(row["n"]), "", "", "", *highest]
    cells = [format_interval(estimate(row, name)) for name in ("auc", "standardised")]
    cells += [round_half_up(row["dana_adjusted"], 2)]
    cells += [format_interval(estimate(row, f"biopsy_{name}")) for name in ACCURACIES]
    return [method_labels()[row["method"]], str(row["n"]), *cells]
