"""The tables beside the clinical one: Q-Box values, hand-drawn squares, and their rows by picture."""

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

import pandas as pd

from dlre_core.foundation.digests import value_digest
from dlre_core.foundation.errors import ClinicalTableError
from dlre_core.patients.clinical_table import ClinicalTable, examine_table, read_clinical
from dlre_core.patients.table_file import table_path
from dlre_core.user_tables.csv_input import PROBLEM_COLUMNS
from dlre_core.user_tables.data_contract import MEASUREMENT_COLUMNS, SQUARE_COLUMNS, Column
from dlre_core.user_tables.units import GivenUnit

OTHER_TABLES: Mapping[str, tuple[Column, ...]] = {
    "measurements": MEASUREMENT_COLUMNS,
    "roi": SQUARE_COLUMNS,
}
OTHER_PROBLEM_COLUMNS = ["file", *PROBLEM_COLUMNS]


def other_tables(folder: str | Path) -> dict[str, str]:
    """Paths of the measurements and the squares by name, where the folder has them, as CSV or workbook."""
    paths = {name: table_path(folder, name) for name in OTHER_TABLES}
    return {name: str(path) for name, path in paths.items() if path.is_file()}


def check_tables(folder: str | Path, units: Sequence[GivenUnit] = (), *, may_be_absent: bool = False) -> None:
    """Stop, before anything is run, at a table of a cohort that cannot be used as a whole.

    Parameters
    ----------
    folder : path
        The cohort folder.
    units : sequence of GivenUnit, optional
    may_be_absent : bool
        True where a rule will make the clinical table.

    Raises
    ------
    ClinicalTableError
    """
    clinical = table_path(folder, "clinical")
    if not (may_be_absent and not clinical.exists()):
        read_clinical(clinical, units=units)
    for name, path in other_tables(folder).items():
        examine_other_table(path, name, units=units).usable()


def examine_other_table(
    path: str | Path,
    name: str,
    hospitals: Collection[str] | None = None,
    units: Sequence[GivenUnit] = (),
) -> ClinicalTable:
    """Read ``measurements`` or ``roi`` by its contract; what would stop the study is only listed.

    Parameters
    ----------
    path : path
    name : str
        Of `OTHER_TABLES`.
    hospitals : collection of str, optional
    units : sequence of GivenUnit, optional

    Raises
    ------
    ClinicalTableError
        If the file is no table or lacks required columns.
    """
    return examine_table(path, hospitals, OTHER_TABLES[name], ("file",), units)


def values_by_file(
    path: str | Path | None, name: str, hospital: str, units: Sequence[GivenUnit] = ()
) -> dict[str, dict[str, float]]:
    """Numbers of one hospital's usable rows, by file below the hospital's folder; missing ones are left out.

    Parameters
    ----------
    path : path or None
        None for a cohort without the table.
    name : str
        Of `OTHER_TABLES`.
    hospital : str
    units : sequence of GivenUnit, optional

    Raises
    ------
    ClinicalTableError
        If the table cannot be used.
    """
    if path is None:
        return {}
    table = examine_other_table(path, name, units=units).usable().patients
    numbers = [column.name for column in OTHER_TABLES[name] if column.is_number and column.name in table]
    begin = f"{hospital}/"
    here = table[table["file"].str.startswith(begin)]
    return {
        file.removeprefix(begin): {
            column: float(value) for column, value in zip(numbers, values, strict=True) if not pd.isna(value)
        }
        for file, *values in here[["file", *numbers]].itertuples(index=False, name=None)
    }


def other_problems(
    paths: Mapping[str, str | Path], hospitals: Collection[str], units: Sequence[GivenUnit] = ()
) -> pd.DataFrame:
    """Problems of all other tables that a cohort has, with `OTHER_PROBLEM_COLUMNS`.

    Raises
    ------
    ClinicalTableError
        If a table cannot be used.
    """
    parts = [
        examine_other_table(path, name, hospitals, units).usable().problems.assign(file=Path(path).name)
        for name, path in sorted(paths.items())
    ]
    joined = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
    return joined.reindex(columns=OTHER_PROBLEM_COLUMNS)


def hospital_tables_digest(folder: str | Path, hospital: str, units: Sequence[GivenUnit] = ()) -> str:
    """Digest of what ingestion of one hospital reads from the tables.

    That is: the ids and days of examination of the patients of ``clinical.csv`` whose row can be used, and the
    numbers of ``measurements.csv`` and ``roi.csv`` for this hospital. A corrected laboratory value or stage does not
    change it.
    """
    paths = other_tables(folder)
    read = [
        lambda: _examinations(table_path(folder, "clinical"), hospital, units),
        lambda: values_by_file(paths.get("measurements"), "measurements", hospital, units),
        lambda: values_by_file(paths.get("roi"), "roi", hospital),
    ]
    return value_digest([_or_nothing(part) for part in read])


def _examinations(path: Path, hospital: str, units: Sequence[GivenUnit]) -> list[list[str]]:
    patients = read_clinical(path, units=units).patients
    here = patients.loc[patients["hospital"] == hospital, ["patient_id", "elastography_date"]]
    return sorted(here.astype(str).to_numpy().tolist())


def _or_nothing(read: Callable[[], object]) -> object:
    """What is read, or nothing of a table that is absent or refused, which the study says elsewhere."""
    try:
        return read()
    except ClinicalTableError:
        return None
