"""Who has the disease: the prevalence that rows of the same patients must share."""

import re
from collections.abc import Mapping, Sequence
from itertools import combinations

from dlre_core.audit.counts import best_tables, cases_that_fit
from dlre_core.audit.printed import show
from dlre_core.audit.report import Finding
from dlre_core.audit.rows import PrintedRow

Group = tuple[str, str, int | None, str]
NO_ROW = {"row": None, "method": None, "arm": None}


def agreed_cases(rows: Sequence[PrintedRow], baseline: Mapping[tuple[int, str, int], int]) -> dict[Group, list[int]]:
    """Numbers of cases of each group of rows: the printed prevalence that explains most.

    Every prevalence printed in the group, and the counts of the table of baseline characteristics,
    are tried on all rows of the group; the one that leaves least unexplained wins, at equal
    explanation the one printed most.

    Parameters
    ----------
    rows : sequence of PrintedRow
    baseline : mapping of (least stage, cohort, n) to cases

    Returns
    -------
    dict
        From group to the numbers of cases that its prevalence allows; empty where none does.
    """
    agreed: dict[Group, list[int]] = {}
    for group, members in _groups(rows).items():
        choices: dict[tuple[int, ...], int] = {}
        for row in members:
            if row.n and row.prevalence:
                cases = tuple(cases_that_fit(row.n, row.prevalence))
                if cases:
                    choices[cases] = choices.get(cases, 0) + 1
        known = _known_cases(group, baseline)
        if known is not None and not any(known in cases for cases in choices):
            choices[(known,)] = 0
        agreed[group] = list(min(choices, key=lambda cases: (_cost(members, cases), -choices[cases]), default=()))
    return agreed


def prevalence_findings(
    rows: Sequence[PrintedRow],
    agreed: Mapping[Group, Sequence[int]],
    baseline: Mapping[tuple[int, str, int], int],
) -> list[Finding]:
    """Prevalences that contradict the stage question, one finding per row; and orders that cannot be."""
    found = []
    for row in rows:
        cases = agreed.get(row.group, [])
        if not row.n or row.prevalence is None or not cases:
            continue
        if set(cases) & set(cases_that_fit(row.n, row.prevalence)):
            continue
        right = show(100 * cases[0] / row.n, row.prevalence)
        same = sorted(
            {
                other.stage
                for other in rows
                if other.group[1:] == row.group[1:]
                and other.stage != row.stage
                and set(agreed[other.group]) & set(cases_that_fit(row.n, row.prevalence))
            }
        )
        owner = f" {row.prevalence.text} % is the prevalence of {' and '.join(same)}." if same else ""
        found.append(
            row.finding(
                "prevalence_contradiction",
                "error",
                "prevalence_pct",
                f"Prevalence {row.prevalence.text} % contradicts {right} % ({cases[0]} of {row.n}), which "
                f"the other rows of {row.stage}, the baseline table or the row's own cells "
                f"call for.{owner}",
                row.prevalence.text,
                right,
            )
        )
    return found + _baseline_disagreements(rows, agreed, baseline) + _order(rows, agreed)


def least_stage(stage: str) -> int | None:
    """2 of ``>=F2`` or ``≥F2``, 4 of ``F4``; None where the question is not of that form.

    Examples
    --------
    >>> least_stage("≥F2"), least_stage("F4"), least_stage("A3")
    (2, 4, None)
    """
    match = re.fullmatch(r"(?:>=|≥)?\s*F(\d)", stage.strip(), re.IGNORECASE)
    return int(match.group(1)) if match else None


def _groups(rows: Sequence[PrintedRow]) -> dict[Group, list[PrintedRow]]:
    groups: dict[Group, list[PrintedRow]] = {}
    for row in rows:
        groups.setdefault(row.group, []).append(row)
    return groups


def _known_cases(group: Group, baseline: Mapping[tuple[int, str, int], int]) -> int | None:
    stage, cohort, n, _ = group
    least = least_stage(stage)
    return None if least is None or n is None else baseline.get((least, cohort, n))


def _cost(members: Sequence[PrintedRow], cases: Sequence[int]) -> float:
    total = 0.0
    for row in members:
        fits = best_tables(row.cells, row.n or 0, cases)
        total += fits[0].cost if fits else 0.0
    return round(total, 6)


def _baseline_disagreements(
    rows: Sequence[PrintedRow],
    agreed: Mapping[Group, Sequence[int]],
    baseline: Mapping[tuple[int, str, int], int],
) -> list[Finding]:
    found = []
    for group, cases in agreed.items():
        known = _known_cases(group, baseline)
        if known is None or not cases or known in cases:
            continue
        stage, cohort, n, _ = group
        table = next(row.table for row in rows if row.group == group)
        found.append(
            Finding(
                "baseline_contradiction",
                "error",
                {**NO_ROW, "table": table, "stage": stage, "cohort": cohort, "cell": "prevalence_pct"},
                f"The baseline table counts {known} of {n} patients with {stage}; the prevalence of "
                f"{table} is {cases[0]} of {n}.",
                str(cases[0]),
                str(known),
            )
        )
    return found


def _order(rows: Sequence[PrintedRow], agreed: Mapping[Group, Sequence[int]]) -> list[Finding]:
    """A higher stage cannot be more common; equally common is worth a note."""
    found = []
    for one, other in combinations(agreed, 2):
        stages = least_stage(one[0]), least_stage(other[0])
        if one[1:] != other[1:] or None in stages or stages[0] == stages[1]:
            continue
        higher, lower = (one, other) if (stages[0] or 0) > (stages[1] or 0) else (other, one)
        if not agreed[higher] or not agreed[lower]:
            continue
        if min(agreed[higher]) < min(agreed[lower]):
            continue
        equal = agreed[higher] == agreed[lower]
        table = next(row.table for row in rows if row.group == higher)
        found.append(
            Finding(
                "same_prevalence" if equal else "prevalence_order",
                "note" if equal else "error",
                {**NO_ROW, "table": table, "stage": higher[0], "cohort": higher[1], "cell": "prevalence_pct"},
                f"{agreed[higher][0]} cases of {higher[0]} and {agreed[lower][0]} of {lower[0]}, which "
                f"includes them, among the same {higher[2]} patients.",
                str(agreed[higher][0]),
                f"below {agreed[lower][0]}",
            )
        )
    return found
