"""Write the study's own tables as a journal prints them, so that the audit can read them."""

import math
from collections.abc import Mapping

import pandas as pd

from dlre_core.foundation.design import method_labels, short_labels
from dlre_core.tables.formatting import COHORT_NAMES, UNDEFINED, arm_name, images_name, round_half_up
from dlre_core.tables.table_1_baseline import groups_of
from dlre_core.tables.table_3_pictures import DAGGER

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


def published_form(tables: Mapping[int, pd.DataFrame]) -> dict[str, object]:
    """Tables 1 to 4 as printed texts, in the form that `audit_published_tables` reads.

    Parameters
    ----------
    tables : mapping of table number to DataFrame
        ``results/tables/table_{1,2,3,4}.csv``.

    Returns
    -------
    dict
        From ``table1`` to rows. Counts of Tables 2 to 4 are not passed on: the audit must find them.
        Rows of methods with missing scores, and of combinations of hospitals, name their patients,
        since others of the same number may be different people. Of Table 1, means, and shares of all patients are
        passed on.
    """
    return {
        f"table{number}": _baseline(table)
        if number == 1
        else [_row(place, row) for place, row in enumerate(table.to_dict("records"), 1)]
        for number, table in tables.items()
    }


def _baseline(table: pd.DataFrame) -> list[dict[str, object]]:
    shares = table[(table["kind"] == "share") & (table["variable"] == "fibrosis_group")]
    sizes = {group: int(shares[f"{group}_n"].max()) for group in groups_of(table)}
    rows: list[dict[str, object]] = [
        {
            "variable": "Number of patients",
            "group": None,
            "kind": "n",
            "p": None,
            **{group: {"printed": str(n), "count": str(n), "pct": None} for group, n in sizes.items()},
        }
    ]
    for row in table.to_dict("records"):
        complete = all(row[f"{group}_n"] == n for group, n in sizes.items())
        if not complete or row["summary"] == "median":
            continue
        tested = row["test"] in ("Student t", "χ²") and not math.isnan(row["p_value"])
        cells = {group: _baseline_cell(row, group) for group in sizes}
        rows.append(
            {
                "variable": row["name"],
                "group": row["block"] or None,
                "kind": "mean±SD" if row["kind"] == "number" else "n (%)",
                "p": round_half_up(row["p_value"], 3) if tested else None,
                **cells,
            }
        )
    return rows


def _baseline_cell(row: Mapping[str, float], group: str) -> dict[str, str]:
    if row["kind"] == "number":
        digits = int(row["digits"])
        mean, sd = (round_half_up(row[f"{group}_{part}"], digits) for part in ("mean", "sd"))
        return {"printed": f"{mean}±{sd}", "mean": mean, "sd": sd}
    count, share = str(int(row[f"{group}_count"])), round_half_up(row[f"{group}_share"], 1, 100)
    return {"printed": f"{count} ({share}%)", "count": count, "pct": share}


def _row(number: int, row: Mapping[str, object]) -> dict[str, object]:
    printed: dict[str, object] = {
        "row": number,
        "stage": short_labels()[str(row["stage"])].replace("≥", ">="),
        "method": method_labels().get(str(row["method"]), str(row["method"])),
        "arm": _arm(row),
        "cohort": COHORT_NAMES[str(row["cohort"])][0],
        "n": str(row["n"]),
        "prevalence_pct": _text(row["prevalence"], 100, 1),
        "stars": _stars(str(row["stars"])),
        "compared": _compared(row),
        "patients": "; ".join(_patients(row)),
    }
    for cell, column, factor, digits in CELLS:
        limits = [_text(row[f"{column}_{end}"], factor, digits) for end in ("low", "high")]
        printed[cell] = _text(row[column], factor, digits)
        # The bound of an AUC without variance is one-sided: no interval that a test could rest on.
        bound = cell == "auc" and not row["auc_variance"]
        printed[f"{cell}_ci"] = None if bound or None in limits else limits
    return printed


def _stars(text: str) -> str:
    """Of Table 3's two comparisons the one between methods, since a journal prints one: four stars to six."""
    last = text.rpartition(", ")[2]
    return "***" + "*" * len(last) if DAGGER in last else last


def _compared(row: Mapping[str, object]) -> bool:
    """Whether stars say all that there is: not in apparent rows, nor where a comparison has no p."""
    for prefix in ("", "within_", "between_"):
        name = row.get(f"{prefix}compared_with")
        if isinstance(name, str) and name and math.isnan(float(str(row[f"{prefix}p_value"]))):
            return False
    return row["cohort"] != "training"


def _patients(row: Mapping[str, object]) -> list[str]:
    """What sets a row's patients apart from others of the same number."""
    parts = [str(row["arm"])] if "arm" in row else []
    return parts + ([str(row["method"])] if row["n_missing"] else [])


def _arm(row: Mapping[str, object]) -> str | None:
    if "images" in row:
        return images_name(int(str(row["images"])), str(row["method"]))
    return arm_name(str(row["arm"])) if "arm" in row else None


def _text(value: object, factor: int, digits: int) -> str | None:
    text = round_half_up(float(str(value)), digits, factor)
    return None if text == UNDEFINED else text
