"""Audit between rows, tables and text: the same analysis printed twice, stars, and what sentences say of cells."""

import math
import re
from collections.abc import Mapping, Sequence
from itertools import combinations

from scipy import stats

from dlre_core.audit.printed import CELL_NAMES, ESTIMATES, SHARES, parse_printed, show
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


def statement_findings(statements: Sequence[Mapping[str, object]], rows: Sequence[PrintedRow]) -> list[Finding]:
    """What text and captions say, against the tables and against itself.

    Parameters
    ----------
    statements : sequence of mapping
        Each with ``place`` (such as ``Abstract``), ``kind``, and mostly ``of``: keys of the rows that it speaks of
        (``table``, ``stage``, ``method``, ``arm``, ``cohort``; a list stands for any of its members). Kinds:

        - ``cell``: every row prints ``value`` in ``cell`` (``auc`` by default), and ``limits`` where given;
        - ``difference``: that of the row and of the one of ``minus``, within the roundings of both;
        - ``at_most``: no row prints more than ``value``;
        - ``level``: the stars of every row stand for p below ``value``; ``no_star``: no row has any;
        - ``share``: every row's n is ``low`` to ``high`` per cent of ``total`` (``words`` says it in words);
        - ``product``, ``sum``: of ``terms``, is ``value`` (``words`` says of what);
        - ``arms``: the rows belong to as many arms as ``names`` has entries.
    rows : sequence of PrintedRow

    Returns
    -------
    list of Finding
        ``where`` has the table ``text``, and the place as arm.

    Raises
    ------
    ValueError
        If a statement speaks of no row, or its kind is unknown.
    """
    found = []
    for number, said in enumerate(statements, 1):
        for wrong in _contradictions(said, rows):
            row, printed, expected, sentence = wrong
            place = row.place if row else {"stage": None, "method": None, "cohort": None}
            where = {**place, "table": "text", "row": number, "arm": str(said["place"]), "cell": None}
            severity = "warning" if "words" in said or said["kind"] == "arms" else "error"
            found.append(Finding("text_contradiction", severity, where, sentence, printed, expected))
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


def _spoken_of(said: Mapping[str, object], key: str, rows: Sequence[PrintedRow]) -> list[PrintedRow]:
    wanted = said[key]
    if not isinstance(wanted, Mapping):
        raise ValueError(f"{said['place']}: {key} must name rows by table, stage, method, arm or cohort")
    found = [
        row
        for row in rows
        if all(
            row.place[name] in value if isinstance(value, list) else row.place[name] == value
            for name, value in wanted.items()
        )
    ]
    if not found:
        raise ValueError(f"{said['place']}: no row is {dict(wanted)}; write its table, stage, method, arm and cohort")
    return found


def _contradictions(
    said: Mapping[str, object], rows: Sequence[PrintedRow]
) -> list[tuple[PrintedRow | None, str, str, str]]:
    """The row, what the text says, what the tables say, and a sentence; nothing where they agree."""
    kind, place, cell = said["kind"], said["place"], str(said.get("cell", "auc"))
    if kind in ("product", "sum"):
        return _wrong_arithmetic(said)
    members = _spoken_of(said, "of", rows)
    value, found = parse_printed(said.get("value")), []
    if kind == "arms":
        names, arms = list(said["names"]), list(dict.fromkeys(row.arm for row in members))  # type: ignore[call-overload]
        sentence = f"{place} names {len(names)} ({'; '.join(names)}) where {members[0].table} has {len(arms)} arms."
        return [(members[0], str(len(names)), str(len(arms)), sentence)] if len(names) != len(arms) else []
    for row in members:
        name = ", ".join(str(row.place[key]) for key in ("table", "stage", "method", "arm", "cohort") if row.place[key])
        number, text = row.cells[cell], _cell_text(row, cell)
        if kind == "cell":
            limits = [str(limit) for limit in said.get("limits", ())]  # type: ignore[attr-defined]
            interval = [limit.value for limit in row.intervals[cell] or ()]
            alike = number is not None and value is not None and number.value == value.value
            if not alike or (limits and interval != [float(limit) for limit in limits]):
                spoken = f"{said['value']}{f' ({limits[0]}–{limits[1]})' if limits else ''}"
                found.append((row, spoken, text, f"{place} says {CELL_NAMES[cell]} {spoken}; {name} prints {text}."))
        elif kind == "difference":
            other = _spoken_of(said, "minus", rows)[0].cells[cell]
            if number and other and value and abs(number.value - other.value - value.value) > 1.5 * number.unit + 1e-9:
                right = show(number.value - other.value, number)
                sentence = f"{place} says a difference of {value.text}; {number.text} less {other.text} is {right}."
                found.append((row, value.text, right, sentence))
        elif kind == "at_most":
            if number and value and number.value > value.value:
                found.append((row, value.text, text, f"{place} says at most {value.text}; {name} prints {text}."))
        elif kind in ("level", "no_star"):
            level = sum(float(str(said["value"])) <= t for t in THRESHOLDS) if kind == "level" else 0
            if (_level(row.stars) < level) if level else bool(row.stars):
                spoken = f"p<{said['value']}" if level else "no significant difference"
                printed = row.stars or "no star"
                found.append((row, spoken, printed, f"{place} says {spoken}; {name} carries {printed}."))
        elif kind == "share":
            share = 100 * (row.n or 0) / int(str(said["total"]))
            if not float(str(said["low"])) <= share <= float(str(said["high"])):
                sentence = (
                    f"{place} says {said['words']} of {said['total']}; {name} prints {row.n_text} ({share:.1f} %)."
                )
                found.append((row, str(said["words"]), f"{share:.1f} %", sentence))
        else:
            raise ValueError(f"{place}: kind {kind!r} is none of those that statement_findings names")
    return found


def _wrong_arithmetic(said: Mapping[str, object]) -> list[tuple[None, str, str, str]]:
    terms = [float(str(term)) for term in said["terms"]]  # type: ignore[attr-defined]
    exact = math.prod(terms) if said["kind"] == "product" else math.fsum(terms)
    value = parse_printed(said["value"])
    if value is None or abs(exact - value.value) <= value.unit / 2 + 1e-9:
        return []
    sign = " × " if said["kind"] == "product" else " + "
    listed = sign.join(map(str, said["terms"]))  # type: ignore[call-overload]
    what = f" for {said['words']}" if "words" in said else ""
    sentence = f"{said['place']} says {value.text}{what}; {listed} is {exact:g}."
    return [(None, value.text, f"{exact:g}", sentence)]
