"""Extended table 19: arms that differ in network or input only, side by side."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from dlre_core.foundation.design import method_labels, question_labels, study_questions
from dlre_core.foundation.errors import StoreMismatch
from dlre_core.foundation.study_terms import COHORTS, INPUT_WORDS, KEYS, PAPERS_NETWORK, STIFFNESS_NETWORK
from dlre_core.statistics.comparisons import compare_paired_aucs
from dlre_core.statistics.estimates import Estimate
from dlre_core.statistics.roc import roc_analysis
from dlre_core.tables.accuracy_print import estimate, limited, printed_auc, short_cohort_letters
from dlre_core.tables.formatting import COHORT_NAMES, format_interval, format_p_value
from dlre_core.tables.table_2_accuracy import AccuracySettings, holm_by_cohort, samples, spread
from dlre_core.tables.typeset import Block, PrintedTable, simulated_caption

NETWORK_NAMES = {
    PAPERS_NETWORK: "The paper's",
    STIFFNESS_NETWORK: "The paper's, with liver stiffness",
    "residual": "Residual",
}


def networks_table(
    scores: Mapping[str, pd.DataFrame], kinds: Mapping[str, Mapping[str, str]], settings: AccuracySettings
) -> pd.DataFrame:
    """AUC of every arm with the main arm's split and pictures, and of stiffness, against the main arm.

    Parameters
    ----------
    scores : mapping of arm to DataFrame
        ``results/scores/{arm}.csv``, the main arm's first.
    kinds : mapping of arm to mapping
        ``network`` and ``input`` where the configuration names them.
    settings : AccuracySettings

    Returns
    -------
    DataFrame
        A row a stage question, arm (or ``lsm``) and cohort: network, input, n and auc with limits; difference (the
        row's less the main arm's) with limits, p_value by DeLong's paired test, and p_holm, adjusted over the
        tests of a cohort other than training; notes.

    Raises
    ------
    StoreMismatch
        If the arms do not have the same patients in the same cohorts.
    """
    ordered = {arm: table.sort_values(KEYS, ignore_index=True) for arm, table in scores.items()}
    main, *others = ordered
    columns = [*KEYS, "cohort", "fibrosis_stage"]
    for arm in others:
        if not ordered[arm][columns].equals(ordered[main][columns]):
            raise StoreMismatch(
                f"The arms {main} and {arm} do not have the same patients in the same cohorts.",
                "Delete the folder results/predictions and run again.",
            )
    rows = []
    for stage in study_questions():
        reference = samples(ordered[main], "dlre", stage)
        found = {arm: samples(table, "dlre", stage) for arm, table in ordered.items()}
        found["lsm"] = samples(ordered[main], "lsm", stage)
        for arm, sample in found.items():
            kind = {"network": PAPERS_NETWORK, "input": "square"} | dict(kinds.get(arm, {}))
            for cohort in sample:
                labels, values = sample[cohort].labels, sample[cohort].values
                roc = roc_analysis(labels, values, confidence=settings.confidence, interval=settings.auc_interval)
                row = {"stage": stage, "arm": arm, "cohort": cohort}
                row |= dict.fromkeys(kind, "") if arm == "lsm" else kind
                row |= {"n": int((~np.isnan(values)).sum()), **spread("auc", roc.estimate)}
                difference, p_value, reason = Estimate(np.nan, np.nan, np.nan), np.nan, ""
                if arm != main:
                    test = compare_paired_aucs(labels, values, reference[cohort].values, confidence=settings.confidence)
                    test = test.reported
                    difference, p_value, reason = Estimate(test.difference, *test.interval), test.p_value, test.reason
                notes = "; ".join(sorted({roc.estimate.reason, reason} - {""}))
                rows.append(row | spread("difference", difference) | {"p_value": p_value, "notes": notes})
    table = pd.DataFrame(rows)
    return table.assign(p_holm=holm_by_cohort(table[["p_value"]].to_numpy(), table["cohort"]))


def printed_networks(table: pd.DataFrame, confidence: float, simulated: bool) -> PrintedTable:
    """The table for print: a block a stage question."""
    main = table["arm"].iloc[0]
    blocks = []
    for stage in study_questions():
        here = table[table["stage"] == stage]
        rows = []
        for row in here.to_dict("records"):
            first = row["cohort"] == COHORTS[0]
            compared = row["arm"] != main and not first
            rows.append(
                [
                    _name(row) if first else "",
                    (INPUT_WORDS.get(row["input"], "") or "stiffness in the Q-Box") if first else "",
                    COHORT_NAMES[row["cohort"]][:1],
                    str(row["n"]),
                    printed_auc(row),
                    format_interval(estimate(row, "difference"), 3) if compared else "",
                    format_p_value(row["p_value"]) if compared else "",
                    format_p_value(row["p_holm"]) if compared else "",
                ]
            )
        blocks.append(Block(question_labels()[stage], rows))
    columns = ("Network", "Input", "Cohort", "n", "AUC", "Difference", "p", "p, Holm")
    notes = [
        f"{short_cohort_letters(table)}Arms with the first one's split and pictures; the first is the study's. "
        f"Difference: the row's AUC less the first network's, {100 * confidence:g} % intervals and p by DeLong's "
        "paired test; p, Holm: adjusted over the tests of the cohort.",
        *limited(table, lambda row: _name(row)),
    ]
    caption = "Extended table 19. Other networks and inputs, in the same patients"
    return PrintedTable(simulated_caption(caption, simulated), columns, blocks, notes)


def _name(row: Mapping[str, object]) -> str:
    if row["arm"] == "lsm":
        return method_labels()["lsm"]
    return NETWORK_NAMES.get(str(row["network"]), str(row["network"]))
