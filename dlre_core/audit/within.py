"""Audit one row: the counts behind it, the cells they contradict, and its intervals."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dlre_core.audit.counts import (
    Fit,
    best_tables,
    cases_that_fit,
    implied_cells,
    tables_of_any_size,
)
from dlre_core.audit.printed import (
    CELL_NAMES,
    ESTIMATES,
    RATIOS,
    SHARES,
    Printed,
    rounding_steps,
    show,
)
from dlre_core.audit.report import AuditedRow, Finding
from dlre_core.audit.rows import PrintedRow

# A row with less than this unexplained has one misprinted cell; with more, its size is in doubt.
ONE_CELL = 1.5
KEPT_SIZES = 8


@dataclass(frozen=True)
class Explanation:
    """What stands behind a row: tables equally good, and sizes that would explain all of it."""

    fits: tuple[Fit, ...]
    same_patients: bool = True
    other_sizes: tuple[Fit, ...] = ()
    only_prevalence: bool = False

    @property
    def fit(self) -> Fit | None:
        """The best table."""
        return self.fits[0] if self.fits else None


def explain_row(row: PrintedRow, cases: Sequence[int], sizes: Sequence[int], largest: int) -> Explanation:
    """Find the two-by-two table behind a row.

    Parameters
    ----------
    row : PrintedRow
    cases : sequence of int
        Numbers of cases that the rows of the same patients agree on.
    sizes : sequence of int
        Sizes printed elsewhere for this cohort; preferred where several would do.
    largest : int
        Most patients to search.

    Returns
    -------
    Explanation
        With the printed size where it leaves at most one cell unexplained or nothing better is
        found; else with the same size and another prevalence, or any where none is printed; else with
        another size and the same prevalence. Sizes that need another prevalence as well are only listed.
    """
    shares_printed = any(row.cells[cell] is not None for cell in SHARES)
    if not row.n or not shares_printed:
        return Explanation(())
    fits = best_tables(row.cells, row.n, cases)
    unfitting = row.prevalence is not None and not cases_that_fit(row.n, row.prevalence)
    if fits and fits[0].cost < ONE_CELL and not unfitting:
        return Explanation(fits)
    searched = tables_of_any_size(row.cells, largest)
    alike = tuple(fit for fit in searched if fit.n == row.n)
    resized = tuple(
        fit for fit in searched if row.prevalence is not None and fit.cases in cases_that_fit(fit.n, row.prevalence)
    )
    order = sorted(resized, key=lambda fit: (fit.n not in sizes, abs(fit.n - (row.n or 0))))
    if fits and fits[0].cost < ONE_CELL:
        return Explanation(fits, True, tuple(order))
    if alike:
        return Explanation(alike, True, tuple(order), only_prevalence=row.prevalence is not None)
    if order:
        return Explanation(tuple(order[:1]), False, tuple(order))
    return Explanation(fits, True, tuple(searched))


def integer_tables(row: PrintedRow) -> tuple[tuple[tuple[int, int, int, int], ...], int]:
    """All tables that print this n, prevalence, sensitivity and specificity, and the roundings."""
    needed = row.prevalence, row.cells["sens"], row.cells["spec"]
    if not row.n or any(cell is None for cell in needed):
        return (), 0
    pair = {cell: row.cells[cell] for cell in ("sens", "spec")}
    fits = [fit for fit in best_tables(pair, row.n, cases_that_fit(row.n, row.prevalence)) if not fit.missed]
    if not fits:
        return (), 0
    steps = [int(rounding_steps(row.prevalence, 100 * fit.cases / row.n)) for fit in fits]
    return (
        tuple(sorted(fit.counts for fit in fits)),
        min(max(step, fit.steps) for step, fit in zip(steps, fits, strict=True)),
    )


def implied_texts(row: PrintedRow, fit: Fit) -> dict[str, str]:
    """The estimates that follow from the counts, with the decimals of the printed ones."""
    exact = implied_cells(*(np.array(count) for count in fit.counts))
    return {cell: show(float(exact[cell]), row.cells[cell]) for cell in (*SHARES, *RATIOS)}


def count_findings(row: PrintedRow, explanation: Explanation) -> list[Finding]:
    """Cells that no counts explain or that contradict them, and a wrong n."""
    fit = explanation.fit
    if fit is None:
        return _unfitting_prevalence(row)
    if not explanation.same_patients:
        return [_wrong_n(row, explanation)]
    found = [] if explanation.only_prevalence else _unfitting_prevalence(row)
    if explanation.only_prevalence:
        found.append(_wrong_prevalence(row, fit))
    implied = implied_texts(row, fit)
    found += [_missed_cell(row, fit, cell, implied) for cell in fit.missed]
    if fit.cost >= ONE_CELL and explanation.other_sizes:
        found.append(_other_patients(row, explanation))
    return found + _auc_findings(row, fit)


def audited_row(
    row: PrintedRow,
    explanation: Explanation,
    methods: Mapping[str, list[str]],
    expected: Mapping[str, str],
) -> AuditedRow:
    """Put together what is known about a row."""
    fit = explanation.fit
    integers, steps = integer_tables(row)
    sizes = dict.fromkeys((other.n, other.cases) for other in explanation.other_sizes)
    return AuditedRow(
        row.place,
        row.n_text,
        row.prevalence.text if row.prevalence else "",
        fit.n if fit else None,
        fit.cases if fit else None,
        integers,
        steps,
        fit.counts if fit else None,
        fit.missed if fit else tuple(cell for cell in ESTIMATES if row.cells[cell] is not None),
        implied_texts(row, fit) if fit else {},
        methods,
        expected,
        tuple(sizes)[:KEPT_SIZES],
    )


def _missed_cell(row: PrintedRow, fit: Fit, cell: str, implied: Mapping[str, str]) -> Finding:
    printed = row.cells[cell]
    text = printed.text if printed else ""
    total, group = (fit.cases, "cases") if cell == "sens" else (fit.n - fit.cases, "controls")
    if cell in ("sens", "spec") and printed is not None and not _possible(printed, total):
        count = math.floor(printed.value * total / 100)
        near = " and ".join(f"{k}/{total} = {show(100 * k / total, printed)} %" for k in (count, min(count + 1, total)))
        return row.finding(
            "no_integer",
            "error",
            cell,
            f"No whole number of {total} {group} gives {CELL_NAMES[cell]} {text} %; next to it are {near}.",
            text,
            implied[cell],
        )
    others = "the rest of the row" if len(fit.missed) == 1 else "most of the row"
    return row.finding(
        "cell_contradiction",
        "error",
        cell,
        f"{CELL_NAMES[cell]} {text} contradicts the row: TP, FN, TN, FP = "
        f"{', '.join(map(str, fit.counts))}, which explain {others}, give {implied[cell]}.",
        text,
        implied[cell],
    )


def _possible(printed: Printed, total: int) -> bool:
    return bool(rounding_steps(printed, 100 * np.arange(total + 1) / max(total, 1)).any())


def _unfitting_prevalence(row: PrintedRow) -> list[Finding]:
    if not row.n or row.prevalence is None or cases_that_fit(row.n, row.prevalence):
        return []
    return [
        row.finding(
            "no_integer",
            "error",
            "prevalence_pct",
            f"No whole number of {row.n} patients gives a prevalence of {row.prevalence.text} %.",
            row.prevalence.text,
        )
    ]


def _wrong_prevalence(row: PrintedRow, fit: Fit) -> Finding:
    right = show(100 * fit.cases / fit.n, row.prevalence)
    return row.finding(
        "prevalence_contradiction",
        "error",
        "prevalence_pct",
        f"Prevalence {row.prevalence.text if row.prevalence else ''} % contradicts the row's own cells, "
        f"which {fit.cases} cases of {fit.n} ({right} %) explain.",
        row.prevalence.text if row.prevalence else "",
        right,
    )


def _wrong_n(row: PrintedRow, explanation: Explanation) -> Finding:
    sizes = list(dict.fromkeys(fit.n for fit in explanation.other_sizes))
    listed = ", ".join(map(str, sizes[:KEPT_SIZES]))
    return row.finding(
        "n_wrong",
        "error",
        "n",
        f"With n = {row.n_text} no whole numbers explain the row; with the same prevalence, n = {listed}"
        f"{' and others' if len(sizes) > KEPT_SIZES else ''} explain all of it.",
        row.n_text,
        str(sizes[0]),
    )


def _other_patients(row: PrintedRow, explanation: Explanation) -> Finding:
    pairs = list(dict.fromkeys((fit.n, fit.cases) for fit in explanation.other_sizes))
    listed = ", ".join(f"{n} with {cases} cases" for n, cases in pairs[:KEPT_SIZES])
    return row.finding(
        "other_patients",
        "warning",
        "n",
        f"{len(pairs)} pairs of a size and a number of cases, both other than printed, would explain "
        f"the whole row: {listed}{' ...' if len(pairs) > KEPT_SIZES else ''}. The row may stem from "
        "other patients than it says; so many free choices also find such pairs by chance.",
        row.n_text,
        listed,
    )


def _auc_findings(row: PrintedRow, fit: Fit) -> list[Finding]:
    """The ROC curve passes through the printed point, which bounds its area on both sides."""
    auc = row.cells["auc"]
    if auc is None or not 0 < fit.cases < fit.n or {"sens", "spec"} & set(fit.missed):
        return []
    se, sp = fit.tp / fit.cases, fit.tn / (fit.n - fit.cases)
    least, most = se * sp, 1 - (1 - se) * (1 - sp)
    low, high = auc.window(0.55)
    if high >= least - 1e-9 and low <= most + 1e-9:
        return []
    return [
        row.finding(
            "auc_contradiction",
            "error",
            "auc",
            f"A curve through sensitivity {100 * se:.1f} % and specificity {100 * sp:.1f} % has an area of "
            f"{show(least, digits=3)} to {show(most, digits=3)}, not {auc.text}.",
            auc.text,
            f"{show(least, digits=3)} to {show(most, digits=3)}",
        )
    ]
