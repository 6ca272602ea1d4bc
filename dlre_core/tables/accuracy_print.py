"""Tables of accuracy as the paper prints them: columns, blocks, captions and footnotes."""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

import pandas as pd

from dlre_core.foundation.design import method_labels, question_labels, short_labels, study_questions
from dlre_core.foundation.study_terms import EXTERNAL
from dlre_core.statistics.estimates import LEAST_OF_A_CLASS, ONE_SIDED, Estimate
from dlre_core.tables.formatting import (
    COHORT_NAMES,
    arm_name,
    format_interval,
    images_name,
    in_words,
    methods_in_words,
    round_half_up,
)
from dlre_core.tables.table_2_accuracy import MEASURES
from dlre_core.tables.typeset import Block, PrintedTable, simulated_caption

COLUMNS = (
    "n (prevalence)",
    "AUC",
    "Sensitivity (%)",
    "Specificity (%)",
    "PPV (%)",
    "NPV (%)",
    "LR+",
    "LR−",
)
COHORT_LETTERS = "T, training cohort (apparent: the networks were fitted to these patients); V, validation cohort. "
EXTERNAL_LETTER = "validation cohort; E, external cohort, which neither trained nor validated."
FOOTNOTE = (
    "{level} confidence intervals: AUC by {auc}, shares by {share}, likelihood ratios by {ratio}; ≥ or ≤ stands before "
    "a one-sided exact bound. {covers}Cut-offs: {cutoff}{frozen}."
)
# By the project's own simulation, docs/measurements/statistics.md.
COVERS = (
    "DeLong's interval covers too little where the AUC is near 1: 86 % instead of 95 % at an AUC of 0.97 in 132 "
    "patients, a quarter of them cases; logit limits, which cover, are in the CSV. "
)
STARS_2 = (
    "In the validation cohort AUCs were compared with DLRE's by the paired DeLong test: * p<0.05, ** p<0.01, *** "
    "p<0.001, not adjusted; adjusted values are in the CSV."
)
STARS_3 = (
    "Paired DeLong tests in the validation cohort, not adjusted. Within a method, against {reference}: * p<0.05, "
    "** p<0.01, *** p<0.001. Between methods, in the rows of 2D-SWE, against DLRE with as many pictures: † p<0.05, "
    "†† p<0.01, ††† p<0.001. Adjusted values are in the CSV."
)
STARS_4 = (
    "In the validation cohorts combinations were compared with each other by DeLong's test for cohorts that overlap: "
    "* p<0.05, ** p<0.01, *** p<0.001 for the smallest p of a row, not adjusted; all pairs are in the CSV of "
    "comparisons."
)
FEW = (
    f"With fewer than {LEAST_OF_A_CLASS} cases or controls an AUC has no interval and no test: its variance is not to "
    "be believed."
)
METHOD_WORDS = {
    "delong": "DeLong",
    "logit": "DeLong on the logit scale",
    "exact_binomial_n": "Clopper-Pearson",
    "clopper-pearson": "Clopper-Pearson",
    "wilson": "Wilson",
    "jeffreys": "Jeffreys",
    "simel": "Simel's log method",
    "published": "the published (faulty) log method",
    "youden": "highest Youden index",
    "sensitivity_90": "sensitivity of 90 %",
    "specificity_90": "specificity of 90 %",
    "reoptimised": "chosen again in each cohort (optimistic)",
}


def accuracy_cells(row: Mapping[str, object]) -> list[str]:
    """The paper's eight columns of a row of Table 2, 3 or 4."""
    found = estimate(row, "auc")
    reason = str(row["notes"]).partition("AUC: ")[2].partition(";")[0]
    cells = [
        f"{row['n']} ({round_half_up(float(str(row['prevalence'])), 1, 100)} %)",
        format_interval(found) + (str(row["stars"]) if found.defined else f" ({reason})"),
    ]
    for name in MEASURES:
        ratio = name.endswith("ratio")
        cells.append(format_interval(estimate(row, name), digits=2 if ratio else 1, scale=1 if ratio else 100))
    return cells


def printed_table_2(
    table: pd.DataFrame, settings: Mapping[str, object], simulated: bool, recomputed: int = 0
) -> PrintedTable:
    """Table 2 for print; ``recomputed`` Q-Box values are named in a footnote."""
    names = [method_labels().get(name, name) for name in table["method"].unique()]
    caption = (
        f"Table 2. Diagnostic performance of {in_words(names)} for the "
        "assessment of liver fibrosis stages in training and validation cohorts"
    )
    stars = of_cohorts(STARS_2, table)
    notes = [*footnotes(table, settings), stars, *complete_cases_note(table), *q_box_note(recomputed)]
    notes += limited(table)
    return _by_method(table, caption, simulated, notes)


def printed_fusion(table: pd.DataFrame, settings: Mapping[str, object], simulated: bool) -> PrintedTable:
    """Table 2 with the fused score as the reference, for print."""
    notes = [
        *footnotes(table, settings),
        f"DLRE fusion: logistic regression on {methods_in_words()}, fitted on out-of-fold "
        "predictions of the training patients; DLRE in training rows is out of fold too.",
        of_cohorts(STARS_2.replace("DLRE", method_labels()["dlre_fusion"]), table),
        *complete_cases_note(table),
        *limited(table),
    ]
    caption = "DLRE, stiffness and blood in one score against each alone"
    return _by_method(table, caption, simulated, notes)


def printed_radiomics(table: pd.DataFrame, settings: Mapping[str, object], simulated: bool) -> PrintedTable:
    """Table 2 with the texture model, for print."""
    notes = [
        *footnotes(table, settings),
        "Radiomics: logistic regression on first-order and co-occurrence texture of the stiffness map, "
        "fitted on the training patients, so that their rows flatter it.",
        of_cohorts(STARS_2, table),
        *complete_cases_note(table),
        *limited(table),
    ]
    caption = "Engineered texture of the stiffness map beside DLRE, stiffness and blood"
    return _by_method(table, caption, simulated, notes)


def printed_external_table(
    table: pd.DataFrame, settings: Mapping[str, object], cohort: str, study: str, simulated: bool
) -> PrintedTable:
    """Table 2 of an external cohort, for print; ``study`` is the one that was frozen."""
    caption = (
        f"External validation, {cohort}: networks and cut-offs of “{study}”, frozen, in patients that it never saw"
    )
    notes = [*footnotes(table, settings, frozen_in=study), STARS_2, *complete_cases_note(table), *limited(table)]
    return _by_method(table, caption, simulated, notes)


def printed_table_3(
    table: pd.DataFrame,
    settings: Mapping[str, object],
    simulated: bool,
    reference: int,
    recomputed: int = 0,
) -> PrintedTable:
    """Table 3 for print."""
    caption = (
        "Table 3. DLRE and 2D-SWE against the number of pictures or measurements of each patient, in "
        "training and validation cohorts"
    )
    notes = [
        *footnotes(table, settings),
        of_cohorts(STARS_3.format(reference=images_name(reference)), table),
        *complete_cases_note(table, "between_"),
        *q_box_note(recomputed),
        *limited(table),
    ]
    return _printed(
        table,
        of_cohorts(caption, table),
        simulated,
        ("Method", "Pictures", "Cohort"),
        notes,
        lambda row: [method_labels()[str(row["method"])], images_name(int(str(row["images"])), str(row["method"]))],
    )


def printed_table_4(
    table: pd.DataFrame,
    settings: Mapping[str, object],
    simulated: bool,
    hospitals: Mapping[str, Sequence[str]],
) -> PrintedTable:
    """Table 4 for print; ``hospitals`` names the training hospitals of each arm."""
    caption = "Table 4. DLRE trained on different combinations of hospitals, in training and validation cohorts"
    trained = "; ".join(f"{arm_name(arm)}: {', '.join(codes)}" for arm, codes in hospitals.items())
    notes = [
        f"Training hospitals: {trained}.",
        *footnotes(table, settings),
        of_cohorts(STARS_4, table),
        *limited(table),
    ]
    return _printed(
        table,
        of_cohorts(caption, table),
        simulated,
        ("Trained on", "Cohort"),
        notes,
        lambda row: [arm_name(str(row["arm"]))],
    )


def of_cohorts(words: str, table: pd.DataFrame) -> str:
    """Words on the validation cohort, in which an external one stands beside it where the table has one.

    Examples
    --------
    >>> of_cohorts("In the validation cohort", pd.DataFrame({"cohort": ["validation", "external"]}))
    'In the validation and external cohorts'
    """
    if not (table["cohort"] == EXTERNAL).any():
        return words
    words = words.replace("training and validation cohorts", "training, validation and external cohorts")
    return re.sub("validation cohorts?", "validation and external cohorts", words)


def cohort_letters(table: pd.DataFrame) -> str:
    """What T, V and, where there is one, E stand for."""
    external = (table["cohort"] == EXTERNAL).any()
    return COHORT_LETTERS.replace("validation cohort.", EXTERNAL_LETTER) if external else COHORT_LETTERS


def short_cohort_letters(table: pd.DataFrame) -> str:
    """What T, V and, where there is one, E stand for, in a few words."""
    external = "; E, external cohort" if (table["cohort"] == EXTERNAL).any() else ""
    return f"T, training cohort (apparent); V, validation cohort{external}. "


def _by_method(table: pd.DataFrame, caption: str, simulated: bool, notes: Sequence[str]) -> PrintedTable:
    """Rows named by their method; by their cohort too where there are several."""
    heads = ("Method", "Cohort") if table["cohort"].nunique() > 1 else ("Method",)
    return _printed(
        table,
        of_cohorts(caption, table),
        simulated,
        heads,
        notes,
        lambda row: [method_labels().get(str(row["method"]), str(row["method"]))],
    )


def _printed(
    table: pd.DataFrame,
    caption: str,
    simulated: bool,
    heads: Sequence[str],
    notes: Sequence[str],
    name: Callable[[Mapping[str, object]], list[str]],
) -> PrintedTable:
    letters = 1 if "Cohort" in heads else 0
    blocks = [
        Block(
            question_labels()[stage],
            [
                [*name(row), *COHORT_NAMES[row["cohort"]][:letters], *accuracy_cells(row)]
                for row in table[table["stage"] == stage].to_dict("records")
            ],
        )
        for stage in study_questions()
    ]
    return PrintedTable(simulated_caption(caption, simulated), (*heads, *COLUMNS), blocks, notes, len(heads))


def footnotes(table: pd.DataFrame, settings: Mapping[str, object], frozen_in: str = "") -> list[str]:
    """How intervals and cut-offs were made, from the settings that made them.

    Parameters
    ----------
    table : DataFrame
        Table 2, 3 or 4, for how DLRE's cut-offs were chosen.
    settings : mapping
        Of `dlre_core.tables.table_2_accuracy.AccuracySettings`.
    frozen_in : str
        Title of the study that an external cohort's cut-offs come from; empty for a study's own table.
    """
    again = settings["cutoff"] == "reoptimised"
    if frozen_in:
        frozen = f", chosen in the training cohort of “{frozen_in}” and frozen"
    else:
        frozen = "" if again else f", chosen in the training cohort{_predictions(table)} and frozen"
    words = FOOTNOTE.format(
        level=f"{100 * float(str(settings['confidence'])):g} %",
        auc=METHOD_WORDS[str(settings["auc_interval"])],
        share=METHOD_WORDS[str(settings["proportion_interval"])],
        ratio=METHOD_WORDS[str(settings["likelihood_ratio_interval"])],
        covers=COVERS if settings["auc_interval"] == "delong" else "",
        cutoff=METHOD_WORDS[str(settings["cutoff"])],
        frozen=frozen,
    )
    few = table["notes"].astype(str).str.contains("fewer than").any()
    return [words if frozen_in else cohort_letters(table) + words, *([FEW] if few else [])]


def _predictions(table: pd.DataFrame) -> str:
    """On which predictions the cut-offs of fitted methods were chosen."""
    fitted = table[table["cutoff_predictions"].isin(("apparent", "out of fold"))]
    kinds = set(fitted["cutoff_predictions"])
    if kinds == {"out of fold"}:
        return " (DLRE's on predictions of networks that were not fitted to the patient: out of fold)"
    if kinds == {"apparent"}:
        return " (DLRE's on apparent predictions, so that they lie too near its training patients)"
    if not kinds:
        return ""
    names = dict.fromkeys(
        _row_name(row) for row in fitted[fitted["cutoff_predictions"] == "out of fold"].to_dict("records")
    )
    return f" (out of fold: {', '.join(names)}; the other rows of DLRE on apparent predictions)"


def _row_name(row: Mapping[str, object]) -> str:
    """What tells a table's row from the others of its stage question and cohort."""
    method = str(row["method"])
    if "images" in row:
        return f"{method_labels().get(method, method)} with {images_name(int(float(str(row['images']))), method)}"
    if "arm" in row:
        return arm_name(str(row["arm"]))
    return method_labels().get(method, method)


def complete_cases_note(table: pd.DataFrame, prefix: str = "") -> list[str]:
    """On how many patients comparisons rest, where some lack one of the scores."""
    compared = table[(table["cohort"] != "training") & (table[f"{prefix}n_compared"] > 0)]
    patients = compared["n"] + compared["n_missing"]
    fewer = compared[compared[f"{prefix}n_compared"] < patients]
    if not len(fewer):
        return []
    several = compared["cohort"].nunique() > 1
    parts = dict.fromkeys(
        f"{_row_name(row)}{_letter(row, several)} {row[f'{prefix}n_compared']} of {row['n'] + row['n_missing']}"
        for row in fewer.to_dict("records")
    )
    return [f"Comparisons are on complete cases, the patients with both scores: {'; '.join(parts)}."]


def limited(table: pd.DataFrame, name: Callable[[Mapping[str, object]], str] | None = None) -> list[str]:
    """One footnote for all cells that are undefined or limited, each with its rows, or none.

    Parameters
    ----------
    table : DataFrame
        With stage and notes; the cohort is named where there are several.
    name : callable, optional
        How a row is called after its question; by its method, arm and images where it is not given.
    """
    rows: dict[str, list[str]] = {}
    several = "cohort" in table and table["cohort"].nunique() > 1
    for row in table.to_dict("records"):
        cohort = _letter(row, several)
        for note in str(row["notes"]).split("; "):
            if note and note != "nan":
                called = (name or _row_name)(row)
                rows.setdefault(note, []).append(f"{short_labels()[row['stage']]} {called}{cohort}")
    parts = [f"{note} ({', '.join(dict.fromkeys(names))})" for note, names in rows.items()]
    return [f"Undefined or limited: {'; '.join(parts)}."] if parts else []


def _letter(row: Mapping[str, object], several: bool) -> str:
    """The cohort of a row, where a table has several."""
    return f" {COHORT_NAMES[str(row['cohort'])][0]}" if several else ""


def undefined(notes: Iterable[object]) -> list[str]:
    """One footnote for all cells that are undefined or limited, or none."""
    unique = sorted({note for joined in notes for note in str(joined).split("; ") if note and note != "nan"})
    return [f"Undefined or limited: {'; '.join(unique)}."] if unique else []


def q_box_note(recomputed: int) -> list[str]:
    """A footnote where stiffness was not given and the map's own was used."""
    if not recomputed:
        return []
    return [
        f"The stiffness of {recomputed} pictures was not given in measurements.csv and was computed "
        "from the colours inside the Q-Box."
    ]


def recomputed_q_boxes(acquisitions: pd.DataFrame, scores: pd.DataFrame) -> int:
    """Pictures of scored patients whose stiffness was computed from the map, since none was given.

    Parameters
    ----------
    acquisitions : DataFrame
        ``results/store/acquisitions.csv``: patient and q_box_source.
    scores : DataFrame
        ``results/scores/{arm}.csv``.
    """
    used = acquisitions[acquisitions["patient"].isin(scores["patient"])]
    return int((used["q_box_source"] == "recomputed").sum())


def printed_auc(row: Mapping[str, object], name: str = "auc") -> str:
    """An AUC with its limits; of 0 and 1, which have no variance, the limit is a one-sided bound."""
    found = estimate(row, name)
    return format_interval(replace(found, method=ONE_SIDED if found.value in (0.0, 1.0) else found.method))


def estimate(row: Mapping[str, object], name: str) -> Estimate:
    """A value and its limits from a table's row; without a variance they are one-sided bounds."""
    value, low, high = (float(str(row[f"{name}{end}"])) for end in ("", "_low", "_high"))
    extreme = {
        "auc": (0.0, 1.0),
        "kappa_linear": (1.0,),
        "kappa_quadratic": (1.0,),
        "positive_likelihood_ratio": (0.0, math.inf),
    }
    extreme["negative_likelihood_ratio"] = extreme["positive_likelihood_ratio"]
    return Estimate(value, low, high, ONE_SIDED if value in extreme.get(name, ()) else "")
