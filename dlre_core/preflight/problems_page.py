"""Problems as a page for a terminal: what stops the study, what it leaves out, and what to look at."""

import textwrap
from collections.abc import Sequence

import pandas as pd

from dlre_core.user_tables.csv_input import FLAGGED, STOPPED

SHOWN = 10
# Codes of problems without which no study can start, whatever their effect.
STOPPING = ("no_hospitals", "unusable_table")
CELL_SHOWN = 40
# Patients and cells that a sentence names.
MOST_NAMED = 5
# Codes of problems that change nothing by themselves.
NOTES = (
    "unknown_column",
    "mixed_words",
    "day_month_order",
    "excel_date",
    "delimiter",
    "decimal_comma",
    "not_utf8",
    "other_sheets",
    "unit_converted",
    "unusual_median",
    "implausible_value",
    "empty_means_no",
    "bmi_disagrees",
    "bilirubin_disagrees",
)
TITLES = {
    "column_twice": "a column that stands there twice",
    "column_unreadable": "a column that cannot be read",
    "unclosed_quote": "a quote that is not closed",
    "unusable_table": "a table that cannot be used",
    "surplus_cells": "rows with too many cells",
    "cells_lacking": "rows with too few cells",
    "cell_too_long": "cells that are too long",
    "second_table": "something else below the table",
    "criterion_not_applied": "criteria that cannot be applied",
    "wrong_unit": "columns in another unit",
    "unusual_median": "columns with unusual values",
    "other_scale": "stages or grades on another scale",
    "not_one_grade": "not one whole stage",
    "not_known": "exclusions that nobody knows",
    "not_yes_or_no": "neither yes nor no",
    "empty_means_no": "exclusions left empty",
    "day_month_unclear": "day and month",
    "day_month_order": "order of day and month",
    "day_or_month": "day and month",
    "excel_date": "day numbers of Excel",
    "mixed_words": "several ways to write one thing",
    "missing_code": "codes for missing values",
    "thousands_mark": "marks between thousands",
}


def stopping(problems: pd.DataFrame) -> pd.Series:
    """Which problems keep the study from starting: Series of bool."""
    return problems["effect"].eq(STOPPED) | problems["code"].isin(STOPPING)


def problems_text(problems: pd.DataFrame, shown: int | None = SHOWN) -> str:
    """Problems for a terminal: what stops the study first, what is the same together, with what to do once.

    Parameters
    ----------
    problems : DataFrame
        As `check_folder` returns it.
    shown : int or None
        Of every kind; None for all.
    """
    stops = stopping(problems)
    notes = problems["effect"].eq(FLAGGED) & problems["code"].isin(NOTES) & ~stops
    lines = []
    for title, part in (
        ("THE STUDY DOES NOT START before this is put right:", problems[stops]),
        (
            "THE STUDY LEAVES OUT what is named here, until it is put right:",
            problems[~stops & ~notes],
        ),
        ("LOOK AT THIS: it is used as it is, and may be right.", problems[notes]),
    ):
        if len(part):
            lines += [f"\n{title}", *_grouped_lines(part, shown)]
    return "\n".join(lines)


def _grouped_lines(problems: pd.DataFrame, shown: int | None) -> list[str]:
    lines = []
    # Pictures of all hospitals stand together; problems with different remedies do not.
    place = problems["file"].str.replace(r"^dicom/.+", "dicom/", regex=True)
    for (file, code, _), group in problems.groupby([place, "code", problems["remedy"]], sort=False):
        title = TITLES.get(str(code), str(code).replace("_", " "))
        lines.append(f"\n{file}: {title} ({len(group)})")
        kinds = [_one_sentence(part) for _, part in group.groupby("problem", sort=False)]
        for words in kinds[:shown]:
            filled = textwrap.fill(words, 96, subsequent_indent="  ")
            lines.append(textwrap.indent(filled, "  "))
        if shown is not None and len(kinds) > shown:
            lines.append(f"  ... and {len(kinds) - shown} more (ALL=1 shows them)")
        words = textwrap.fill(f"What to do: {group.iloc[0]['remedy']}", 96, subsequent_indent="  ")
        lines.append(textwrap.indent(words, "  "))
    return lines


def _one_sentence(group: pd.DataFrame) -> str:
    """Rows with the same problem as one sentence: where, who, what, and what stands in the cells."""
    first = group.iloc[0]
    numbers = sorted({int(n) for n in group["row"] if n})
    where = f"line{'s' * (len(numbers) > 1)} {_ranges(numbers)}: " if numbers else ""
    who = [f"{row.hospital} {row.patient_id}".strip() for row in group.itertuples()]
    who = [name for name in dict.fromkeys(who) if name]
    more = f", ... {len(who)} in all" if len(who) > MOST_NAMED else ""
    named = f"[{', '.join(who[:MOST_NAMED])}{more}] " if who and (numbers or len(group) > 1) else ""
    cells = [_shown_cell(cell) for cell in dict.fromkeys(group["cell"]) if cell]
    rest = ", ..." if len(cells) > MOST_NAMED else ""
    shown = f" Cell{'s' * (len(cells) > 1)}: {', '.join(cells[:MOST_NAMED])}{rest}." if cells else ""
    effect = "" if first["effect"] in (FLAGGED, STOPPED) else f" ({first['effect']})"
    return f"{where}{named}{first['problem']}{shown}{effect}"


def _ranges(numbers: Sequence[int]) -> str:
    """Sorted whole numbers, in short.

    Examples
    --------
    >>> _ranges([2, 3, 4, 7])
    '2-4, 7'
    """
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)


def _shown_cell(cell: str) -> str:
    short = cell if len(cell) <= CELL_SHOWN else f"{cell[:CELL_SHOWN]}..."
    return repr(short)
