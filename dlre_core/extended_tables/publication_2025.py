"""What the publication of 2025 found beside what a study of its design finds."""

import json
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from dlre_core.foundation.design import method_labels, question_labels, study_questions
from dlre_core.foundation.errors import ConfigurationError
from dlre_core.tables.accuracy_print import estimate
from dlre_core.tables.formatting import format_interval, format_p_value
from dlre_core.tables.subanalyses import ALL_GROUPS
from dlre_core.tables.typeset import Block, PrintedTable, simulated_caption

PUBLISHED = Path(__file__).parents[1] / "audit" / "data" / "publication_2025.json"
COLUMNS = ["finding", "method", "grouping", "published", "ours"]


def beside_publication(table_2: pd.DataFrame, tests: pd.DataFrame, published: str | Path = PUBLISHED) -> pd.DataFrame:
    """Every finding of the publication, and the study's own.

    Parameters
    ----------
    table_2 : DataFrame
        ``results/tables/table_2.csv``.
    tests : DataFrame
        ``results/tables/subanalyses_tests.csv``.
    published : path
        Findings: AUCs, the p value of their difference, and p values of heterogeneity between groups.

    Returns
    -------
    DataFrame
        `COLUMNS`, as text: AUC with its interval, p values; a dash where the study has none.

    Raises
    ------
    ConfigurationError
        If the study does not ask the publication's question.
    """
    content = json.loads(Path(published).read_text(encoding="utf-8"))
    question = content["question"]
    if question not in study_questions():
        raise ConfigurationError(
            f"The publication of 2025 asks {question}, which this study does not.",
            "Run make compare-paper DESIGN=international_2025.",
        )
    validation = table_2[(table_2["cohort"] == "validation") & (table_2["stage"] == question)].set_index("method")
    whole = tests[(tests["stage"] == question) & (tests["first"] == ALL_GROUPS)]
    p_values = whole.set_index(["grouping", "method"])["p_value"]
    rows = []
    for finding in content["findings"]:
        grouping, method = finding.get("grouping", ""), finding["method"]
        if finding["finding"] == "auc":
            ours = format_interval(estimate(validation.loc[method], "auc"))
        elif finding["finding"] == "p_value":
            ours = format_p_value(float(validation.loc[method, "p_value"]))
        else:
            ours = format_p_value(float(p_values.get((grouping, method), float("nan"))))
        rows.append(
            {
                "finding": finding["finding"],
                "method": method,
                "grouping": grouping,
                "published": finding["published"],
                "ours": ours,
            }
        )
    return pd.DataFrame(rows, columns=COLUMNS)


def printed_publication(table: pd.DataFrame, simulated: bool, published: str | Path = PUBLISHED) -> PrintedTable:
    """The comparison for print."""
    content = json.loads(Path(published).read_text(encoding="utf-8"))
    rows = [[_finding(row), row["published"], row["ours"]] for row in table.to_dict("records")]
    notes = [
        f"Published: {content['source']}. Ours: validation cohort. AUC with confidence interval; p: "
        "paired DeLong test of both methods, and chi-squared test that the AUC of a method is the same in all groups.",
        *(["The simulated cohort is made so that stiffness differs by country and aetiology."] if simulated else []),
    ]
    caption = f"Findings of 2025 and ours: {question_labels()[content['question']]}"
    columns = ["Finding", "Published", "Ours"]
    return PrintedTable(simulated_caption(caption, simulated), columns, [Block("", rows)], notes)


def _finding(row: Mapping[str, str]) -> str:
    method = method_labels()[row["method"]]
    if row["finding"] == "auc":
        return f"AUC of {method}"
    if row["finding"] == "p_value":
        return f"{method_labels()['dlre']} against {method}, p"
    return f"{method} by {row['grouping'].lower()}, p"
