"""Tables for tests: a clean one of 46 simulated patients, and ways to spoil and to write it."""

import csv
import io
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

import pandas as pd

from dlre_core.patients.clinical_table import ClinicalTable, examine_table
from dlre_core.patients.enrolment import EnrolmentSettings, enrol

DATA = Path(__file__).parents[1] / "core/user_tables/data"
Cells = list[dict[str, str]]


def clean_rows() -> Cells:
    """Rows of ``clean.csv``, all cells as text."""
    with open(DATA / "clean.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def as_csv(rows: Cells, delimiter: str = ",", line_end: str = "\n") -> str:
    """Rows as CSV, with quotes where they are needed."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), delimiter=delimiter, lineterminator=line_end)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def write_rows(folder: Path, rows: Cells, encoding: str = "utf-8", **form: str) -> Path:
    """Rows as ``clinical.csv`` in a folder."""
    path = folder / "clinical.csv"
    path.write_bytes(as_csv(rows, **form).encode(encoding))
    return path


def changed(column: str, change: Callable[[int, str], str], rows: Cells | None = None) -> Cells:
    """Rows with one column changed; ``change`` takes the number of the row, from 0, and the cell."""
    rows = rows or clean_rows()
    return [row | {column: change(n, row[column])} for n, row in enumerate(rows)]


def examined(folder: Path, rows: Cells, **options: object) -> ClinicalTable:
    """What the reader makes of rows, whether or not it would stop the study."""
    return examine_table(write_rows(folder, rows), **options)


def enrolled(patients: pd.DataFrame) -> set[str]:
    """Ids of those who would be enrolled, had all of them enough pictures."""
    table = patients.rename(columns={"patient_id": "patient"})
    keys = pd.MultiIndex.from_frame(table[["hospital", "patient"]])
    verdict = enrol(table, pd.Series(5, index=keys), EnrolmentSettings())
    return set(verdict.loc[verdict["enrolled"] == 1, "patient"])


def codes(table: ClinicalTable) -> dict[str, int]:
    """Number of problems by code."""
    return table.problems["code"].value_counts().to_dict()


def found(table: ClinicalTable, code: str) -> dict[str, object]:
    """The first problem with a code."""
    rows = table.problems[table.problems["code"] == code]
    assert len(rows), table.problems[["code", "problem"]].to_string()
    return rows.iloc[0].to_dict()


def dates(patients: pd.DataFrame, column: str) -> list[date]:
    """The days of a column."""
    return list(patients[column])


def same_values(left: pd.DataFrame, right: pd.DataFrame, columns: Sequence[str] = ()) -> bool:
    """Whether two tables hold the same, in all or in the named columns."""
    names = list(columns) or list(left)
    return left[names].astype(object).equals(right[names].astype(object))
