"""An Excel workbook as a table of text: cells as typed, and what a spreadsheet hides is named."""

import io
import re
import zipfile
from datetime import date, datetime, time
from pathlib import Path
from xml.etree.ElementTree import ParseError

from openpyxl import load_workbook
from openpyxl.cell.cell import Cell, MergedCell
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from dlre_core.foundation.errors import ClinicalTableError
from dlre_core.user_tables.csv_input import (
    FLAGGED,
    REJECTED,
    STOPPED,
    Problems,
    RawTable,
    shaped_table,
)

ZEROS = re.compile(r"0+")


def read_workbook(path: Path, problems: Problems) -> RawTable:
    """Rows of the sheet that is named like the file's table, else of the first one.

    Parameters
    ----------
    path : Path
        Such as ``clinical.xlsx``, of which the sheet ``clinical`` is read where there is one.
    problems : Problems
        Takes merged cells and other sheets that hold something.

    Returns
    -------
    RawTable
        ``line`` is the row of the sheet. Dates are ISO; a formula without a stored value is its text.

    Raises
    ------
    ClinicalTableError
        If the file is no workbook, is encrypted or has no cells.
    """
    values, formulas = _load(path, data_only=True), _load(path, data_only=False)
    sheet = _sheet(values, path, problems)
    typed = formulas[sheet.title]
    numbered = [
        (number, [_text(cell, other) for cell, other in zip(row, twins, strict=False)])
        for number, (row, twins) in enumerate(zip(sheet.iter_rows(), typed.iter_rows(), strict=False), start=1)
    ]
    while numbered and not any(numbered[0][1]):
        numbered.pop(0)
    if not numbered:
        raise ClinicalTableError(
            f"{path}: the sheet {sheet.title} is empty.",
            f"Put the table into the first sheet, or into one named {path.stem}.",
        )
    merged = _merged_rows(typed, numbered[0][0], problems)
    kept = [(line, cells) for line, cells in numbered if line not in merged]
    return shaped_table(path, kept, problems, padded=True)


def _load(path: Path, *, data_only: bool) -> Workbook:
    try:
        # By content: openpyxl refuses names that do not end in .xlsx.
        return load_workbook(io.BytesIO(path.read_bytes()), data_only=data_only)
    except OSError as error:
        raise ClinicalTableError(f"{path} cannot be read: {error.strerror}.", "Put the table there.") from None
    except (
        InvalidFileException,
        zipfile.BadZipFile,
        KeyError,
        ValueError,
        TypeError,
        IndexError,
        ParseError,
    ):
        raise _no_workbook(path) from None


def _no_workbook(path: Path) -> ClinicalTableError:
    return ClinicalTableError(
        f"{path} is no Excel workbook that can be opened: damaged, encrypted, or of the old kind (.xls).",
        "Open it in Excel and save it, without a password, as .xlsx or as CSV UTF-8.",
    )


def _sheet(workbook: Workbook, path: Path, problems: Problems) -> Worksheet:
    sheets = workbook.worksheets
    if not sheets:
        raise ClinicalTableError(f"{path} has no sheet.", "Put the table into the first sheet.")
    named = [sheet for sheet in sheets if sheet.title.strip().lower() == path.stem.lower()]
    chosen = (named or sheets)[0]
    others = [s.title for s in sheets if s is not chosen and (s.max_row > 1 or s.max_column > 1)]
    if others and not named:
        problems.add(
            0,
            FLAGGED,
            "other_sheets",
            f"The workbook has {len(others) + 1} sheets; the first one was read.",
            f"If that is right, there is nothing to do; else name the sheet of the table {path.stem}.",
        )
    return chosen


def _merged_rows(sheet: Worksheet, header: int, problems: Problems) -> set[int]:
    """Rows below the header that have a part of merged cells, each named."""
    rows: set[int] = set()
    for area in sheet.merged_cells.ranges:
        if area.max_row < header:
            continue
        remedy = "Unmerge the cells and write the value into each of them."
        if area.min_row <= header:
            problems.add(
                header,
                STOPPED,
                "merged_cells",
                f"Cells {area.coord} of the header are merged.",
                remedy,
            )
        for row in range(max(area.min_row, header + 1), area.max_row + 1):
            rows.add(row)
            problems.add(
                row,
                REJECTED,
                "merged_cells",
                f"Cells {area.coord} are merged: all but the first are empty.",
                remedy,
            )
    return rows


def _text(cell: Cell | MergedCell, typed: Cell | MergedCell) -> str:
    value = cell.value
    if value is None:
        # A formula that nobody has calculated keeps its text, which no column takes for a value.
        return "" if typed.value is None else str(getattr(typed.value, "text", typed.value))
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        midnight = value.time() == time(0)
        return value.date().isoformat() if midnight else value.isoformat(sep=" ")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, int | float):
        return _number(value, str(cell.number_format))
    return str(value)


def _number(value: float, form: str) -> str:
    """A number as the cell shows it, where its format says more than its value."""
    if form.rstrip().endswith("%"):
        value = round(value * 100, 12)
    whole = float(value).is_integer() and abs(value) < 1e15
    if whole and ZEROS.fullmatch(form):
        return f"{int(value):0{len(form)}d}"
    return str(int(value)) if whole else repr(float(value))
