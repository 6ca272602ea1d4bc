"""Extended table 5: the ordinal view. Which stage do the answers imply, and do they agree?"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlre_core.foundation.design import (
    method_labels,
    network_scores,
    number_of_questions,
    rising_questions,
    short_labels,
    stage_class,
    stage_classes,
    study_methods,
    study_questions,
)
from dlre_core.foundation.study_terms import COHORTS, EXTERNAL, cohorts_of
from dlre_core.statistics.agreement import obuchowski, obuchowski_by_chance, rescaled, weighted_kappa
from dlre_core.tables.accuracy_print import estimate, undefined
from dlre_core.tables.formatting import COHORT_NAMES, format_interval, round_half_up
from dlre_core.tables.table_2_accuracy import method_scores, spread
from dlre_core.tables.typeset import Block, PrintedTable, simulated_caption


def implied_stage(scores: pd.DataFrame, table_2: pd.DataFrame, method: str) -> NDArray[np.int64]:
    """The highest stage whose question a method answers with yes, its place in `design.stage_classes`; -1 unknown.

    Parameters
    ----------
    scores : DataFrame
        ``results/scores/{arm}.csv``.
    table_2 : DataFrame
        For the cut-offs of every cohort.
    method : str
    """
    cutoffs = table_2.set_index(["stage", "method", "cohort"])["cutoff"]
    implied = np.zeros(len(scores), dtype=np.int64)
    unknown = np.zeros(len(scores), dtype=bool)
    for level, stage in enumerate(rising_questions(), start=1):
        values = method_scores(scores, method, stage)
        limits = np.array([cutoffs[stage, method, cohort] for cohort in scores["cohort"]])
        unknown |= np.isnan(values) | np.isnan(limits)
        implied = np.where(values >= limits, level, implied)
    return np.where(unknown, -1, implied)


def ordinal_tables(
    scores: pd.DataFrame,
    table_2: pd.DataFrame,
    predictions: pd.DataFrame,
    *,
    replicates: int,
    seed: int,
    confidence: float = 0.95,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Counts of biopsy against implied stage, and measures of agreement.

    Parameters
    ----------
    scores, table_2 : DataFrame
    predictions : DataFrame
        ``results/predictions/{arm}.csv``, a row per image.
    replicates, seed : int
        Of the bootstrap of Obuchowski's measure.
    confidence : float

    Returns
    -------
    confusion : DataFrame
        One row a method, cohort and biopsy stage; a column an implied stage.
    measures : DataFrame
        One row a method and cohort: n, linearly and quadratically weighted kappa and Obuchowski's
        measure with limits, what chance gives it (``obuchowski_by_chance``) and the measure ``rescaled`` to 0.5
        by chance; patients whose answers contradict each other (``order_violations``) and,
        for DLRE, patients and images whose probabilities do (``probability_violations``,
        ``image_violations`` of ``images``).
    """
    confusion, measures = [], []
    ordered = stage_classes()
    images = predictions["cohort"].to_numpy()
    violated = probability_order(predictions, study_questions())
    for number, method in enumerate(study_methods()):
        implied, truth = implied_stage(scores, table_2, method), stage_class(scores["fibrosis_stage"])
        answers = _answers(scores, table_2, method)
        for cohort in cohorts_of(scores):
            here = (scores["cohort"] == cohort).to_numpy()
            known = here & (implied >= 0)
            expected = _expected_stage(scores, method)[here]
            table = np.zeros((len(ordered), len(ordered)), dtype=np.int64)
            np.add.at(table, (truth[known], implied[known]), 1)
            confusion += [
                {"method": method, "cohort": cohort, "biopsy": name, **dict(zip(ordered, row, strict=True))}
                for name, row in zip(ordered, table.tolist(), strict=True)
            ]
            found = {
                "kappa_linear": weighted_kappa(table, "linear", confidence=confidence),
                "kappa_quadratic": weighted_kappa(table, "quadratic", confidence=confidence),
                "obuchowski": obuchowski(
                    truth[here], expected, replicates=replicates, seed=seed + number, confidence=confidence
                ),
            }
            chance = obuchowski_by_chance(truth[here], expected)
            of_chance = {"obuchowski_by_chance": chance, **spread("rescaled", rescaled(found["obuchowski"], chance))}
            measures.append(
                {
                    "method": method,
                    "cohort": cohort,
                    "n": int(known.sum()),
                    "correct": int(np.trace(table)),
                    **{k: v for name, e in found.items() for k, v in spread(name, e).items()},
                    **of_chance,
                    "order_violations": int(_contradicts(answers[known]).sum()),
                    "probability_violations": _probability_violations(scores[here]) if method == "dlre" else np.nan,
                    "image_violations": int(violated[images == cohort].sum()) if method == "dlre" else np.nan,
                    "images": int((images == cohort).sum()),
                    "notes": "; ".join(sorted({e.reason for e in found.values() if e.reason})),
                }
            )
    return pd.DataFrame(confusion), pd.DataFrame(measures)


def probability_order(probabilities: pd.DataFrame, columns: Sequence[str]) -> NDArray[np.bool_]:
    """True where a more severe stage is more probable than a milder one.

    Parameters
    ----------
    probabilities : DataFrame
    columns : sequence of str
        Probabilities, from the most severe stage to the mildest.
    """
    values = probabilities[list(columns)].to_numpy(dtype=np.float64)
    return (values[:, 1:] < values[:, :-1]).any(axis=1)


def printed_stages(confusion: pd.DataFrame, measures: pd.DataFrame, confidence: float, simulated: bool) -> PrintedTable:
    """The ordinal view for print: validation cohort, a block per method."""
    by = {(row["method"], row["cohort"]): row for row in measures.to_dict("records")}
    blocks, validation = [], confusion[confusion["cohort"] == "validation"]
    for method, part in validation.groupby("method", sort=False):
        row = by[str(method), "validation"]
        parts = [
            f"{words} {format_interval(estimate(row, name))}"
            for words, name in (
                ("linear κ", "kappa_linear"),
                ("quadratic κ", "kappa_quadratic"),
                ("Obuchowski", "obuchowski"),
            )
        ]
        parts[-1] += f", by chance {round_half_up(row['obuchowski_by_chance'], 2)}"
        parts.append(f"rescaled {format_interval(estimate(row, 'rescaled'))}")
        share = round_half_up(row["correct"] / row["n"], 1, 100) if row["n"] else "–"
        heading = (
            f"{method_labels()[str(method)]}: {row['correct']} of {row['n']} right ({share} %); {'; '.join(parts)}"
        )
        rows = [[r["biopsy"], *(str(r[name]) for name in stage_classes())] for r in part.to_dict("records")]
        blocks.append(Block(heading, rows))
    several = len(study_questions()) > 1
    notes = [
        "Rows: biopsy. Columns: the highest stage whose question is answered with yes at the cut-offs "
        f"of Table 2. {100 * confidence:g} % intervals: κ on Fisher's scale, Obuchowski's measure by "
        "bootstrap. A score that tells nothing gets in Obuchowski's measure what stands there as by chance; rescaled, "
        "it gets 0.5, and 1 is perfect. "
        + f"DLRE's one score for all stages is the sum of its {number_of_questions()} probabilities. " * several
        + f"The training cohort{' and the external cohort are' if ('dlre', EXTERNAL) in by else ' is'} in the CSV.",
        *([_order_violated(by)] if several else []),
        *undefined(measures["notes"]),
    ]
    caption = "Extended table 5. Biopsy against implied stage, validation cohort"
    return PrintedTable(simulated_caption(caption, simulated), ("Biopsy", *stage_classes()), blocks, notes)


def _order_violated(by: Mapping[tuple[str, str], Mapping[str, Any]]) -> str:
    order = " ≥ ".join(f"p({short_labels()[question]})" for question in rising_questions())
    counted = "; ".join(
        f"{COHORT_NAMES[cohort].lower()} cohort {int(row['probability_violations'])} of {row['n']} "
        f"patients and {int(row['image_violations'])} of {row['images']} images (answers at the cut-offs: "
        f"{row['order_violations']} patients)"
        for cohort, row in ((c, by["dlre", c]) for c in (*COHORTS, EXTERNAL) if ("dlre", c) in by)
    )
    return (
        f"The {number_of_questions()} networks of DLRE are independent, so {order} need not hold. It is "
        f"violated in: {counted}."
    )


def _answers(scores: pd.DataFrame, table_2: pd.DataFrame, method: str) -> NDArray[np.bool_]:
    """(n, questions) answers, from the most severe stage to the mildest."""
    cutoffs = table_2.set_index(["stage", "method", "cohort"])["cutoff"]
    columns = [
        method_scores(scores, method, stage)
        >= np.array([cutoffs[stage, method, cohort] for cohort in scores["cohort"]])
        for stage in study_questions()
    ]
    return np.column_stack(columns)


def _contradicts(answers: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return (answers[:, :-1] & ~answers[:, 1:]).any(axis=1)


def _expected_stage(scores: pd.DataFrame, method: str) -> NDArray[np.float64]:
    """One score for all stages: of DLRE the sum of its probabilities, the stage it expects."""
    if method != "dlre":
        return method_scores(scores, method, study_questions()[0])
    return np.sum([method_scores(scores, method, stage) for stage in study_questions()], axis=0)


def _probability_violations(scores: pd.DataFrame) -> int:
    return int(probability_order(scores, network_scores()).sum())
