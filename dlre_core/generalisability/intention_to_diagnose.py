"""Extended table 16: sensitivity and specificity if patients in whom elastography failed are counted, too."""

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd

from dlre_core.foundation.design import method_labels, question_labels, stage_labels, study_methods, study_questions
from dlre_core.foundation.study_terms import KEYS
from dlre_core.statistics.estimates import LEAST_OF_A_CLASS, Estimate, too_few, undefined
from dlre_core.statistics.proportions import proportion
from dlre_core.tables.accuracy_print import METHOD_WORDS, estimate, limited
from dlre_core.tables.formatting import UNDEFINED, format_interval, methods_in_words
from dlre_core.tables.table_2_accuracy import AccuracySettings, spread
from dlre_core.tables.table_3_pictures import STRATEGIES
from dlre_core.tables.typeset import Block, PrintedTable, simulated_caption

METHOD = "product of independent shares"
# Right and wrong answers of Table 2, by measure.
ANSWERS: Mapping[str, tuple[str, str]] = {
    "sensitivity": ("true_positives", "false_negatives"),
    "specificity": ("true_negatives", "false_positives"),
}


def attempted_patients(enrolment: pd.DataFrame, patients: pd.DataFrame) -> pd.DataFrame:
    """Patients whom every other criterion admits, with ``failed``: 1 where elastography gave no result.

    Parameters
    ----------
    enrolment : DataFrame
        ``results/enrolment/enrolment.csv``.
    patients : DataFrame
        ``results/clinical/patients.csv``.
    """
    tried = enrolment[(enrolment["elastography_failed"] == 1) | (enrolment["enrolled"] == 1)]
    tried = tried[[*KEYS, "elastography_failed"]].rename(columns={"elastography_failed": "failed"})
    return tried.merge(patients, on=KEYS, how="left", validate="one_to_one")


def with_failures(
    right: tuple[int, int],
    failures: tuple[int, int],
    *,
    counted_right: bool = False,
    confidence: float = 0.95,
    interval: str = "clopper-pearson",
) -> Estimate:
    r"""Share of right answers if patients without a result count as wrong, or as right.

    With the share :math:`p` of right answers among results and the share :math:`f` of failures among all who were
    tried, it is :math:`p (1 - f)`, or :math:`1 - (1 - p)(1 - f)`. Both shares are independent given the number of
    results; the product's limits combine theirs on the logarithmic scale.

    Parameters
    ----------
    right : (right answers, results)
    failures : (failures, tried)
        Of the same class: cases for the sensitivity, controls for the specificity.
    counted_right : bool
    confidence : float
    interval : {"clopper-pearson", "wilson", "jeffreys"}
        Of both shares.

    Returns
    -------
    Estimate
        Undefined where there is no result, or nobody was tried.

    Raises
    ------
    ValueError
        If the counts are no counts.

    References
    ----------
    Schuetz GM, Schlattmann P, Dewey M. BMJ 2012;345:e6717 (doi:10.1136/bmj.e6717). Shinkins B, Thompson M, Mallett S,
    Perera R. BMJ 2013;346:f2778 (doi:10.1136/bmj.f2778).
    Zou GY, Donner A. Stat Med 2008;27:1693-1702 (limits of a product, on logarithms; doi:10.1002/sim.3095).

    Examples
    --------
    >>> wrong = with_failures((40, 50), (10, 60))
    >>> round(wrong.value, 3), round(with_failures((40, 50), (10, 60), counted_right=True).value, 3)
    (0.667, 0.833)
    """
    (hits, results), (failed, tried) = right, failures
    answers = proportion(results - hits if counted_right else hits, results, confidence=confidence, method=interval)
    worked = proportion(tried - failed, tried, confidence=confidence, method=interval)
    for part, reason in ((answers, "no results"), (worked, "nobody was tried")):
        if not part.defined:
            return undefined(reason, METHOD)
    product = _product(answers, worked)
    if counted_right:
        return Estimate(1 - product.value, 1 - product.high, 1 - product.low, METHOD)
    return product


def _product(first: Estimate, second: Estimate) -> Estimate:
    value = first.value * second.value
    if value == 0:
        # A logarithm does not exist; the upper limits of both together are not too low.
        return Estimate(0.0, 0.0, first.high * second.high, METHOD)
    below = (math.log(part.value / part.low) if part.low else math.inf for part in (first, second))
    above = (math.log(part.high / part.value) for part in (first, second))
    return Estimate(
        value, value * math.exp(-math.hypot(*below)), min(value * math.exp(math.hypot(*above)), 1.0), METHOD
    )


def intention_to_diagnose(table_2: pd.DataFrame, attempted: pd.DataFrame, settings: AccuracySettings) -> pd.DataFrame:
    """Table 2's sensitivity and specificity, and what they are if failed elastography counts as wrong or as right.

    The failed belong to no cohort. Their share is that of all who were tried and have, or have not, the stage.

    Parameters
    ----------
    table_2 : DataFrame
        ``results/tables/table_2.csv``.
    attempted : DataFrame
        As `attempted_patients` returns it.
    settings : AccuracySettings

    Returns
    -------
    DataFrame
        One row per stage and method that needs elastography, of the validation cohort: failed_cases of tried_cases,
        failed_controls of tried_controls; sensitivity and specificity, each also with _failed_wrong and _failed_right,
        with _low and _high; notes. With fewer than five results of a class a measure is NaN, and notes say why.
    """
    by_row = table_2[table_2["cohort"] == "validation"].set_index(["stage", "method"])
    rows = []
    for stage in study_questions():
        case = stage_labels(attempted["fibrosis_stage"], stage) == 1
        failed = attempted["failed"].to_numpy() == 1
        failures = {
            "sensitivity": (int((failed & case).sum()), int(case.sum())),
            "specificity": (int((failed & ~case).sum()), int((~case).sum())),
        }
        for method in STRATEGIES:
            row: dict[str, object] = {"stage": stage, "method": method, "cohort": "validation"}
            for name, measure in (("cases", "sensitivity"), ("controls", "specificity")):
                row |= dict(zip((f"failed_{name}", f"tried_{name}"), failures[measure], strict=True))
            notes = []
            for measure, (right, wrong) in ANSWERS.items():
                counts = by_row.loc[(stage, method), [right, wrong]].to_numpy(dtype=np.float64)
                estimates = _estimates(measure, counts, failures[measure], settings)
                for name, one in estimates.items():
                    row |= spread(name, one)
                notes += [f"{measure}: {estimates[measure].reason}"] if estimates[measure].reason else []
            rows.append(row | {"notes": "; ".join(notes)})
    return pd.DataFrame(rows)


def _estimates(
    measure: str, counts: np.ndarray, failures: tuple[int, int], settings: AccuracySettings
) -> dict[str, Estimate]:
    names = (measure, f"{measure}_failed_wrong", f"{measure}_failed_right")
    if np.isnan(counts).any():
        return dict.fromkeys(names, undefined("no cut-off"))
    hits, results = int(counts[0]), int(counts.sum())
    sizes = (results, LEAST_OF_A_CLASS) if measure == "sensitivity" else (LEAST_OF_A_CLASS, results)
    if few := too_few(*sizes):
        return dict.fromkeys(names, undefined(few))
    how = {"confidence": settings.confidence, "interval": settings.proportion_interval}
    plain = proportion(hits, results, confidence=settings.confidence, method=settings.proportion_interval)
    wrong, right = (with_failures((hits, results), failures, counted_right=side, **how) for side in (False, True))
    return dict(zip(names, (plain, wrong, right), strict=True))


def printed_intention_to_diagnose(table: pd.DataFrame, settings: AccuracySettings, simulated: bool) -> PrintedTable:
    """The table for print."""
    columns = ["Method", "Failed, cases", "Failed, controls"]
    for name in ("Sensitivity", "Specificity"):
        columns += [f"{name} (%), Table 2", f"{name}: failed wrong", f"{name}: failed right"]
    blocks = []
    for stage in study_questions():
        rows = []
        for row in table[table["stage"] == stage].to_dict("records"):
            cells = [method_labels()[row["method"]]]
            cells += [f"{row[f'failed_{name}']} of {row[f'tried_{name}']}" for name in ("cases", "controls")]
            for measure in ANSWERS:
                cells += [_cell(row, measure + end) for end in ("", "_failed_wrong", "_failed_right")]
            rows.append(cells)
        blocks.append(Block(question_labels()[stage], rows))
    notes = [
        "Patients whom every other criterion admits, but whose elastography failed (too few valid acquisitions), have "
        "no result and stand in no row of Table 2. Failed: of all who were tried, in all hospitals. Failed wrong: they "
        "count as wrong answers (the worst case); failed right: as right ones. Taken for a positive test, failed "
        "elastography gives the sensitivity of failed right with the specificity of failed wrong; taken for a negative "
        f"one, the reverse.{_other_methods()}",
        f"Validation cohort, cut-offs of Table 2. {100 * settings.confidence:g} % confidence intervals: "
        f"{METHOD_WORDS[settings.proportion_interval]}, combined on the logarithmic scale where failures count.",
        *limited(table),
    ]
    caption = "Extended table 16. Intention to diagnose: failed elastography counted as wrong, or as right"
    return PrintedTable(simulated_caption(caption, simulated), columns, blocks, notes)


def _cell(row: Mapping[str, object], name: str) -> str:
    found = estimate(row, name)
    return format_interval(found, 1, 100) if found.defined else UNDEFINED


def _other_methods() -> str:
    """What failed elastography says nothing about, in the note's words."""
    others = [method for method in study_methods() if method not in STRATEGIES]
    needs = "needs" if len(others) == 1 else "need"
    return f" {methods_in_words(others)} {needs} no 2D-SWE." if others else ""
