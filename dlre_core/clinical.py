"""Read a clinical table, name everything wrong with it, and take the identity out."""

import csv
import io
import logging
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from dlre_core.contract import CLINICAL_COLUMNS, Column
from dlre_core.errors import ClinicalTableError

if TYPE_CHECKING:
    from dlre_core.deidentify import Pseudonymiser

logger = logging.getLogger(__name__)

PROBLEM_COLUMNS = ["row", "hospital", "patient_id", "column", "effect", "code", "problem", "remedy"]
MISSING_WORDS = {"", "na", "n/a", "nan", "null", "none", "-", "--", "unknown", "?"}
WHOLE_TABLE = 0


@dataclass(frozen=True)
class ClinicalTable:
    """A checked table.

    ``patients`` holds the usable rows with typed columns; ``problems`` one row for every finding:
    line of the file (0 = the whole table), hospital, patient_id, column, effect (``row rejected``,
    ``value removed`` or ``flagged``), code, problem and remedy.
    """

    patients: pd.DataFrame
    problems: pd.DataFrame


def read_clinical(
    path: str | Path,
    hospitals: Collection[str] | None = None,
    columns: tuple[Column, ...] = CLINICAL_COLUMNS,
    key: tuple[str, ...] = ("hospital", "patient_id"),
) -> ClinicalTable:
    """Read ``clinical.csv``, or another table of the same kind, by the data contract.

    Parameters
    ----------
    path : path
        CSV with a header; see `dlre_core.contract.CLINICAL_COLUMNS`.
    hospitals : collection of str, optional
        Codes of the hospitals that have a folder; rows of others are rejected.
    columns : tuple of Column, optional
        The contract to read by.
    key : tuple of str, optional
        Columns that together name a row; rows that share them are duplicates.

    Returns
    -------
    ClinicalTable

    Raises
    ------
    ClinicalTableError
        If the file is missing or empty, or lacks required columns.
    """
    findings = _Findings()
    table = _read_cells(Path(path), columns, findings)
    lines = table.pop("line")
    typed = {
        column.name: _parse_column(table[column.name], column, lines, findings, table)
        for column in columns
        if column.name in table
    }
    patients = pd.DataFrame(typed)
    rejected = findings.rejected_lines()
    rejected |= _check_rows(patients, lines, hospitals, key, findings)
    _check_consistency(patients, lines, findings)
    usable = ~lines.isin(rejected)
    return ClinicalTable(patients[usable].reset_index(drop=True), findings.table())


def check_clinical_table(path: str | Path, *, may_be_absent: bool = False) -> None:
    """Stop, before anything is run, at a table that cannot be read as a whole.

    Parameters
    ----------
    path : path
        ``clinical.csv``.
    may_be_absent : bool
        True where a rule will make it.

    Raises
    ------
    ClinicalTableError
    """
    if not (may_be_absent and not Path(path).exists()):
        _read_cells(Path(path), CLINICAL_COLUMNS, _Findings())


def pseudonymise(table: pd.DataFrame, pseudonymiser: "Pseudonymiser") -> pd.DataFrame:
    """Replace ids by pseudonyms, shift dates, and keep nothing but the contract's columns.

    Returns
    -------
    DataFrame
        Column ``patient`` in place of ``patient_id``; sorted by hospital and patient.
    """
    result = table.copy()
    keys = list(zip(table["hospital"], table["patient_id"], strict=True))
    for name in [column.name for column in CLINICAL_COLUMNS if column.kind == "date"]:
        if name in result:
            result[name] = [
                pseudonymiser.shift(day, *key).isoformat() if isinstance(day, date) else ""
                for day, key in zip(table[name], keys, strict=True)
            ]
    result.insert(0, "patient", [pseudonymiser.patient(*key) for key in keys])
    result = result.drop(columns="patient_id")
    return result.sort_values(["hospital", "patient"], ignore_index=True)


def pseudonymise_problems(problems: pd.DataFrame, pseudonymiser: "Pseudonymiser") -> pd.DataFrame:
    """The findings without ids or cell contents: ``patient`` in place of ``patient_id``."""
    result = problems.drop(columns="patient_id")
    result.insert(2, "patient", [
        pseudonymiser.patient(hospital, patient) if patient else ""
        for hospital, patient in zip(problems["hospital"], problems["patient_id"], strict=True)
    ])  # fmt: skip
    return result


class _Findings:
    def __init__(self) -> None:
        self.rows: list[dict[str, object]] = []

    def add(
        self, line: int, effect: str, code: str, problem: str, remedy: str, **where: str
    ) -> None:
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
        return {int(str(row["row"])) for row in self.rows if row["effect"] == "row rejected"}

    def table(self) -> pd.DataFrame:
        table = pd.DataFrame(self.rows, columns=PROBLEM_COLUMNS)
        return table.sort_values(["row", "column", "code"], ignore_index=True, kind="stable")


def _read_cells(path: Path, columns: tuple[Column, ...], findings: _Findings) -> pd.DataFrame:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ClinicalTableError(
            f"{path} cannot be read: {error.strerror}.", "Put the clinical table there as CSV."
        ) from None
    if raw[:2] == b"PK" or raw[:4] == b"\xd0\xcf\x11\xe0":
        raise ClinicalTableError(f"{path} is a spreadsheet, not CSV.", "Save it as CSV UTF-8.")
    text = _decode(raw, findings)
    delimiter = _delimiter(text.split("\n", 1)[0], findings)
    reader = csv.DictReader(io.StringIO(text), delimiter=delimiter)
    header = [(name or "").strip() for name in reader.fieldnames or []]
    reader.fieldnames = header
    missing = [c.name for c in columns if c.required and c.name not in header]
    known = {column.name for column in columns}
    if missing:
        others = [name for name in header if name and name not in known]
        given = f" Columns that the contract does not know: {', '.join(others)}." if others else ""
        raise ClinicalTableError(
            f"{path} lacks the column{'s' * (len(missing) > 1)} {', '.join(missing)}.{given}",
            "Name every column as in docs/data_contract.md (make clinical-template prints the header).",
        )
    for name in [name for name in header if name and name not in known]:
        findings.add(
            WHOLE_TABLE, "flagged", "unknown_column", f"Column {header.index(name) + 1} is not in the contract.",
            "It is ignored; nothing of it is kept.",
        )  # fmt: skip
    rows = []
    for row in reader:
        cells = {name: (row.get(name) or "").strip() for name in header if name in known}
        if not any(cells.values()):
            findings.add(
                reader.line_num, "row rejected", "blank_row", "The row is blank.", "Delete it."
            )
            continue
        rows.append({"line": reader.line_num, **cells})
    if not rows:
        raise ClinicalTableError(f"{path} has a header but no rows.", "Add one row a patient.")
    return pd.DataFrame(rows)


def _decode(raw: bytes, findings: _Findings) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        findings.add(
            WHOLE_TABLE, "flagged", "not_utf8",
            f"The file is not UTF-8 (byte {error.start}); it was read as GB18030 or Latin-1.",
            "Save it as CSV UTF-8.",
        )  # fmt: skip
    try:
        return raw.decode("gb18030")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _delimiter(header: str, findings: _Findings) -> str:
    for candidate in (";", "\t"):
        if header.count(candidate) > header.count(","):
            findings.add(
                WHOLE_TABLE, "flagged", "delimiter",
                f"Cells are separated by {candidate!r}, not by a comma.", "Save it with commas.",
            )  # fmt: skip
            return candidate
    return ","


def _parse_column(
    cells: pd.Series, column: Column, lines: pd.Series, findings: _Findings, table: pd.DataFrame
) -> pd.Series:
    values: list[object] = []
    outside = 0
    for cell, line, hospital, patient in zip(
        cells, lines, table["hospital"], table["patient_id"], strict=True
    ):
        where = {"hospital": hospital, "patient_id": patient, "column": column.name}
        value: object = None
        if cell.lower() in MISSING_WORDS:
            if not column.may_be_empty:
                findings.add(line, "row rejected", "missing_value", f"{column.name} is empty.",
                             f"Fill in {column.meaning.lower()}.", **where)  # fmt: skip
        else:
            value, code, problem = _parse_cell(cell, column)
            if code:
                outside += code == "impossible_value"
                effect = "flagged" if code == "implausible_value" else (
                    "value removed" if column.may_be_empty else "row rejected"
                )  # fmt: skip
                findings.add(
                    line, effect, code, f"{column.name}: {problem}", _remedy(column, code), **where
                )
        values.append(value)
    if outside > len(cells) / 2:
        findings.add(
            WHOLE_TABLE, "flagged", "wrong_unit",
            f"{outside} of {len(cells)} values of {column.name} are impossible in {column.unit}.",
            f"Check the unit, and that the column was not swapped with another. {column.hint}".strip(),
            column=column.name,
        )  # fmt: skip
    dtype = (
        "Int64"
        if column.kind in ("integer", "flag")
        else "float64"
        if column.kind == "number"
        else object
    )
    if dtype == "float64":
        return pd.Series(
            [float("nan") if v is None else v for v in values], index=cells.index, dtype=dtype
        )
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


def _check_rows(
    patients: pd.DataFrame,
    lines: pd.Series,
    hospitals: Collection[str] | None,
    key: tuple[str, ...],
    findings: _Findings,
) -> set[int]:
    rejected: set[int] = set()
    names = patients[list(key)]
    duplicate = names.duplicated(keep=False) & names.notna().all(axis=1)
    for index in patients.index:
        where = {name: patients.at[index, name] or "" for name in ("hospital", "patient_id")}
        if duplicate[index]:
            rejected.add(int(lines[index]))
            findings.add(
                lines[index],
                "row rejected",
                "duplicate_patient" if key[-1] == "patient_id" else "duplicate_row",
                f"The same {' and '.join(key)} stand in more than one row.",
                "Keep the one row that is right.",
                column=key[-1],
                **where,
            )
        if hospitals is not None and where["hospital"] and where["hospital"] not in hospitals:
            rejected.add(int(lines[index]))
            findings.add(
                lines[index],
                "row rejected",
                "unknown_hospital",
                "There is no folder dicom/<hospital> for this hospital.",
                f"Use one of {', '.join(sorted(hospitals))}, or add the folder.",
                column="hospital",
                **where,
            )
    return rejected


def _check_consistency(patients: pd.DataFrame, lines: pd.Series, findings: _Findings) -> None:
    checks = [
        (
            ("bmi_kg_m2", "height_cm", "weight_kg"), "bmi_disagrees",
            lambda t: (t.bmi_kg_m2 - t.weight_kg / (t.height_cm / 100) ** 2).abs() > 1.5,
            "Body mass index does not follow from height and weight.",
            "Check that height and weight are in their own columns, in cm and kg.",
        ),
        (
            ("total_bilirubin_umol_l", "direct_bilirubin_umol_l"), "bilirubin_disagrees",
            lambda t: t.direct_bilirubin_umol_l > t.total_bilirubin_umol_l,
            "Direct bilirubin is above total bilirubin.", "Check that the columns were not swapped.",
        ),
    ]  # fmt: skip
    for names, code, test, problem, remedy in checks:
        if not set(names) <= set(patients):
            continue
        for index in patients.index[test(patients).fillna(False)]:
            findings.add(
                lines[index], "flagged", code, problem, remedy, column=names[0],
                hospital=patients.at[index, "hospital"] or "",
                patient_id=patients.at[index, "patient_id"] or "",
            )  # fmt: skip
