"""Extended table 4: AUC by hospital, for the forest plot."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from dlre_core.foundation.design import method_labels, question_labels, stage_labels, study_questions
from dlre_core.heterogeneity.cluster_bootstrap import clustered_auc
from dlre_core.heterogeneity.random_effects import pooled_auc
from dlre_core.statistics.roc import roc_analysis
from dlre_core.tables.accuracy_print import estimate, undefined
from dlre_core.tables.formatting import UNDEFINED, format_interval, round_half_up
from dlre_core.tables.table_2_accuracy import AccuracySettings, method_scores, spread
from dlre_core.tables.table_3_pictures import STRATEGIES
from dlre_core.tables.typeset import Block, PrintedTable, simulated_caption

# With a space, which no hospital's code has.
EVERYBODY = "All hospitals"
POOLED = "Pooled hospitals"
# What print has below a row, by the beginning of its columns.
FURTHER: Mapping[str, Mapping[str, str]] = {
    POOLED: {
        "prediction": "– a new hospital (prediction interval)",
        "tau": "– between hospitals: τ",
        "i_squared": "– I²",
    },
    EVERYBODY: {"cluster": "– if hospitals are drawn"},
}


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
        pooled estimate also the prediction interval, tau with limits (standard deviation between hospitals, logit
        scale), i_squared, q and q_p_value; of all hospitals also cluster_low and cluster_high, the limits of a
        bootstrap that draws hospitals, with cluster_notes.
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
            everybody = of_hospitals.pop()
            everybody |= _clustered(part, stage, method, settings)
            rows += [*of_hospitals, _pooled(of_hospitals, settings.confidence), everybody]
    return pd.DataFrame(rows)


def _clustered(part: pd.DataFrame, stage: str, method: str, settings: AccuracySettings) -> dict[str, object]:
    """Limits of everybody's AUC if hospitals are drawn; the seed is the same, so that methods share their hospitals."""
    found = clustered_auc(
        stage_labels(part["fibrosis_stage"], stage),
        method_scores(part, method, stage),
        part["hospital"],
        replicates=settings.bootstrap_replicates,
        seed=settings.seed,
        confidence=settings.confidence,
    )
    return {"cluster_low": found.low, "cluster_high": found.high, "cluster_notes": found.reason}


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
        **spread("tau", found.tau),
        "i_squared": found.i_squared,
        "q": found.q,
        "q_p_value": found.q_p_value,
        "notes": found.estimate.reason,
    }


def _further(name: str, cell: Mapping[str, Any]) -> str:
    """What stands below the AUC of the pooled and of all hospitals."""
    if name == "tau":
        return format_interval(estimate(cell, "tau"))
    if name == "i_squared":
        share = round_half_up(cell["i_squared"], 0, 100)
        return share if share == UNDEFINED else f"{share} %"
    low, high = (cell[f"{name}_{end}"] for end in ("low", "high"))
    return UNDEFINED if math.isnan(low) else f"{round_half_up(low, 2)} to {round_half_up(high, 2)}"


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
        for name, words in FURTHER.get(str(hospital), {}).items():
            further = [
                ["", *(_further(name, cells[stage, method, hospital]) for method in STRATEGIES)]
                for stage in study_questions()
            ]
            rows.append([words, "", *(cell for part in further for cell in part)])
    notes = [
        f"Validation patients only. AUC with {100 * settings.confidence:g} % confidence interval. With few patients a "
        "hospital's AUC says little. Pooled: random effects on the logit scale over the hospitals with an interval "
        "(restricted maximum likelihood, interval by Hartung and Knapp). A new hospital's AUC is expected in the "
        "prediction interval, which is too narrow where few hospitals differ little (by simulation it covers 88 % "
        "instead of 95 % with ten hospitals and τ 0.5). τ: standard deviation between hospitals, logit scale, with "
        "limits of the Q profile; I²: share of the variation that is between hospitals and not chance.",
        f"Hospitals drawn: limits of a bootstrap ({settings.bootstrap_replicates} replicates) that draws hospitals "
        "with all of their patients; wider than DeLong's where patients of one hospital resemble one another.",
        *undefined([*table["notes"], *table["cluster_notes"]]),
    ]
    caption = "Extended table 4. AUC by hospital, validation cohort"
    return PrintedTable(simulated_caption(caption, simulated), columns, [Block("", rows)], notes)
