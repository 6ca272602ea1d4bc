"""Optional table: what else the network can be compared with, and published cut-offs applied to this cohort."""

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd

from dlre_core.comparators.registry import COMPARATORS, Comparator, UpperLimit, comparator_scores
from dlre_core.foundation.design import lowest_stages, question_labels, stage_labels, study_questions
from dlre_core.foundation.study_terms import KEYS
from dlre_core.statistics.comparisons import compare_paired_aucs, holm
from dlre_core.statistics.diagnostic import diagnostic_accuracy
from dlre_core.statistics.estimates import Estimate
from dlre_core.statistics.roc import roc_analysis
from dlre_core.tables.formatting import format_interval, format_p_value
from dlre_core.tables.typeset import Block, PrintedTable, simulated_caption

COLUMNS = [
    "stage",
    "comparator",
    "n",
    "n_cases",
    "auc",
    "auc_low",
    "auc_high",
    "dlre_auc",
    "difference",
    "difference_low",
    "difference_high",
    "p_value",
    "p_holm",
    "published",
    "limit",
    "cutoff",
    "sensitivity",
    "sensitivity_low",
    "sensitivity_high",
    "specificity",
    "specificity_low",
    "specificity_high",
    "notes",
]


def other_comparators_table(
    scores: pd.DataFrame,
    patients: pd.DataFrame,
    upper_limits: Mapping[str, UpperLimit],
    *,
    confidence: float = 0.95,
    interval: str = "delong",
) -> pd.DataFrame:
    """Every comparator of the registry that the clinical table allows, in the validation cohort.

    Parameters
    ----------
    scores : DataFrame
        ``results/scores/{arm}.csv``.
    patients : DataFrame
        ``results/clinical/patients.csv``.
    upper_limits : mapping of column to UpperLimit
        A comparator whose upper limit of normal is not given is left out.
    confidence : float
    interval : {"delong", "logit", "exact_binomial_n"}

    Returns
    -------
    DataFrame
        One row per stage question and comparator, and one per limit of a published cut-off for that question
        (``limit`` rule_out, rule_in or single, with its source in ``published``), whose sensitivity and specificity
        are of patients at or above it. Comparators without a value have a row with the reason. ``difference`` is DLRE
        minus the comparator, in patients with both; ``p_holm`` is adjusted over a question's comparators.
    """
    part = scores[scores["cohort"] == "validation"].reset_index(drop=True)
    known = part[[*KEYS, "lsm"]].merge(patients, on=KEYS, how="left")
    chosen = [one for one in COMPARATORS.values() if not one.limit_of or one.limit_of in upper_limits]
    values = comparator_scores(known, chosen, upper_limits)
    rows: list[dict[str, object]] = []
    for stage in study_questions():
        truth = stage_labels(part["fibrosis_stage"], stage)
        here = []
        for one in COMPARATORS.values():
            if one not in chosen:
                here.append({"comparator": one.label, "notes": f"needs the upper limit of normal of {one.limit_of}"})
            elif values[one.name].isna().all():
                here.append({"comparator": one.label, "notes": f"no patient has {_lacking(known, one)}"})
            else:
                score = one.direction * values[one.name].to_numpy()
                here.append(_compared(truth, score, part[f"dlre_{stage}"].to_numpy(), one, confidence, interval))
                here += _published(truth, score, known["age_years"].to_numpy(np.float64), one, stage, confidence)
        adjusted = holm([row.get("p_value", math.nan) for row in here])
        rows += [{"stage": stage, **row, "p_holm": p} for row, p in zip(here, adjusted, strict=True)]
    return pd.DataFrame(rows, columns=COLUMNS)


def printed_other_comparators(table: pd.DataFrame, confidence: float, simulated: bool) -> PrintedTable:
    """The table for print: comparators with their published cut-offs below them, one block per question."""
    columns = ["Comparator", "n", "AUC", "DLRE minus it", "p", "Sensitivity, %", "Specificity, %"]
    blocks = []
    for stage, part in table.groupby("stage", sort=False):
        rows = [_printed(row) for _, row in part.iterrows() if not math.isnan(row["n"])]
        blocks.append(Block(question_labels()[str(stage)], rows))
    absent = table[table["n"].isna()].drop_duplicates("comparator")
    notes = [
        f"Validation cohort, patients with the comparator's values; {100 * confidence:g} % confidence intervals. p: "
        "paired DeLong test against DLRE, Holm over the comparators of a question. Below a comparator: its published "
        "cut-offs for the question, applied as they stand.",
        *(f"{row['comparator']} is not given: {row['notes']}." for _, row in absent.iterrows()),
        *sorted({f"Published cut-offs: {source}." for source in table["published"].dropna()}),
    ]
    caption = "Other comparators, and published cut-offs in this cohort"
    return PrintedTable(simulated_caption(caption, simulated), columns, blocks, notes)


def _lacking(patients: pd.DataFrame, one: Comparator) -> str:
    missing = [name for name in one.columns if name not in patients or patients[name].isna().all()]
    return " and ".join(missing) or "all of " + ", ".join(one.columns)


def _compared(
    truth: np.ndarray, score: np.ndarray, dlre: np.ndarray, one: Comparator, confidence: float, interval: str
) -> dict[str, object]:
    found = roc_analysis(truth, score, confidence=confidence, interval=interval)
    test = compare_paired_aucs(truth, dlre, score, confidence=confidence).reported
    auc = found.estimate
    return {
        "comparator": one.label,
        "n": found.n_cases + found.n_controls,
        "n_cases": found.n_cases,
        "auc": auc.value,
        "auc_low": auc.low,
        "auc_high": auc.high,
        "dlre_auc": test.auc_a,
        "difference": test.difference,
        "difference_low": test.interval[0],
        "difference_high": test.interval[1],
        "p_value": test.p_value,
        "notes": "; ".join(reason for reason in (auc.reason, test.reason) if reason),
    }


def _published(
    truth: np.ndarray, score: np.ndarray, age: np.ndarray, one: Comparator, stage: str, confidence: float
) -> list[dict[str, object]]:
    rows = []
    for cut in one.cut_offs:
        if cut.lowest_stage != lowest_stages()[stage]:
            continue
        limits = {"rule_out": cut.rule_out, "rule_in": cut.rule_in}
        if cut.rule_out == cut.rule_in:
            limits = {"single": cut.rule_in}
        for limit, value in limits.items():
            if value is None:
                continue
            meant = age >= cut.from_age if cut.from_age else np.full(len(age), True)
            accuracy = diagnostic_accuracy(truth[meant], score[meant], one.direction * value, confidence=confidence)
            shares = {"sensitivity": accuracy.sensitivity, "specificity": accuracy.specificity}
            rows.append(
                {
                    "comparator": one.label,
                    "n": accuracy.n,
                    "published": f"{one.label}, {cut.question}: {cut.source}",
                    "limit": limit,
                    "cutoff": value,
                    **{name: share.value for name, share in shares.items()},
                    **{f"{name}_low": share.low for name, share in shares.items()},
                    **{f"{name}_high": share.high for name, share in shares.items()},
                    "notes": "",
                }
            )
    return rows


def _printed(row: pd.Series) -> list[str]:
    def interval(name: str, digits: int = 2, scale: int = 1) -> str:
        return format_interval(Estimate(row[name], row[f"{name}_low"], row[f"{name}_high"]), digits, scale)

    if not isinstance(row["published"], str):
        tested = [interval("auc"), interval("difference"), format_p_value(row["p_holm"])]
        return [row["comparator"], f"{row['n']:g}", *tested, "", ""]
    word = {"rule_out": "rule out below", "rule_in": "rule in from", "single": "cut-off"}[row["limit"]]
    question = row["published"].partition(", ")[2].partition(": ")[0]
    name = f"  {word} {row['cutoff']:g} ({question})"
    return [name, f"{row['n']:g}", "", "", "", interval("sensitivity", 1, 100), interval("specificity", 1, 100)]
