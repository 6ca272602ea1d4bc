"""The cells of one column of a table: what they say by the contract, or what is wrong with them."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import pandas as pd

from dlre_core.user_tables.csv_input import FLAGGED, REJECTED, REMOVED, STOPPED, WHOLE_TABLE, Problems
from dlre_core.user_tables.data_contract import Column
from dlre_core.user_tables.number_cells import numbers
from dlre_core.user_tables.readings import Reader, Reading, Rows
from dlre_core.user_tables.stage_scales import ISHAK, STAGE, other_scale
from dlre_core.user_tables.word_cells import categories, dates, flags, sexes, texts

# A larger share of a column that cannot be read stops the study.
MOST_UNREADABLE = 0.1
# Codes of cells that were read, or that say themselves that there is nothing to read.
READ = (
    "",
    "missing",
    "missing_code",
    "implausible_value",
    "impossible_value",
    "excel_date",
    "unit_doubted",
)
_READERS: Mapping[str, Callable[[Sequence[str], Column, Rows, Problems], Reader]] = {
    "text": texts,
    "date": dates,
    "flag": flags,
    "sex": sexes,
    "category": categories,
    "number": numbers,
    "integer": numbers,
}


def parse_column(cells: Sequence[str], column: Column, rows: Rows, problems: Problems) -> pd.Series:
    """The values of one column, missing where a cell is empty or wrong.

    Parameters
    ----------
    cells : sequence of str
    column : Column
        What the contract says of it.
    rows : Rows
        Mutated: takes which cells cannot be read.
    problems : Problems
        Takes what is wrong.

    Returns
    -------
    Series
        float64 for numbers, Int64 for integers and flags, else objects (str, date or None).
    """
    read = _READERS[column.kind](cells, column, rows, problems)
    known: dict[tuple[str, str], Reading] = {}
    readings = []
    for key in zip(rows.hospitals, cells, strict=True):
        if key not in known:
            known[key] = read(*key)
        readings.append(known[key])
    for row, reading in enumerate(readings):
        if reading.code:
            _report(reading, row, cells[row], column, rows, problems)
    _report_column(cells, readings, column, problems)
    return _series([reading.value for reading in readings], column)


def _series(values: list[object], column: Column) -> pd.Series:
    if column.kind == "number":
        return pd.Series([float("nan") if v is None else v for v in values], dtype="float64")
    integers = column.kind in ("integer", "flag")
    return pd.Series(values, dtype="Int64" if integers else object)


def _report(reading: Reading, row: int, cell: str, column: Column, rows: Rows, problems: Problems) -> None:
    """Put a cell that is not simply right onto the list."""
    code, problem, where = reading.code, reading.problem, rows.where(row, column.name)
    if code not in READ:
        rows.unreadable[row].append(column.name)
    if code == "missing":
        if not column.may_be_empty:
            problems.add(
                rows.lines[row],
                REJECTED,
                "missing_value",
                f"{column.name} is empty.",
                f"Fill in {_within(column.meaning)}.",
                **where,
            )
        return
    if code == "unit_doubted":
        return
    kept = reading.value is not None
    effect = FLAGGED if kept else REMOVED if column.may_be_empty else REJECTED
    remedy = _remedy(column, code, cell)
    if column.excludes and not kept:
        problem += " The patient is not enrolled."
    problems.add(rows.lines[row], effect, code, f"{column.name}: {problem}", remedy, cell=cell, **where)


def _report_column(cells: Sequence[str], readings: Sequence[Reading], column: Column, problems: Problems) -> None:
    """Say what the column as a whole means for the study."""
    filled = sum(reading.code != "missing" for reading in readings)
    unread = [
        (reading.problem, _remedy(column, reading.code, cell))
        for reading, cell in zip(readings, cells, strict=True)
        if reading.code not in READ and reading.code != "not_known"
    ]
    criterion = f"The criterion {column.criterion!r}" if column.criterion else ""
    begin = f"{len(unread)} of {filled} cells of {column.name} cannot be read"
    if filled and len(unread) > MOST_UNREADABLE * filled:
        (problem, remedy), _ = Counter(unread).most_common(1)[0]
        switched_off = f" {criterion} could not be applied to these patients." if criterion else ""
        problems.add(
            WHOLE_TABLE,
            STOPPED,
            "column_unreadable",
            f"{begin}, more than a tenth; most often: {problem}{switched_off} The study does not start.",
            remedy,
            column=column.name,
        )
    elif unread and criterion:
        few = "this patient, who is therefore"
        patients = few if len(unread) == 1 else f"these {len(unread)} patients, who are therefore"
        problems.add(
            WHOLE_TABLE,
            FLAGGED,
            "criterion_not_applied",
            f"{begin}. {criterion} cannot be applied to {patients} not enrolled.",
            "Put the cells right, and they are judged like all others.",
            column=column.name,
        )
    empty = sum(not cell for cell in cells)
    if column.excludes and empty:
        problems.add(
            WHOLE_TABLE,
            FLAGGED,
            "empty_means_no",
            f"{empty} of {len(cells)} cells of {column.name} are empty, which counts as no. {criterion} excludes none "
            "of these patients.",
            "Write 0 where it is known, 1 where it is so, and NA where nobody knows: those are not enrolled.",
            column=column.name,
        )


def _remedy(column: Column, code: str, cell: str) -> str:
    if code == "not_one_grade":
        return other_scale(cell)[1] or column.hint
    ends = "6" if column.name == STAGE else "another number"
    remedies = {
        "decimal_comma": "Write a decimal point.",
        "thousands_mark": "Write the number without marks between thousands, and with a decimal point.",
        "excel_date": "The date is kept: check it, or format the cells as YYYY-MM-DD.",
        "not_a_date": "Write it as YYYY-MM-DD.",
        "day_or_month": "Write it as YYYY-MM-DD.",
        "not_a_sex": "Write M or F.",
        "not_yes_or_no": "Write 0 for no and 1 for yes.",
        "not_a_category": column.hint,
        "one_or_two": "Write 0 for no and 1 for yes.",
        "not_known": "Find out and write 0 or 1.",
        "missing_code": "Leave the cell empty, or write the value if it is one.",
        "formula": "Open the workbook in Excel, let it calculate and save it; or write the value itself.",
        "other_scale": f"If the scale ends at {ends}, convert the column"
        + (f" ({ISHAK}), or write unit: ishak for it under units in config.yaml" if column.name == STAGE else "")
        + ". If a value is a typing mistake, correct it.",
        "not_on_scale": "Correct the stage, or name the scale that the hospital uses under units in config.yaml.",
        "implausible_value": f"The value is kept: check it. {column.hint}".strip(),
    }
    fallback = f"Give {_within(column.meaning)} in {column.unit}. {column.hint}".strip()
    return remedies.get(code, fallback)


def _within(meaning: str) -> str:
    """Words as they stand within a sentence: acronyms stay."""
    return meaning if meaning[1:2].isupper() else meaning[0].lower() + meaning[1:]
