"""Audit between rows and between tables: the same analysis printed twice, and stars."""

import math
import re
from collections.abc import Sequence
from itertools import combinations

from scipy import stats

from dlre_core.audit.printed import CELL_NAMES, ESTIMATES, SHARES
from dlre_core.audit.report import Finding
from dlre_core.audit.rows import PrintedRow

Arm = tuple[str, str]
# Two arms are one analysis where this share of their estimates is printed alike ...
SAME_ANALYSIS = 0.75
# ... on at least this many cells that are not 0, 100 or 1 in both.
FEWEST_CELLS = 4
THRESHOLDS = (0.05, 0.01, 0.001)
# Correlations between two AUCs of the same patients beyond which a star count cannot be right.
LEAST_CORRELATION, MOST_CORRELATION = -0.3, 0.98


def duplicate_findings(rows: Sequence[PrintedRow]) -> list[Finding]:
    """The same analysis, printed in two tables with different values.

    Which arms of two tables are one analysis is found from the values themselves: the same stage
    question, method and cohort, and at least three quarters of the estimates alike.

    Returns
    -------
    list of Finding
        One a cell that differs; ``where`` is the later table's row, ``expected`` the earlier's cell.
    """
    found = []
    tables = list(dict.fromkeys(row.table for row in rows))
    for first, second in combinations(tables, 2):
        for pairs in _same_analyses(rows, first, second):
            for one, other in pairs:
                found += _differences(one, other)
    return found


def star_findings(rows: Sequence[PrintedRow], confidence: float = 0.95) -> list[Finding]:
    """Stars that the AUCs and their intervals cannot give, whatever the (likely) correlation.

    One to three stars compare with the reference: the only method, or arm of the same method, that
    never carries any in its table; where that is not a single one, nothing is said unless all
    candidates agree. Four to six compare two methods at the same number in the arm's name.

    Notes
    -----
    The test statistic is bounded from the printed intervals, each rounding taken against a finding,
    with correlations of -0.3 to 0.98 between the AUCs.
    """
    found = []
    for table in dict.fromkeys(row.table for row in rows):
        members = [row for row in rows if row.table == table]
        if any(row.stars for row in members):
            starred = {(row.method, row.arm) for row in members if 1 <= len(row.stars) <= 3}
            second_scale = {row.method for row in members if len(row.stars) > 3}
            for row in (row for row in members if row.compared):
                finding = _check_stars(row, members, starred, second_scale, confidence)
                found += [finding] if finding else []
    return found


def _same_analyses(rows: Sequence[PrintedRow], first: str, second: str) -> list[list[tuple[PrintedRow, PrintedRow]]]:
    arms: dict[str, dict[Arm, list[PrintedRow]]] = {first: {}, second: {}}
    for row in rows:
        if row.table in arms:
            arms[row.table].setdefault((row.method, row.arm), []).append(row)
    found = []
    for (method, _), members in arms[first].items():
        best: tuple[float, list[tuple[PrintedRow, PrintedRow]]] = (0.0, [])
        for (other_method, _), others in arms[second].items():
            if other_method == method:
                pairs = [
                    (one, other)
                    for one in members
                    for other in others
                    if (one.stage, one.cohort) == (other.stage, other.cohort)
                ]
                best = max(best, (_likeness(pairs), pairs), key=lambda entry: entry[0])
        if best[0] >= SAME_ANALYSIS:
            found.append(best[1])
    return found


def _likeness(pairs: Sequence[tuple[PrintedRow, PrintedRow]]) -> float:
    """Share of estimates printed alike, cells left out that say nothing (all right, none wrong)."""
    alike = compared = 0
    for one, other in pairs:
        for cell in ESTIMATES:
            a, b = one.cells[cell], other.cells[cell]
            if a is None or b is None:
                continue
            extreme = (0.0, 100.0) if cell in SHARES else (0.0, 1.0, math.inf)
            if a.value == b.value and a.value in extreme:
                continue
            compared += 1
            alike += a.value == b.value
    return alike / compared if compared >= FEWEST_CELLS else 0.0


def _differences(one: PrintedRow, other: PrintedRow) -> list[Finding]:
    found = []
    if one.n != other.n:
        found.append(_differs(one, other, "n", one.n_text, other.n_text))
    for cell in ESTIMATES:
        texts = [_cell_text(row, cell) for row in (one, other)]
        if _numbers(one, cell) != _numbers(other, cell):
            found.append(_differs(one, other, cell, *texts))
    if one.stars and other.stars and _level(one.stars) != _level(other.stars):
        found.append(_differs(one, other, "stars", one.stars, other.stars))
    return found


def _differs(one: PrintedRow, other: PrintedRow, cell: str, first: str, second: str) -> Finding:
    arm = f" ({other.arm})" if other.arm else ""
    return other.finding(
        "duplicate_disagrees",
        "error",
        cell,
        f"{one.table} prints {CELL_NAMES.get(cell, cell)} {first or 'nothing'} for the analysis that "
        f"{other.table}{arm} prints with {second or 'nothing'}.",
        second,
        first,
    )


def _numbers(row: PrintedRow, cell: str) -> tuple[float | None, ...]:
    printed = (row.cells[cell], *(row.intervals[cell] or (None, None)))
    return tuple(None if number is None else number.value for number in printed)


def _cell_text(row: PrintedRow, cell: str) -> str:
    value, interval = row.cells[cell], row.intervals[cell]
    limits = f" ({interval[0].text}–{interval[1].text})" if interval else ""
    return (value.text if value else "") + limits


def _level(stars: str) -> int:
    """1, 2 or 3 for either scale of stars."""
    return (len(stars) - 1) % 3 + 1 if stars else 0


def _check_stars(
    row: PrintedRow, members: Sequence[PrintedRow], starred: set[Arm], second_scale: set[str], confidence: float
) -> Finding | None:
    beside = [other for other in members if other is not row and (other.stage, other.cohort) == (row.stage, row.cohort)]
    if any(other.method == row.method and other.n != row.n for other in beside):
        # Arms with other patients: which of them a star stands for, and how much they share, is not printed.
        return None
    peers = [other for other in beside if other.n == row.n]
    if len(row.stars) > 3 or (not row.stars and row.method in second_scale):
        number = re.search(r"\d+", row.arm)
        references = [
            other
            for other in peers
            if other.method != row.method
            and (match := re.search(r"\d+", other.arm))
            and number
            and match.group() == number.group()
        ]
        symbols = 3
    else:
        references = [other for other in peers if (other.method, other.arm) not in starred]
        same_method = [other for other in references if other.method == row.method]
        references = same_method or ([] if row.arm else references)
        if not row.stars and (row.method, row.arm) not in starred:
            return None
        symbols = 0
    verdicts = [_possible_levels(row, other, confidence) for other in references]
    level = _level(row.stars)
    if not verdicts or any(low <= level <= high for low, high in verdicts):
        return None
    low, high = verdicts[0]
    reference = " ".join(filter(None, (references[0].method, references[0].arm)))
    nearest = low if level < low else high
    expected = "*" * (nearest + symbols if nearest else 0)
    return row.finding(
        "stars_contradiction",
        "warning",
        "stars",
        f"AUC {_cell_text(row, 'auc')} against {_cell_text(references[0], 'auc')} of {reference}: "
        f"{row.stars or 'no star'} cannot be; with correlations of {LEAST_CORRELATION} to "
        f"{MOST_CORRELATION} between the AUCs at {'least' if level < low else 'most'} "
        f"{expected or 'no star'} follows.",
        row.stars,
        expected,
    )


def _possible_levels(row: PrintedRow, other: PrintedRow, confidence: float) -> tuple[int, int]:
    """Least and most significance levels (0 to 3) that the printed AUCs allow."""
    a, b = row.cells["auc"], other.cells["auc"]
    errors = [_standard_errors(row, confidence), _standard_errors(other, confidence)]
    if a is None or b is None or None in errors:
        return 0, 3
    (low_a, high_a), (low_b, high_b) = (error or (0.0, 0.0) for error in errors)
    gap, slack = abs(a.value - b.value), (a.unit + b.unit) / 2
    widest = math.sqrt(high_a**2 + high_b**2 - 2 * LEAST_CORRELATION * high_a * high_b)
    narrowest = math.sqrt(max(low_a**2 + low_b**2 - 2 * MOST_CORRELATION * low_a * low_b, (low_a - low_b) ** 2))
    if narrowest == 0:
        return 0, 3
    least = 2 * stats.norm.sf(max(gap - slack, 0.0) / widest)
    most = 2 * stats.norm.sf((gap + slack) / narrowest)
    return sum(least < t for t in THRESHOLDS), sum(most < t for t in THRESHOLDS)


def _standard_errors(row: PrintedRow, confidence: float) -> tuple[float, float] | None:
    """Least and most standard error behind an interval; a side cut off at 0 or 1 is not used."""
    auc, interval = row.cells["auc"], row.intervals["auc"]
    if auc is None or interval is None:
        return None
    low, high = interval
    sides = []
    if low.value > 0:
        sides.append(auc.value - low.value)
    if high.value < 1:
        sides.append(high.value - auc.value)
    if not sides or max(sides) <= 0:
        return None
    z = float(stats.norm.isf((1 - confidence) / 2))
    return max(min(sides) - auc.unit, 0.0) / z, (max(sides) + auc.unit) / z
