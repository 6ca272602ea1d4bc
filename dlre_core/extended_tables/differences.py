"""Extended table 7: differences of AUC of Table 2, by DeLong and by the patient bootstrap."""

import numpy as np
import pandas as pd

from dlre_core.foundation.design import method_labels, question_labels, study_methods, study_questions
from dlre_core.foundation.study_terms import cohorts_of
from dlre_core.sample_size.auc_precision import least_difference
from dlre_core.statistics.bootstrap import bootstrap_aucs
from dlre_core.statistics.estimates import Estimate, too_few
from dlre_core.tables.accuracy_print import estimate, of_cohorts, short_cohort_letters
from dlre_core.tables.formatting import (
    COHORT_NAMES,
    format_exact_p_value,
    format_interval,
    format_p_value,
    round_half_up,
)
from dlre_core.tables.table_2_accuracy import samples
from dlre_core.tables.typeset import Block, PrintedTable, simulated_caption


def bootstrap_differences(
    scores: pd.DataFrame, *, replicates: int, seed: int, confidence: float = 0.95
) -> pd.DataFrame:
    """Percentile intervals of DLRE's AUC minus each other method's, in the patients with both scores.

    Parameters
    ----------
    scores : DataFrame
        ``results/scores/{arm}.csv``.
    replicates, seed : int
    confidence : float

    Returns
    -------
    DataFrame
        stage, method, cohort, bootstrap_low, bootstrap_high, bootstrap_sd.
    """
    rows = []
    tails = [(1 - confidence) / 2, (1 + confidence) / 2]
    for number, (stage, cohort) in enumerate((s, c) for s in study_questions() for c in cohorts_of(scores)):
        parts = [samples(scores, method, stage)[cohort] for method in study_methods()]
        for method, part in zip(study_methods()[1:], parts[1:], strict=True):
            # Those whom DeLong's test of the two takes.
            both = np.column_stack([parts[0].values, part.values])
            known = ~np.isnan(both).any(axis=1)
            drawn = bootstrap_aucs(part.labels[known], both[known], replicates=replicates, seed=seed + number)
            difference = drawn[:, 0] - drawn[:, 1]
            cases = int(part.labels[known].sum())
            believed = not too_few(cases, int(known.sum()) - cases) and np.ptp(difference) > 0
            low, high = np.quantile(difference, tails) if believed else (np.nan, np.nan)
            rows.append(
                {
                    "stage": stage,
                    "method": method,
                    "cohort": cohort,
                    "bootstrap_low": low,
                    "bootstrap_high": high,
                    "bootstrap_sd": difference.std(ddof=1) if replicates > 1 else np.nan,
                }
            )
    return pd.DataFrame(rows)


def differences_table(table_2: pd.DataFrame, bootstrap: pd.DataFrame) -> pd.DataFrame:
    """DeLong's differences of Table 2 beside the bootstrap's intervals.

    Parameters
    ----------
    table_2 : DataFrame
        ``results/tables/table_2.csv``.
    bootstrap : DataFrame
        As `bootstrap_differences` returns it.

    Returns
    -------
    DataFrame
        Of both, and ``least_difference``, which a study with this standard error finds with a power of 80 %.
    """
    columns = [
        "stage",
        "method",
        "cohort",
        "compared_with",
        "n_compared",
        "difference",
        "difference_low",
        "difference_high",
        "z",
        "p_value",
        "log_p_value",
        "p_holm",
    ]
    compared = table_2[table_2["n_compared"] > 0][columns]
    table = compared.merge(bootstrap, on=["stage", "method", "cohort"])
    tested = [_least_difference(row) for row in table.to_dict("records")]
    return table.assign(least_difference=np.array(tested, dtype=np.float64))


def _least_difference(row: dict[str, float]) -> float:
    """With a power of 80 %, at 5 %; NaN where there is no test."""
    return least_difference(abs(row["difference"] / row["z"])) if row["z"] else np.nan


def printed_differences(table: pd.DataFrame, replicates: int, confidence: float, simulated: bool) -> PrintedTable:
    """The differences for print."""
    blocks = [
        Block(
            question_labels()[stage],
            [
                [
                    f"DLRE − {method_labels()[row['method']]}",
                    COHORT_NAMES[row["cohort"]][0],
                    str(row["n_compared"]),
                    format_interval(estimate(row, "difference"), 3),
                    format_interval(Estimate(row["difference"], row["bootstrap_low"], row["bootstrap_high"]), 3),
                    format_exact_p_value(row["p_value"]),
                    format_p_value(row["p_holm"]),
                    round_half_up(row["least_difference"], 2),
                ]
                for row in table[table["stage"] == stage].to_dict("records")
            ],
        )
        for stage in study_questions()
    ]
    columns = ("Difference of AUC", "Cohort", "n", "DeLong", "Bootstrap", "p, DeLong", "p, Holm", "80 % power")
    notes = [
        f"{short_cohort_letters(table)}{100 * confidence:g} % intervals: DeLong, "
        f"and percentiles of {replicates} replicates that draw patients within cases and controls. "
        + of_cohorts("Holm's adjustment is over the comparisons of Table 2 in the validation cohort. ", table)
        + "With fewer than five cases or controls, and where nothing varies, there is no interval and no test.",
        "80 % power: the least difference that a study with this standard error finds with a power of 80 % (DeLong's "
        "test at 5 %). A smaller one may exist where p is above 0.05.",
    ]
    caption = "Extended table 7. Differences of AUC between DLRE and the other methods"
    return PrintedTable(simulated_caption(caption, simulated), columns, blocks, notes, 2)
