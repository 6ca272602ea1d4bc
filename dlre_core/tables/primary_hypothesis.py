"""The one primary hypothesis of a study: its test, alone and without adjustment, and what is said of it."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any

import pandas as pd

from dlre_core.foundation.design import method_labels, question_labels, stage_labels
from dlre_core.statistics.comparisons import compare_paired_aucs, non_inferiority
from dlre_core.statistics.estimates import Estimate
from dlre_core.statistics.roc import roc_analysis
from dlre_core.tables.formatting import arm_name, format_interval, format_p_value
from dlre_core.tables.table_2_accuracy import AccuracySettings, method_scores, spread

VALIDATION = "validation"
SUPERIORITY, NON_INFERIORITY = "superiority", "non_inferiority"
# Columns of text in the table.
TEXT = ("question", "comparator", "aim", "cohort", "reason")
SECONDARY = "All other comparisons are secondary, whatever their p-values."


@dataclass(frozen=True)
class PrimaryHypothesis:
    """What a study sets out to show.

    Attributes
    ----------
    question : str
        One of the design's.
    comparator : str
        What the network is compared with, one of the design's.
    aim : {"superiority", "non_inferiority"}
    margin : float or None
        Of non-inferiority, in AUC.
    cohort : str
        ``validation``, the validation cohort of the first arm, or an arm, whose validation cohort is meant.
    """

    question: str
    comparator: str
    aim: str = SUPERIORITY
    margin: float | None = None
    cohort: str = VALIDATION


def stated(hypothesis: Mapping[str, Any] | None) -> PrimaryHypothesis | None:
    """The section ``primary_hypothesis`` of a checked configuration; None where none is named."""
    return PrimaryHypothesis(**hypothesis) if hypothesis else None


def primary_table(
    scores: pd.DataFrame,
    hypothesis: PrimaryHypothesis | None,
    settings: AccuracySettings,
    skipped: Mapping[str, str] = MappingProxyType({}),
) -> pd.DataFrame:
    """Test the primary hypothesis on validation patients who have both scores.

    Parameters
    ----------
    scores : DataFrame
        ``results/scores/{arm}.csv`` of the hypothesis's arm.
    hypothesis : PrimaryHypothesis or None
    settings : AccuracySettings
    skipped : mapping of arm to reason
        Arms that could not be trained; a hypothesis about one of them is not tested.

    Returns
    -------
    DataFrame
        One row, or none without a hypothesis: question, comparator, aim, margin, cohort, n, cases, AUCs of network
        (auc) and comparator (compared) with their limits, difference with its limits, z, p_value (DeLong's test:
        two-sided of superiority, one-sided of non-inferiority), shown (1, 0; NaN untested) and reason.
    """
    if hypothesis is None:
        return pd.DataFrame(columns=list(_row(PrimaryHypothesis("", ""), pd.DataFrame(), settings, "none")))
    part = scores[scores["cohort"] == VALIDATION]
    reason = skipped.get(hypothesis.cohort, "")
    return pd.DataFrame([_row(hypothesis, part, settings, reason and f"its arm was skipped. {reason}".rstrip("."))])


def _row(hypothesis: PrimaryHypothesis, part: pd.DataFrame, settings: AccuracySettings, reason: str) -> dict[str, Any]:
    nan = math.nan
    row = asdict(hypothesis) | {"margin": nan if hypothesis.margin is None else hypothesis.margin}
    if reason:
        nothing = Estimate(nan, nan, nan)
        row |= {"n": 0, "cases": 0} | spread("auc", nothing) | spread("compared", nothing)
        return row | spread("difference", nothing) | {"z": nan, "p_value": nan, "shown": nan, "reason": reason}
    scores = [method_scores(part, method, hypothesis.question) for method in ("dlre", hypothesis.comparator)]
    both = ~(pd.isna(scores[0]) | pd.isna(scores[1]))
    labels = stage_labels(part["fibrosis_stage"], hypothesis.question)[both]
    ours, theirs = (pd.Series(values)[both].to_numpy() for values in scores)
    how = {"confidence": settings.confidence}
    aucs = [roc_analysis(labels, s, interval=settings.auc_interval, **how).estimate for s in (ours, theirs)]
    tested = compare_paired_aucs(labels, ours, theirs, **how)
    found, level = tested.reported, 1 - settings.confidence
    z, p = found.statistic, found.p_value
    shown = p < level and found.difference > 0
    if hypothesis.aim == NON_INFERIORITY:
        z, p = non_inferiority(tested, row["margin"])
        shown = p < level / 2
    row |= {"n": len(labels), "cases": int(labels.sum())} | spread("auc", aucs[0]) | spread("compared", aucs[1])
    row |= spread("difference", Estimate(found.difference, *found.interval))
    return row | {"z": z, "p_value": p, "shown": nan if math.isnan(p) else float(shown), "reason": found.reason}


def claim(hypothesis: PrimaryHypothesis) -> str:
    """The hypothesis as a clause.

    Examples
    --------
    >>> claim(PrimaryHypothesis("f4", "lsm"))
    'for cirrhosis (F4) the AUC of DLRE is higher than that of 2D-SWE in the validation cohort'
    >>> claim(PrimaryHypothesis("ge_f3", "lsm", "non_inferiority", 0.05, "combination_1")).split(" the ", 1)[1]
    'AUC of DLRE is lower than that of 2D-SWE by less than 0.05 in the validation cohort of the arm Combination 1'
    """
    question = question_labels()[hypothesis.question]
    than = f"than that of {method_labels()[hypothesis.comparator]}"
    how = f"higher {than}"
    if hypothesis.aim == NON_INFERIORITY:
        how = f"lower {than} by less than {hypothesis.margin:g}"
    where = "" if hypothesis.cohort == VALIDATION else f" of the arm {arm_name(hypothesis.cohort)}"
    question = question[0].lower() + question[1:]
    return f"for {question} the AUC of DLRE is {how} in the validation cohort{where}"


def primary_sentences(table: pd.DataFrame, confidence: float, beforehand: bool | None) -> list[str]:
    """The hypothesis, its result, and what follows for everything else; empty where none is named.

    Parameters
    ----------
    table : DataFrame
        As `primary_table` returns it.
    confidence : float
        Of its intervals.
    beforehand : bool or None
        Whether it was named before the study had results; None: nobody recorded it.
    """
    if not len(table):
        return []
    row = table.iloc[0].to_dict()
    margin = None if math.isnan(row["margin"]) else float(row["margin"])
    hypothesis = PrimaryHypothesis(row["question"], row["comparator"], row["aim"], margin, row["cohort"])
    aim = "Non-inferiority" if hypothesis.aim == NON_INFERIORITY else "Superiority"
    when = {
        True: "It was named before the study had results.",
        False: "It was named when the study had results already, so that its test confirms nothing.",
        None: "Whether it was named before the study had results is not recorded.",
    }[beforehand]
    return [
        f"Primary hypothesis ({aim.lower()}): {claim(hypothesis)}. {when}",
        _result(row, aim, confidence),
        SECONDARY,
    ]


def _result(row: Mapping[str, Any], aim: str, confidence: float) -> str:
    if math.isnan(row["shown"]):
        return f"It was not tested: {row['reason']}."
    label = method_labels()[row["comparator"]]
    areas = [format_interval(_found(row, name)) for name in ("auc", "compared")]
    sides = "two-sided"
    if row["aim"] == NON_INFERIORITY:
        sides = f"one-sided against a difference of −{row['margin']:g}, to be below {(1 - confidence) / 2:.3g}"
    p = format_p_value(row["p_value"])
    p = p.replace("<", "< ") if p.startswith("<") else f"= {p}"
    difference, level = format_interval(_found(row, "difference"), 3), f"{100 * confidence:g} %"
    return (
        f"AUC {areas[0]} of DLRE and {areas[1]} of {label}; difference {difference}, {level} confidence intervals; "
        f"p {p} (DeLong's test, {sides}, not adjusted); {row['n']} patients with both, {row['cases']} with the stage. "
        f"{aim} is {_verdict(row)}"
    )


def _verdict(row: Mapping[str, Any]) -> str:
    if row["shown"]:
        return "shown."
    limit = 0 if math.isnan(row["margin"]) else -row["margin"]
    return "not shown: the opposite is." if row["difference_high"] < limit else "not shown, nor is its opposite."


def _found(row: Mapping[str, Any], name: str) -> Estimate:
    return Estimate(row[name], row[f"{name}_low"], row[f"{name}_high"])
