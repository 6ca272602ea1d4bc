"""Write and read the CSV files between rules: full precision, one form, never half a file."""

import csv
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import pandas as pd

from dlre_core.foundation.atomic_files import written_whole
from dlre_core.foundation.design import own_categories, probability_columns
from dlre_core.foundation.errors import StoreMismatch
from dlre_core.foundation.study_terms import RANGES, TEXT_COLUMNS


def write_table(table: pd.DataFrame, path: str | Path) -> None:
    """Write CSV (UTF-8, line feeds, floats that round-trip, missing as empty) by rename."""
    with written_whole(path) as unfinished:
        table.to_csv(unfinished, index=False, lineterminator="\n")


def read_table(
    path: str | Path,
    needs: Sequence[str] = (),
    *,
    text: Collection[str] = (),
    ranges: Mapping[str, tuple[float, float]] = MappingProxyType({}),
) -> pd.DataFrame:
    """Read and check what `write_table` wrote; codes such as hospital ``NA`` or ``01`` stay text.

    Parameters
    ----------
    path : path
    needs : sequence of str
        Columns that must be there.
    text : collection of str
        Columns that stay text besides those that chapters share (`study_terms.TEXT_COLUMNS`); an empty
        cell in them is an empty text. They are named beside the table that has them.
    ranges : mapping of str to (float, float)
        What a number must lie within besides `study_terms.RANGES`, limits included; probabilities from 0 to 1.

    Raises
    ------
    StoreMismatch
        If columns are missing, a number's column holds text, or a value is impossible.
    """
    header = pd.read_csv(path, nrows=0).columns
    missing = [name for name in needs if name not in header]
    if missing:
        raise StoreMismatch(f"{path} lacks the columns {', '.join(missing)}.", "Delete the file and run again.")
    kept = TEXT_COLUMNS.union(text, own_categories()).intersection(header)
    table = pd.read_csv(
        path,
        dtype=dict.fromkeys(sorted(kept), str),
        keep_default_na=False,
        na_values={name: [""] for name in header if name not in kept},
        float_precision="round_trip",
    )
    limits = {**dict.fromkeys(probability_columns(), (0.0, 1.0)), **RANGES, **ranges}
    for name in limits.keys() & set(header):
        _check_range(path, name, table[name], *limits[name])
    return table


def write_private_table(path: str | Path, header: Sequence[str], rows: Sequence[tuple[str, ...]]) -> None:
    """Write a CSV with identities, sorted, for the eyes of this user only (mode 0600)."""
    with (
        written_whole(path, private=True) as unfinished,
        # File names that are no UTF-8 come back as the bytes they are.
        open(unfinished, "w", encoding="utf-8", errors="surrogateescape", newline="") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(sorted(rows))


def _check_range(path: str | Path, name: str, values: pd.Series, low: float, high: float) -> None:
    numbers = pd.to_numeric(values, errors="coerce")
    wrong = (numbers.isna() & values.notna()) | (numbers < low) | (numbers > high)
    if wrong.any():
        line = int(wrong.to_numpy().argmax())
        raise StoreMismatch(
            f"{path}, line {line + 2}: {name} = {values.iloc[line]!r} is not a number from {low:g} to {high:g}.",
            "Delete the file and run again; it is not meant to be edited by hand.",
        )


def concatenate_tables(parts: Sequence[str | Path], path: str | Path) -> None:
    """Join CSV files with the same columns, in the order given."""
    tables = [read_table(part) for part in parts]
    whole = pd.concat([table for table in tables if len(table)] or tables[:1], ignore_index=True)
    write_table(whole, path)
