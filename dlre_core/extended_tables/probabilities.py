"""Extended tables on probabilities: calibration, decision curves, values at other prevalences."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlre_core.foundation.design import method_labels, question_labels, stage_labels, study_methods, study_questions
from dlre_core.foundation.study_terms import cohorts_of
from dlre_core.statistics.calibration import EDGE, calibration, logistic_probabilities
from dlre_core.statistics.decision import net_benefit, net_benefit_band
from dlre_core.statistics.estimates import LEAST_OF_A_CLASS, Estimate, too_few
from dlre_core.statistics.proportions import logit_predictive_value
from dlre_core.tables.accuracy_print import estimate, limited, short_cohort_letters
from dlre_core.tables.formatting import COHORT_NAMES, comparators_in_words, format_interval, round_half_up
from dlre_core.tables.table_2_accuracy import method_scores, spread
from dlre_core.tables.typeset import Block, PrintedTable, simulated_caption

# Text in the table of decision curves.
DECISION_TEXT = ("strategy",)
# Their limits rest on normal errors or a likelihood of many patients; observed/expected has exact ones.
FITTED_MEASURES = ("slope", "intercept", "in_the_large", "brier")
THRESHOLDS = np.round(np.arange(0.01, 1.0, 0.01), 2)


def method_probabilities(scores: pd.DataFrame, method: str, stage: str) -> tuple[NDArray[np.float64], str]:
    """A method's probability of a stage question for every patient, and what is to be said about it.

    DLRE's are its own. Those of other methods come from a logistic regression on the
    score's logarithm, fitted to the training cohort.
    """
    values = method_scores(scores, method, stage)
    if method == "dlre":
        return values, ""
    training = (scores["cohort"] == "training").to_numpy()
    labels = stage_labels(scores["fibrosis_stage"], stage)
    return logistic_probabilities(labels[training], values[training], values)


def calibration_table(
    scores: pd.DataFrame,
    confidence: float = 0.95,
    methods: Sequence[str] = (),
    cohorts: Sequence[str] = (),
) -> pd.DataFrame:
    """Calibration of every method by stage question and cohort.

    Parameters
    ----------
    scores : DataFrame
        ``results/scores/{arm}.csv``.
    confidence : float
    methods, cohorts : sequence of str
        All where none are named. Of methods other than DLRE the probabilities are fitted to the training cohort.

    Returns
    -------
    DataFrame
        slope, intercept, intercept at slope 1, observed/expected and Brier score with _low and _high (NaN with fewer
        than five cases or controls, but for observed/expected), the scaled Brier score; notes.
    """
    rows = []
    for stage in study_questions():
        for method in methods or study_methods():
            p, note = method_probabilities(scores, method, stage)
            for cohort in cohorts or cohorts_of(scores):
                here = (scores["cohort"] == cohort).to_numpy()
                labels = stage_labels(scores["fibrosis_stage"], stage)
                found = calibration(labels[here], p[here], confidence=confidence)
                known = ~np.isnan(p[here])
                cases = int(labels[here][known].sum())
                few = too_few(cases, int(known.sum()) - cases)
                fitted = {name: _limited(getattr(found, name), few) for name in FITTED_MEASURES}
                estimates = (fitted["slope"], fitted["in_the_large"], found.observed_expected)
                # Without any probability the reason is the fit's, and not what follows from having none.
                reasons = [note] if note and not found.n else [note, *(e.reason for e in estimates)]
                if found.n_clipped:
                    reasons.append(f"{found.n_clipped} of {found.n} probabilities next to 0 or 1")
                rows.append(
                    {
                        "stage": stage,
                        "method": method,
                        "cohort": cohort,
                        "n": found.n,
                        "n_missing": found.n_missing,
                        **spread("slope", fitted["slope"]),
                        **spread("intercept", fitted["intercept"]),
                        **spread("in_the_large", fitted["in_the_large"]),
                        **spread("observed_expected", found.observed_expected),
                        **spread("brier", fitted["brier"]),
                        "scaled_brier": found.scaled_brier,
                        "notes": "; ".join(sorted(set(filter(None, reasons)))),
                    }
                )
    return pd.DataFrame(rows)


def _limited(found: Estimate, few: str) -> Estimate:
    """The estimate without its interval where a class is too small for one, and the reason."""
    if not few or not found.defined:
        return found
    reason = "; ".join(filter(None, (found.reason, f"no interval: {few}")))
    return Estimate(found.value, np.nan, np.nan, found.method, reason)


def printed_calibration(
    table: pd.DataFrame,
    confidence: float,
    simulated: bool,
    caption: str = "Extended table 2. Calibration of probabilities",
) -> PrintedTable:
    """The calibration table for print."""
    letters = min(table["cohort"].nunique() - 1, 1)
    heads = ("Method", "Cohort")[: 1 + letters]
    names = (
        *heads,
        "n",
        "Slope",
        "Intercept",
        "Intercept at slope 1",
        "Observed/expected",
        "Brier score",
        "Scaled Brier",
    )
    blocks = [
        Block(
            question_labels()[stage],
            [
                [
                    method_labels()[row["method"]],
                    *COHORT_NAMES[row["cohort"]][:letters],
                    str(row["n"]),
                    *(format_interval(estimate(row, name)) for name in ("slope", "intercept", "in_the_large")),
                    format_interval(estimate(row, "observed_expected")),
                    format_interval(estimate(row, "brier"), 3),
                    round_half_up(row["scaled_brier"], 2),
                ]
                for row in table[table["stage"] == stage].to_dict("records")
            ],
        )
        for stage in study_questions()
    ]
    notes = [
        f"{short_cohort_letters(table) if letters else ''}"
        f"{100 * confidence:g} % intervals: Wald; observed/expected by Clopper and Pearson. Where cases and controls "
        "separate, slope and intercept are Firth's penalised estimates with limits of the profile likelihood. "
        f"Probabilities below {EDGE:g} or above {1 - EDGE:g} count as these in slopes and intercepts. "
        "Perfect: slope 1, intercepts 0, observed/expected 1, Brier score 0, scaled Brier 1. "
        f"With fewer than {LEAST_OF_A_CLASS} cases or controls only observed/expected has an interval. "
        f"{_fitted() if len(table['method'].unique()) > 1 else ''}Where training balances the classes, DLRE's "
        "probabilities are those of an even prevalence, and its intercepts show it.",
        *limited(table),
    ]
    return PrintedTable(simulated_caption(caption, simulated), names, blocks, notes, len(heads))


def decision_table(
    scores: pd.DataFrame, *, replicates: int = 0, seed: int = 0, confidence: float = 0.95
) -> pd.DataFrame:
    """Net benefit by stage question, cohort, strategy and threshold probability, in the same patients.

    Parameters
    ----------
    scores : DataFrame
        ``results/scores/{arm}.csv``.
    replicates, seed : int
        Of the bootstrap that draws patients within cases and controls; 0 gives no limits.
    confidence : float

    Returns
    -------
    DataFrame
        stage, cohort, strategy (a method, ``all`` or ``none``), n (patients with a probability by every method
        that has any), n_cases, n_missing, threshold, net_benefit (per patient) with _low and _high (NaN with fewer than
        five cases or controls).
    """
    rows = []
    for stage in study_questions():
        labels = stage_labels(scores["fibrosis_stage"], stage)
        probabilities = {m: method_probabilities(scores, m, stage)[0] for m in study_methods()}
        for cohort in cohorts_of(scores):
            here = (scores["cohort"] == cohort).to_numpy()
            columns = {m: p[here] for m, p in probabilities.items()}
            known = np.ones(int(here.sum()), dtype=bool)
            for p in columns.values():
                # A method without any probability has no curve, and takes nobody from the others.
                known &= ~np.isnan(p) | np.isnan(p).all()
            truth = labels[here][known]
            strategies = {m: p[known] for m, p in columns.items()}
            strategies |= {"all": np.ones(len(truth)), "none": np.zeros(len(truth))}
            for strategy, p in strategies.items():
                low, high = net_benefit_band(
                    truth, p, THRESHOLDS, replicates=replicates, seed=seed, confidence=confidence
                )
                rows.append(
                    pd.DataFrame(
                        {
                            "stage": stage,
                            "cohort": cohort,
                            "strategy": strategy,
                            "n": len(truth),
                            "n_cases": int(truth.sum()),
                            "n_missing": int((~known).sum()),
                            "threshold": THRESHOLDS,
                            "net_benefit": net_benefit(truth, p, THRESHOLDS),
                            "net_benefit_low": low,
                            "net_benefit_high": high,
                        }
                    )
                )
    return pd.concat(rows, ignore_index=True)


def predictive_value_table(
    table_2: pd.DataFrame, prevalences: Sequence[float], confidence: float = 0.95
) -> pd.DataFrame:
    """PPV and NPV of the validation cohort's sensitivity and specificity at other prevalences.

    Parameters
    ----------
    table_2 : DataFrame
        ``results/tables/table_2.csv``.
    prevalences : sequence of float
    confidence : float

    Returns
    -------
    DataFrame
        One row a stage, method and prevalence, with Mercaldo's logit intervals.
    """
    rows = []
    for row in table_2[table_2["cohort"] == "validation"].to_dict("records"):
        for prevalence in prevalences:
            cells: dict[str, object] = {
                "stage": row["stage"],
                "method": row["method"],
                "cohort": "validation",
                "prevalence": prevalence,
            }
            notes = []
            for name, negative in (("positive_predictive_value", False), ("negative_predictive_value", True)):
                found = _predictive_value(row, prevalence, negative, confidence)
                cells |= spread(name, found)
                if found.reason:
                    notes.append(f"{name.replace('_', ' ')}: {found.reason}")
            rows.append(cells | {"notes": "; ".join(notes)})
    return pd.DataFrame(rows)


def _predictive_value(row: dict[str, float], prevalence: float, negative: bool, confidence: float) -> Estimate:
    counts = [row[name] for name in ("true_positives", "false_negatives", "true_negatives", "false_positives")]
    if pd.isna(counts).any():
        return Estimate(np.nan, np.nan, np.nan, "", "no cut-off")
    tp, fn, tn, fp = (int(count) for count in counts)
    return logit_predictive_value((tp, tp + fn), (tn, tn + fp), prevalence, negative=negative, confidence=confidence)


def printed_predictive_values(table: pd.DataFrame, confidence: float, simulated: bool) -> PrintedTable:
    """The table of predictive values for print: a column a prevalence and sign."""
    prevalences = sorted(table["prevalence"].unique())
    columns = ["Method"]
    for sign in ("PPV", "NPV"):
        columns += [f"{sign} (%) at {100 * p:g} %" for p in prevalences]
    blocks = []
    for stage in study_questions():
        rows = []
        for method, part in table[table["stage"] == stage].groupby("method", sort=False):
            by = {row["prevalence"]: row for row in part.to_dict("records")}
            cells = [method_labels().get(str(method), str(method))]
            for name in ("positive_predictive_value", "negative_predictive_value"):
                cells += [format_interval(estimate(by[p], name), 1, 100) for p in prevalences]
            rows.append(cells)
        blocks.append(Block(question_labels()[stage], rows))
    notes = [
        "Sensitivity and specificity of the validation cohort at the cut-offs of Table 2, carried to "
        f"other prevalences by Bayes' rule; {100 * confidence:g} % logit intervals (Mercaldo, 2007).",
        *limited(table),
    ]
    caption = "Extended table 3. Predictive values at other prevalences, validation cohort"
    return PrintedTable(simulated_caption(caption, simulated), columns, blocks, notes)


def _fitted() -> str:
    """Where the probabilities of methods without any come from."""
    always = {"lsm", "apri", "fib4"} >= set(study_methods()[1:])
    itself = "" if always else " (the score itself where it is not always positive)"
    return (
        f"Probabilities of {comparators_in_words()} come from a logistic regression on the score's logarithm{itself} "
        "in the training cohort. "
    )
