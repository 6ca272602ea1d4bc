"""One cell of a clinical table at a time: what it says by the contract, or what is wrong with it."""

import re
from datetime import date

import pandas as pd

from dlre_core.patients.csv_input import WHOLE_TABLE, Problems
from dlre_core.patients.data_contract import Column

MISSING_WORDS = {"", "na", "n/a", "nan", "null", "none", "-", "--", "unknown", "?"}


def parse_column(
    cells: pd.Series, column: Column, lines: pd.Series, problems: Problems, table: pd.DataFrame
) -> pd.Series:
    """The values of one column, missing where a cell is empty or wrong.

    Parameters
    ----------
    cells : Series of str
    column : Column
        What the contract says of it.
    lines : Series of int
        Line of the file of every cell.
    problems : Problems
        Takes what is wrong.
    table : DataFrame
        Has hospital and patient_id of every cell, for the problems.

    Returns
    -------
    Series
        float64 for numbers, Int64 for integers and flags, else objects (str, date or None).
    """
    values: list[object] = []
    outside = 0
    for cell, line, hospital, patient in zip(cells, lines, table["hospital"], table["patient_id"], strict=True):
        where = {"hospital": hospital, "patient_id": patient, "column": column.name}
        value: object = None
        # A hospital may be called NA.
        if not cell or (column.kind != "text" and cell.lower() in MISSING_WORDS):
            if not column.may_be_empty:
                problems.add(
                    line,
                    "row rejected",
                    "missing_value",
                    f"{column.name} is empty.",
                    f"Fill in {column.meaning.lower()}.",
                    **where,
                )
        else:
            value, code, problem = _parse_cell(cell, column)
            if code:
                outside += code == "impossible_value"
                effect = (
                    "flagged"
                    if code == "implausible_value"
                    else ("value removed" if column.may_be_empty else "row rejected")
                )
                problems.add(line, effect, code, f"{column.name}: {problem}", _remedy(column, code), **where)
        values.append(value)
    if outside > len(cells) / 2:
        problems.add(
            WHOLE_TABLE,
            "flagged",
            "wrong_unit",
            f"{outside} of {len(cells)} values of {column.name} are impossible in {column.unit}.",
            f"Check the unit, and that the column was not swapped with another. {column.hint}".strip(),
            column=column.name,
        )
    dtype = "Int64" if column.kind in ("integer", "flag") else "float64" if column.kind == "number" else object
    if dtype == "float64":
        return pd.Series([float("nan") if v is None else v for v in values], index=cells.index, dtype=dtype)
    return pd.Series(values, index=cells.index, dtype=dtype)


def _parse_cell(cell: str, column: Column) -> tuple[object, str, str]:
    """Value, code and problem; the code is empty where all is well."""
    if column.kind == "text":
        return cell, "", ""
    if column.kind == "sex":
        letter = cell.upper()[:1]
        known = cell.upper() in ("M", "F", "MALE", "FEMALE")
        return (letter, "", "") if known else (None, "not_a_sex", "neither M nor F.")
    if column.kind == "date":
        return _parse_date(cell)
    return _parse_number(cell, column)


def _parse_date(cell: str) -> tuple[object, str, str]:
    try:
        day = date.fromisoformat(cell)
    except ValueError:
        if re.fullmatch(r"\d{5}(\.\d+)?", cell):
            return None, "excel_date", "a spreadsheet's day number, not a date."
        return None, "not_a_date", "not a date of the form YYYY-MM-DD."
    if not 1990 <= day.year <= 2100:
        return None, "not_a_date", "the year cannot be right."
    return day, "", ""


def _parse_number(cell: str, column: Column) -> tuple[object, str, str]:
    text = cell
    if column.name in ("fibrosis_stage", "inflammation_grade"):
        text = re.sub(r"^[FfAa](?=\d$)", "", cell)
        if not re.fullmatch(r"\d+(\.0+)?", text):
            return None, "not_one_grade", "not one whole stage or grade."
    if column.kind == "flag":
        text = {"yes": "1", "no": "0", "true": "1", "false": "0"}.get(cell.lower(), cell)
    if re.fullmatch(r"[+-]?\d+,\d+", text):
        return None, "decimal_comma", "a decimal comma."
    try:
        value = float(text)
    except ValueError:
        return None, "not_a_number", "not a number."
    low, high = column.possible or (float("-inf"), float("inf"))
    if not low <= value <= high:
        return None, "impossible_value", f"outside {low:g} to {high:g} {column.unit}."
    if column.kind in ("integer", "flag") and value != int(value):
        return None, "not_whole", "not a whole number."
    result = int(value) if column.kind in ("integer", "flag") else value
    near = column.plausible or (low, high)
    if not near[0] <= value <= near[1]:
        return (
            result,
            "implausible_value",
            f"outside the plausible {near[0]:g} to {near[1]:g} {column.unit}.",
        )
    return result, "", ""


def _remedy(column: Column, code: str) -> str:
    remedies = {
        "decimal_comma": "Write a decimal point.",
        "excel_date": "Format the cells as YYYY-MM-DD before saving as CSV.",
        "not_a_date": "Write it as YYYY-MM-DD.",
        "not_a_sex": "Write M or F.",
        "not_one_grade": column.hint,
        "implausible_value": f"The value is kept: check it. {column.hint}".strip(),
    }
    fallback = f"Give {column.meaning.lower()} in {column.unit}. {column.hint}".strip()
    return remedies.get(code, fallback)
