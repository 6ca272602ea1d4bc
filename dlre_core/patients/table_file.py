"""Where a table of the cohort folder is, as CSV or as an Excel workbook, and its cells as text."""

from pathlib import Path

from dlre_core.foundation.errors import ClinicalTableError
from dlre_core.user_tables.csv_input import Problems, RawTable, read_csv_table
from dlre_core.user_tables.excel_input import read_workbook

CSV, WORKBOOK = ".csv", ".xlsx"
# The beginning of a zip archive, as an .xlsx is one, and of Microsoft's older files.
ARCHIVE, OLD_EXCEL = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"


def table_path(folder: str | Path, name: str) -> Path:
    """Path of a table such as ``clinical``: its workbook where there is one and no CSV, else its CSV.

    Examples
    --------
    >>> str(table_path("/nowhere", "clinical"))
    '/nowhere/clinical.csv'
    """
    path = Path(folder) / f"{name}{CSV}"
    workbook = path.with_suffix(WORKBOOK)
    return workbook if workbook.exists() and not path.exists() else path


def open_table(path: str | Path, problems: Problems) -> RawTable:
    """Cells of a table as text, by its content: a workbook under the name of a CSV is read, too.

    Parameters
    ----------
    path : path
    problems : Problems
        Takes what is unusual or refused.

    Raises
    ------
    ClinicalTableError
        If the file cannot be read, is no table, or stands there both as CSV and as workbook.
    """
    path = Path(path)
    _refuse_two(path)
    begin = _begin(path)
    if begin.startswith(OLD_EXCEL):
        raise ClinicalTableError(
            f"{path} is an old (.xls) or encrypted Excel file.",
            "Open it in Excel and save it, without a password, as .xlsx or as CSV UTF-8.",
        )
    return read_workbook(path, problems) if begin.startswith(ARCHIVE) else read_csv_table(path, problems)


def _begin(path: Path) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(4)
    except OSError as error:
        raise ClinicalTableError(
            f"{path} cannot be read: {error.strerror}.",
            f"Put the table there as CSV, or as {path.stem}{WORKBOOK}.",
        ) from None


def _refuse_two(path: Path) -> None:
    both = [path.with_suffix(CSV), path.with_suffix(WORKBOOK)]
    if all(other.exists() for other in both):
        raise ClinicalTableError(
            f"There are both {both[0]} and {both[1].name}, and it is not known which one counts.",
            "Keep the one that is right and move the other out of the folder.",
        )
