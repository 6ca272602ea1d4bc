"""Write the study's own Table 2 as a journal prints it, so that the audit can read it."""

import math
from collections.abc import Mapping

import pandas as pd

from dlre_core.tables.formatting import COHORT_NAMES, METHOD_NAMES, UNDEFINED, round_half_up

STAGE_WORDS = {"f4": "F4", "ge_f3": ">=F3", "ge_f2": ">=F2"}
# Name in the printed form, column of table_2.csv, factor, decimals; as `tables.printed` prints them.
CELLS = (
    ("auc", "auc", 1, 2),
    ("sens", "sensitivity", 100, 1),
    ("spec", "specificity", 100, 1),
    ("ppv", "positive_predictive_value", 100, 1),
    ("npv", "negative_predictive_value", 100, 1),
    ("lr_pos", "positive_likelihood_ratio", 1, 2),
    ("lr_neg", "negative_likelihood_ratio", 1, 2),
)


def published_form(table: pd.DataFrame, name: str = "table2") -> dict[str, object]:
    """The rows of Table 2 as printed texts, in the form that `audit_published_tables` reads.

    Parameters
    ----------
    table : DataFrame
        ``results/tables/table_2.csv``.
    name : str
        The table's name in the file.

    Returns
    -------
    dict
        ``{name: rows}``. Counts are not passed on: the audit must find them. Rows of methods with
        missing scores name their patients, since others of the same size may be different people.
    """
    return {name: [_row(number, row) for number, row in enumerate(table.to_dict("records"), 1)]}


def _row(number: int, row: Mapping[str, object]) -> dict[str, object]:
    printed: dict[str, object] = {
        "row": number,
        "stage": STAGE_WORDS[str(row["stage"])],
        "method": METHOD_NAMES.get(str(row["method"]), str(row["method"])),
        "arm": None,
        "cohort": COHORT_NAMES[str(row["cohort"])][0],
        "n": str(row["n"]),
        "prevalence_pct": _text(row["prevalence"], 100, 1),
        "stars": str(row["stars"]),
        "patients": str(row["method"]) if row["n_missing"] else "",
    }
    for cell, column, factor, digits in CELLS:
        limits = [_text(row[f"{column}_{end}"], factor, digits) for end in ("low", "high")]
        printed[cell] = _text(row[column], factor, digits)
        printed[f"{cell}_ci"] = None if None in limits else limits
    return printed


def _text(value: object, factor: int, digits: int) -> str | None:
    number = float(str(value))
    text = round_half_up(math.nan if math.isnan(number) else factor * number, digits)
    return None if text == UNDEFINED else text
