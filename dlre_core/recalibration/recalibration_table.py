"""Extended table 13: the network's probabilities, as they are and recalibrated, in patients who fitted nothing."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from dlre_core.foundation.design import NETWORK, question_labels, stage_labels, study_questions
from dlre_core.recalibration.calibration_errors import NAMES, calibration_errors
from dlre_core.recalibration.maps import (
    INTERCEPT,
    INTERCEPT_SLOPE,
    ISOTONIC,
    ORIGINAL,
    PRIOR_SHIFT,
    RECALIBRATIONS,
    Recalibration,
    Recalibrations,
)
from dlre_core.recalibration.methods import fit_recalibration
from dlre_core.statistics.calibration import calibration
from dlre_core.statistics.estimates import LEAST_OF_A_CLASS, Estimate, too_few
from dlre_core.tables.accuracy_print import estimate, limited
from dlre_core.tables.formatting import format_interval
from dlre_core.tables.table_2_accuracy import method_scores, spread
from dlre_core.tables.typeset import Block, PrintedTable, simulated_caption

WORDS = {
    ORIGINAL: "As it is",
    INTERCEPT: "Intercept",
    INTERCEPT_SLOPE: "Intercept and slope",
    PRIOR_SHIFT: "Prior shift",
    ISOTONIC: "Isotonic",
}
FITTED = ("slope", "in_the_large", "brier")
# Of the bootstrap of smoothed errors, each of which is a curve of its own.
MOST_REPLICATES = 500
# Share of cases among what a network learns from where its training balances the classes.
BALANCED = 0.5


def fit_recalibrations(
    scores: pd.DataFrame, out_of_fold: pd.DataFrame | None, *, balanced: bool
) -> dict[str, dict[str, Recalibration]]:
    """Every recalibration of the network's probabilities for every stage question, fitted to the training patients.

    Parameters
    ----------
    scores : DataFrame
        ``results/scores/{arm}.csv``.
    out_of_fold : DataFrame or None
        Scores of the training patients by networks that were not fitted to them; None takes the apparent ones.
    balanced : bool
        Whether training balances the classes.
    """
    training = scores[scores["cohort"] == "training"] if out_of_fold is None else out_of_fold
    found = {}
    for stage in study_questions():
        labels, p = stage_labels(training["fibrosis_stage"], stage), method_scores(training, NETWORK.name, stage)
        prior = BALANCED if balanced else None
        found[stage] = {method: fit_recalibration(labels, p, method, prior=prior) for method in RECALIBRATIONS}
    return found


def recalibration_table(
    scores: pd.DataFrame,
    fitted: Recalibrations,
    *,
    replicates: int,
    seed: int,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Calibration of the network's probabilities as they are, and after every recalibration.

    Parameters
    ----------
    scores : DataFrame
        As ``results/scores/{arm}.csv``, of patients who fitted nothing.
    fitted : mapping of stage to mapping of method to Recalibration
    replicates, seed : int
        Of the bootstrap, in which all recalibrations see the same patients; 500 replicates at most.
    confidence : float

    Returns
    -------
    DataFrame
        One row per stage and recalibration (``original`` first): n, n_cases; observed_expected, in_the_large (the
        intercept at slope 1), slope, brier, scaled_brier, ici, e50 and e90, each with _low and _high; notes. With fewer
        than five cases or controls only observed_expected is a number.
    """
    rows = []
    for stage in study_questions():
        labels, p = stage_labels(scores["fibrosis_stage"], stage), method_scores(scores, NETWORK.name, stage)
        for method in (ORIGINAL, *(name for name in RECALIBRATIONS if name in fitted.get(stage, {}))):
            map_of = Recalibration(ORIGINAL) if method == ORIGINAL else fitted[stage][method]
            mapped = map_of.apply(p)
            known = ~np.isnan(mapped)
            cases = int(labels[known].sum())
            few = too_few(cases, int(known.sum()) - cases)
            found = calibration(labels, mapped, confidence=confidence)
            errors = calibration_errors(
                labels, mapped, replicates=min(replicates, MOST_REPLICATES), seed=seed, confidence=confidence
            )
            estimates = {name: getattr(found, name) for name in FITTED} | {
                name: getattr(errors, name) for name in NAMES
            }
            if few:
                estimates = dict.fromkeys(estimates, Estimate(np.nan, np.nan, np.nan, reason=few))
            reasons = [map_of.reason] if map_of.reason else [few, *(value.reason for value in estimates.values())]
            row: dict[str, object] = {"stage": stage, "recalibration": method, "n": found.n, "n_cases": cases}
            for name, value in ({"observed_expected": found.observed_expected} | estimates).items():
                row |= spread(name, value)
            rows.append(row | {"notes": "; ".join(dict.fromkeys(filter(None, reasons)))})
    return pd.DataFrame(rows)


def printed_recalibration(
    table: pd.DataFrame, confidence: float, simulated: bool, caption: str, *, chosen: str
) -> PrintedTable:
    """The table for print: a block a stage question, a row a recalibration.

    Parameters
    ----------
    table : DataFrame
        From `recalibration_table`.
    confidence : float
    simulated : bool
    caption : str
    chosen : str
        Where the recalibrations come from, such as ``the training cohort, out of fold``.
    """
    columns = (
        "Recalibration",
        "Observed/expected",
        "Intercept at slope 1",
        "Slope",
        "Brier score",
        "Scaled Brier",
        "ICI",
        "E50",
        "E90",
    )
    blocks = []
    for stage in study_questions():
        part = table[table["stage"] == stage].to_dict("records")
        heading = f"{question_labels()[stage]}: {part[0]['n_cases']} of {part[0]['n']} patients"
        blocks.append(Block(heading, [_cells(row) for row in part]))
    methods = set(table["recalibration"]) - {ORIGINAL}
    notes = [
        "As it is: DLRE's own probability. "
        + (f"The other rows were fitted to {chosen}, and frozen. " if methods else "The study froze no other row. ")
        + "Prior shift: for the share of patients with the stage in training, where the network learned from balanced "
        "classes. All but isotonic regression leave the order of patients, and the AUC, as they are.",
        "ICI, E50, E90: mean, median and 90th percentile of the distance between a patient's probability and the "
        "smoothed share of cases at it. Perfect: observed/expected 1, intercept 0, slope 1, Brier score 0, scaled "
        "Brier 1, ICI, E50 and E90 0.",
        f"{100 * confidence:g} % intervals: observed/expected by Clopper and Pearson; intercept, slope and Brier score "
        "by Wald (slopes by Firth's profile likelihood where cases and controls separate); the others by a bootstrap "
        f"of patients. With fewer than {LEAST_OF_A_CLASS} cases or controls only observed/expected is estimated (else: "
        "too few).",
        *limited(table, lambda row: WORDS[str(row["recalibration"])].lower()),
    ]
    return PrintedTable(simulated_caption(caption, simulated), columns, blocks, notes)


def _cells(row: Mapping[str, object]) -> list[str]:
    cases = int(str(row["n_cases"]))
    few = too_few(cases, int(str(row["n"])) - cases)

    def cell(name: str, digits: int) -> str:
        found = estimate(row, name)
        return format_interval(found, digits) if found.defined else ("too few" if few and row["n"] else "none")

    return [
        WORDS[str(row["recalibration"])],
        *(cell(name, 2) for name in ("observed_expected", "in_the_large", "slope")),
        cell("brier", 3),
        *(cell(name, 2) for name in NAMES),
    ]
