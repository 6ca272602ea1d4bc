"""Extended table 11: what ruling out and ruling in would spare the validation patients, and what it would miss."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from dlre_core.clinical_decisions.dual_cutoffs import (
    DualCutoffs,
    Target,
    dual_cutoff_intervals,
    dual_cutoffs,
    stepwise_zones,
    zones,
)
from dlre_core.clinical_decisions.outcomes import strategy_outcomes
from dlre_core.foundation.design import (
    NETWORK,
    method_labels,
    question_labels,
    stage_labels,
    study_methods,
    study_questions,
)
from dlre_core.foundation.study_terms import cohorts_of
from dlre_core.statistics.estimates import LEAST_OF_A_CLASS, too_few
from dlre_core.tables.accuracy_print import METHOD_WORDS, estimate, limited
from dlre_core.tables.formatting import format_cutoff, format_interval
from dlre_core.tables.table_2_accuracy import OF_EACH_STAGE, method_scores, spread
from dlre_core.tables.typeset import Block, PrintedTable, simulated_caption

# Columns of text besides those of every table.
DECISION_TEXT = ("strategy", "predictions")
THEN = "+"
MEASURE_WORDS = {"sensitivity": "sensitivity", "specificity": "specificity", "npv": "NPV", "ppv": "PPV"}
ENDS = ("rule_out", "rule_in")


@dataclass(frozen=True)
class DecisionSettings:
    """How cut-offs are chosen and outcomes counted; see config.yaml, section decisions."""

    rule_out: Target
    rule_in: Target
    steps: tuple[str, ...]
    confidence: float = 0.95
    interval: str = "clopper-pearson"
    replicates: int = 2000
    seed: int = 0


def decision_settings(decisions: Mapping[str, object], **statistics: object) -> DecisionSettings:
    """Settings from the section ``decisions`` of the configuration and the fields that it does not have."""
    rule_out, rule_in = (Target(**decisions[end]) for end in ENDS)
    return DecisionSettings(rule_out, rule_in, tuple(decisions["steps"]), **statistics)


def strategies(steps: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Every method alone, then the steps that the study has one after another: the first two, and so on."""
    steps = tuple(step for step in steps if step in study_methods())
    return [(method,) for method in study_methods()] + [steps[:length] for length in range(2, len(steps) + 1)]


def decision_table(
    scores: pd.DataFrame, settings: DecisionSettings, out_of_fold: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Dual cut-offs chosen in the training patients, and their outcomes in every cohort.

    Parameters
    ----------
    scores : DataFrame
        ``results/scores/{arm}.csv``.
    settings : DecisionSettings
    out_of_fold : DataFrame, optional
        Scores of the training patients by networks that were not fitted to them, which stand in for their own.

    Returns
    -------
    DataFrame
        One row per stage, strategy (methods joined by +) and cohort: n, cases; of a single method rule_out and rule_in
        in its unit, each with bootstrap limits; cases and controls of every zone; the estimates of `strategy_outcomes`,
        each with _low and _high; predictions (out of fold or apparent) of fitted methods, and notes.
    """
    training = scores[scores["cohort"] == "training"] if out_of_fold is None else out_of_fold
    parts = {name: training if name == "training" else scores[scores["cohort"] == name] for name in cohorts_of(scores)}
    rows = []
    for stage in study_questions():
        chosen = {method: _chosen(training, method, stage, settings) for method in study_methods()}
        for strategy in strategies(settings.steps):
            first = chosen[strategy[0]]
            alone = _cutoff_cells(training, (strategy[0], stage), first, settings) if len(strategy) == 1 else {}
            fitted = set(strategy) & set(OF_EACH_STAGE)
            predictions = ("apparent" if out_of_fold is None else "out of fold") if fitted else ""
            for cohort, part in parts.items():
                labels = stage_labels(part["fibrosis_stage"], stage)
                steps = [zones(method_scores(part, method, stage), chosen[method]) for method in strategy]
                found = strategy_outcomes(
                    labels, stepwise_zones(steps), confidence=settings.confidence, interval=settings.interval
                )
                cases = int(labels.sum())
                of_cutoffs = first.reason if alone else ""
                reasons = (of_cutoffs and f"cut-offs: {of_cutoffs}", too_few(cases, found.n - cases))
                row = {
                    "stage": stage,
                    "strategy": THEN.join(strategy),
                    "cohort": cohort,
                    "n": found.n,
                    "n_cases": cases,
                }
                row |= {"predictions": predictions} | _limits(alone) | found.counts
                for name, value in found.estimates.items():
                    row |= spread(name, value)
                rows.append(row | {"notes": "; ".join(dict.fromkeys(filter(None, reasons)))})
    return pd.DataFrame(rows)


def _chosen(training: pd.DataFrame, method: str, stage: str, settings: DecisionSettings) -> DualCutoffs:
    labels = stage_labels(training["fibrosis_stage"], stage)
    return dual_cutoffs(labels, method_scores(training, method, stage), settings.rule_out, settings.rule_in)


def _cutoff_cells(
    training: pd.DataFrame, score: tuple[str, str], cutoffs: DualCutoffs, settings: DecisionSettings
) -> dict[str, tuple[float, float, float]]:
    """Each cut-off of a score, its method and question, with its bootstrap limits."""
    method, stage = score
    limits = dual_cutoff_intervals(
        stage_labels(training["fibrosis_stage"], stage),
        method_scores(training, method, stage),
        (settings.rule_out, settings.rule_in),
        replicates=settings.replicates,
        seed=settings.seed,
        confidence=settings.confidence,
    )
    return {end: (getattr(cutoffs, end), *pair) for end, pair in zip(ENDS, limits, strict=True)}


def _limits(cells: Mapping[str, tuple[float, float, float]]) -> dict[str, float]:
    """Columns of both cut-offs; NaN for a strategy of several."""
    nothing = (math.nan, math.nan, math.nan)
    return {
        end + suffix: value
        for end in ENDS
        for suffix, value in zip(("", "_low", "_high"), cells.get(end, nothing), strict=True)
    }


def network_cutoffs(table: pd.DataFrame) -> dict[str, tuple[float, float]]:
    """The network's cut-offs of every stage question, rule-out and rule-in, NaN where there is none.

    Parameters
    ----------
    table : DataFrame
        From `decision_table`.
    """
    alone = table[(table["strategy"] == NETWORK.name) & (table["cohort"] == "training")]
    return {str(row.stage): (float(row.rule_out), float(row.rule_in)) for row in alone.itertuples()}


def printed_decisions(table: pd.DataFrame, settings: DecisionSettings, simulated: bool) -> PrintedTable:
    """The validation cohort for print: a block a stage question, a row a strategy."""
    columns = (
        "Strategy",
        "Rule out below",
        "Rule in from",
        "Ruled out",
        "NPV (%)",
        "Ruled in",
        "PPV (%)",
        "Unclassified (%)",
        "Biopsies avoided per 1,000",
        "Stages missed per 1,000",
        "Stages overcalled per 1,000",
    )
    validation = table[table["cohort"] == "validation"]
    blocks = []
    for stage in study_questions():
        part = validation[validation["stage"] == stage].to_dict("records")
        heading = f"{question_labels()[stage]}: {part[0]['n_cases']} of {part[0]['n']} patients"
        blocks.append(Block(heading, [_cells(row) for row in part]))
    rule_out, rule_in = (
        f"{MEASURE_WORDS[target.measure]} of at least {100 * target.at_least:g} %"
        for target in (settings.rule_out, settings.rule_in)
    )
    notes = [
        "Validation cohort. A patient is ruled out below the first cut-off and ruled in at the second or above. "
        "Between them lies the grey zone; who is there, or has no score, is unclassified and goes to biopsy. Of "
        "several tests the next is done only where those before leave a patient unclassified. Avoided: patients ruled "
        "out or in; missed: with the stage, but ruled out; overcalled: without it, but ruled in; each per 1,000 "
        "patients of this cohort's prevalence.",
        f"Cut-offs were chosen in the training cohort{_on(set(table['predictions']))}, for a {rule_out} (rule out) and "
        f"a {rule_in} (rule in), and frozen; NPV and PPV here say whether they hold. The CSV has the training "
        "cohort, the sensitivity and specificity of each cut-off, and bootstrap limits of the cut-offs. "
        f"{100 * settings.confidence:g} % intervals: {METHOD_WORDS[settings.interval]}, with the cut-offs as given. "
        f"With fewer than {LEAST_OF_A_CLASS} cases or controls nothing is estimated (too few).",
        *limited(validation, lambda row: _strategy_name(str(row["strategy"]))),
    ]
    caption = "Extended table 11. Two cut-offs: stages ruled out and in, biopsies avoided and stages missed"
    return PrintedTable(simulated_caption(caption, simulated), columns, blocks, notes)


def _on(predictions: set[str]) -> str:
    if "out of fold" in predictions:
        return " (DLRE's on predictions of networks that were not fitted to the patient: out of fold)"
    return " (DLRE's on apparent predictions, so that they lie too near its training patients)"


def _strategy_name(strategy: str) -> str:
    return ", then ".join(method_labels()[method] for method in strategy.split(THEN))


def _cells(row: Mapping[str, object]) -> list[str]:
    few = too_few(int(str(row["n_cases"])), int(str(row["n"])) - int(str(row["n_cases"])))
    alone = THEN not in str(row["strategy"])
    cutoffs = [_cutoff(row, end) if alone else "as above" for end in ENDS]

    def cell(name: str, digits: int, scale: int = 1) -> str:
        found = estimate(row, name)
        return format_interval(found, digits, scale) if found.defined else ("too few" if few else "nobody")

    numbers = [str(row[f"{zone}_cases"] + row[f"{zone}_controls"]) for zone in ("ruled_out", "ruled_in")]
    return [
        _strategy_name(str(row["strategy"])),
        *cutoffs,
        numbers[0],
        cell("npv", 1, 100),
        numbers[1],
        cell("ppv", 1, 100),
        cell("unclassified", 1, 100),
        *(cell(name, 0) for name in ("avoided", "missed", "overcalled")),
    ]


def _cutoff(row: Mapping[str, object], end: str) -> str:
    value = float(str(row[end]))
    return "none" if math.isnan(value) else format_cutoff(value, str(row["strategy"]))
