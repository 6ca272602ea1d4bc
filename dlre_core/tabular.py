"""Write and read the CSV files between rules: full precision, one form, never half a file."""

import os
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

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
        "cutoff_choice",
        "cutoff_cohort",
        "acquired_at",
        "sex",
        "transfer_syntax",
        "photometric_interpretation",
        "elastography_date",
        "biopsy_date",
        "serology_date",
    ]
)


def write_table(table: pd.DataFrame, path: str | Path) -> None:
    """Write CSV (UTF-8, line feeds, floats that round-trip, missing as empty) by rename."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".partial")
    table.to_csv(temporary, index=False, lineterminator="\n")
    os.replace(temporary, path)


def read_table(path: str | Path) -> pd.DataFrame:
    """Read what `write_table` wrote; codes such as hospital ``NA`` or ``01`` stay text."""
    header = pd.read_csv(path, nrows=0).columns
    text = TEXT_COLUMNS & set(header)
    return pd.read_csv(
        path,
        dtype=dict.fromkeys(sorted(text), str),
        keep_default_na=False,
        na_values={name: [""] for name in header if name not in text},
        float_precision="round_trip",
    )


def concatenate_tables(parts: Sequence[str | Path], path: str | Path) -> None:
    """Join CSV files with the same columns, in the order given."""
    tables = [read_table(part) for part in parts]
    whole = pd.concat([table for table in tables if len(table)] or tables[:1], ignore_index=True)
    write_table(whole, path)
