"""Supplementary tables 1 to 3: AUC of DLRE and 2D-SWE by subgroup, and tests between subgroups."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlre_core.foundation.design import method_labels, question_labels, stage_labels, study_questions
from dlre_core.statistics.comparisons import (
    AucComparison,
    compare_overlapping_aucs,
    compare_paired_aucs,
    compare_unpaired_aucs,
    holm,
)
from dlre_core.statistics.roc import roc_analysis
from dlre_core.tables.accuracy_print import METHOD_WORDS, estimate, undefined
from dlre_core.tables.formatting import format_interval, format_p_value, round_half_up
from dlre_core.tables.table_2_accuracy import AccuracySettings, method_scores, spread
from dlre_core.tables.table_3_pictures import STRATEGIES
from dlre_core.tables.typeset import Block, PrintedTable, simulated_caption

POPULATIONS = {"enrolled": None, "validation": "validation"}
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Subgrouping:
    """How a variable divides patients.

    A patient is in the first group whose limit is not exceeded; ``limits`` has one number less than
    ``names``. ``includes`` says whether a limit itself belongs to the lower group.
    """

    number: int
    title: str
    column: str
    names: tuple[str, ...]
    limits: tuple[float, ...]
    includes: bool = True


def subgroupings(alt_limits_iu_l: Sequence[float], bmi_limit_kg_m2: float) -> dict[int, Subgrouping]:
    """The paper's three: ALT (U/L), body mass index (kg/m2) and inflammation (A0-2 v A3)."""
    low, high = (float(limit) for limit in sorted(alt_limits_iu_l))
    bmi = float(bmi_limit_kg_m2)
    alt = (f"≤{low:g} U/L", f"{low:g}–{high:g} U/L", f">{high:g} U/L")
    return {
        1: Subgrouping(1, "alanine aminotransferase (ALT)", "alt_iu_l", alt, (low, high)),
        2: Subgrouping(
            2,
            "body mass index (BMI)",
            "bmi_kg_m2",
            (f"<{bmi:g} kg/m²", f"≥{bmi:g} kg/m²"),
            (bmi,),
            False,
        ),
        3: Subgrouping(3, "inflammation grade", "inflammation_grade", ("A0–2", "A3"), (2.0,)),
    }


def subgroup_of(scores: pd.DataFrame, grouping: Subgrouping) -> NDArray[np.object_]:
    """Name of every patient's subgroup, ``"unknown"`` where the variable is missing."""
    values = scores[grouping.column].to_numpy(dtype=np.float64)
    side = "left" if grouping.includes else "right"
    index = np.searchsorted(grouping.limits, values, side=side)
    names = np.array([*grouping.names, UNKNOWN], dtype=object)
    return names[np.where(np.isnan(values), len(grouping.names), index)]


def subgroup_table(scores: pd.DataFrame, grouping: Subgrouping, settings: AccuracySettings) -> pd.DataFrame:
    """AUC of DLRE and 2D-SWE in every subgroup.

    Parameters
    ----------
    scores : DataFrame
        ``results/scores/{arm}.csv``.
    grouping : Subgrouping
    settings : AccuracySettings

    Returns
    -------
    DataFrame
        One row a population (``enrolled`` holds the training patients, so DLRE is apparent there;
        ``validation``), stage, subgroup and method; p_value compares DLRE with 2D-SWE in the
        subgroup (paired DeLong) and stands in the rows of 2D-SWE.
    """
    rows = []
    for population, part in _populations(scores).items():
        groups = subgroup_of(part, grouping)
        for stage in study_questions():
            for name in grouping.names:
                here = part[groups == name]
                labels = stage_labels(here["fibrosis_stage"], stage)
                for method in STRATEGIES:
                    roc = roc_analysis(
                        labels,
                        method_scores(here, method, stage),
                        confidence=settings.confidence,
                        interval=settings.auc_interval,
                    )
                    n, found = roc.n_cases + roc.n_controls, roc.estimate
                    compared = method == STRATEGIES[1]
                    test = _methods_differ(here, stage, labels) if compared else None
                    notes = [found.reason, f"comparison: {test.reason}" if test and test.reason else ""]
                    rows.append(
                        {
                            "population": population,
                            "stage": stage,
                            "subgroup": name,
                            "method": method,
                            "n": n,
                            "n_cases": roc.n_cases,
                            "n_missing": roc.n_missing,
                            "prevalence": roc.n_cases / n if n else np.nan,
                            **spread("auc", found),
                            "auc_variance": roc.auc_variance,
                            "p_value": test.p_value if test else np.nan,
                            "notes": "; ".join(f"{name}: {note}" for note in notes if note),
                        }
                    )
    table = pd.DataFrame(rows)
    return _adjusted(table)


def compare_subgroups(scores: pd.DataFrame, grouping: Subgrouping, settings: AccuracySettings) -> pd.DataFrame:
    """Every two subgroups against each other by the unpaired DeLong test.

    Returns
    -------
    DataFrame
        One row a population, stage, method and pair: the difference (first minus second) with its
        interval, t, Satterthwaite's degrees of freedom, p raw and, in the validation cohort,
        Holm-adjusted; p as pROC gives it and p of the logits, which reject too often in small subgroups.
    """
    rows = []
    for population, part in _populations(scores).items():
        groups = subgroup_of(part, grouping)
        for stage in study_questions():
            for method in STRATEGIES:
                for pair in combinations(grouping.names, 2):
                    labels = stage_labels(part["fibrosis_stage"], stage)
                    values = method_scores(part, method, stage)
                    of_pair = [np.where(groups == name, values, np.nan) for name in pair]
                    test = compare_overlapping_aucs(labels, *of_pair, confidence=settings.confidence).reported
                    samples = [part for column in of_pair for part in (labels, column)]
                    proc = compare_unpaired_aucs(*samples, confidence=settings.confidence)
                    logit = compare_unpaired_aucs(*samples, confidence=settings.confidence, scale="logit")
                    rows.append(
                        {
                            "population": population,
                            "stage": stage,
                            "method": method,
                            "first": pair[0],
                            "second": pair[1],
                            "auc_first": test.auc_a,
                            "auc_second": test.auc_b,
                            "difference": test.difference,
                            "difference_low": test.interval[0],
                            "difference_high": test.interval[1],
                            "t": test.statistic,
                            "degrees_of_freedom": test.degrees_of_freedom,
                            "p_value": test.p_value,
                            "log_p_value": test.log_p_value,
                            "p_value_proc": proc.p_value,
                            "z_logit": logit.statistic,
                            "p_value_logit": logit.p_value,
                            "notes": test.reason,
                        }
                    )
    return _adjusted(pd.DataFrame(rows))


def printed_subgroups(
    table: pd.DataFrame,
    comparisons: pd.DataFrame,
    grouping: Subgrouping,
    settings: AccuracySettings,
    unknown: int,
    simulated: bool,
) -> PrintedTable:
    """A supplementary table for print: enrolled patients at the left, validation at the right."""
    blocks = [
        Block(
            question_labels()[stage],
            [
                *_auc_rows(table[table["stage"] == stage], grouping),
                *_test_rows(comparisons[comparisons["stage"] == stage]),
            ],
        )
        for stage in study_questions()
    ]
    columns = ["Subgroup"]
    for who in ("enrolled", "validation"):
        names = [method_labels()[method] for method in STRATEGIES]
        columns += [f"n (prevalence), {who}", *names, f"p, {' v '.join(names)}"]
    notes = [
        f"AUC with {100 * settings.confidence:g} % confidence interval "
        f"({METHOD_WORDS[settings.auc_interval]}). Enrolled: all patients, those who trained DLRE among "
        "them, so its values there are apparent, not validated; the validation cohort stands beside "
        "them. DLRE against 2D-SWE: paired DeLong test. Between subgroups: unpaired DeLong test with "
        "Satterthwaite's degrees of freedom from the variances of cases and controls. No p is adjusted; adjusted "
        "values of the validation cohort are in the CSV.",
        *([f"{unknown} patients without {grouping.title} are left out."] if unknown else []),
        *undefined(table["notes"]),
        *(
            ["No p between subgroups where a class has fewer than five patients or an AUC is 0 or 1."]
            if comparisons["p_value"].isna().any()
            else []
        ),
    ]
    caption = f"Supplementary table {grouping.number}. AUC of DLRE and 2D-SWE by {grouping.title}"
    return PrintedTable(simulated_caption(caption, simulated), columns, blocks, notes)


def _auc_rows(table: pd.DataFrame, grouping: Subgrouping) -> list[list[str]]:
    rows = []
    for name in grouping.names:
        cells = [name]
        for population in POPULATIONS:
            here = table[(table["subgroup"] == name) & (table["population"] == population)]
            by_method = {row["method"]: row for row in here.to_dict("records")}
            first, second = (by_method[method] for method in STRATEGIES)
            cells += [
                f"{first['n']} ({round_half_up(first['prevalence'], 1, 100)} %)",
                *(format_interval(estimate(row, "auc")) for row in (first, second)),
                format_p_value(second["p_value"]),
            ]
        rows.append(cells)
    return rows


def _test_rows(comparisons: pd.DataFrame) -> list[list[str]]:
    rows = []
    for (first, second), pair in comparisons.groupby(["first", "second"], sort=False):
        p = pair.set_index(["population", "method"])["p_value"]
        cells = [f"p, {first} v {second}"]
        for population in POPULATIONS:
            cells += ["", *(format_p_value(p[population, method]) for method in STRATEGIES), ""]
        rows.append(cells)
    return rows


def _populations(scores: pd.DataFrame) -> dict[str, pd.DataFrame]:
    return {
        name: scores if cohort is None else scores[scores["cohort"] == cohort] for name, cohort in POPULATIONS.items()
    }


def _adjusted(table: pd.DataFrame) -> pd.DataFrame:
    """Holm's adjustment in the validation cohort; enrolled patients trained the networks."""
    return table.assign(p_holm=holm(table["p_value"].where(table["population"] == "validation")))


def _methods_differ(part: pd.DataFrame, stage: str, labels: NDArray[np.int64]) -> AucComparison:
    first, second = (method_scores(part, method, stage) for method in STRATEGIES)
    return compare_paired_aucs(labels, first, second).reported
