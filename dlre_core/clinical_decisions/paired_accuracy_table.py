"""Extended table 12: sensitivity, specificity and predictive values of two methods in the same patients."""

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlre_core.clinical_decisions.paired_proportions import PairedProportions, compare_paired_proportions
from dlre_core.clinical_decisions.relative_predictive_values import relative_predictive_value
from dlre_core.foundation.design import method_labels, question_labels, study_methods, study_questions
from dlre_core.foundation.study_terms import cohorts_of
from dlre_core.statistics.estimates import LEAST_OF_A_CLASS, Estimate, too_few, undefined
from dlre_core.tables.accuracy_print import estimate, limited
from dlre_core.tables.formatting import format_interval, format_p_value
from dlre_core.tables.table_2_accuracy import holm_by_cohort, samples, spread
from dlre_core.tables.typeset import Block, PrintedTable, simulated_caption

SHARES, RATIOS = ("sensitivity", "specificity"), ("ppv_ratio", "npv_ratio")
NO_CUTOFF = "no cut-off"


def paired_accuracy_table(scores: pd.DataFrame, table_2: pd.DataFrame, confidence: float = 0.95) -> pd.DataFrame:
    """The network against every other method at the cut-offs of Table 2, in the patients with both scores.

    Parameters
    ----------
    scores : DataFrame
        ``results/scores/{arm}.csv``.
    table_2 : DataFrame
        ``results/tables/table_2.csv``, for the cut-offs.
    confidence : float

    Returns
    -------
    DataFrame
        One row per stage, method and cohort: n, n_cases; of sensitivity and specificity (the network's minus the
        method's, with _low and _high) the four counts, exact_p and mid_p; of ppv_ratio and npv_ratio (the network's
        over the method's, with _low and _high) p and score_p; but for the training cohort mid_p and p adjusted by Holm
        over the cohort's tests of the table (_holm); notes. A test of fewer than five patients is NaN.
    """
    cutoffs = table_2.set_index(["stage", "method", "cohort"])["cutoff"]
    network, *others = study_methods()
    rows = []
    for stage in study_questions():
        reference = samples(scores, network, stage)
        for method in others:
            compared = samples(scores, method, stage)
            for cohort in cohorts_of(scores):
                limits = [float(cutoffs[stage, name, cohort]) for name in (network, method)]
                values = np.column_stack([reference[cohort].values, compared[cohort].values])
                row = {"stage": stage, "method": method, "cohort": cohort}
                rows.append(row | _compared(reference[cohort].labels, values, limits, confidence))
    table = pd.DataFrame(rows)
    tests = [f"{name}_mid_p" for name in SHARES] + [f"{name}_p" for name in RATIOS]
    adjusted = holm_by_cohort(table[tests].to_numpy(), table["cohort"])
    return table.assign(**dict(zip([f"{name}_holm" for name in tests], adjusted.T, strict=True)))


def _compared(
    labels: NDArray[np.int64], values: NDArray[np.float64], cutoffs: list[float], confidence: float
) -> dict[str, object]:
    known = ~np.isnan(values).any(axis=1)
    truth, positive = labels[known] == 1, values[known] >= cutoffs
    cases, controls = (_counted(positive[truth == value], confidence) for value in (True, False))
    # Of controls a negative test is right.
    right = _counted(~positive[~truth], confidence)
    undecided = NO_CUTOFF if np.isnan(cutoffs).any() else ""
    few = {
        "sensitivity": too_few(cases.n, LEAST_OF_A_CLASS),
        "specificity": too_few(LEAST_OF_A_CLASS, controls.n),
        **dict.fromkeys(RATIOS, too_few(cases.n, controls.n)),
    }
    row: dict[str, object] = {"n": int(known.sum()), "n_cases": cases.n}
    notes = [undecided]
    for name, found in (("sensitivity", cases), ("specificity", right)):
        why = undecided or few[name]
        row |= spread(name, undefined(why) if why else found.difference)
        row |= {f"{name}_{key}": getattr(found, key) for key in ("both", "first_only", "second_only", "neither")}
        row |= {f"{name}_{key}": math.nan if why else getattr(found, key) for key in ("exact_p", "mid_p")}
        notes.append(f"{name}: {why or found.reason}" if (why or found.reason) and not undecided else "")
    for name in RATIOS:
        ratio = relative_predictive_value(cases, controls, negative=name == "npv_ratio", confidence=confidence)
        why = undecided or few[name]
        found = undefined(why) if why else ratio.ratio
        row |= spread(name, found)
        row |= {f"{name}_p": math.nan if why else ratio.p_value, f"{name}_score_p": math.nan if why else ratio.score_p}
        notes.append(f"{name[:3].upper()}: {found.reason}" if found.reason and not undecided else "")
    return row | {"notes": "; ".join(filter(None, notes))}


def _counted(answers: NDArray[np.bool_], confidence: float) -> PairedProportions:
    """Counts of two columns of answers."""
    first, second = answers.T
    counts = [(first & second).sum(), (first & ~second).sum(), (~first & second).sum(), (~first & ~second).sum()]
    return compare_paired_proportions(*map(int, counts), confidence=confidence)


def printed_paired_accuracy(table: pd.DataFrame, confidence: float, simulated: bool) -> PrintedTable:
    """The validation cohort for print: a block a stage question, a row a method."""
    validation = table[table["cohort"] == "validation"]
    network = method_labels()[study_methods()[0]]
    blocks = [
        Block(
            question_labels()[stage],
            [_cells(row) for row in validation[validation["stage"] == stage].to_dict("records")],
        )
        for stage in study_questions()
    ]
    columns = (
        f"{network} against",
        "Cases, controls",
        "Sensitivity, difference (%)",
        "p, exact",
        "p, mid",
        "Specificity, difference (%)",
        "p, exact",
        "p, mid",
        "PPV, ratio",
        "p",
        "NPV, ratio",
        "p",
    )
    notes = [
        f"Validation cohort, patients with both scores, at the cut-offs of Table 2. Differences: {network}'s minus the "
        f"other method's; ratios: {network}'s over the other's, so that 1 means equal. {100 * confidence:g} % "
        "intervals: Newcombe's for paired differences, Moskowitz and Pepe's for ratios. p: McNemar's test, exact and "
        "as mid-p (the exact one is too careful where few patients tell the methods apart), and Moskowitz and Pepe's. "
        "None is adjusted; values adjusted by Holm, Kosinski's weighted score test and the training cohort are in the "
        f"CSV. With fewer than {LEAST_OF_A_CLASS} patients of a class nothing is estimated (too few).",
        *limited(validation, lambda row: method_labels()[str(row["method"])]),
    ]
    caption = f"Extended table 12. {network} and the other methods at their cut-offs, in the same patients"
    return PrintedTable(simulated_caption(caption, simulated), columns, blocks, notes)


def _cells(row: Mapping[str, object]) -> list[str]:
    cases = int(str(row["n_cases"]))
    controls = int(str(row["n"])) - cases
    few = {"sensitivity": too_few(cases, LEAST_OF_A_CLASS), "specificity": too_few(LEAST_OF_A_CLASS, controls)}
    cells = [method_labels()[str(row["method"])], f"{cases}, {controls}"]
    for name in (*SHARES, *RATIOS):
        found = estimate(row, name)
        tests = ("exact_p", "mid_p") if name in SHARES else ("p",)
        cells.append(_printed(found, name, few.get(name, too_few(cases, controls))))
        cells += [format_p_value(float(str(row[f"{name}_{test}"]))) for test in tests]
    return cells


def _printed(found: Estimate, name: str, few: str) -> str:
    if not found.defined:
        return "too few" if few else "none"
    return format_interval(found, 1, 100) if name in SHARES else format_interval(found)
