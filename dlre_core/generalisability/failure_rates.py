"""Extended table 17: how often elastography fails, by body-mass index, hospital and stage."""

import math

import pandas as pd

from dlre_core.foundation.design import stage_class, stage_classes
from dlre_core.statistics.estimates import LEAST_OF_A_CLASS, Estimate, undefined
from dlre_core.statistics.proportions import proportion
from dlre_core.tables.accuracy_print import estimate
from dlre_core.tables.formatting import format_interval
from dlre_core.tables.subanalyses import UNKNOWN, Grouping, group_names, groups_of
from dlre_core.tables.table_2_accuracy import spread
from dlre_core.tables.typeset import Block, PrintedTable, simulated_caption

EVERYBODY = "All"
# The World Health Organization's limit of obesity, kg/m2.
OBESE = 30.0
# Text in the table.
TEXT = ("grouping", "group")


def failure_rates(
    attempted: pd.DataFrame, bmi_limit_kg_m2: float, *, confidence: float = 0.95, interval: str = "clopper-pearson"
) -> pd.DataFrame:
    """Share of patients in whom elastography failed, of all whom every other criterion admits.

    Parameters
    ----------
    attempted : DataFrame
        As `dlre_core.generalisability.intention_to_diagnose.attempted_patients` returns it.
    bmi_limit_kg_m2 : float
        ``statistics.bmi_limit_kg_m2``; 30 kg/m2 (obesity) divides those above it once more.
    confidence : float
    interval : {"clopper-pearson", "wilson", "jeffreys"}

    Returns
    -------
    DataFrame
        grouping, group, tried, failed, rate with _low and _high, notes. Groups of fewer than five patients have no
        rate, and notes say why.
    """
    classes = pd.Series([stage_classes()[place] for place in stage_class(attempted["fibrosis_stage"])], dtype=object)
    table = attempted.reset_index(drop=True).assign(stage_class=classes, everybody=EVERYBODY)
    limits = (bmi_limit_kg_m2, OBESE) if bmi_limit_kg_m2 < OBESE else (bmi_limit_kg_m2,)
    groupings = [
        Grouping("All patients", "everybody"),
        Grouping("BMI", "bmi_kg_m2", limits, unit="kg/m²"),
        Grouping("Hospital", "hospital"),
        Grouping("Stage", "stage_class", names=stage_classes()),
    ]
    rows = []
    for grouping in groupings:
        member = groups_of(table, grouping)
        for name in (*group_names(table, grouping), UNKNOWN):
            here = table[member == name]
            if not len(here):
                continue
            tried, failed = len(here), int(here["failed"].sum())
            found = _rate(failed, tried, confidence, interval)
            place = {"grouping": grouping.title, "group": name, "tried": tried, "failed": failed}
            rows.append(place | spread("rate", found) | {"notes": found.reason})
    return pd.DataFrame(rows)


def _rate(failed: int, tried: int, confidence: float, interval: str) -> Estimate:
    if tried < LEAST_OF_A_CLASS:
        return undefined(f"{tried} patient{'s' * (tried != 1)}, fewer than {LEAST_OF_A_CLASS}")
    return proportion(failed, tried, confidence=confidence, method=interval)


def printed_failure_rates(table: pd.DataFrame, confidence: float, simulated: bool) -> PrintedTable:
    """The table for print: a block per grouping."""
    blocks = []
    for grouping, part in table.groupby("grouping", sort=False):
        rows = [
            [
                str(row["group"]),
                str(row["tried"]),
                str(row["failed"]),
                str(row["notes"]) if math.isnan(row["rate"]) else format_interval(estimate(row, "rate"), 1, 100),
            ]
            for row in part.to_dict("records")
        ]
        blocks.append(Block(str(grouping), rows))
    notes = [
        "Tried: patients whom every criterion but elastography admits, of both cohorts. Failed: fewer valid "
        f"acquisitions than the study asks for. {100 * confidence:g} % confidence intervals; a group with fewer than "
        f"{LEAST_OF_A_CLASS} patients has no rate.",
    ]
    caption = "Extended table 17. Failure of elastography by body-mass index, hospital and stage"
    columns = ["Group", "Tried", "Failed", "Failed (%)"]
    return PrintedTable(simulated_caption(caption, simulated), columns, blocks, notes)
