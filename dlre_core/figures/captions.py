"""Captions of figures, from the configuration and the data."""

from collections import Counter
from collections.abc import Mapping, Sequence
from string import ascii_uppercase
from typing import Any

import pandas as pd

from dlre_core.foundation.design import lowest_stages, short_labels
from dlre_core.foundation.study_terms import (
    EXTERNAL,
    INPUT_WORDS,
    METAVIR_STAGES,
    PAPERS_NETWORK,
    SQUARE_SIDE,
    STIFFNESS_NETWORK,
    cohorts_of,
)
from dlre_core.statistics.estimates import LEAST_OF_A_CLASS
from dlre_core.tables.accuracy_print import METHOD_WORDS
from dlre_core.tables.formatting import (
    arm_name,
    comparators_in_words,
    images_name,
    in_words,
    methods_in_words,
    round_half_up,
)
from dlre_core.tables.supplement_subgroups import Subgrouping

# Threshold probabilities at which a decision on treatment or biopsy is open.
CLINICAL_RANGE = (0.1, 0.5)


def _questions(rows: int = 2) -> str:
    """What every column of panels asks, such as (A, D) F0-F3 versus F4."""
    names = short_labels()
    parts = []
    for column, (name, lowest) in enumerate(lowest_stages().items()):
        letters = ascii_uppercase[column : rows * len(names) : len(names)]
        sides = [" versus ".join((_stages(0, lowest - 1), _stages(lowest, METAVIR_STAGES[-1])))]
        sides += [f"({names[name]})"] * (names[name] != _stages(lowest, METAVIR_STAGES[-1]))
        parts.append(f"({', '.join(letters)}) {' '.join(sides)}")
    return ", ".join(parts)


def _stages(first: int, last: int) -> str:
    return f"F{first}" if first == last else f"F{first}-F{last}"


def _panels(row: int) -> str:
    """Letters of a row of panels, such as A-C."""
    first, last = (ascii_uppercase[place] for place in (row * _columns(), (row + 1) * _columns() - 1))
    return first if first == last else f"{first}-{last}"


def _columns() -> int:
    return len(lowest_stages())


def _counts(scores: pd.DataFrame) -> str:
    n = scores["cohort"].value_counts()
    return in_words(
        [f"{name} cohort ({_panels(row)}, n={n.get(name, 0)})" for row, name in enumerate(cohorts_of(scores))]
    )


def _cutoffs(settings: Mapping[str, object]) -> str:
    where = "" if settings["cutoff"] == "reoptimised" else ", chosen in the training cohort"
    return (
        f"Markers show the cut-offs ({METHOD_WORDS[str(settings['cutoff'])]}{where}); they are open where the score's "
        "AUC in the training cohort is 0.5 or less, so that its cut-off means nothing."
    )


def _end(simulated: bool) -> str:
    return " Simulated data." if simulated else ""


def figure_1_caption(
    case: pd.Series, read_kpa: float | None, simulated: bool, network: str = PAPERS_NETWORK, seen: str = "square"
) -> str:
    """One picture from the screen to the network.

    ``case`` as `figures.case.choose_case` gives it; ``read_kpa`` is the mean that was read from the
    picture's Q-Box, None where no circle was found, NaN where it holds too little signal; ``network`` and ``seen``,
    one of `INPUTS`, are the main arm's.
    """
    mean = "No Q-Box circle was found."
    if read_kpa is not None:
        mean = f"Mean in the Q-Box (circle): {round_half_up(read_kpa, 1)} kPa read from the picture"
        if case["q_box_source"] == "given":
            mean += f", {round_half_up(case['q_box_mean_kpa'], 1)} kPa by the hospital's table"
        mean += "."
    shown = (
        "What the network sees" if seen == "square" else f"The square, of which the network sees {INPUT_WORDS[seen]}"
    )
    joined = " Liver stiffness joins the last layer but one (not drawn)." if network == STIFFNESS_NETWORK else ""
    cut = "cut out as it is" if case["scale"] == 1 else f"resampled from {case['size']} pixels"
    return (
        "Figure 1. From the screen to the network. (A) A picture as it is stored, with all but its "
        f"two pictures and the colour bar blanked; the square of {SQUARE_SIDE} × {SQUARE_SIDE} pixels is {cut}. "
        f"(B) {shown}. (C) Stiffness in the box, read from its colours through the "
        f"picture's own colour bar; grey carries no signal or exceeds the scale. {mean} "
        "(D) Layers of the network with the size of their output; the logistic function of the last "
        f"node is the probability of the stage.{joined} Case: the enrolled patients' picture that, free of "
        "flags and well filled, has its Q-Box mean nearest the middle of the scale; hospital "
        f"{case['hospital']}, {case['cohort']} cohort, biopsy F{case['fibrosis_stage']}."
        f"{_end(simulated)}"
    )


def figure_2_caption(enrolment: pd.DataFrame, rejected_rows: int, simulated: bool) -> str:
    """Enrolment flow chart."""
    rejected = (
        f" Not counted: {rejected_rows} row{'s' * (rejected_rows != 1)} of the clinical table that could not be used."
        if rejected_rows
        else ""
    )
    enrolled, hospitals = int(enrolment["enrolled"].sum()), enrolment["hospital"].nunique()
    return (
        f"Figure 2. Enrolment: {enrolled} of {len(enrolment)} patients from {hospitals} "
        f"hospital{'s' * (hospitals != 1)} were enrolled. Each patient counts once, under the first "
        f"criterion that excludes.{rejected}{_end(simulated)}"
    )


def figure_3_caption(scores: pd.DataFrame, settings: Mapping[str, object], simulated: bool) -> str:
    """DLRE against the comparators."""
    return (
        f"Figure 3. ROC curves of {methods_in_words()} for the assessment of liver fibrosis "
        f"stages: {_questions(len(cohorts_of(scores)))} in the {_counts(scores)}. {_cutoffs(settings)}{_end(simulated)}"
    )


def figure_4_caption(scores: Mapping[int, pd.DataFrame], settings: Mapping[str, object], simulated: bool) -> str:
    """Numbers of pictures."""
    numbers, most = ", ".join(str(number) for number in sorted(scores)[:-1]), scores[max(scores)]
    return (
        f"Figure 4. ROC curves of DLRE and 2D-SWE with {numbers} and {images_name(max(scores))} or "
        f"measurements of each patient: {_questions(len(cohorts_of(most)))} in the {_counts(most)}. "
        f"{_cutoffs(settings)}{_end(simulated)}"
    )


def figure_5_caption(
    hospitals: Mapping[str, Sequence[str]], settings: Mapping[str, object], simulated: bool, external: bool = False
) -> str:
    """Combinations of hospitals; ``external`` says whether one of them has an external cohort."""
    trained = "; ".join(f"{arm_name(arm)}: {', '.join(codes)}" for arm, codes in hospitals.items())
    names = ("training", "validation", EXTERNAL)[: 2 + external]
    parts = [f"{name}{' cohorts' * (name == names[-1])} ({_panels(row)})" for row, name in enumerate(names)]
    return (
        f"Figure 5. ROC curves of DLRE trained on different combinations of hospitals ({trained}): "
        f"{_questions(2 + external)} in {in_words(parts)}. {_cutoffs(settings)}"
        f"{_end(simulated)}"
    )


def subgroup_caption(
    number: int, grouping: Subgrouping, scores: pd.DataFrame, cohort: str | None, simulated: bool
) -> str:
    """Supplementary figures 2 to 4."""
    part = scores if cohort is None else scores[scores["cohort"] == cohort]
    who = (
        f"all {len(part)} enrolled patients; {(part['cohort'] == 'training').sum()} of them trained DLRE, so its "
        "curves are apparent"
        if cohort is None
        else f"the {len(part)} patients of the {cohort} cohort"
    )
    return (
        f"Supplementary figure {number}{'' if cohort is None else 'v'}. ROC curves of DLRE ({_panels(0)}) and "
        f"2D-SWE ({_panels(1)}) by {grouping.title}, in {who}: {_questions()}. "
        f"No curve is drawn with fewer than {LEAST_OF_A_CLASS} cases or controls.{_end(simulated)}"
    )


def training_caption(settings: Mapping[str, Any], main_arm: str, simulated: bool) -> str:
    """Supplementary figure 1; ``settings`` is the section training of the configuration."""
    first, last, patience = (settings[name] for name in ("minimum_epochs", "epochs", "patience_epochs"))
    if first + patience > last:
        ends = f"Every network is trained for all {last} epochs; of epochs {first} to {last} the"
    else:
        ends = (
            f"From epoch {first} on, training stops when the held-back loss has not improved for {patience} epochs, "
            f"and at the latest after {last}; of these the"
        )
    return (
        "Supplementary figure 1. How training ends. Loss over the patients that fit the networks and "
        f"over the training patients held back ({100 * settings['stopping_fraction']:g} %, and at "
        "least one of each stage), by epoch; "
        f"{arm_name(main_arm)} above. {ends} one with the lowest held-back loss is kept (line). No validation "
        f"patient has a part in this.{_end(simulated)}"
    )


def calibration_caption(scores: pd.DataFrame, confidence: float, simulated: bool) -> str:
    """Extended figure 1."""
    return (
        f"Extended figure 1. Calibration of DLRE's probabilities: {_questions(len(cohorts_of(scores)))} in the "
        f"{_counts(scores)}. Line: smoothed share of patients with the stage (lowess), with a pointwise "
        "bootstrap band; squares: fifths "
        f"of the patients with exact {100 * confidence:g} % intervals; ticks: patients with the stage "
        f"(above) and without (below); thin line: perfect calibration.{_end(simulated)}"
    )


def decision_caption(table: pd.DataFrame, confidence: float, simulated: bool) -> str:
    """Extended figure 2."""
    validation = table[table["cohort"] == "validation"]
    n, missing = int(validation["n"].max()), int(validation["n_missing"].max())
    without = f"; {missing} without a probability by some method are in no curve" if missing else ""
    limits = f" Bands: {100 * confidence:g} % bootstrap limits." if validation["net_benefit_low"].notna().any() else ""
    return (
        f"Extended figure 2. Decision curves of the same patients of the validation cohort (n={n}{without}): net "
        "benefit of acting on each method at a threshold probability, against acting on everybody and on nobody."
        f"{limits} White: thresholds from {CLINICAL_RANGE[0]:g} to {CLINICAL_RANGE[1]:g}, at which treatment or biopsy "
        "is weighed; beyond them nobody decides. "
        f"No method's curve is drawn with fewer than {LEAST_OF_A_CLASS} cases or controls. "
        f"Probabilities of {comparators_in_words()} come from a logistic regression in the training "
        "cohort; DLRE's are the networks' own. Where training balances the classes, those are of an even "
        "prevalence, and DLRE loses at thresholds at which the cohort's own prevalence tells."
        f"{_end(simulated)}"
    )


def forest_caption(confidence: float, simulated: bool) -> str:
    """Extended figure 3."""
    return (
        "Extended figure 3. AUC of DLRE and 2D-SWE in the validation patients of every hospital, with "
        f"{100 * confidence:g} % confidence intervals; open markers have none, since a class has fewer than five "
        "patients or all pairs agree. Pooled: random effects (REML) of the hospitals that have an interval, on "
        "the logit scale, with Hartung and Knapp's confidence interval (diamond) and, of three hospitals or more, the "
        "prediction interval for a new hospital (thin line). τ: standard deviation between hospitals on the logit "
        f"scale; I²: share of the variation that is not chance.{_end(simulated)}"
    )


def subanalyses_caption(confidence: float, simulated: bool) -> str:
    """Subanalyses."""
    return (
        "Subanalyses. AUC of DLRE and 2D-SWE by group of the validation patients, with "
        f"{100 * confidence:g} % confidence intervals; open markers have none, since a class has fewer than "
        f"{LEAST_OF_A_CLASS} patients or all pairs agree. p: chi-squared test that the AUC of a method is the same in "
        f"all groups; tests of every two groups are in the table.{_end(simulated)}"
    )


def roc_band_caption(scores: pd.DataFrame, confidence: float, simulated: bool) -> str:
    """Extended figure 4."""
    n = int((scores["cohort"] == "validation").sum())
    return (
        f"Extended figure 4. ROC curves of DLRE and 2D-SWE in the validation cohort (n={n}) with simultaneous bands: "
        f"{_questions(rows=1)}. With at least "
        f"{100 * confidence:g} % confidence the whole true curve lies within its band (Kolmogorov's limits; Campbell, "
        "1994), which is therefore wider than the limits of one point or of the AUC. Bands that overlap do not mean "
        f"that the methods do not differ. No curve is drawn with fewer than {LEAST_OF_A_CLASS} cases or "
        f"controls.{_end(simulated)}"
    )


def headline_caption(table_2: pd.DataFrame, simulated: bool) -> str:
    """The headline's figure."""
    n = int(table_2.loc[table_2["cohort"] == "validation", "n"].max())
    return (
        f"Headline. AUC and confidence interval of every method in the validation cohort (n={n}). Stars: "
        f"against DLRE, paired DeLong test, not adjusted.{_end(simulated)}"
    )


def heat_map_caption(simulated: bool) -> str:
    """Heat maps."""
    return (
        "Heat maps. The most decided validation patient of every kind of answer at the cut-offs of "
        "Table 2: the square that the network saw, and beside it what spoke for the answer (Grad-CAM of "
        "the last layer; red is most). Such maps show where a network looks, not why it is right or "
        f"wrong.{_end(simulated)}"
    )


def contact_sheet_caption(
    chosen: Mapping[str, Sequence[int]],
    worst: Mapping[str, Sequence[int]],
    flags: Sequence[Sequence[str]],
    simulated: bool,
) -> tuple[str, str]:
    """Both contact sheets; ``flags`` of all squares, as `figures.pictures.quality_flags` gives them."""
    shown, least = (sum(len(part) for part in groups.values()) for groups in (chosen, worst))
    counts = Counter(flag for part in flags for flag in part)
    words = ", ".join(f"{flag.replace('_', ' ')} {counts[flag]}" for flag in sorted(counts))
    flagged = f"{sum(map(bool, flags))} carry flags ({words})" if counts else "none carries a flag"
    return (
        f"Contact sheet. {shown} of {len(flags)} squares, spread evenly over every hospital's "
        "pictures; up to a row more of each with flags, named below. Of all squares "
        f"{flagged}.{_end(simulated)}",
        f"Least signal. The {least} squares whose boxes hold the least colour of all that passed the "
        f"check, least first; flags as in the contact sheet.{_end(simulated)}",
    )
