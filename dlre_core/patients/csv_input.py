"""A clinical table as text: its encoding, delimiter and header, and a list of what is wrong with it."""

import csv
import io
import re
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from dlre_core.foundation.errors import ClinicalTableError
from dlre_core.patients.data_contract import Column

DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
PROBLEM_COLUMNS = ["row", "hospital", "patient_id", "column", "effect", "code", "problem", "remedy"]
WHOLE_TABLE = 0


class Problems:
    """What is wrong with a table, a row each."""

    def __init__(self) -> None:
        self.rows: list[dict[str, object]] = []

    def add(self, line: int, effect: str, code: str, problem: str, remedy: str, **where: str) -> None:
        """One more; ``where`` names hospital, patient_id and column."""
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
            }
        )

    def rejected_lines(self) -> set[int]:
        """Lines of the file that cannot be used."""
        return {int(str(row["row"])) for row in self.rows if row["effect"] == "row rejected"}

    def table(self) -> pd.DataFrame:
        """All, in the order of the file, with `PROBLEM_COLUMNS`."""
        table = pd.DataFrame(self.rows, columns=PROBLEM_COLUMNS)
        return table.sort_values(["row", "column", "code"], ignore_index=True, kind="stable")


def open_table(path: Path, problems: Problems) -> csv.DictReader:
    """Rows of a table by the names in its first line, whatever its encoding and delimiter.

    Parameters
    ----------
    path : Path
    problems : Problems
        Takes what is unusual.

    Raises
    ------
    ClinicalTableError
        If the file cannot be read or is no CSV.
    """
    text = _decode(_read_text_bytes(path), problems)
    delimiter = _delimiter(text.split("\n", 1)[0], problems)
    reader = csv.DictReader(io.StringIO(text), delimiter=delimiter)
    reader.fieldnames = [(name or "").strip() for name in reader.fieldnames or []]
    return reader


def read_cells(path: Path, columns: tuple[Column, ...], problems: Problems) -> pd.DataFrame:
    """All cells as text.

    Parameters
    ----------
    path : Path
        CSV with a header.
    columns : tuple of Column
        The contract to read by.
    problems : Problems
        Takes what is unusual.

    Returns
    -------
    DataFrame
        ``line`` (of the file, int) and the known columns (str, no blanks around), a row for each row
        that is not blank.

    Raises
    ------
    ClinicalTableError
        If the file cannot be read, is no CSV, lacks required columns or has no rows.
    """
    reader = open_table(path, problems)
    header = list(reader.fieldnames or [])
    known = {column.name for column in columns}
    _check_header(path, header, columns)
    for name in [name for name in header if name and name not in known]:
        problems.add(
            WHOLE_TABLE,
            "flagged",
            "unknown_column",
            f"Column {header.index(name) + 1} is not in the contract.",
            "It is ignored; nothing of it is kept.",
        )
    rows = []
    for row in reader:
        cells = {name: (row.get(name) or "").strip() for name in header if name in known}
        if not any(cells.values()):
            problems.add(reader.line_num, "row rejected", "blank_row", "The row is blank.", "Delete it.")
            continue
        rows.append({"line": reader.line_num, **cells})
    if not rows:
        raise ClinicalTableError(f"{path} has a header but no rows.", "Add one row per patient.")
    commas = sum(
        decimal_points(row, [c.name for c in columns if c.kind in ("number", "integer")], reader) for row in rows
    )
    if commas:
        problems.add(
            WHOLE_TABLE,
            "flagged",
            "decimal_comma",
            f"{commas} decimal commas were read as decimal points, as is usual with semicolons.",
            "Save it with decimal points.",
        )
    return pd.DataFrame(rows)


def decimal_points(row: dict[str, str], names: Iterable[str], reader: csv.DictReader) -> int:
    """Write points for decimal commas into these cells of a row (mutated), and say how many there were.

    Only where cells are separated by semicolons, as spreadsheets do it in countries that write commas: there a comma
    cannot be anything else.
    """
    if reader.reader.dialect.delimiter != ";":
        return 0
    found = [name for name in names if DECIMAL_COMMA.fullmatch(row.get(name, ""))]
    for name in found:
        row[name] = row[name].replace(",", ".")
    return len(found)


def _read_text_bytes(path: Path) -> bytes:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ClinicalTableError(
            f"{path} cannot be read: {error.strerror}.", "Put the clinical table there as CSV."
        ) from None
    if raw[:2] == b"PK" or raw[:4] == b"\xd0\xcf\x11\xe0":
        raise ClinicalTableError(f"{path} is a spreadsheet, not CSV.", "Save it as CSV UTF-8.")
    if b"\0" in raw:
        raise ClinicalTableError(f"{path} is not text.", "Save the table as CSV UTF-8.")
    return raw


def _check_header(path: Path, header: list[str], columns: tuple[Column, ...]) -> None:
    missing = [c.name for c in columns if c.required and c.name not in header]
    if not missing:
        return
    known = {column.name for column in columns}
    remedy = "Name every column as in docs/reference/data_contract.md (make clinical-template prints the header)."
    if known.isdisjoint(header):
        raise ClinicalTableError(
            f"The first line of {path} names none of the columns: {', '.join(header)[:80]!r}.",
            remedy,
        )
    others = [name for name in header if name and name not in known]
    given = f" Columns that the contract does not know: {', '.join(others)}." if others else ""
    raise ClinicalTableError(f"{path} lacks the column{'s' * (len(missing) > 1)} {', '.join(missing)}.{given}", remedy)


def _decode(raw: bytes, problems: Problems) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        problems.add(
            WHOLE_TABLE,
            "flagged",
            "not_utf8",
            f"The file is not UTF-8 (byte {error.start}); it was read as GB18030 or Latin-1.",
            "Save it as CSV UTF-8.",
        )
    try:
        return raw.decode("gb18030")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _delimiter(header: str, problems: Problems) -> str:
    for candidate in (";", "\t"):
        if header.count(candidate) > header.count(","):
            problems.add(
                WHOLE_TABLE,
                "flagged",
                "delimiter",
                f"Cells are separated by {candidate!r}, not by a comma.",
                "Save it with commas.",
            )
            return candidate
    return ","
