"""Audit a table of baseline characteristics: percentages, sums, means and p-values."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

import numpy as np
from scipy import stats

from dlre_core.audit.printed import parse_printed, rounding_steps, show
from dlre_core.audit.report import Finding

Row = Mapping[str, object]
Counts = dict[str, tuple[int, int]]


@dataclass
class BaselineAudit:
    """Findings, one line a variable, and cases by stage question, cohort and size."""

    findings: list[Finding] = field(default_factory=list)
    lines: list[dict[str, object]] = field(default_factory=list)
    cases: dict[tuple[int, str, int], int] = field(default_factory=dict)


def audit_baseline(name: str, rows: Sequence[Row]) -> BaselineAudit:
    """Audit one table.

    Parameters
    ----------
    name : str
    rows : sequence of mapping
        ``variable``, ``group``, ``p`` and one mapping per column, each with ``printed`` and either
        ``count`` and ``pct``, ``pos`` and ``neg``, or ``mean`` and ``sd``. The row whose ``kind`` is
        ``n`` holds the sizes; a column whose size is the sum of the others is their total.

    Returns
    -------
    BaselineAudit
    """
    audit = BaselineAudit()
    columns = [key for key, cell in rows[0].items() if isinstance(cell, Mapping)]
    sizes = {}
    for row in rows:
        if row.get("kind") == "n":
            sizes = {column: int(_number(row, column, "count")) for column in columns}
    total, parts = _total(sizes)
    for row in rows:
        line: dict[str, object] = {
            "table": name,
            "variable": row["variable"],
            "p": row.get("p"),
            "p_method": None,
            "p_expected": None,
        }
        _malformed(name, row, columns, audit)
        kind = "mean" if "mean" in _cell(row, columns[0]) else "counts"
        if kind == "mean":
            _check_means(name, row, sizes, total, parts, line, audit)
        elif sizes:
            _check_counts(name, row, sizes, total, parts, line, audit)
        audit.lines.append(line)
    audit.findings += group_findings(name, rows, sizes)
    audit.cases = cases_by_stage(rows, sizes)
    return audit


def counts_of_groups(rows: Sequence[Row], sizes: Mapping[str, int]) -> dict[str, list[tuple[str, dict[str, int]]]]:
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
                        "sum_contradiction",
                        "error",
                        {
                            "table": name,
                            "row": None,
                            "stage": None,
                            "method": group,
                            "arm": None,
                            "cohort": column,
                            "cell": None,
                        },
                        f"The categories add up to {total}, not {size}.",
                        str(total),
                        str(size),
                    )
                )
    return found


def cases_by_stage(rows: Sequence[Row], sizes: Mapping[str, int]) -> dict[tuple[int, str, int], int]:
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


def _cell(row: Row, column: str) -> Mapping[str, object]:
    cell = row.get(column)
    return cell if isinstance(cell, Mapping) else {}


def _number(row: Row, column: str, key: str) -> float:
    try:
        printed = parse_printed(_cell(row, column).get(key))
    except ValueError:
        return math.nan
    return printed.value if printed else math.nan


def _total(sizes: Mapping[str, int]) -> tuple[str | None, list[str]]:
    """The column that is the sum of the others, and the others."""
    for column, size in sizes.items():
        others = [other for other in sizes if other != column]
        if len(others) > 1 and size == sum(sizes[other] for other in others):
            return column, others
    return None, list(sizes)


def _finding(
    name: str,
    row: Row,
    column: str | None,
    kind: str,
    severity: str,
    sentence: str,
    printed: object = "",
    expected: str = "",
) -> Finding:
    where = {
        "table": name,
        "row": None,
        "stage": None,
        "method": row["variable"],
        "arm": None,
        "cohort": column,
        "cell": None if column else "p",
    }
    return Finding(kind, severity, where, sentence, str(printed), expected)


def _malformed(name: str, row: Row, columns: Sequence[str], audit: BaselineAudit) -> None:
    for column in columns:
        for key, text in _cell(row, column).items():
            if key == "printed" or text is None:
                continue
            try:
                printed = parse_printed(text)
                good = printed is None or printed.well_formed
            except ValueError:
                good = False
            if not good:
                audit.findings.append(
                    _finding(
                        name,
                        row,
                        column,
                        "malformed_number",
                        "error",
                        f"{text!r} is no well-formed number.",
                        text,
                    )
                )


def _check_counts(
    name: str,
    row: Row,
    sizes: Mapping[str, int],
    total: str | None,
    parts: Sequence[str],
    line: dict[str, object],
    audit: BaselineAudit,
) -> None:
    counts: Counts = {}
    for column, size in sizes.items():
        if "pos" in _cell(row, column):
            pair = _number(row, column, "pos"), _number(row, column, "neg")
        else:
            count = _number(row, column, "count")
            pair = count, size - count
        if not any(math.isnan(number) for number in pair):
            counts[column] = int(pair[0]), int(pair[1])
    if total in counts and all(part in counts for part in parts):
        sums = tuple(sum(counts[part][side] for part in parts) for side in (0, 1))
        if row.get("kind") != "n" and sums[0] != counts[total][0]:
            audit.findings.append(
                _finding(
                    name,
                    row,
                    total,
                    "sum_contradiction",
                    "error",
                    f"{counts[total][0]} in all, but {' + '.join(str(counts[part][0]) for part in parts)} "
                    f"= {sums[0]} in the cohorts.",
                    counts[total][0],
                    str(sums[0]),
                )
            )
    denominators = dict.fromkeys(sizes, sizes[total]) if row.get("kind") == "n" and total else sizes
    for column, (count, _) in counts.items():
        printed = parse_printed(_cell(row, column).get("pct"))
        exact = 100 * count / denominators[column]
        if printed is not None and not rounding_steps(printed, exact):
            audit.findings.append(
                _finding(
                    name,
                    row,
                    column,
                    "percentage_contradiction",
                    "error",
                    f"{count} of {denominators[column]} is {show(exact, printed)} %, not {printed.text} %.",
                    printed.text,
                    show(exact, printed),
                )
            )
    if row.get("kind") != "n" and all(part in counts for part in parts) and len(parts) == 2:
        _check_count_p(name, row, [counts[part] for part in parts], line, audit)


def _check_count_p(
    name: str, row: Row, table: Sequence[tuple[int, int]], line: dict[str, object], audit: BaselineAudit
) -> None:
    values = np.array(table)
    if (values < 0).any() or (values.sum(axis=0) == 0).any() or (values.sum(axis=1) == 0).any():
        return
    choices = {
        "chi-square without correction": float(stats.chi2_contingency(values, correction=False).pvalue),
        "chi-square with continuity correction": float(stats.chi2_contingency(values).pvalue),
        "Fisher": float(stats.fisher_exact(values).pvalue),
    }
    expected = choices["chi-square without correction"]
    line["p_expected"] = expected
    printed = parse_printed(row.get("p"))
    if printed is None:
        return
    line["p_method"] = next((method for method, p in choices.items() if _p_fits(row["p"], p)), None)
    if line["p_method"] is None:
        listed = ", ".join(f"{method} {show(p, digits=3)}" for method, p in choices.items())
        audit.findings.append(
            _finding(
                name,
                row,
                None,
                "p_value_contradiction",
                "error",
                f"p = {printed.text} is not that of {values[0].tolist()} against {values[1].tolist()}: {listed}.",
                printed.text,
                show(expected, digits=3),
            )
        )


def _p_fits(text: object, p_value: float) -> bool:
    printed = parse_printed(text)
    if printed is None:
        return False
    if str(text).strip().startswith("<"):
        return p_value < printed.value
    return bool(rounding_steps(printed, p_value))


def _check_means(
    name: str,
    row: Row,
    sizes: Mapping[str, int],
    total: str | None,
    parts: Sequence[str],
    line: dict[str, object],
    audit: BaselineAudit,
) -> None:
    try:
        cells = {column: [parse_printed(_cell(row, column).get(key)) for key in ("mean", "sd")] for column in sizes}
        printed_p = parse_printed(row.get("p"))
    except ValueError:
        return
    if any(None in cell for cell in cells.values()):
        return
    ranges = {column: [cell.window() for cell in pair if cell] for column, pair in cells.items()}
    if total is not None:
        _check_pooled(name, row, sizes, total, parts, ranges, audit)
    if len(parts) != 2 or printed_p is None:
        return
    a, b = ranges[parts[0]], ranges[parts[1]]
    p_values = [
        _t_test(mean_a, max(sd_a, 0), sizes[parts[0]], mean_b, max(sd_b, 0), sizes[parts[1]], equal)
        for mean_a, sd_a, mean_b, sd_b in product(*a, *b)
        for equal in (True, False)
    ]
    most = 1.0 if a[0][0] <= b[0][1] and b[0][0] <= a[0][1] else max(p_values)
    least = min(p_values)
    low, high = printed_p.window()
    line["p_expected"] = f"{show(least, digits=3)} to {show(most, digits=3)}"
    if low <= most and high >= least:
        line["p_method"] = "t test"
        return
    audit.findings.append(
        _finding(
            name,
            row,
            None,
            "p_value_contradiction",
            "warning",
            f"p = {printed_p.text} is not that of a t test (Student or Welch) of the printed means and "
            f"SDs, which give {line['p_expected']} over all roundings; a rank test would need the data.",
            printed_p.text,
            str(line["p_expected"]),
        )
    )


def _t_test(mean_a: float, sd_a: float, n_a: int, mean_b: float, sd_b: float, n_b: int, equal: bool) -> float:
    if sd_a == 0 and sd_b == 0:
        return 1.0 if mean_a == mean_b else 0.0
    return float(stats.ttest_ind_from_stats(mean_a, sd_a, n_a, mean_b, sd_b, n_b, equal).pvalue)


def _check_pooled(
    name: str,
    row: Row,
    sizes: Mapping[str, int],
    total: str,
    parts: Sequence[str],
    ranges: Mapping[str, list[tuple[float, float]]],
    audit: BaselineAudit,
) -> None:
    """Mean and SD of all, against those of the cohorts."""
    n = sizes[total]
    low, high = (sum(sizes[part] * ranges[part][0][end] for part in parts) / n for end in (0, 1))
    corners = [
        _pooled_sd([sizes[part] for part in parts], means, sds)
        for means in product(*(ranges[part][0] for part in parts))
        for sds in product(*(ranges[part][1] for part in parts))
    ]
    middle = [sum(ranges[part][0]) / 2 for part in parts]
    least_sd = _pooled_sd([sizes[part] for part in parts], middle, [ranges[p][1][0] for p in parts])
    for word, printed, (bottom, top) in (
        ("mean", ranges[total][0], (low, high)),
        ("SD", ranges[total][1], (min(*corners, least_sd), max(corners))),
    ):
        if printed[0] <= top + 1e-9 and printed[1] >= bottom - 1e-9:
            continue
        value = f"{sum(printed) / 2:g}"
        audit.findings.append(
            _finding(
                name,
                row,
                total,
                "mean_contradiction",
                "error",
                f"{word} {value} of all contradicts the cohorts, which give {bottom:.2f} to {top:.2f}.",
                value,
                f"{bottom:.2f} to {top:.2f}",
            )
        )


def _pooled_sd(sizes: Sequence[int], means: Sequence[float], sds: Sequence[float]) -> float:
    n = sum(sizes)
    mean = sum(size * value for size, value in zip(sizes, means, strict=True)) / n
    squares = sum(
        (size - 1) * sd**2 + size * (value - mean) ** 2 for size, value, sd in zip(sizes, means, sds, strict=True)
    )
    return math.sqrt(squares / (n - 1))
