"""Read tables 1 to 4 back as they were written: what is text, and what a number must lie within."""

from pathlib import Path

import pandas as pd

from dlre_core.foundation.csv_tables import read_table

# Table 1.
BASELINE_TEXT = ("variable", "name", "unit", "block", "kind", "summary", "test")
# Tables 2 to 4.
ACCURACY_TEXT = (
    "stars",
    "compared_with",
    "within_compared_with",
    "between_compared_with",
    "cutoff_choice",
    "cutoff_cohort",
    "cutoff_predictions",
)
ACCURACY_RANGES = dict.fromkeys(("auc", "sensitivity", "specificity", "prevalence", "p_value"), (0.0, 1.0))


def read_baseline_table(path: str | Path) -> pd.DataFrame:
    """Table 1, one row per variable and group; raises as `read_table` does."""
    return read_table(path, text=BASELINE_TEXT)


def read_accuracy_table(path: str | Path) -> pd.DataFrame:
    """Table 2, 3 or 4, one row per stage question, method and cohort; raises as `read_table` does."""
    return read_table(path, text=ACCURACY_TEXT, ranges=ACCURACY_RANGES)


def read_numbered_table(number: int, path: str | Path) -> pd.DataFrame:
    """Table 1, 2, 3 or 4; raises as `read_table` does."""
    return read_baseline_table(path) if number == 1 else read_accuracy_table(path)
