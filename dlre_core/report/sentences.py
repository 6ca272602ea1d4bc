"""Sentences of the report, made from the data: what was found, and what was not."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from dlre_core.foundation.design import method_labels, question_labels
from dlre_core.foundation.study_terms import cohorts_of
from dlre_core.sample_size.auc_precision import least_difference
from dlre_core.statistics.estimates import too_few
from dlre_core.tables.accuracy_print import estimate
from dlre_core.tables.formatting import format_interval, format_p_value, in_words, round_half_up

SMALL_TRAINING_COHORT = 150


def headline(table: pd.DataFrame, confidence: float = 0.95) -> list[str]:
    """Sentences on the validation and the external cohort: DLRE's AUCs, and its comparison with every method.

    Parameters
    ----------
    table : DataFrame
        ``results/tables/table_2.csv``.
    confidence : float
        Of the table's intervals.
    """
    return [sentence for cohort in cohorts_of(table)[1:] for sentence in _of_cohort(table, cohort, confidence)]


def _of_cohort(table: pd.DataFrame, cohort: str, confidence: float) -> list[str]:
    validation = table[table["cohort"] == cohort].set_index(["stage", "method"])
    stages = [stage for stage in question_labels() if (stage, "dlre") in validation.index]
    parts = []
    for stage in stages:
        parts.append(f"{_area(validation.loc[(stage, 'dlre')])} for {_lower(stage)}")
    n = int(validation["n"].max())
    sentences = [
        f"In the {cohort} cohort of {n} patients the area under the ROC curve "
        f"({100 * confidence:g} % confidence interval) of DLRE was {in_words(parts)}."
    ]
    for method in [m for m in method_labels() if m != "dlre"]:
        sentences.append(_comparison(validation, stages, method))
    return [sentence for sentence in sentences if sentence]


def caveats(table: pd.DataFrame, simulated: bool) -> list[str]:
    """What a reader must know before believing the numbers."""
    notes = []
    if simulated:
        notes.append(
            "All patients, pictures and measurements are simulated. The numbers show that the "
            "workflow runs and what it reports; they say nothing about patients."
        )
    training = int(table.loc[table["cohort"] == "training", "n"].max())
    if training < SMALL_TRAINING_COHORT:
        notes.append(
            f"Only {training} patients trained the networks. With so few, DLRE is not expected to "
            "beat liver stiffness; this size shows the workflow, not what the method can do."
        )
    if (table["cutoff_choice"] == "reoptimised").any():
        notes.append(
            "Cut-offs were chosen again in the validation cohort, which makes sensitivity and "
            "specificity there too good."
        )
    notes.append("Values of the training cohort are apparent: the networks were fitted to these patients.")
    return notes


def no_hypothesis(config: Mapping[str, Any]) -> list[str]:
    """A sentence where a study names no primary hypothesis.

    Examples
    --------
    >>> no_hypothesis({"primary_hypothesis": None})[0][:34]
    'No primary hypothesis was named (p'
    """
    if config.get("primary_hypothesis"):
        return []
    return ["No primary hypothesis was named (primary_hypothesis): every comparison explores and none confirms."]


def skipped_sentences(skipped: Mapping[str, str]) -> list[str]:
    """A sentence for every arm that could not be trained.

    Examples
    --------
    >>> skipped_sentences({"combination_1": "Nobody has F4."})
    ['Skipped: combination_1. Nobody has F4.']
    """
    return [f"Skipped: {arm}. {reason}" for arm, reason in skipped.items()]


def contradictions(findings: pd.DataFrame) -> int:
    """How many findings of the audit contradict the study's tables; notes only ask for a look.

    Examples
    --------
    >>> contradictions(pd.DataFrame({"severity": ["note", "warning", "error"]}))
    2
    """
    return int((findings["severity"] != "note").sum())


def _comparison(validation: pd.DataFrame, stages: Sequence[str], method: str) -> str:
    better, worse, equal, untested = [], [], [], []
    for stage in stages:
        if (stage, method) not in validation.index:
            continue
        row = validation.loc[(stage, method)]
        words = f"{_lower(stage)} (p {_p(row['p_value'])}; {_p(row['p_holm'])} after Holm's adjustment)"
        if pd.isna(row["p_value"]):
            untested.append(_lower(stage))
        elif row["p_value"] >= 0.05:
            equal.append(f"{words[:-1]}{_could_find(row)})")
        else:
            (better if row["difference"] > 0 else worse).append(words)
    parts = []
    if better:
        parts.append(f"significantly higher than that of {method_labels()[method]} for {in_words(better)}")
    if worse:
        parts.append(f"significantly lower than that of {method_labels()[method]} for {in_words(worse)}")
    if equal:
        parts.append(
            f"not significantly different from that of {method_labels()[method]} for {in_words(equal)}, which does not "
            "show that they are equal"
        )
    if untested:
        parts.append(
            f"not tested against that of {method_labels()[method]} for {in_words(untested)}: "
            "too few patients, or no variance"
        )
    return f"It was {'; '.join(parts)}." if parts else ""


def _could_find(row: pd.Series) -> str:
    """Which difference would have been found, from the standard error of the one that was not."""
    if not row["z"] or pd.isna(row["z"]):
        return ""
    least = round_half_up(least_difference(abs(row["difference"] / row["z"])), 2)
    return f"; a difference of {least} would have been found with a power of 80 %"


def _area(row: pd.Series) -> str:
    """The AUC with its interval, or why it has none."""
    found = estimate(row, "auc")
    text = format_interval(found)
    cases = round(row["prevalence"] * row["n"]) if row["n"] else 0
    few = too_few(cases, int(row["n"]) - cases)
    return text if "(" in text or not found.defined else f"{text} (no interval{f': {few}' if few else ''})"


def _p(value: float) -> str:
    text = format_p_value(value)
    return text.replace("<", "< ") if text.startswith("<") else f"= {text}"


def _lower(stage: str) -> str:
    name = question_labels()[stage]
    return name[0].lower() + name[1:]
