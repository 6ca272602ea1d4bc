"""Extended table 15: whether DLRE is as accurate, and as well calibrated, in every group of patients."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlre_core.extended_tables.probabilities import method_probabilities
from dlre_core.foundation.design import question_labels, stage_labels, study_questions
from dlre_core.heterogeneity.gaps import gap, proportion_gap
from dlre_core.statistics.calibration import calibration
from dlre_core.statistics.comparisons import compare_unpaired_aucs
from dlre_core.statistics.diagnostic import diagnostic_accuracy
from dlre_core.statistics.estimates import LEAST_OF_A_CLASS, Estimate, too_few, undefined
from dlre_core.statistics.proportions import proportion
from dlre_core.statistics.roc import roc_analysis
from dlre_core.tables.accuracy_print import METHOD_WORDS, estimate
from dlre_core.tables.formatting import UNDEFINED, format_interval, round_half_up
from dlre_core.tables.subanalyses import UNKNOWN, Grouping, group_names, groups_of, read_groupings
from dlre_core.tables.table_2_accuracy import AccuracySettings, method_scores, spread
from dlre_core.tables.table_3_pictures import STRATEGIES
from dlre_core.tables.typeset import Block, PrintedTable, simulated_caption

# Groups that every study asks about; those of the configuration stand before them.
ALWAYS = (
    Grouping("Sex", "sex"),
    Grouping("Age", "age_years", (40, 60), unit="years"),
    Grouping("Hospital", "hospital"),
    Grouping("Country", "country"),
    Grouping("Maker", "manufacturer"),
    Grouping("Aetiology", "aetiology"),
)
MEASURES = ("auc", "sensitivity", "specificity", "in_the_large")
MEASURE_NAMES = {
    "auc": "AUC",
    "sensitivity": "Sensitivity (%)",
    "specificity": "Specificity (%)",
    "in_the_large": "Calibration in the large",
}
COLUMNS = ["stage", "method", "grouping", "group", "n", "n_cases", "n_missing"]
# Text in the table.
TEXT = ("grouping", "group", "reasons")


def fairness_groupings(given: Sequence[Mapping[str, object]], patients: pd.DataFrame) -> list[Grouping]:
    """The groupings of these patients: the configured ones, then `ALWAYS`; only those that make two groups or more.

    Parameters
    ----------
    given : sequence of mapping
        Section ``subanalyses`` of the design; columns that the patients do not have are passed over.
    patients : DataFrame
        As `dlre_core.tables.subanalyses.described_patients` makes them.

    Raises
    ------
    ConfigurationError
        If limits and names do not fit.
    """
    configured = read_groupings([entry for entry in given if entry["column"] in patients], patients)
    taken = {grouping.column for grouping in configured}
    more = [grouping for grouping in ALWAYS if grouping.column in patients and grouping.column not in taken]
    every = [*configured, *more]
    return [g for g in every if len(set(groups_of(patients, g)) - {UNKNOWN}) > 1]


def fairness_table(
    patients: pd.DataFrame, table_2: pd.DataFrame, groupings: Sequence[Grouping], settings: AccuracySettings
) -> pd.DataFrame:
    """Accuracy and calibration of DLRE and 2D-SWE in every group of validation patients, and gaps to the others.

    Parameters
    ----------
    patients : DataFrame
        ``results/scores/{arm}.csv`` with the groupings' columns, training patients included.
    table_2 : DataFrame
        ``results/tables/table_2.csv``: the cut-offs.
    groupings : sequence of Grouping
    settings : AccuracySettings

    Returns
    -------
    DataFrame
        One row per stage, method, grouping and group: n, n_cases, n_missing (without a score); auc, sensitivity and
        specificity at the cut-off of Table 2, and in_the_large (intercept of calibration at slope 1), each with _low
        and _high and with its gap (``auc_gap``, ...): the group minus all other patients whose group is known. With
        fewer than five patients of a class in the group, or in the others, the cell is NaN, and ``reasons`` says why.
        Patients whose group is unknown have a row without accuracy.
    """
    here = (patients["cohort"] == "validation").to_numpy()
    chosen = table_2[table_2["cohort"] == "validation"].set_index(["stage", "method"])["cutoff"]
    members = {grouping: groups_of(patients, grouping)[here] for grouping in groupings}
    rows = []
    for stage in study_questions():
        labels = stage_labels(patients["fibrosis_stage"], stage)[here]
        for method in STRATEGIES:
            p, _ = method_probabilities(patients, method, stage)
            values = method_scores(patients, method, stage)[here]
            whole = _Part(labels, values, p[here], float(chosen[stage, method]))
            for grouping, member in members.items():
                for name in (*group_names(patients, grouping), UNKNOWN):
                    inside = member == name
                    if not inside.any():
                        continue
                    outside = ~inside & (member != UNKNOWN)
                    part = whole.of(inside)
                    cells = _unknown(grouping) if name == UNKNOWN else _cells(part, whole.of(outside), settings)
                    cases, controls = part.sizes
                    counts = {"n": cases + controls, "n_cases": cases, "n_missing": len(part.labels) - cases - controls}
                    place = {"stage": stage, "method": method, "grouping": grouping.title, "group": name}
                    rows.append(place | counts | cells)
    return pd.DataFrame(rows, columns=None if rows else COLUMNS)


@dataclass(frozen=True)
class _Part:
    """Patients of a group, or all others: labels, scores and probabilities (n,), and the cut-off of the score."""

    labels: NDArray[np.int64]
    values: NDArray[np.float64]
    probabilities: NDArray[np.float64]
    cutoff: float

    def of(self, which: NDArray[np.bool_]) -> "_Part":
        return _Part(self.labels[which], self.values[which], self.probabilities[which], self.cutoff)

    @property
    def sizes(self) -> tuple[int, int]:
        """Cases and controls with a score."""
        known = self.labels[~np.isnan(self.values)]
        cases = int(known.sum())
        return cases, len(known) - cases

    def few(self, measure: str) -> str:
        """Why a measure cannot be estimated: too few of the classes that it rests on."""
        cases, controls = self.sizes
        if measure == "sensitivity":
            return too_few(cases, LEAST_OF_A_CLASS)
        return too_few(LEAST_OF_A_CLASS, controls) if measure == "specificity" else too_few(cases, controls)

    def share(self, measure: str) -> tuple[int, int]:
        """Right answers of all: of cases for the sensitivity, of controls for the specificity."""
        found = diagnostic_accuracy(self.labels, self.values, self.cutoff)
        if measure == "sensitivity":
            return found.true_positives, found.true_positives + found.false_negatives
        return found.true_negatives, found.true_negatives + found.false_positives


def _unknown(grouping: Grouping) -> dict[str, object]:
    nothing = undefined("")
    cells = [spread(name + end, nothing) for name in MEASURES for end in ("", "_gap")]
    return {key: cell for part in cells for key, cell in part.items()} | {"reasons": f"{grouping.column} is missing"}


def _cells(part: _Part, others: _Part, settings: AccuracySettings) -> dict[str, object]:
    cells: dict[str, object] = {}
    reasons = []
    for name in MEASURES:
        found = _measure(part, name, settings)
        apart = _gap(part, others, name, settings) if found.defined else undefined("")
        cells |= spread(name, found) | spread(f"{name}_gap", apart)
        reasons += [f"{name}: {found.reason}"] if found.reason else []
        reasons += [f"{name}, gap: {apart.reason}"] if apart.reason else []
    return cells | {"reasons": "; ".join(reasons)}


def _measure(part: _Part, name: str, settings: AccuracySettings) -> Estimate:
    few = part.few(name)
    if few:
        return undefined(few)
    if name == "auc":
        interval = settings.auc_interval
        return roc_analysis(part.labels, part.values, confidence=settings.confidence, interval=interval).estimate
    if name == "in_the_large":
        return calibration(part.labels, part.probabilities, confidence=settings.confidence).in_the_large
    if math.isnan(part.cutoff):
        return undefined("no cut-off")
    return proportion(*part.share(name), confidence=settings.confidence, method=settings.proportion_interval)


def _gap(part: _Part, others: _Part, name: str, settings: AccuracySettings) -> Estimate:
    few = others.few(name)
    if few:
        return undefined(f"the others: {few}")
    if name == "auc":
        given = (part.labels, part.values, others.labels, others.values)
        test = compare_unpaired_aucs(*given, confidence=settings.confidence).reported
        return Estimate(test.difference, *test.interval, "DeLong", test.reason)
    if name == "in_the_large":
        return gap(_measure(part, name, settings), _measure(others, name, settings))
    return proportion_gap(part.share(name), others.share(name), confidence=settings.confidence)


def printed_fairness(table: pd.DataFrame, settings: AccuracySettings, simulated: bool) -> PrintedTable:
    """The table for print: DLRE, a block per question and grouping; 2D-SWE is in the CSV."""
    columns = ["Group", "Cases/n"]
    for name in MEASURES:
        columns += [MEASURE_NAMES[name], f"{MEASURE_NAMES[name].removesuffix(' (%)')}: gap"]
    shown = table[table["method"] == "dlre"] if len(table) else table
    blocks = []
    for (stage, grouping), part in shown.groupby(["stage", "grouping"], sort=False):
        rows = [_printed_row(row) for row in part.to_dict("records")]
        blocks.append(Block(f"{question_labels()[str(stage)]}: {grouping}", rows))
    notes = [
        f"DLRE, validation cohort; stiffness is in the CSV. {100 * settings.confidence:g} % confidence intervals: AUC "
        f"by {METHOD_WORDS[settings.auc_interval]}, sensitivity and specificity at the cut-offs of Table 2 by "
        f"{METHOD_WORDS[settings.proportion_interval]}, calibration in the large (intercept at slope 1: above 0 the "
        "probabilities are too low) by Wald.",
        "Gap: the group minus all other patients, with intervals by DeLong (AUC), Newcombe (sensitivity, specificity) "
        "and Zou and Donner (calibration). A group with fewer than "
        f"{LEAST_OF_A_CLASS} patients of a class, or whose others have fewer, has words instead of numbers.",
        _outside_zero(shown, settings.confidence),
    ]
    if not len(shown):
        notes = ["No column divides the validation patients into two groups or more."]
    caption = "Extended table 15. Accuracy and calibration by group of patients"
    return PrintedTable(simulated_caption(caption, simulated), columns, blocks, notes)


def _printed_row(row: Mapping[str, object]) -> list[str]:
    reasons = dict(part.split(": ", 1) for part in str(row["reasons"]).split("; ") if ": " in part)
    cells = [str(row["group"]), f"{row['n_cases']}/{row['n']}"]
    for name in MEASURES:
        digits, scale = (1, 100) if name in ("sensitivity", "specificity") else (2, 1)
        for column, reason in ((name, name), (f"{name}_gap", f"{name}, gap")):
            found = estimate(row, column)
            why = reasons.get(reason, str(row["reasons"]) if column == "auc" and not reasons else UNDEFINED)
            cells.append(format_interval(found, digits, scale) if found.defined else _short(why, name))
    return cells


def _short(reason: str, name: str) -> str:
    """The AUC's cell says how many there are, the cells beside it only that they are too few."""
    if name == "auc" or "fewer than" not in reason:
        return reason
    return "others too few" if reason.startswith("the others") else "too few"


def _outside_zero(shown: pd.DataFrame, confidence: float) -> str:
    """How many gaps have an interval without 0, and how many would by chance."""
    known = outside = 0
    for name in MEASURES if len(shown) else ():
        low, high = shown[f"{name}_gap_low"], shown[f"{name}_gap_high"]
        known += int(low.notna().sum())
        outside += int(((low > 0) | (high < 0)).sum())
    chance = (1 - confidence) * known
    return (
        f"Intervals are not adjusted for their number: {outside} of {known} gaps with an interval exclude 0, and about "
        f"{round_half_up(chance, 1)} would where no group differs."
    )
