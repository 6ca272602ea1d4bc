"""The study in a few lines of plain text, for the terminal."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from dlre_core.foundation.design import method_labels, question_labels, study_methods
from dlre_core.foundation.study_terms import EXTERNAL
from dlre_core.patients.clinical_table import rejected_rows
from dlre_core.report.sentences import contradictions
from dlre_core.tables.accuracy_print import estimate
from dlre_core.tables.formatting import format_interval


@dataclass(frozen=True)
class HeadlineTables:
    """Tables that the headline is made from.

    ``accuracy`` is Table 2, ``enrolment`` has one row per eligible patient, ``counts`` one row per hospital,
    ``problems`` are those of the clinical table, ``findings`` those of the audit in the study's own tables.
    """

    accuracy: pd.DataFrame
    enrolment: pd.DataFrame
    counts: pd.DataFrame
    problems: pd.DataFrame
    findings: pd.DataFrame


def headline_text(
    tables: HeadlineTables,
    *,
    primary: Sequence[str] = (),
    notes: Sequence[str],
    title: str,
    simulated: bool,
    report: str,
    confidence: float = 0.95,
) -> str:
    """Counts, the validation AUCs of every method, and where the report is.

    Parameters
    ----------
    tables : HeadlineTables
    primary : sequence of str
        The primary hypothesis and its result (`dlre_core.tables.primary_hypothesis.primary_sentences`).
    notes : sequence of str
        What was doubted, and which arms were skipped: one line each.
    title : str
    simulated : bool
    report : str
        Path of the report.
    confidence : float
        Of the intervals in the table.
    """
    table, enrolment, counts, problems = tables.accuracy, tables.enrolment, tables.counts, tables.problems
    validation = table[table["cohort"] == "validation"].set_index(["stage", "method"])
    width = max(len(name) for name in question_labels().values()) + 2
    stored, rejected = counts["images_stored"].sum(), counts["rejected"].sum()
    lines = [
        "",
        title + (" - SIMULATED DATA, no real patients" if simulated else ""),
        *primary,
        f"{len(enrolment)} eligible patients, {enrolment['enrolled'].sum()} enrolled",
        *_exclusions(enrolment),
        f"{stored} pictures stored, {rejected} files rejected (results/store/rejects.csv), "
        f"{len(problems)} problem{'s' * (len(problems) != 1)} in the clinical table"
        + _rejected(rejected_rows(problems)),
        *notes,
        "",
        "Secondary: " * bool(primary)
        + f"AUC ({100 * confidence:g} % CI) in the validation cohort, {validation['n'].max()} patients",
        " " * width + "".join(f"{method_labels()[method]:<24}" for method in study_methods()).rstrip(),
    ]
    for stage, name in question_labels().items():
        cells = []
        for method in study_methods():
            row = validation.loc[(stage, method)]
            cells.append(f"{format_interval(estimate(row, 'auc'))}{row['stars']}".ljust(24))
        lines.append(f"{name:<{width}}" + "".join(cells).rstrip())
    lines += [
        "* p<0.05, ** p<0.01, *** p<0.001 against DLRE (paired DeLong test)",
        *_external(table),
        *_audit(contradictions(tables.findings)),
        "",
        f"Report: {report}",
        "",
    ]
    return "\n".join(lines)


def _rejected(rows: int) -> str:
    return f", {rows} row{'s' * (rows != 1)} of it rejected (results/clinical/problems.csv)" if rows else ""


def _external(table: pd.DataFrame) -> list[str]:
    external = table[table["cohort"] == EXTERNAL]
    return [f"The external cohort, {external['n'].max()} patients, is in Table 2."] if len(external) else []


def _audit(number: int) -> list[str]:
    if not number:
        return []
    words = "a contradiction" if number == 1 else f"{number} contradictions"
    return [f"The audit found {words} in these tables: see the report."]


def _exclusions(enrolment: pd.DataFrame) -> list[str]:
    reasons = enrolment.loc[enrolment["enrolled"] == 0, "first_reason"].value_counts(sort=True)
    if not len(reasons):
        return []
    parts = [f"{number} {str(name).replace('_', ' ')}" for name, number in reasons.items()]
    return [f"{int(reasons.sum())} excluded: {', '.join(parts)}"]
