"""Write and read the CSV files between rules: full precision, one form, never half a file."""

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from dlre_core.foundation.atomic_files import written_whole
from dlre_core.foundation.errors import StoreMismatch

# Columns that stay text whatever they hold, and in which an empty cell is an empty text.
TEXT_COLUMNS = frozenset(
    [
        "hospital",
        "patient",
        "patient_id",
        "image_id",
        "pixel_digest",
        "file",
        "flags",
        "first_reason",
        "all_reasons",
        "cohort",
        "stage",
        "method",
        "criterion",
        "sentence",
        "q_box_source",
        "scale_source",
        "source",
        "layout_source",
        "code",
        "reason",
        "remedy",
        "problem",
        "effect",
        "processing_stage",
        "stars",
        "notes",
        "compared_with",
        "within_compared_with",
        "between_compared_with",
        "arm",
        "first",
        "second",
        "population",
        "subgroup",
        "strategy",
        "biopsy",
        "test",
        "variable",
        "name",
        "unit",
        "block",
        "kind",
        "summary",
        "cutoff_choice",
        "cutoff_cohort",
        "acquired_on",
        "sex",
        "transfer_syntax",
        "photometric_interpretation",
        "elastography_date",
        "biopsy_date",
        "serology_date",
    ]
)


# What a number must lie within, wherever a column of this name stands; limits belong to it.
RANGES: Mapping[str, tuple[float, float]] = {
    **dict.fromkeys(("f4", "ge_f3", "ge_f2", "dlre_f4", "dlre_ge_f3", "dlre_ge_f2"), (0, 1)),
    **dict.fromkeys(("auc", "sensitivity", "specificity", "prevalence", "p_value"), (0, 1)),
    **dict.fromkeys(("fill_fraction", "saturated_fraction", "enrolled", "chosen"), (0, 1)),
    **dict.fromkeys(("apri", "fib4", "lsm", "q_box_mean_kpa", "images", "size"), (0, math.inf)),
    "fibrosis_stage": (0, 4),
    "inflammation_grade": (0, 3),
    "acquisition": (1, math.inf),
}


def write_table(table: pd.DataFrame, path: str | Path) -> None:
    """Write CSV (UTF-8, line feeds, floats that round-trip, missing as empty) by rename."""
    with written_whole(path) as unfinished:
        table.to_csv(unfinished, index=False, lineterminator="\n")


def read_table(path: str | Path, needs: Sequence[str] = ()) -> pd.DataFrame:
    """Read and check what `write_table` wrote; codes such as hospital ``NA`` or ``01`` stay text.

    Parameters
    ----------
    path : path
    needs : sequence of str
        Columns that must be there.

    Raises
    ------
    StoreMismatch
        If columns are missing, a number's column holds text, or a value is impossible (`RANGES`).
    """
    header = pd.read_csv(path, nrows=0).columns
    missing = [name for name in needs if name not in header]
    if missing:
        raise StoreMismatch(f"{path} lacks the columns {', '.join(missing)}.", "Delete the file and run again.")
    text = TEXT_COLUMNS & set(header)
    table = pd.read_csv(
        path,
        dtype=dict.fromkeys(sorted(text), str),
        keep_default_na=False,
        na_values={name: [""] for name in header if name not in text},
        float_precision="round_trip",
    )
    for name in RANGES.keys() & set(header):
        _check_range(path, name, table[name])
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


def _check_range(path: str | Path, name: str, values: pd.Series) -> None:
    low, high = RANGES[name]
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
