"""Extended table 4: AUC by hospital, for the forest plot."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from dlre_core.foundation.design import method_labels, question_labels, stage_labels, study_questions
from dlre_core.statistics.roc import pooled_auc, roc_analysis
from dlre_core.tables.accuracy_print import estimate, undefined
from dlre_core.tables.formatting import format_interval
from dlre_core.tables.table_2_accuracy import AccuracySettings, method_scores, spread
from dlre_core.tables.table_3_pictures import STRATEGIES
from dlre_core.tables.typeset import Block, PrintedTable, simulated_caption

# With a space, which no hospital's code has.
EVERYBODY = "All hospitals"
POOLED = "Pooled hospitals"


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
        One row a stage, method and hospital (`POOLED` and `EVERYBODY` last): n, n_cases, AUC with limits, notes; of the
        pooled estimate also the prediction interval and tau, the standard deviation between hospitals (logit scale).
    """
    part = scores[scores["cohort"] == "validation"]
    hospitals = sorted(scores["hospital"].unique())
    rows = []
    for stage in study_questions():
        for method in STRATEGIES:
            of_hospitals = []
            for hospital in [*hospitals, EVERYBODY]:
                here = part if hospital == EVERYBODY else part[part["hospital"] == hospital]
                roc = roc_analysis(
                    stage_labels(here["fibrosis_stage"], stage),
                    method_scores(here, method, stage),
                    confidence=settings.confidence,
                    interval=settings.auc_interval,
                )
                found = roc.estimate
                of_hospitals.append(
                    {
                        "stage": stage,
                        "method": method,
                        "hospital": hospital,
                        "n": roc.n_cases + roc.n_controls,
                        "n_cases": roc.n_cases,
                        **spread("auc", found),
                        # Only of intervals that are reported something is pooled.
                        "auc_variance": math.nan if math.isnan(found.low) else roc.auc_variance,
                        "notes": found.reason,
                    }
                )
            rows += [*of_hospitals[:-1], _pooled(of_hospitals[:-1], settings.confidence), of_hospitals[-1]]
    return pd.DataFrame(rows)


def _pooled(rows: Sequence[Mapping[str, Any]], confidence: float) -> dict[str, object]:
    """The row of the random-effects estimate over those hospitals that have an interval."""
    found = pooled_auc([r["auc"] for r in rows], [r["auc_variance"] for r in rows], confidence=confidence)
    return {
        "stage": rows[0]["stage"],
        "method": rows[0]["method"],
        "hospital": POOLED,
        "n": sum(r["n"] for r in rows if r["auc_variance"] > 0),
        "n_cases": sum(r["n_cases"] for r in rows if r["auc_variance"] > 0),
        **spread("auc", found.estimate),
        "prediction_low": found.prediction[0],
        "prediction_high": found.prediction[1],
        "tau": found.tau,
        "notes": found.estimate.reason,
    }


def printed_hospitals(table: pd.DataFrame, settings: AccuracySettings, simulated: bool) -> PrintedTable:
    """The table for print: a row per hospital, a pair of columns per stage question."""
    columns = ["Hospital", "n"]
    for stage in study_questions():
        columns += [f"{question_labels()[stage]}: cases", *(method_labels()[m] for m in STRATEGIES)]
    cells = {(r["stage"], r["method"], r["hospital"]): r for r in table.to_dict("records")}
    rows = []
    for hospital in table["hospital"].unique():
        row = [str(hospital), str(cells[study_questions()[0], STRATEGIES[0], hospital]["n"])]
        for stage in study_questions():
            row.append(str(cells[stage, STRATEGIES[0], hospital]["n_cases"]))
            for method in STRATEGIES:
                cell = cells[stage, method, hospital]
                undefined_why = cell["notes"] if np.isnan(cell["auc"]) else ""
                row.append(undefined_why or format_interval(estimate(cell, "auc")))
        rows.append(row)
    notes = [
        f"Validation patients only. AUC with {100 * settings.confidence:g} % confidence interval. With "
        "few patients a hospital's AUC says little. Pooled: random effects on the logit scale over the hospitals that "
        "have an interval; the prediction interval is in the CSV.",
        *undefined(table["notes"]),
    ]
    caption = "Extended table 4. AUC by hospital, validation cohort"
    return PrintedTable(simulated_caption(caption, simulated), columns, [Block("", rows)], notes)
