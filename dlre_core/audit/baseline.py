"""Audit a table of baseline characteristics: percentages, sums, means and p-values."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from dlre_core.audit.printed import Printed, parse_printed, rounding_steps, show
from dlre_core.audit.report import Finding

SIGNIFICANT = 0.05
# A standard deviation so many times the other cohort's, of so many patients, is asked about.
MANY_TIMES, FEWEST = 3.0, 10
# Means that a group of patients can have, by variable and unit: two units of one variable do not overlap.
PLAUSIBLE: Mapping[str, Mapping[str, tuple[float, float]]] = {
    r"fbg|fpg|(fasting )?(blood )?glucose|fasting blood glucose": {
        "g/l": (0.6, 2.5),
        "mmol/l": (3.0, 14.0),
        "mg/dl": (60.0, 250.0),
    },
    r"alb(umin)?": {"g/dl": (2.0, 6.0), "g/l": (20.0, 60.0)},
    r"h(a)?emoglobin|hb": {"g/dl": (6.0, 20.0), "g/l": (60.0, 200.0)},
    r"tb|tbil|(total )?bilirubin": {"mg/dl": (0.2, 4.0), "µmol/l": (4.0, 70.0)},
    r"creatinine|cr": {"mg/dl": (0.4, 3.0), "µmol/l": (35.0, 250.0)},
    r"(total )?cholesterol": {"mmol/l": (2.0, 9.0), "mg/dl": (80.0, 350.0)},
    r"plt|platelets?( count)?": {"109/l": (40.0, 500.0), "10^9/l": (40.0, 500.0), "/µl": (40000.0, 500000.0)},
}
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
    audit.findings += repeated_p_values(name, rows, audit.findings)
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
        _check_count_p(name, row, parts, [counts[part] for part in parts], line, audit)


def _check_count_p(
    name: str,
    row: Row,
    parts: Sequence[str],
    table: Sequence[tuple[int, int]],
    line: dict[str, object],
    audit: BaselineAudit,
) -> None:
    values = np.array(table)
    if (values < 0).any() or (values.sum(axis=0) == 0).any() or (values.sum(axis=1) == 0).any():
        return
    sizes = values.sum(axis=1)
    tests = {
        "chi-square without correction": float(stats.chi2_contingency(values, correction=False).pvalue),
        "chi-square with continuity correction": float(stats.chi2_contingency(values).pvalue),
        "Fisher": float(stats.fisher_exact(values).pvalue),
    }
    # What some programs and hand calculations do; no study should.
    choices = tests | {"continuity correction larger than the difference": _corrected(values[:, 0] / sizes, sizes)}
    shares = [parse_printed(_cell(row, part).get("pct")) for part in parts]
    if None not in shares:
        printed_shares = np.array([share.value / 100 for share in shares if share])
        choices["continuity correction on the printed percentages"] = _corrected(printed_shares, sizes)
    expected = tests["chi-square without correction"]
    line["p_expected"] = expected
    printed = parse_printed(row.get("p"))
    if printed is None:
        return
    if min(tests.values()) < SIGNIFICANT <= max(tests.values()):
        audit.findings.append(_choice(name, row, printed.text, tests))
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


def _corrected(shares: NDArray[np.float64], sizes: NDArray[np.int64]) -> float:
    """p of two shares by the normal test with a continuity correction that is not cut at the difference."""
    pooled = float((shares * sizes).sum() / sizes.sum())
    error = math.sqrt(pooled * (1 - pooled) * float((1 / sizes).sum()))
    if not error > 0:
        return math.nan
    z = (abs(float(shares[0] - shares[1])) - float((1 / sizes).sum()) / 2) / error
    return float(2 * stats.norm.sf(abs(z)))


def _choice(name: str, row: Row, printed: str, tests: Mapping[str, float]) -> Finding:
    """A conclusion that hangs on the test chosen."""
    listed = ", ".join(f"{test} {show(p, digits=3)}" for test, p in tests.items())
    sentence = f"Whether p is below {SIGNIFICANT} depends on the test: {listed}."
    return _finding(name, row, None, "test_decides", "note", sentence, printed)


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
    values = {column: (pair[0].value, pair[1].value) for column, pair in cells.items() if pair[0] and pair[1]}
    audit.findings += _spreads(name, row, sizes, parts, values)
    audit.findings += _units(name, row, values)
    audit.findings += _decimals(name, row, cells)
    if len(parts) != 2 or printed_p is None:
        return
    a, b = ranges[parts[0]], ranges[parts[1]]
    p_values = [
        _t_test(mean_a, max(sd_a, 0), sizes[parts[0]], mean_b, max(sd_b, 0), sizes[parts[1]], equal)
        for mean_a, sd_a, mean_b, sd_b in product(*a, *b)
        for equal in (True, False)
    ]
    nominal = {
        test: _t_test(*values[parts[0]], sizes[parts[0]], *values[parts[1]], sizes[parts[1]], equal)
        for test, equal in (("Student", True), ("Welch", False))
    }
    if min(nominal.values()) < SIGNIFICANT <= max(nominal.values()):
        audit.findings.append(_choice(name, row, printed_p.text, nominal))
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


def _spreads(
    name: str, row: Row, sizes: Mapping[str, int], parts: Sequence[str], values: Mapping[str, tuple[float, float]]
) -> list[Finding]:
    """A standard deviation many times the other cohort's, and the one value that would explain it."""
    found = []
    for part in parts:
        mean, sd = values[part]
        least = min(values[other][1] for other in parts)
        if least > 0 and sd >= MANY_TIMES * least and sizes[part] >= FEWEST:
            alone = mean + math.sqrt(sizes[part] * (sd**2 - least**2))
            found.append(
                _finding(
                    name,
                    row,
                    part,
                    "spread_unlikely",
                    "warning",
                    f"SD {sd:g} is {sd / least:.1f} times that of the other cohort. One value of about {alone:.0f} "
                    f"among {sizes[part]} would explain it, such as {alone / 10:.1f} without its decimal point.",
                    f"{sd:g}",
                    f"about {least:g}",
                )
            )
    return found


def _units(name: str, row: Row, values: Mapping[str, tuple[float, float]]) -> list[Finding]:
    """A mean that nobody can have in the printed unit, and that is ordinary in another."""
    variable = str(row["variable"])
    label = re.fullmatch(r"(.+?)\s*\((.+)\)\s*", variable)
    if label is None:
        return []
    word, unit = label.group(1).lower().strip(), label.group(2).replace(" ", "").lower().replace("μ", "µ")
    for pattern, ranges in PLAUSIBLE.items():
        if not re.fullmatch(pattern, word) or unit not in ranges:
            continue
        means = [mean for mean, _ in values.values()]
        low, high = ranges[unit]
        if all(low <= mean <= high for mean in means):
            return []
        fitting = [other for other, (least, most) in ranges.items() if all(least <= mean <= most for mean in means)]
        if fitting:
            printed = f"{means[0]:g} {label.group(2)}"
            sentence = f"A mean of {printed} is not possible in the living; in {fitting[0]} it is ordinary."
            return [_finding(name, row, None, "unit_unlikely", "warning", sentence, label.group(2), fitting[0])]
    return []


def _decimals(name: str, row: Row, cells: Mapping[str, Sequence[Printed | None]]) -> list[Finding]:
    """Standard deviations, or means, of one row with different decimals."""
    for place, word in enumerate(("means", "SDs")):
        texts = [pair[place].text for pair in cells.values() if pair[place]]
        if len({pair[place].digits for pair in cells.values() if pair[place]}) > 1:
            sentence = f"The {word} of one row have different decimals: {', '.join(texts)}."
            return [_finding(name, row, None, "decimals_differ", "note", sentence, ", ".join(texts))]
    return []


def repeated_p_values(name: str, rows: Sequence[Row], findings: Sequence[Finding]) -> list[Finding]:
    """p values that do not follow from their row and stand, digit by digit, in another: perhaps copied."""
    wrong = {str(f.where["method"]): f for f in findings if f.kind == "p_value_contradiction"}
    found = []
    for row in rows:
        text = str(row.get("p") or "")
        others = [str(other["variable"]) for other in rows if other is not row and str(other.get("p") or "") == text]
        if str(row["variable"]) in wrong and others and not text.startswith(("<", ">")):
            sentence = (
                f"p = {text} does not follow from this row and stands at {', '.join(others)}, too: perhaps copied."
            )
            found.append(_finding(name, row, None, "p_value_repeated", "note", sentence, text))
    return found


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
