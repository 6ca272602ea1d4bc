"""Extended table 4: AUC by hospital, for the forest plot."""

import numpy as np
import pandas as pd

from dlre_core.foundation.study_terms import STAGES, stage_labels
from dlre_core.statistics.roc import roc_analysis
from dlre_core.tables.accuracy_print import estimate, undefined
from dlre_core.tables.formatting import METHOD_NAMES, STAGE_NAMES, format_interval
from dlre_core.tables.table_2_accuracy import AccuracySettings, method_scores, spread
from dlre_core.tables.table_3_pictures import STRATEGIES
from dlre_core.tables.typeset import Block, PrintedTable, simulated_caption

EVERYBODY = "All"


def hospital_table(scores: pd.DataFrame, settings: AccuracySettings) -> pd.DataFrame:
    """AUC of DLRE and 2D-SWE in the validation patients of every hospital.

    Parameters
    ----------
    scores : DataFrame
        ``results/scores/{arm}.csv``.
    settings : AccuracySettings

    Returns
    -------
    DataFrame
        One row a stage, method and hospital (``All`` last): n, n_cases, AUC with limits, notes.
    """
    part = scores[scores["cohort"] == "validation"]
    rows = []
    for stage in STAGES:
        for method in STRATEGIES:
            for hospital in [*sorted(scores["hospital"].unique()), EVERYBODY]:
                here = part if hospital == EVERYBODY else part[part["hospital"] == hospital]
                roc = roc_analysis(
                    stage_labels(here["fibrosis_stage"], stage),
                    method_scores(here, method, stage),
                    confidence=settings.confidence,
                    interval=settings.auc_interval,
                )
                rows.append(
                    {
                        "stage": stage,
                        "method": method,
                        "hospital": hospital,
                        "n": roc.n_cases + roc.n_controls,
                        "n_cases": roc.n_cases,
                        **spread("auc", roc.estimate),
                        "notes": roc.reason,
                    }
                )
    return pd.DataFrame(rows)


def printed_hospitals(table: pd.DataFrame, settings: AccuracySettings, simulated: bool) -> PrintedTable:
    """The table for print: a row per hospital, a pair of columns per stage question."""
    columns = ["Hospital", "n"]
    for stage in STAGES:
        columns += [f"{STAGE_NAMES[stage]}: cases", *(METHOD_NAMES[m] for m in STRATEGIES)]
    cells = {(r["stage"], r["method"], r["hospital"]): r for r in table.to_dict("records")}
    rows = []
    for hospital in table["hospital"].unique():
        row = [str(hospital), str(cells[STAGES[0], STRATEGIES[0], hospital]["n"])]
        for stage in STAGES:
            row.append(str(cells[stage, STRATEGIES[0], hospital]["n_cases"]))
            for method in STRATEGIES:
                cell = cells[stage, method, hospital]
                undefined_why = cell["notes"] if np.isnan(cell["auc"]) else ""
                row.append(undefined_why or format_interval(estimate(cell, "auc")))
        rows.append(row)
    notes = [
        f"Validation patients only. AUC with {100 * settings.confidence:g} % confidence interval. With "
        "few patients a hospital's AUC says little.",
        *undefined(table["notes"]),
    ]
    caption = "Extended table 4. AUC by hospital, validation cohort"
    return PrintedTable(simulated_caption(caption, simulated), columns, [Block("", rows)], notes)
