"""A table as text: its encoding, delimiter, quotes and rows, and a list of what is wrong with it."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from dlre_core.foundation.errors import ClinicalTableError

PROBLEM_COLUMNS = ["row", "hospital", "patient_id", "column", "effect", "code", "problem", "remedy"]
WHOLE_TABLE = 0
REJECTED, REMOVED, FLAGGED, STOPPED = (
    "row rejected",
    "value removed",
    "flagged",
    "study stopped",
)
# No cell of a clinical table is longer; Python's csv module gives up at 131,072.
LONGEST_CELL = 10_000
# What Excel writes so that another Excel keeps leading zeros.
KEPT_AS_TEXT = re.compile(r'="(.*)"', re.DOTALL)
SEPARATOR_LINE = re.compile(r'"?sep=(.)"?\n', re.IGNORECASE)
INVISIBLE = "\ufeff\u200b\u200e\u200f\u2060"
# Below a blank row, one with fewer cells than this share of the usual number begins something else.
FEW_CELLS = 0.5
MOST_QUOTES = 20


class Problems:
    """What is wrong with a table, a row each."""

    def __init__(self) -> None:
        self.rows: list[dict[str, object]] = []

    def add(self, line: int, effect: str, code: str, problem: str, remedy: str, **where: str) -> None:
        """One more; ``where`` names hospital, patient_id and column, and ``cell`` what stands there."""
        self.rows.append(
            {
                "row": int(line),
                "hospital": where.get("hospital", ""),
                "patient_id": where.get("patient_id", ""),
                "column": where.get("column", ""),
                "effect": effect,
                "code": code,
                "problem": problem,
                "remedy": remedy,
                "cell": where.get("cell", ""),
            }
        )

    def rejected_lines(self) -> set[int]:
        """Lines of the file that cannot be used."""
        return {int(str(row["row"])) for row in self.rows if row["effect"] == REJECTED}

    def table(self) -> pd.DataFrame:
        """All, in the order of the file, with `PROBLEM_COLUMNS` and ``cell``, which is for the user's eyes only."""
        table = pd.DataFrame(self.rows, columns=[*PROBLEM_COLUMNS, "cell"])
        return table.sort_values(["row", "column", "code"], ignore_index=True, kind="stable")


@dataclass(frozen=True)
class RawTable:
    """The cells of a table as text, by line; every row has as many as the header.

    ``decimal_comma`` says that a comma in a number can only be a decimal mark; ``refused`` are the cells of
    rows that do not fit the header.
    """

    path: Path
    header: tuple[str, ...]
    lines: tuple[int, ...]
    rows: tuple[tuple[str, ...], ...]
    decimal_comma: bool = False
    refused: tuple[tuple[str, ...], ...] = ()

    def may_be_refused_too(self, names: Sequence[str], row: Sequence[str]) -> bool:
        """Whether a refused row seems to have the same values in the named columns, which may be shifted by one."""
        places = [self.header.index(name) for name in names]
        return any(
            all(value in cells[max(place - 1, 0) : place + 2] for place, value in zip(places, row, strict=True))
            for cells in self.refused
        )

    def column(self, name: str) -> list[str]:
        """All cells below the first column of this name."""
        index = self.header.index(name)
        return [row[index] for row in self.rows]


def read_csv_table(path: Path, problems: Problems) -> RawTable:
    """Rows of a CSV file, whatever its encoding, delimiter and line ends.

    Parameters
    ----------
    path : Path
    problems : Problems
        Takes what is unusual, the rows that are refused, and what refuses the table as a whole.

    Raises
    ------
    ClinicalTableError
        If the file cannot be read or is no table at all.
    """
    text = _decode(_read_bytes(path), problems)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    first_line, separator = 0, SEPARATOR_LINE.match(text)
    if separator:
        first_line, text = 1, text[separator.end() :]
        delimiter = separator[1]
    else:
        delimiter = _delimiter(text.split("\n", 1)[0], problems)
    numbered = _split(path, _closed_quotes(text, delimiter, first_line, problems), delimiter)
    numbered = [(line + first_line, cells) for line, cells in numbered]
    return shaped_table(path, numbered, problems, decimal_comma=delimiter == ";")


def shaped_table(
    path: Path,
    numbered: Sequence[tuple[int, Sequence[str]]],
    problems: Problems,
    *,
    decimal_comma: bool = False,
    padded: bool = False,
) -> RawTable:
    """Refuse rows that do not have the header's cells, and what is no row of the table.

    Parameters
    ----------
    path : Path
    numbered : sequence of (line, cells)
        The header first.
    problems : Problems
    decimal_comma : bool
    padded : bool
        True for a spreadsheet, where the end of a row says nothing.
    """
    width = len(numbered[0][1]) if numbered else 0
    header = [clean_cell(name) for name in numbered[0][1]] if numbered else []
    while header and not header[-1]:
        header.pop()
    body = [(line, [clean_cell(cell) for cell in cells]) for line, cells in numbered[1:]]
    body = _above_second_table(header, body, problems)
    lengths = {len(cells) for _, cells in body if any(cells)}
    allowed = {len(header), width} | (lengths if len(lengths) == 1 else set())
    lines, rows, refused = [], [], []
    for line, cells in body:
        if not any(cells):
            if cells:
                problems.add(line, REJECTED, "blank_row", "The row is blank.", "Delete it.")
            continue
        cells = cells + [""] * (len(header) - len(cells)) if padded else cells
        if _is_whole(line, cells, len(header), allowed, problems, padded=padded):
            lines.append(line)
            rows.append(tuple(cells[: len(header)]))
        else:
            refused.append(tuple(cells))
    return RawTable(path, tuple(header), tuple(lines), tuple(rows), decimal_comma, tuple(refused))


def clean_cell(cell: str) -> str:
    """A cell without blanks around, invisible characters and Excel's wrapping of text.

    Examples
    --------
    >>> clean_cell(' ="0012" ')
    '0012'
    """
    cell = cell.strip().strip(INVISIBLE).strip()
    if cell.startswith("="):
        wrapped = KEPT_AS_TEXT.fullmatch(cell)
        return wrapped[1].strip() if wrapped else cell
    return cell


def _is_whole(
    line: int,
    cells: Sequence[str],
    columns: int,
    allowed: Iterable[int],
    problems: Problems,
    *,
    padded: bool,
) -> bool:
    """Whether a row has a cell for every column and none besides; says so where not."""
    filled = sum(1 for cell in cells[columns:] if cell)
    if filled or (len(cells) > columns and len(cells) not in allowed and not padded):
        problems.add(
            line,
            REJECTED,
            "surplus_cells",
            f"The row has {len(cells)} cells below {columns} columns, so that it is not known which belongs where.",
            "Look for a comma within a cell (a decimal comma, a remark): put that cell into double quotes, or write a "
            "decimal point.",
        )
        return False
    if len(cells) < columns and len(cells) not in allowed:
        problems.add(
            line,
            REJECTED,
            "cells_lacking",
            f"The row has {len(cells)} cells below {columns} columns, so that it is not known which belongs where.",
            "Leave a cell empty rather than out: every row needs as many delimiters as the header. An Excel "
            "workbook (.xlsx) has no such trouble.",
        )
        return False
    if any(len(cell) > LONGEST_CELL for cell in cells):
        problems.add(
            line,
            REJECTED,
            "cell_too_long",
            f"A cell has more than {LONGEST_CELL:,} characters, which no value has.",
            "Look for a missing delimiter or quote in this row, and correct it.",
        )
        return False
    return True


def _above_second_table(
    header: Sequence[str], body: list[tuple[int, list[str]]], problems: Problems
) -> list[tuple[int, list[str]]]:
    """The rows above a blank row below which something else than the table begins."""
    names = {name for name in header if name}
    filled = sorted(sum(map(bool, cells)) for _, cells in body if any(cells))
    usual = filled[len(filled) // 2] if filled else 0
    for number, (line, cells) in enumerate(body[1:], 1):
        if any(body[number - 1][1]) or not any(cells):
            continue
        few = sum(map(bool, cells)) < FEW_CELLS * usual
        if few or len(names & set(cells)) > 1:
            left_out = sum(any(cells) for _, cells in body[number:])
            problems.add(
                line,
                FLAGGED,
                "second_table",
                f"Below a blank row something else than the table begins: {left_out} rows from line {line} on are "
                "not read.",
                "Keep one table per file or sheet: move notes and sums elsewhere. If these are patients, delete the "
                "blank row above them and fill in all columns.",
            )
            return body[:number]
    return body


def _split(path: Path, text: str, delimiter: str) -> list[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text), delimiter=delimiter)
    try:
        return [(reader.line_num, row) for row in reader]
    except csv.Error as error:
        raise ClinicalTableError(
            f"{path}, line {reader.line_num}: {error}.",
            "Look for a missing delimiter or quote there; no cell has so many characters.",
        ) from None


def _closed_quotes(text: str, delimiter: str, first_line: int, problems: Problems) -> str:
    """The text without quotes that are opened and never closed, each of which refuses the table."""
    for _ in range(MOST_QUOTES):
        offset = _open_quote(text, delimiter) if '"' in text else None
        if offset is None:
            return text
        line = text.count("\n", 0, offset) + 1 + first_line
        problems.add(
            line,
            STOPPED,
            "unclosed_quote",
            f"A double quote is opened in line {line} and not closed within its cell: what stands below would be "
            "taken for a part of it.",
            "Close the quote at the end of that cell, or delete it.",
        )
        text = text[:offset] + text[offset + 1 :]
    return text.replace('"', "")


def _open_quote(text: str, delimiter: str) -> int | None:
    """Where the first quote stands that is not closed within its cell."""
    mark = re.escape(delimiter)
    field = re.compile(rf'"[^"]*(?:""[^"]*)*"(?=[{mark}\n]|\Z)|(?!")[^{mark}\n]*')
    columns = text.split("\n", 1)[0].count(delimiter) + 1
    position = 0
    while position <= len(text):
        found = field.match(text, position)
        # A cell may have several lines, but not lines that are rows.
        if found is None or any(
            line.count(delimiter) >= max(2, columns // 2) for line in (found[0].split("\n") if "\n" in found[0] else ())
        ):
            return position
        position = found.end() + 1
    return None


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ClinicalTableError(
            f"{path} cannot be read: {error.strerror}.",
            f"Put the table there as CSV, or as {path.stem}.xlsx.",
        ) from None


def _decode(raw: bytes, problems: Problems) -> str:
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return raw.decode("utf-16", errors="replace")
    if b"\0" in raw:
        return _decode_without_mark(raw)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        problems.add(
            WHOLE_TABLE,
            FLAGGED,
            "not_utf8",
            f"The file is not UTF-8 (byte {error.start}); it was read as GB18030 or Latin-1.",
            "Save it as CSV UTF-8.",
        )
    try:
        return raw.decode("gb18030")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _decode_without_mark(raw: bytes) -> str:
    """UTF-16 that does not say so: every other byte of a header in ASCII is zero."""
    for odd, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        if not any(raw[odd:80:2]) and all(raw[1 - odd : 80 : 2]):
            return raw.decode(encoding, errors="replace")
    raise ClinicalTableError("The table is not text.", "Save it as CSV UTF-8 or as .xlsx.")


def _delimiter(header: str, problems: Problems) -> str:
    for candidate in (";", "\t"):
        if header.count(candidate) > header.count(","):
            problems.add(
                WHOLE_TABLE,
                FLAGGED,
                "delimiter",
                f"Cells are separated by {candidate!r}, not by a comma.",
                "Save it with commas.",
            )
            return candidate
    return ","
