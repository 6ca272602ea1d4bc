"""Extended table 20: AUCs of models fitted to the training patients, corrected for optimism by the .632+ bootstrap."""

import pandas as pd

from dlre_core.bias.optimism import bootstrap_632_plus
from dlre_core.comparators.fusion import fusion_features
from dlre_core.foundation.design import method_labels, question_labels, stage_labels, study_methods, study_questions
from dlre_core.tables.accuracy_print import estimate, undefined
from dlre_core.tables.formatting import format_interval, round_half_up
from dlre_core.tables.table_2_accuracy import spread
from dlre_core.tables.typeset import Block, PrintedTable, simulated_caption

# Models of several features.
BIOMARKERS, FUSION = "biomarkers", "dlre_fusion"


def optimism_table(
    scores: pd.DataFrame, out_of_fold: pd.DataFrame | None, *, replicates: int, seed: int, confidence: float
) -> pd.DataFrame:
    """Apparent, out-of-bag and .632+ AUC of logistic regressions in the training patients.

    Parameters
    ----------
    scores : DataFrame
        ``results/scores/{arm}.csv``.
    out_of_fold : DataFrame or None
        Its training rows with DLRE out of fold (`dlre_core.comparators.out_of_fold.read_out_of_fold`), which the fusion
        needs; without them there is no row of it.
    replicates, seed : int
        Every model of a question is fitted to the same samples, as far as its patients are the same.
    confidence : float

    Returns
    -------
    DataFrame
        question, model (a comparator, ``biomarkers``: those but stiffness together, ``dlre_fusion``), n, apparent,
        out_of_bag, corrected with _low and _high, notes.
    """
    training = scores[scores["cohort"] == "training"] if out_of_fold is None else out_of_fold
    comparators = study_methods()[1:]
    models = {name: [place] for place, name in enumerate(comparators, start=1)}
    biomarkers = [place for name, (place,) in models.items() if name != "lsm"]
    if len(biomarkers) > 1:
        models[BIOMARKERS] = biomarkers
    if out_of_fold is not None:
        models[FUSION] = list(range(len(comparators) + 1))
    rows = []
    for question in study_questions():
        features, labels = fusion_features(training, question), stage_labels(training["fibrosis_stage"], question)
        for model, columns in models.items():
            part = features[:, columns]
            found = bootstrap_632_plus(labels, part, replicates=replicates, seed=seed, confidence=confidence)
            known = int(pd.DataFrame(part).notna().all(axis=1).sum())
            row = {"question": question, "model": model, "n": known, "apparent": found.apparent}
            row |= {"out_of_bag": found.out_of_bag} | spread("corrected", found.corrected)
            reason = found.corrected.reason
            place = f"{question_labels()[question]}, {_label(model)}: {reason}"
            rows.append(row | {"notes": place if reason else ""})
    return pd.DataFrame(rows)


def printed_optimism(table: pd.DataFrame, replicates: int, confidence: float, simulated: bool) -> PrintedTable:
    """The table for print: a block per question."""
    blocks = [
        Block(
            question_labels()[str(question)],
            [
                [
                    _label(row["model"]),
                    str(row["n"]),
                    round_half_up(row["apparent"], 3),
                    round_half_up(row["out_of_bag"], 3),
                    format_interval(estimate(row, "corrected"), 3),
                ]
                for row in part.to_dict("records")
            ],
        )
        for question, part in table.groupby("question", sort=False)
    ]
    notes = [
        "Training cohort, patients with all values of a model; each is a logistic regression of logarithms, with a "
        "ridge penalty. Apparent: in the patients that it was fitted to. Others: mean over bootstrap samples, in "
        "patients who were not drawn. .632+: Efron and Tibshirani's weighted mean of both; "
        f"{replicates} samples within cases and controls, {100 * confidence:g} % interval by Noma's shifted "
        "percentiles. A single value keeps its order however it is fitted, so that its AUC owes next to nothing to "
        "the fit.",
        "DLRE fusion: DLRE (out of fold), stiffness and biomarkers together; the networks themselves are not fitted "
        "again, of which repeated splits and cross-validation tell (optional analyses).",
        *undefined(table["notes"]),
    ]
    columns = ["Model", "n", "Apparent", "Others", ".632+"]
    caption = "Extended table 20. AUC of fitted models, corrected for optimism"
    return PrintedTable(simulated_caption(caption, simulated), columns, blocks, notes)


def _label(model: str) -> str:
    return "Biomarkers together" if model == BIOMARKERS else method_labels()[model]
