"""Extended table 1: counts, cut-offs and tests behind Tables 2, 3 and 4; and events of every arm."""

from collections.abc import Mapping

import pandas as pd

from dlre_core.foundation.design import method_labels, question_labels, stage_labels, study_questions
from dlre_core.foundation.study_terms import EXTERNAL, cohorts_of
from dlre_core.tables.formatting import (
    COHORT_NAMES,
    UNDEFINED,
    arm_name,
    format_cutoff,
    format_exact_p_value,
    format_p_value,
    images_name,
    round_half_up,
)
from dlre_core.tables.table_2_accuracy import COUNTS
from dlre_core.tables.typeset import Block, PrintedTable, simulated_caption

COLUMNS = [
    "table",
    "stage",
    "method",
    "images",
    "arm",
    "cohort",
    "n",
    *COUNTS,
    "cutoff",
    "cutoff_low",
    "cutoff_high",
    "cutoff_youden",
    "cutoff_predictions",
    "youden",
    "cutoff_choice",
    "cutoff_cohort",
    "compared_with",
    "z",
    "p_value",
    "log_p_value",
    "p_holm",
]


def counts_table(tables: Mapping[int, pd.DataFrame]) -> pd.DataFrame:
    """TP, FN, TN, FP, cut-off, and p exact and Holm-adjusted, of every row of Tables 2, 3 and 4.

    Parameters
    ----------
    tables : mapping of table number to DataFrame
        ``results/tables/table_{2,3,4}.csv``; Table 3's comparisons within a method are taken.

    Returns
    -------
    DataFrame
        `COLUMNS`.
    """
    parts = []
    for number, table in tables.items():
        part = table.rename(columns={name: name.removeprefix("within_") for name in table.columns})
        parts.append(part.assign(table=number).reindex(columns=COLUMNS))
    return pd.concat(parts, ignore_index=True)


def printed_counts(table: pd.DataFrame, simulated: bool, confidence: float = 0.95) -> PrintedTable:
    """The counts for print: a block a table and stage question."""
    blocks = []
    for (number, stage), part in table.groupby(["table", "stage"], sort=False):
        rows = [
            [
                _row_name(row),
                COHORT_NAMES[row["cohort"]][0],
                str(int(row["n"])),
                *("–" if pd.isna(row[name]) else str(int(row[name])) for name in COUNTS),
                format_cutoff(row["cutoff"], row["method"]),
                _limits(row),
                round_half_up(row["cutoff_youden"], 2),
                round_half_up(row["youden"], 2),
                _other(row["compared_with"]),
                round_half_up(row["z"], 2),
                format_exact_p_value(row["p_value"]),
                format_p_value(row["p_holm"]),
            ]
            for row in part.to_dict("records")
        ]
        blocks.append(Block(f"Table {number}, {question_labels()[str(stage)]}", rows))
    columns = (
        "Row",
        "Cohort",
        "n",
        "TP",
        "FN",
        "TN",
        "FP",
        "Cut-off",
        "Limits",
        "J, chosen",
        "J, here",
        "Compared with",
        "z",
        "p",
        "p, Holm",
    )
    notes = [
        f"Limits: {100 * confidence:g} % bootstrap interval of the cut-off, chosen anew in every replicate. J, "
        "Youden's index (sensitivity + specificity − 1): of the choice, on DLRE's out-of-fold or apparent predictions "
        "(cutoff_predictions in the CSV), and of the row's own patients. "
        "A patient is positive at a score of the cut-off or more: 2D-SWE in kPa, DLRE as a probability. "
        "z is positive where the AUC of what a row is compared with is the higher one. z and p of Table 4 are "
        "those of the row's comparison with the smallest p; Holm's adjustment is over the validation cohort's tests "
        f"of a table{', and over the external cohort’s by themselves' if (table['cohort'] == EXTERNAL).any() else ''}.",
    ]
    caption = "Extended table 1. Counts, cut-offs and tests behind Tables 2, 3 and 4"
    return PrintedTable(simulated_caption(caption, simulated), columns, blocks, notes, 2)


def events_table(scores: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Patients, events and images of every arm, cohort and stage question.

    Parameters
    ----------
    scores : mapping of arm to DataFrame
    """
    rows = []
    for arm, table in scores.items():
        for cohort in cohorts_of(table):
            part = table[table["cohort"] == cohort]
            row: dict[str, object] = {
                "arm": arm,
                "cohort": cohort,
                "patients": len(part),
                "images": int(part["images"].sum()),
                "hospitals": part["hospital"].nunique(),
            }
            for stage in study_questions():
                row[f"{stage}_cases"] = int(stage_labels(part["fibrosis_stage"], stage).sum())
            rows.append(row)
    return pd.DataFrame(rows)


def printed_events(table: pd.DataFrame, simulated: bool) -> PrintedTable:
    """Sample sizes for print."""
    rows = [
        [
            arm_name(row["arm"]),
            COHORT_NAMES[row["cohort"]],
            str(row["hospitals"]),
            str(row["patients"]),
            str(row["images"]),
            *(f"{row[f'{stage}_cases']} v {row['patients'] - row[f'{stage}_cases']}" for stage in study_questions()),
        ]
        for row in table.to_dict("records")
    ]
    columns = (
        "Arm",
        "Cohort",
        "Hospitals",
        "Patients",
        "Images",
        *(f"{question_labels()[s]}: yes v no" for s in study_questions()),
    )
    notes = ["The smaller class of a question limits how exactly its AUC can be known."]
    caption = "Extended table 6. Patients, images and events of every arm"
    return PrintedTable(simulated_caption(caption, simulated), columns, [Block("", rows)], notes, 2)


def _row_name(row: Mapping[str, object]) -> str:
    method = str(row["method"])
    if isinstance(row["arm"], str) and row["arm"]:
        return arm_name(row["arm"])
    if pd.notna(row["images"]):
        name = images_name(int(float(str(row["images"]))), method)
        return f"{method_labels().get(method, method)}, {name}"
    return method_labels().get(method, method)


def _limits(row: Mapping[str, float]) -> str:
    if pd.isna(row["cutoff_low"]):
        return UNDEFINED
    low, high = (format_cutoff(row[f"cutoff_{end}"], str(row["method"])) for end in ("low", "high"))
    return f"{low} to {high}"


def _other(name: object) -> str:
    text = str(name)
    if not text or text == "nan":
        return UNDEFINED
    return method_labels().get(text, arm_name(text))
