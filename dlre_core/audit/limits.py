"""Audit the intervals of a row."""

import math

from dlre_core.audit.counts import Fit
from dlre_core.audit.intervals import (
    TWICE,
    auc_intervals,
    effective_n,
    nearest_method,
    recommended_interval,
    reproducing_auc_methods,
    reproducing_methods,
    width_ratio,
)
from dlre_core.audit.printed import CELL_NAMES, ESTIMATES, RATIOS, SHARES, Printed, show
from dlre_core.audit.report import Finding
from dlre_core.audit.rows import PrintedRow
from dlre_core.audit.within import Explanation, implied_texts

# Narrower than this share of the narrowest method is an error, not an unknown method.
TOO_NARROW = 0.8
# DeLong's interval cannot be computed from a table; this far from Hanley-McNeil's it is remarkable.
NARROW_AUC = 0.6
# Logit and exact limits of an AUC away from 1 are less uneven than this.
LOPSIDED = 2.0


def interval_methods(row: PrintedRow, explanation: Explanation, confidence: float) -> dict[str, list[str]]:
    """Methods that reproduce each printed interval; an empty list where none does.

    Cells without an interval, and rows without counts, are left out.
    """
    methods: dict[str, list[str]] = {}
    for cell in ESTIMATES:
        printed, value = row.intervals[cell], row.cells[cell]
        if printed is None or not explanation.fits:
            continue
        found: dict[str, None] = {}
        for fit in explanation.fits:
            if cell == "auc":
                names = reproducing_auc_methods(value, printed, fit, confidence) if value else []
            else:
                names = reproducing_methods(cell, printed, fit, confidence)
            found |= dict.fromkeys(names)
        methods[cell] = [name for name in found if name.removesuffix(TWICE) not in found or TWICE not in name]
    return methods


def expected_intervals(row: PrintedRow, explanation: Explanation, confidence: float) -> dict[str, str]:
    """What should have been printed: Clopper-Pearson, Simel, and Hanley-McNeil for the AUC."""
    fit = explanation.fit
    if fit is None:
        return {}
    implied = implied_texts(row, fit)
    expected = {}
    for cell in (*SHARES, *RATIOS):
        low, high = recommended_interval(cell, fit, confidence)
        if not math.isnan(low):
            limits = (show(limit, row.cells[cell]) for limit in (low, high))
            expected[cell] = f"{implied[cell]} ({'–'.join(limits)})"
    auc = row.cells["auc"]
    if auc is not None and auc.value < 1:
        interval = auc_intervals(auc.value, fit.cases, fit.n - fit.cases, confidence)
        if interval:
            limits = (show(limit, auc) for limit in interval["hanley-mcneil"])
            expected["auc"] = f"{auc.text} ({'–'.join(limits)}), approximately"
    return expected


def interval_findings(
    row: PrintedRow, explanation: Explanation, methods: dict[str, list[str]], confidence: float
) -> list[Finding]:
    """Intervals in disorder, beside their estimate, or of no known method; one finding a cell."""
    found = []
    fit = explanation.fit
    for cell in ESTIMATES:
        printed, value = row.intervals[cell], row.cells[cell]
        if printed is None or value is None:
            continue
        low, high = printed
        text = f"{value.text} ({low.text}–{high.text})"
        name = CELL_NAMES[cell]
        if low.value > high.value:
            found.append(
                row.finding(
                    "interval_disordered",
                    "error",
                    cell,
                    f"{name} {text}: the lower limit is above the upper.",
                    text,
                    _expected(row, fit, cell, confidence),
                )
            )
        elif methods.get(cell):
            continue
        elif not _contains(low, value, high):
            found.append(
                row.finding(
                    "interval_excludes_estimate",
                    "error",
                    cell,
                    f"{name} {text}: the interval does not contain the estimate.",
                    text,
                    _expected(row, fit, cell, confidence),
                )
            )
        elif fit is not None and cell not in fit.missed:
            found += _unreproduced(row, fit, cell, text, confidence)
    return found


def _contains(low: Printed, value: Printed, high: Printed) -> bool:
    """Whether some exact values that print so are in order."""
    slack = value.unit / 2 + 1e-9
    return low.value - low.unit / 2 <= value.value + slack and (value.value - slack <= high.value + high.unit / 2)


def _expected(row: PrintedRow, fit: Fit | None, cell: str, confidence: float) -> str:
    if fit is None:
        return ""
    return expected_intervals(row, Explanation((fit,)), confidence).get(cell, "")


def _unreproduced(row: PrintedRow, fit: Fit, cell: str, text: str, confidence: float) -> list[Finding]:
    expected = _expected(row, fit, cell, confidence)
    if cell == "auc":
        return _narrow_auc(row, fit, text, expected, confidence)
    low, high = row.intervals[cell] or (None, None)
    if low is None or high is None:
        return []
    ratio = width_ratio(cell, (low, high), fit, confidence)
    name = CELL_NAMES[cell]
    if low.value == high.value or ratio < TOO_NARROW:
        severity = "error"
        needed = effective_n(ratio, fit, cell) if low.value != high.value else math.inf
        said = f"about {needed:,.0f} patients" if math.isfinite(needed) else "no finite number"
        sentence = (
            f"{name} {text} is narrower than any method allows with TP, FN, TN, FP = "
            f"{', '.join(map(str, fit.counts))}: it would need {said} in place of "
            f"{effective_n(1.0, fit, cell):,.0f}. {_recommended(cell)} gives {expected}."
        )
    else:
        severity = "warning"
        shape = "wider than that of" if ratio > 1 else "not that of"
        nearest, gap = nearest_method(cell, (low, high), fit, confidence)
        sentence = (
            f"{name} {text}: the interval is {shape} any method tried; {nearest} is nearest, "
            f"{gap:.2g} away. {_recommended(cell)} gives {expected}."
        )
    return [row.finding("interval_unreproduced", severity, cell, sentence, text, expected)]


def _recommended(cell: str) -> str:
    return "Clopper-Pearson" if cell in SHARES else "Simel's log method"


def _narrow_auc(row: PrintedRow, fit: Fit, text: str, expected: str, confidence: float) -> list[Finding]:
    auc, limits = row.cells["auc"], row.intervals["auc"]
    if auc is None or limits is None or not 0 < auc.value < 1:
        return []
    interval = auc_intervals(auc.value, fit.cases, fit.n - fit.cases, confidence)
    if not interval:
        return []
    right = interval["hanley-mcneil"][1] - interval["hanley-mcneil"][0]
    ratio = (limits[1].value - limits[0].value + auc.unit) / right
    # Rounding may favour the shorter side.
    sides = [auc.value - limits[0].value - auc.unit, limits[1].value - auc.value + auc.unit]
    if limits[1].value < 1 and sides[0] >= LOPSIDED * sides[1]:
        return [
            row.finding(
                "auc_interval_lopsided",
                "warning",
                "auc",
                f"AUC {text}: the lower limit is {sides[0] / sides[1]:.1f} times or more as far away as the upper, "
                "which no method gives away from 1; one of them may be misprinted.",
                text,
                expected,
            )
        ]
    if ratio >= NARROW_AUC:
        return []
    return [
        row.finding(
            "narrow_auc_interval",
            "note",
            "auc",
            f"AUC {text} has {100 * ratio:.0f} % of the width of Hanley and McNeil's interval, as if from "
            f"{fit.n / ratio**2:,.0f} patients. DeLong's cannot be computed without the scores.",
            text,
            expected,
        )
    ]
