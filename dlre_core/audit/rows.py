"""Read rows of diagnostic accuracy from a file of published tables."""

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

from dlre_core.audit.printed import ESTIMATES, SHARES, Printed, parse_interval, parse_printed
from dlre_core.audit.report import Finding


@dataclass(frozen=True)
class PrintedRow:
    """One row of a table of diagnostic accuracy, parsed.

    ``patients`` names who was analysed, where two rows of the same cohort and size differ in that
    (optional key of the file; empty otherwise). ``compared`` is False where no star does not mean no
    significance (optional key).
    """

    table: str
    row: int
    stage: str
    method: str
    arm: str
    cohort: str
    n_text: str
    n: int | None
    prevalence: Printed | None
    cells: Mapping[str, Printed | None]
    intervals: Mapping[str, tuple[Printed, Printed] | None]
    stars: str = ""
    patients: str = ""
    compared: bool = True
    misprints: tuple[tuple[str, str], ...] = field(default=())

    @property
    def place(self) -> dict[str, object]:
        """Table, row, stage, method, arm, cohort."""
        return {
            "table": self.table,
            "row": self.row,
            "stage": self.stage,
            "method": self.method,
            "arm": self.arm or None,
            "cohort": self.cohort,
        }

    @property
    def group(self) -> tuple[str, str, int | None, str]:
        """Rows of one group analyse the same patients, so that they share the prevalence."""
        return self.stage, self.cohort, self.n, self.patients

    def finding(
        self,
        kind: str,
        severity: str,
        cell: str | None,
        sentence: str,
        printed: str = "",
        expected: str = "",
    ) -> Finding:
        """A finding about this row."""
        return Finding(kind, severity, {**self.place, "cell": cell}, sentence, printed, expected)


def read_rows(tables: Mapping[str, object]) -> list[PrintedRow]:
    """Every row with a sensitivity or an AUC, of every table of the file.

    Parameters
    ----------
    tables : mapping
        From table name to a list of rows, as in ``data/paper_tables.json``; other entries are left
        alone. ``row`` counts from 1 where the file does not say.

    Returns
    -------
    list of PrintedRow
    """
    return [_read_row(name, number, row) for name, rows in tables.items() for number, row in _accuracy_rows(rows)]


def reading_findings(rows: Sequence[PrintedRow]) -> list[Finding]:
    """Cells that hold no number, a badly written one, or one outside the possible range."""
    found = []
    for row in rows:
        for cell, text in row.misprints:
            found.append(row.finding("malformed_number", "error", cell, f"{text!r} is no well-formed number.", text))
        for cell, value in row.cells.items():
            upper = 100.0 if cell in SHARES else 1.0 if cell == "auc" else float("inf")
            for printed in (value, *(row.intervals.get(cell) or ())):
                if printed is not None and not 0 <= printed.value <= upper:
                    found.append(
                        row.finding(
                            "impossible_value",
                            "error",
                            cell,
                            f"{printed.text} lies outside 0 to {upper:g}.",
                            printed.text,
                        )
                    )
    return found + _uneven_decimals(rows) + _uneven_names(rows)


def _uneven_decimals(rows: Sequence[PrintedRow]) -> list[Finding]:
    """Estimates, or limits, with other decimals than those of most rows of the table."""
    found = []
    for table in dict.fromkeys(row.table for row in rows):
        members = [row for row in rows if row.table == table]
        for cell, of_limits in product(ESTIMATES, (False, True)):
            printed = [
                (row, number)
                for row in members
                for number in ((row.intervals[cell] or ()) if of_limits else (row.cells[cell],))
                if number is not None and math.isfinite(number.value) and number.well_formed
            ]
            usual = Counter(number.digits for _, number in printed).most_common(1)
            for row, number in printed:
                if number.digits != usual[0][0]:
                    found.append(
                        row.finding(
                            "decimals_differ",
                            "note",
                            cell,
                            f"{number.text} has {number.digits} decimals, most of the table {usual[0][0]}.",
                            number.text,
                        )
                    )
    return found


def _uneven_names(rows: Sequence[PrintedRow]) -> list[Finding]:
    """Arms whose names differ in spaces and capitals only: one arm, or two?"""
    found = []
    for table in dict.fromkeys(row.table for row in rows):
        names = Counter(row.arm for row in rows if row.table == table and row.arm)
        spellings: dict[str, list[str]] = {}
        for name in names:
            spellings.setdefault(re.sub(r"\s+", "", name).casefold(), []).append(name)
        for written in spellings.values():
            usual = max(written, key=lambda name: names[name])
            for row in rows:
                if row.table == table and row.arm in written and row.arm != usual:
                    sentence = f"The arm is called {row.arm!r} here and {usual!r} elsewhere in the table."
                    found.append(row.finding("names_differ", "note", None, sentence, row.arm, usual))
    return found


def _accuracy_rows(rows: object) -> Iterator[tuple[int, Mapping[str, object]]]:
    if isinstance(rows, list):
        for number, row in enumerate(rows, 1):
            if isinstance(row, Mapping) and ("sens" in row or "auc" in row):
                yield int(str(row.get("row", number))), row


def _read_row(table: str, number: int, row: Mapping[str, object]) -> PrintedRow:
    misprints: list[tuple[str, str]] = []

    def number_of(cell: str, text: object) -> Printed | None:
        try:
            printed = parse_printed(text)
        except ValueError:
            misprints.append((cell, str(text)))
            return None
        if printed is not None and not printed.well_formed:
            misprints.append((cell, str(text)))
        return printed

    def interval_of(cell: str) -> tuple[Printed, Printed] | None:
        limits = row.get(f"{cell}_ci")
        if not isinstance(limits, list | tuple):
            return None
        read = [number_of(cell, limit) for limit in limits]
        return None if None in read else parse_interval(limits)

    size = number_of("n", row.get("n"))
    return PrintedRow(
        table=table,
        row=number,
        stage=str(row.get("stage") or ""),
        method=str(row.get("method") or ""),
        arm=str(row.get("arm") or ""),
        cohort=str(row.get("cohort") or ""),
        n_text=str(row.get("n") or ""),
        n=None if size is None else round(size.value),
        prevalence=number_of("prevalence_pct", row.get("prevalence_pct")),
        cells={cell: number_of(cell, row.get(cell)) for cell in ESTIMATES},
        intervals={cell: interval_of(cell) for cell in ESTIMATES},
        stars=str(row.get("stars") or ""),
        patients=str(row.get("patients") or ""),
        compared=bool(row.get("compared", True)),
        misprints=tuple(misprints),
    )
