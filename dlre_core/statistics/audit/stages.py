"""Groups of categories in a table of baseline characteristics: their sums, and cases by stage."""

import math
import re
from collections.abc import Mapping, Sequence

from dlre_core.statistics.audit.printed import parse_printed
from dlre_core.statistics.audit.report import Finding

Row = Mapping[str, object]


def counts_of_groups(
    rows: Sequence[Row], sizes: Mapping[str, int]
) -> dict[str, list[tuple[str, dict[str, int]]]]:
    """Category counts by group: variable and count a column; rows without counts are left out."""
    groups: dict[str, list[tuple[str, dict[str, int]]]] = {}
    for row in rows:
        counts = {}
        for column in sizes:
            cell = row.get(column)
            printed = parse_printed(cell.get("count")) if isinstance(cell, Mapping) else None
            if printed is not None and math.isfinite(printed.value):
                counts[column] = int(printed.value)
        if row.get("group") and len(counts) == len(sizes):
            groups.setdefault(str(row["group"]), []).append((str(row["variable"]), counts))
    return groups


def group_findings(name: str, rows: Sequence[Row], sizes: Mapping[str, int]) -> list[Finding]:
    """Groups of at least two categories whose counts do not add up to the size of the column."""
    found = []
    for group, members in counts_of_groups(rows, sizes).items():
        for column, size in sizes.items():
            total = sum(counts[column] for _, counts in members)
            if len(members) > 1 and total != size:
                found.append(
                    Finding(
                        "sum_contradiction", "error",
                        {"table": name, "row": None, "stage": None, "method": group, "arm": None,
                         "cohort": column, "cell": None},
                        f"The categories add up to {total}, not {size}.", str(total), str(size),
                    )
                )  # fmt: skip
    return found


def cases_by_stage(
    rows: Sequence[Row], sizes: Mapping[str, int]
) -> dict[tuple[int, str, int], int]:
    """Patients with at least each fibrosis stage.

    Parameters
    ----------
    rows, sizes
        Categories named ``F2`` or ``F0-1`` count.

    Returns
    -------
    dict
        From (least stage, first letter of the column in capitals, size) to patients.
    """
    cases: dict[tuple[int, str, int], int] = {}
    for members in counts_of_groups(rows, sizes).values():
        stages = [
            (int(match.group(1)), counts)
            for variable, counts in members
            if (match := re.fullmatch(r"F(\d)(?:\s*[-–]\s*\d)?", variable.strip()))
        ]
        for least, _ in stages:
            for column, size in sizes.items():
                number = sum(counts[column] for stage, counts in stages if stage >= least)
                cases[least, column[:1].upper(), size] = number
    return cases
