"""What a reader of identified pictures leaves: rows of ``roi.csv`` and entries of ``screens.yaml``."""

import csv
import io
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from dlre_core.elastography.square import Square
from dlre_core.foundation.atomic_files import written_whole
from dlre_core.foundation.errors import ReadingsError
from dlre_core.screen_kinds.proposed_screens import entry_text
from dlre_core.screens.profiles import FILE, profiles_of

COLUMNS = ("file", "row", "column", "size")
SQUARES = "roi.csv"


def put_square(folder: str | Path, name: str, square: Square) -> None:
    """Write a picture's square into ``roi.csv``, in place of an earlier one; every other line stays as it is.

    Parameters
    ----------
    folder : path
        The cohort's.
    name : str
        Of the file below ``dicom/``.
    square : Square

    Raises
    ------
    ReadingsError
        If the table is a workbook, or no CSV with commas whose columns are `COLUMNS`.
    OSError
        If it cannot be saved; then it is as before.
    """
    path = Path(folder, SQUARES)
    header, rows = _squares(path)
    cells = dict(zip(COLUMNS, (name, square.row, square.column, square.size), strict=True))
    line = [str(cells.get(column.strip().lower(), "")) for column in header]
    at = [column.strip().lower() for column in header].index("file")
    kept = [row for row in rows if len(row) <= at or row[at] != name]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *kept, line])
    # Paths of files may name people: a new table is for this user only, an old one for whom it was.
    with written_whole(path, private=True) as unfinished:
        # A name that is no UTF-8 is written as the bytes it is.
        unfinished.write_text(text.getvalue(), encoding="utf-8", errors="surrogateescape")
        if path.exists():
            shutil.copymode(path, unfinished)


def put_squares(folder: str | Path) -> dict[str, Square]:
    """The squares that ``roi.csv`` has, by file below ``dicom/``; rows that are none are left to ``make check-data``.

    Raises
    ------
    ReadingsError
        As `put_square`.
    """
    header, rows = _squares(Path(folder, SQUARES))
    places = [[column.strip().lower() for column in header].index(column) for column in COLUMNS]
    found = {}
    for row in rows:
        if len(row) <= max(places):
            continue
        name, *numbers = (row[place].strip() for place in places)
        if all(number.isdigit() for number in numbers):
            found[name] = Square(*map(int, numbers))
    return found


def put_profile(folder: str | Path, entry: Mapping[str, Any]) -> None:
    """Add a profile at the end of ``screens.yaml``; what is there stays as it is.

    Parameters
    ----------
    folder : path
        The cohort's.
    entry : mapping
        As an entry of the file.

    Raises
    ------
    ConfigurationError
        If the file, or the entry beside those that are there, cannot be so.
    OSError
        If it cannot be saved; then it is as before.
    """
    path = Path(folder, FILE)
    before = path.read_text(encoding="utf-8") if path.is_file() else ""
    scale = entry["scale"]
    words = scale if isinstance(scale, str) else yaml.safe_dump(scale, default_flow_style=True, sort_keys=False).strip()
    text = f"{before.rstrip()}\n\n" if before.strip() else ""
    text += entry_text(entry, words)
    try:
        entries = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ReadingsError(f"{path} cannot be added to: {error}.", "Write its entries one below the other.") from None
    profiles_of(entries, str(path))
    with written_whole(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8")


def _squares(path: Path) -> tuple[list[str], list[list[str]]]:
    """Header and rows; `COLUMNS` and none where there is no file."""
    remedy = f"Save it as {SQUARES} in UTF-8, with commas, and the columns {', '.join(COLUMNS)}."
    if path.with_suffix(".xlsx").exists():
        raise ReadingsError(f"{path.with_suffix('.xlsx')} is a workbook, which is not written to.", remedy)
    if not path.exists():
        return list(COLUMNS), []
    try:
        text = path.read_text(encoding="utf-8-sig", errors="surrogateescape")
        header, *rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    except (csv.Error, ValueError) as error:
        raise ReadingsError(f"{path} is not written to: {error}.", remedy) from None
    lacking = [column for column in COLUMNS if column not in [name.strip().lower() for name in header]]
    if lacking:
        raise ReadingsError(f"{path} lacks the columns {', '.join(lacking)}, or has no commas.", remedy)
    return header, rows
