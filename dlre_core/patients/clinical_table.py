"""Read a clinical table, name everything wrong with it, and take the identity out."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from dlre_core.foundation.design import OwnColumn, design_in_use
from dlre_core.foundation.digests import file_stamp
from dlre_core.foundation.errors import ClinicalTableError
from dlre_core.foundation.study_terms import KEYS
from dlre_core.patients.row_checks import check_consistency, check_refused, check_rows
from dlre_core.patients.table_file import open_table
from dlre_core.user_tables.cell_parsing import parse_column
from dlre_core.user_tables.csv_input import (
    FLAGGED,
    PROBLEM_COLUMNS,
    STOPPED,
    WHOLE_TABLE,
    Problems,
    RawTable,
)
from dlre_core.user_tables.data_contract import CLINICAL_COLUMNS, EVERY_CLINICAL_COLUMN, Column
from dlre_core.user_tables.readings import Rows
from dlre_core.user_tables.stage_scales import METAVIR, STAGE
from dlre_core.user_tables.units import GivenUnit, scale_for
from dlre_core.user_tables.vocabulary import plain

if TYPE_CHECKING:
    from dlre_core.patients.pseudonyms import Pseudonymiser

CONTRACT = "docs/reference/data_contract.md"
MOST_READ = 4
_READ: dict[tuple[object, ...], "ClinicalTable"] = {}


@dataclass(frozen=True)
class ClinicalTable:
    """A checked table.

    ``patients`` holds the usable rows with typed columns, and where cells could not be read a column
    ``unreadable`` that names their columns (joined by ``;``). Where the user names another scale than METAVIR
    for a hospital's stages, ``fibrosis_stage_given`` and ``fibrosis_scale`` keep what stands in the table.
    ``problems`` has one row for every problem: line of the file (0 = the whole table), hospital, patient_id,
    column, effect (``study stopped``, ``row rejected``, ``value removed`` or ``flagged``), code, problem and
    remedy. ``cells`` are what stands in the cells that the problems name, for the user's own eyes.
    """

    path: Path
    patients: pd.DataFrame
    problems: pd.DataFrame
    cells: Sequence[str] = ()

    def usable(self) -> "ClinicalTable":
        """The table itself.

        Raises
        ------
        ClinicalTableError
            If a problem stops the study, with all of them.
        """
        stops = self.problems[self.problems["effect"] == STOPPED]
        if stops.empty:
            return self
        said = [
            f"line {row['row']}: {row['problem']}" if row["row"] else str(row["problem"])
            for row in stops.to_dict("records")
        ]
        remedies = " ".join(dict.fromkeys(stops["remedy"]))
        begin = f"{self.path} cannot be used: "
        raise ClinicalTableError(begin + " ".join(said), remedies)


def read_clinical(
    path: str | Path,
    hospitals: Collection[str] | None = None,
    columns: tuple[Column, ...] = (),
    key: tuple[str, ...] = ("hospital", "patient_id"),
    units: Sequence[GivenUnit] = (),
) -> ClinicalTable:
    """Read ``clinical.csv``, or another table of the same kind, by the data contract.

    Parameters
    ----------
    path : path
        CSV or Excel workbook with a header; see `dlre_core.user_tables.data_contract.EVERY_CLINICAL_COLUMN`.
    hospitals : collection of str, optional
        Codes of the hospitals that have a folder; rows of others are rejected.
    columns : tuple of Column, optional
        The contract to read by; the clinical table's, with what the design requires of it, where none is given.
    key : tuple of str, optional
        Columns that together name a row; rows that share them are duplicates.
    units : sequence of GivenUnit, optional
        Units that the user gave; nothing else is converted.

    Returns
    -------
    ClinicalTable

    Raises
    ------
    ClinicalTableError
        If the file is missing or empty, lacks required columns, or has a fault that stops the study.
    """
    return examine_table(path, hospitals, columns, key, units).usable()


def examine_table(
    path: str | Path,
    hospitals: Collection[str] | None = None,
    columns: tuple[Column, ...] = (),
    key: tuple[str, ...] = ("hospital", "patient_id"),
    units: Sequence[GivenUnit] = (),
) -> ClinicalTable:
    """As `read_clinical`, but what would stop the study is only listed, with all else that is wrong.

    Raises
    ------
    ClinicalTableError
        If the file is missing or empty, is no table, or lacks required columns.
    """
    # Every hospital's digest asks for the same tables, and a large one takes seconds to read.
    wanted = None if hospitals is None else tuple(sorted(hospitals))
    columns = columns or clinical_columns()
    asked = (str(path), file_stamp(path), wanted, columns, key, tuple(units))
    if asked not in _READ:
        while len(_READ) >= MOST_READ:
            _READ.pop(next(iter(_READ)))
        _READ[asked] = _examine(Path(path), hospitals, columns, key, units)
    return _READ[asked]


def _examine(
    path: Path,
    hospitals: Collection[str] | None,
    columns: tuple[Column, ...],
    key: tuple[str, ...],
    units: Sequence[GivenUnit],
) -> ClinicalTable:
    problems = Problems()
    raw = open_table(path, problems)
    _check_header(raw, columns, problems)
    if not raw.rows and not problems.rejected_lines():
        raise ClinicalTableError(f"{raw.path} has a header but no rows.", "Add one row per patient or picture.")
    rows = Rows(
        raw.lines,
        _hospitals(raw),
        raw.column("patient_id") if "patient_id" in raw.header else [""] * len(raw.rows),
        decimal_comma=raw.decimal_comma,
        units=units,
        with_plus=_with_plus(raw, columns),
    )
    patients = pd.DataFrame(
        {
            column.name: parse_column(raw.column(column.name), column, rows, problems)
            for column in columns
            if column.name in raw.header
        }
    )
    for column in columns:
        if column.made_up and column.name not in raw.header:
            # The design does not need it: nobody has a value, and that is no problem.
            patients[column.name] = parse_column([""] * len(raw.rows), column, rows, Problems())
    scales = [scale_for(hospital, units) for hospital in rows.hospitals]
    if STAGE in patients and any(scale is not METAVIR for scale in scales):
        # Only what could be read: anything might stand in the other cells.
        patients[f"{STAGE}_given"] = pd.Series(raw.column(STAGE), dtype=object).where(patients[STAGE].notna(), "")
        patients["fibrosis_scale"] = [scale.name for scale in scales]
    if rows.commas:
        problems.add(
            WHOLE_TABLE,
            FLAGGED,
            "decimal_comma",
            f"{rows.commas} decimal commas were read as decimal points, as is usual with semicolons.",
            "Save it with decimal points.",
        )
    lines = pd.Series(rows.lines, dtype="int64")
    rejected = problems.rejected_lines()
    rejected |= check_rows(patients, rows, hospitals, key, problems)
    rejected |= check_refused(raw, rows, key, problems)
    check_consistency(patients, lines, problems)
    usable = ~lines.isin(rejected)
    unread = pd.Series([";".join(names) for names in rows.unreadable], dtype=object)
    if unread[usable].any():
        patients["unreadable"] = unread
    listed = problems.table()
    return ClinicalTable(
        path,
        patients[usable].reset_index(drop=True),
        listed[PROBLEM_COLUMNS],
        tuple(listed["cell"]),
    )


def clinical_columns() -> tuple[Column, ...]:
    """The contract of the clinical table, in which the design in use says what is required."""
    design = design_in_use()
    own = tuple(map(_contract_of, design.columns))
    needed = design.required_columns | {"hospital", "patient_id", STAGE}
    columns = EVERY_CLINICAL_COLUMN + own
    required = [column.name in needed or (design.whole_contract and column.required) for column in columns]
    return tuple(
        replace(column, required=asked, made_up=column.required and not asked)
        for column, asked in zip(columns, required, strict=True)
    )


def _contract_of(column: OwnColumn) -> Column:
    """What the reader of tables is to hold a design's own column to."""
    if column.values:
        words = ", ".join(column.values)
        hint = f"Write one of {words}."
        return Column(column.name, column.meaning, "category", words, required=False, hint=hint, values=column.values)
    limits = (column.lowest, column.highest)
    return Column(column.name, column.meaning, "number", column.unit, limits, limits, required=False)


def _hospitals(raw: RawTable) -> list[str]:
    """Hospital of every row; of tables that name a file only, the first folder of its path."""
    if "hospital" in raw.header:
        return raw.column("hospital")
    return [file.split("/")[0] for file in raw.column("file")]


def _with_plus(raw: RawTable, columns: tuple[Column, ...]) -> frozenset[str]:
    """Hospitals that write a plus for yes in any flag."""
    return frozenset(
        hospital
        for column in columns
        if column.kind == "flag" and column.name in raw.header
        for hospital, cell in zip(_hospitals(raw), raw.column(column.name), strict=True)
        if plain(cell) == "+"
    )


def _check_header(raw: RawTable, columns: tuple[Column, ...], problems: Problems) -> None:
    header, known = raw.header, {column.name for column in columns}
    missing = [c.name for c in columns if c.required and c.name not in header]
    if missing:
        raise _lacking(raw, missing, known)
    for name in sorted({name for name in header if name in known and header.count(name) > 1}):
        places = [str(n) for n, other in enumerate(header, 1) if other == name]
        problems.add(
            WHOLE_TABLE,
            STOPPED,
            "column_twice",
            f"The column {name} stands in the header {len(places)} times: as columns {' and '.join(places)}.",
            "Keep the one that is right and delete or rename the other.",
            column=name,
        )
    for number, name in enumerate(header, 1):
        if name and name not in known:
            problems.add(
                WHOLE_TABLE,
                FLAGGED,
                "unknown_column",
                f"Column {number} is not in the contract.",
                "It is ignored; nothing of it is kept.",
            )


def _lacking(raw: RawTable, missing: Sequence[str], known: set[str]) -> ClinicalTableError:
    remedy = f"Name every column as in {CONTRACT} (make clinical-template prints the header)."
    if known.isdisjoint(raw.header):
        return ClinicalTableError(
            f"The first line of {raw.path} names none of the columns: {', '.join(raw.header)[:80]!r}.",
            remedy,
        )
    others = [name for name in raw.header if name and name not in known]
    given = f" Columns that the contract does not know: {', '.join(others)}." if others else ""
    return ClinicalTableError(
        f"{raw.path} lacks the column{'s' * (len(missing) > 1)} {', '.join(missing)}.{given}",
        remedy,
    )


def pseudonymise(table: pd.DataFrame, pseudonymiser: "Pseudonymiser") -> pd.DataFrame:
    """Replace ids by pseudonyms and shift dates; other columns than the contract's are not there any more.

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
