"""Read a clinical table, name everything wrong with it, and take the identity out."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from dlre_core.foundation.study_terms import KEYS
from dlre_core.patients.cell_parsing import parse_column
from dlre_core.patients.csv_input import Problems, read_cells
from dlre_core.patients.data_contract import CLINICAL_COLUMNS, Column

if TYPE_CHECKING:
    from dlre_core.patients.pseudonyms import Pseudonymiser


@dataclass(frozen=True)
class ClinicalTable:
    """A checked table.

    ``patients`` holds the usable rows with typed columns; ``problems`` one row for every problem:
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
        CSV with a header; see `dlre_core.patients.data_contract.CLINICAL_COLUMNS`.
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
    problems = Problems()
    table = read_cells(Path(path), columns, problems)
    lines = table.pop("line")
    typed = {
        column.name: parse_column(table[column.name], column, lines, problems, table)
        for column in columns
        if column.name in table
    }
    patients = pd.DataFrame(typed)
    rejected = problems.rejected_lines()
    rejected |= _check_rows(patients, lines, hospitals, key, problems)
    _check_consistency(patients, lines, problems)
    usable = ~lines.isin(rejected)
    return ClinicalTable(patients[usable].reset_index(drop=True), problems.table())


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
        read_cells(Path(path), CLINICAL_COLUMNS, Problems())


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
    return result.sort_values(KEYS, ignore_index=True)


def pseudonymise_problems(problems: pd.DataFrame, pseudonymiser: "Pseudonymiser") -> pd.DataFrame:
    """The problems without ids or cell contents: ``patient`` in place of ``patient_id``."""
    result = problems.drop(columns="patient_id")
    result.insert(
        2,
        "patient",
        [
            pseudonymiser.patient(hospital, patient) if patient else ""
            for hospital, patient in zip(problems["hospital"], problems["patient_id"], strict=True)
        ],
    )
    return result


def rejected_rows(problems: pd.DataFrame) -> int:
    """How many rows of the clinical table were left out, blank ones aside, however many problems each has.

    Parameters
    ----------
    problems : DataFrame
        ``results/clinical/problems.csv``.

    Examples
    --------
    >>> effects = ["row rejected", "row rejected", "value removed"]
    >>> codes = ["not_a_number", "missing_value", "not_a_number"]
    >>> rejected_rows(pd.DataFrame({"row": [3, 3, 7], "effect": effects, "code": codes}))
    1
    """
    rejected = (problems["effect"] == "row rejected") & (problems["code"] != "blank_row")
    return int(problems.loc[rejected, "row"].nunique())


def _check_rows(
    patients: pd.DataFrame,
    lines: pd.Series,
    hospitals: Collection[str] | None,
    key: tuple[str, ...],
    problems: Problems,
) -> set[int]:
    rejected: set[int] = set()
    names = patients[list(key)]
    duplicate = names.duplicated(keep=False) & names.notna().all(axis=1)
    for index in patients.index:
        where = {name: patients.at[index, name] or "" for name in ("hospital", "patient_id")}
        if duplicate[index]:
            rejected.add(int(lines[index]))
            problems.add(
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
            problems.add(
                lines[index],
                "row rejected",
                "unknown_hospital",
                "There is no folder dicom/<hospital> for this hospital.",
                f"Use one of {', '.join(sorted(hospitals))}, or add the folder.",
                column="hospital",
                **where,
            )
    return rejected


def _check_consistency(patients: pd.DataFrame, lines: pd.Series, problems: Problems) -> None:
    checks = [
        (
            ("bmi_kg_m2", "height_cm", "weight_kg"),
            "bmi_disagrees",
            lambda t: (t.bmi_kg_m2 - t.weight_kg / (t.height_cm / 100) ** 2).abs() > 1.5,
            "Body mass index does not follow from height and weight.",
            "Check that height and weight are in their own columns, in cm and kg.",
        ),
        (
            ("total_bilirubin_umol_l", "direct_bilirubin_umol_l"),
            "bilirubin_disagrees",
            lambda t: t.direct_bilirubin_umol_l > t.total_bilirubin_umol_l,
            "Direct bilirubin is above total bilirubin.",
            "Check that the columns were not swapped.",
        ),
    ]
    for names, code, test, problem, remedy in checks:
        if not set(names) <= set(patients):
            continue
        for index in patients.index[test(patients).fillna(False)]:
            problems.add(
                lines[index],
                "flagged",
                code,
                problem,
                remedy,
                column=names[0],
                hospital=patients.at[index, "hospital"] or "",
                patient_id=patients.at[index, "patient_id"] or "",
            )
