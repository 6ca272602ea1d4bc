"""Extended figures: calibration, decision curves, the forest plot of hospitals, and ROC curves with bands."""

from collections.abc import Mapping

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from dlre_core.extended_tables.hospitals import EVERYBODY, POOLED
from dlre_core.extended_tables.probabilities import method_probabilities
from dlre_core.figures.captions import CLINICAL_RANGE
from dlre_core.figures.figures_3_to_5_roc import cohort_titles
from dlre_core.figures.style import (
    PARAMETERS,
    auc_legend,
    mark_simulated,
    method_styles,
    panel_title,
    question_figure,
    question_panels,
)
from dlre_core.foundation.design import method_labels, stage_labels, study_questions
from dlre_core.statistics.calibration import calibration_band, grouped_calibration, smooth_calibration
from dlre_core.statistics.estimates import too_few
from dlre_core.statistics.roc import roc_analysis, roc_band
from dlre_core.tables.formatting import category_label, format_interval, format_p_value, round_half_up
from dlre_core.tables.subanalyses import ALL_GROUPS
from dlre_core.tables.table_2_accuracy import samples

# More patients than this are drawn as pixels.
MOST_TICKS = 300
NOTE_COLOUR = "#51606F"
# Of more strategies bands would hide one another.
BANDS = ("dlre", "lsm")


def calibration_figure(
    scores: pd.DataFrame,
    table: pd.DataFrame,
    *,
    simulated: bool,
    confidence: float = 0.95,
    cohorts: Mapping[str, str] | None = None,
) -> Figure:
    """Share of cases against DLRE's probability: smoothed, and in fifths with intervals.

    Parameters
    ----------
    scores : DataFrame
        ``results/scores/{arm}.csv``.
    table : DataFrame
        ``results/tables/calibration.csv``.
    simulated : bool
    confidence : float
    cohorts : mapping of cohort to its name at the left, optional
        A row each; all that the scores have by default.
    """
    cohorts = cohorts or cohort_titles(scores)
    figure = question_figure(0.4 + 3.5 * len(cohorts))
    numbers = table[table["method"] == "dlre"].set_index(["stage", "cohort"])
    style = method_styles()["dlre"]
    with mpl.rc_context(PARAMETERS):
        axes = question_panels(figure, len(cohorts), sharex=True, sharey=True)
        for row, (cohort, title) in enumerate(cohorts.items()):
            part = scores[scores["cohort"] == cohort]
            for column, stage in enumerate(study_questions()):
                axis, cell = axes[row, column], numbers.loc[(stage, cohort)]
                labels = stage_labels(part["fibrosis_stage"], stage)
                p, _ = method_probabilities(part, "dlre", stage)
                axis.plot([0, 1], [0, 1], color="#999999", linewidth=0.8)
                cases = int(labels[~np.isnan(p)].sum())
                few = too_few(cases, int((~np.isnan(p)).sum()) - cases)
                summary = (
                    f"Slope: {round_half_up(cell['slope'], 2)}; intercept at slope 1: "
                    f"{round_half_up(cell['in_the_large'], 2)}; Brier score: {round_half_up(cell['brier'], 3)}"
                )
                if few:
                    summary = f"No curve: {few}; Brier score: {round_half_up(cell['brier'], 3)}"
                else:
                    places, low, high = calibration_band(labels, p, confidence=confidence)
                    axis.fill_between(places, low, high, color=style["color"], alpha=0.15, linewidth=0)
                    axis.plot(*smooth_calibration(labels, p), color=style["color"], linewidth=2)
                for mean, share in grouped_calibration(labels, p, confidence=confidence):
                    limits = [[share.value - share.low], [share.high - share.value]]
                    axis.errorbar(
                        mean,
                        share.value,
                        yerr=limits,
                        fmt="s",
                        color="#333333",
                        markersize=4,
                        linewidth=1,
                        capsize=2,
                    )
                _rug(axis, labels, p)
                # Above the axes: within them intervals may lie anywhere.
                axis.text(
                    0,
                    1.015,
                    summary,
                    transform=axis.transAxes,
                    va="bottom",
                    fontsize=7.2,
                    color=NOTE_COLOUR,
                )
                axis.set_title(panel_title(stage, row), loc="left", pad=17)
                axis.set(xlim=(-0.02, 1.02), ylim=(-0.12, 1.12), aspect="equal")
                if column == 0:
                    axis.set_ylabel(f"{title}\nShare of patients with the stage")
                if row == len(cohorts) - 1:
                    axis.set_xlabel("Probability by DLRE")
    mark_simulated(figure, simulated)
    return figure


def decision_figure(table: pd.DataFrame, *, simulated: bool) -> Figure:
    """Net benefit against threshold probability, validation cohort, a panel per question.

    Parameters
    ----------
    table : DataFrame
        ``results/tables/decision_curves.csv``.
    simulated : bool
    """
    figure = question_figure(4.0)
    validation = table[table["cohort"] == "validation"]
    with mpl.rc_context(PARAMETERS):
        axes = question_panels(figure, sharex=True)[0]
        for column, stage in enumerate(study_questions()):
            axis, part = axes[column], validation[validation["stage"] == stage]
            axis.axvspan(0, CLINICAL_RANGE[0], color="#F0F2F4", linewidth=0, zorder=0)
            axis.axvspan(CLINICAL_RANGE[1], 1, color="#F0F2F4", linewidth=0, zorder=0)
            few = _few_of_the_decision(part)
            for strategy, curve in part.groupby("strategy", sort=False):
                look = _strategy_look(str(strategy))
                if few and strategy in method_styles():
                    axis.plot([], [], **look)
                    continue
                axis.plot(curve["threshold"], curve["net_benefit"], **look)
                if strategy in BANDS:
                    limits = curve["net_benefit_low"], curve["net_benefit_high"]
                    axis.fill_between(curve["threshold"], *limits, color=look["color"], alpha=0.15, linewidth=0)
            if few:
                _say(axis, f"No curves: {few}")
            top = part.loc[part["strategy"] != "none", "net_benefit"].max()
            axis.set_ylim(-0.12, max(1.08 * top, 0.1) if np.isfinite(top) else 1)
            axis.set_xlim(0, 1)
            axis.set_title(panel_title(stage), loc="left")
            axis.set_xlabel("Threshold probability")
            axis.grid(color="#eeeeee", linewidth=0.6)
        axes[0].set_ylabel("Net benefit per patient")
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=2 * len(study_questions()))
    mark_simulated(figure, simulated)
    return figure


def roc_band_figure(scores: pd.DataFrame, *, simulated: bool, confidence: float = 0.95) -> Figure:
    """ROC curves of DLRE and 2D-SWE with simultaneous bands, validation cohort, a panel per question.

    Parameters
    ----------
    scores : DataFrame
        ``results/scores/{arm}.csv``.
    simulated : bool
    confidence : float
    """
    figure = question_figure(5.6)
    # Room between the legends and what stands below them.
    figure.get_layout_engine().set(h_pad=0.15)
    places = np.linspace(0, 1, 401)
    with mpl.rc_context(PARAMETERS):
        axes = question_panels(figure, sharex=True, sharey=True)[0]
        for column, stage in enumerate(study_questions()):
            axis = axes[column]
            axis.plot([0, 1], [0, 1], color="#999999", linewidth=0.8)
            for method in BANDS:
                look = {key: value for key, value in method_styles()[method].items() if key != "marker"}
                part = samples(scores, method, stage)["validation"]
                roc = roc_analysis(part.labels, part.values, confidence=confidence)
                few = too_few(roc.n_cases, roc.n_controls)
                if few:
                    _say(axis, f"No curves: {few}")
                    continue
                low, high = roc_band(roc, places, confidence=confidence)
                axis.fill_between(places, low, high, color=look["color"], alpha=0.13, linewidth=0)
                for limit in (low, high):
                    axis.plot(places, limit, color=look["color"], linestyle=look["linestyle"], linewidth=0.7)
                label = f"{method_labels()[method]} {format_interval(roc.estimate)}"
                axis.plot(1 - roc.specificity, roc.sensitivity, label=label, **look)
            axis.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
            axis.set_title(panel_title(stage), loc="left")
            axis.set_xlabel("1 − specificity")
            axis.grid(color="#eeeeee", linewidth=0.6)
            if axis.get_legend_handles_labels()[0]:
                auc_legend(axis, confidence, 0.16)
        axes[0].set_ylabel("Sensitivity")
    mark_simulated(figure, simulated)
    return figure


def forest_figure(table: pd.DataFrame, *, simulated: bool) -> Figure:
    """AUC of DLRE and 2D-SWE in the validation patients of every hospital, a panel per question.

    Parameters
    ----------
    table : DataFrame
        ``results/tables/hospitals.csv``.
    simulated : bool
    """
    hospitals = list(table["hospital"].unique())
    figure = question_figure(1.6 + 0.34 * len(hospitals))
    with mpl.rc_context(PARAMETERS):
        axes = question_panels(figure, sharex=True, sharey=True)[0]
        for column, stage in enumerate(study_questions()):
            axis, part = axes[column], table[table["stage"] == stage]
            for shift, (method, rows) in zip((-0.16, 0.16), part.groupby("method", sort=False), strict=True):
                _forest_rows(axis, rows, hospitals, shift, str(method))
            dlre = part[part["method"] == "dlre"].set_index("hospital")
            for place, hospital in enumerate(hospitals):
                cases, n = dlre.loc[hospital, ["n_cases", "n"]]
                axis.text(1.04, place, f"{cases}/{n}", va="center", fontsize=7.2, color=NOTE_COLOUR)
            axis.axvline(0.5, color="#999999", linewidth=0.8)
            axis.axhline(len(hospitals) - 2.5, color="#999999", linewidth=0.8)
            axis.set(xlim=(-0.03, 1.18), ylim=(len(hospitals) - 0.4, -0.6))
            axis.set_xticks([0, 0.25, 0.5, 0.75, 1])
            axis.set_yticks(range(len(hospitals)), hospitals)
            axis.set_title(panel_title(stage), loc="left", pad=17)
            axis.text(0, 1.015, _spread_words(part), transform=axis.transAxes, fontsize=7.2, color=NOTE_COLOUR)
            axis.set_xlabel("AUC (cases/patients at the right)")
        axes[0].set_ylabel("Hospital")
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=2)
    mark_simulated(figure, simulated)
    return figure


def subanalyses_figure(table: pd.DataFrame, tests: pd.DataFrame, *, simulated: bool) -> Figure:
    """AUC of DLRE and 2D-SWE by group of the validation patients, a panel per question.

    Parameters
    ----------
    table, tests : DataFrame
        ``results/tables/subanalyses.csv`` and ``subanalyses_tests.csv``.
    simulated : bool
    """
    groups = table[["grouping", "group"]].drop_duplicates()
    # A line for the heading of every grouping, above its groups.
    lines: list[tuple[str, str]] = []
    for grouping, part in groups.groupby("grouping", sort=False):
        lines += [(str(grouping), ""), *((str(grouping), str(group)) for group in part["group"])]
    figure = question_figure(1.4 + 0.3 * len(lines))
    with mpl.rc_context(PARAMETERS):
        axes = question_panels(figure, sharex=True, sharey=True)[0]
        for axis, question in zip(axes, study_questions(), strict=True):
            part = table[table["stage"] == question]
            for place, (grouping, group) in enumerate(lines):
                here = part[part["grouping"] == grouping]
                if not group:
                    of_all = tests[(tests["stage"] == question) & (tests["grouping"] == grouping)]
                    axis.text(0, place, _heterogeneity(of_all), va="center", fontsize=7.2, color=NOTE_COLOUR)
                    continue
                _group_row(axis, here[here["group"] == group].set_index("method"), place)
            axis.axvline(0.5, color="#999999", linewidth=0.8, zorder=0)
            axis.set(xlim=(-0.03, 1.22), ylim=(len(lines) - 0.4, -0.6))
            axis.set_xticks([0, 0.25, 0.5, 0.75, 1])
            axis.set_yticks(range(len(lines)), [category_label(group) or grouping for grouping, group in lines])
            axis.tick_params(axis="y", length=0)
            axis.set_title(panel_title(question), loc="left")
            axis.set_xlabel("AUC (cases/patients at the right)")
        for label, (_, group) in zip(axes[0].get_yticklabels(), lines, strict=True):
            label.set_fontweight("normal" if group else "bold")
        handles = [
            Line2D([], [], color=look["color"], marker=look["marker"], linewidth=1.2, label=method_labels()[method])
            for method, look in method_styles().items()
            if method in BANDS
        ]
        figure.legend(handles=handles, loc="outside upper center", ncols=2)
    mark_simulated(figure, simulated)
    return figure


def _heterogeneity(tests: pd.DataFrame) -> str:
    """P values of the test over all groups, by method; empty where nothing was tested."""
    whole = tests[(tests["first"] == ALL_GROUPS) & tests["p_value"].notna()]
    found = [f"{method_labels()[row['method']]} {format_p_value(row['p_value'])}" for _, row in whole.iterrows()]
    return f"all groups alike: p {', '.join(found)}" if found else ""


def _group_row(axis: Axes, rows: pd.DataFrame, place: int) -> None:
    """AUC and interval of both methods in a group, and its numbers; words where there is none."""
    for shift, method in zip((-0.16, 0.16), BANDS, strict=True):
        row, style = rows.loc[method], method_styles()[method]
        if np.isnan(row["auc"]):
            continue
        limits = [[row["auc"] - row["auc_low"]], [row["auc_high"] - row["auc"]]]
        known = not np.isnan(limits).any()
        axis.errorbar(
            row["auc"],
            place + shift,
            xerr=np.clip(limits, 0, None) if known else None,
            fmt=style["marker"],
            color=style["color"],
            markersize=4.5,
            linewidth=1.2,
            markerfacecolor=style["color"] if known else "white",
        )
    first = rows.loc[BANDS[0]]
    axis.text(1.04, place, f"{first['n_cases']:g}/{first['n']:g}", va="center", fontsize=7.2, color=NOTE_COLOUR)
    if rows.loc[list(BANDS), "auc"].isna().all():
        words = axis.text(0.5, place, first["notes"], ha="center", va="center", fontsize=6.6, color=NOTE_COLOUR)
        words.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 1.5})


def _spread_words(part: pd.DataFrame) -> str:
    """How far hospitals differ, of every method for which it can be said."""
    pooled = part[(part["hospital"] == POOLED) & part["tau"].notna()]
    words = [
        f"{method_labels()[row['method']]}: τ {round_half_up(row['tau'], 2)}, "
        f"I² {round_half_up(row['i_squared'], 0, 100)} %"
        for row in pooled.to_dict("records")
    ]
    return "; ".join(words)


def _few_of_the_decision(part: pd.DataFrame) -> str:
    """Why a panel has no curves, from the patients on whom all methods can be judged."""
    if part.empty or not part["n"].max():
        return "no patients"
    n = int(part["n"].max())
    cases = int(part["n_cases"].max())
    return too_few(cases, n - cases)


def _say(axis: Axes, words: str) -> None:
    """A sentence in a panel that has no curve, above the lines that it may have."""
    axis.text(
        0.5,
        0.7,
        words,
        transform=axis.transAxes,
        ha="center",
        va="center",
        fontsize=8.5,
        color=NOTE_COLOUR,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 3},
    )


def _forest_rows(axis: Axes, rows: pd.DataFrame, hospitals: list[str], shift: float, method: str) -> None:
    style, by = method_styles()[method], rows.set_index("hospital")
    label: str | None = method_labels()[method]
    for place, hospital in enumerate(hospitals):
        row = by.loc[hospital]
        if np.isnan(row["auc"]):
            if shift < 0:
                words = axis.text(0.5, place, row["notes"], ha="center", va="center", fontsize=6.6, color=NOTE_COLOUR)
                # The line of chance passes behind.
                words.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 1.5})
            continue
        if hospital == POOLED:
            if not np.isnan(row["prediction_low"]):
                ends = [row["prediction_low"], row["prediction_high"]]
                axis.plot(ends, [place + shift] * 2, color=style["color"], linewidth=0.8, solid_capstyle="butt")
            across = [row["auc_low"], row["auc"], row["auc_high"], row["auc"]]
            up = [place + shift + move for move in (0, -0.13, 0, 0.13)]
            axis.fill(across, up, color=style["color"], linewidth=0)
            continue
        limits = np.clip([[row["auc"] - row["auc_low"]], [row["auc_high"] - row["auc"]]], 0, None)
        known = not np.isnan(limits).any()
        axis.errorbar(
            row["auc"],
            place + shift,
            xerr=limits if known else None,
            fmt=style["marker"],
            color=style["color"],
            markersize=6 if hospital == EVERYBODY else 4,
            linewidth=1.2,
            # An open marker has no interval: one case, one control, or all pairs tied.
            markerfacecolor=style["color"] if known else "white",
            label=label,
        )
        label = None


def _strategy_look(strategy: str) -> dict[str, object]:
    if strategy in method_styles():
        look = {k: v for k, v in method_styles()[strategy].items() if k != "marker"}
        return look | {"label": method_labels()[strategy]}
    if strategy == "all":
        return {"color": "#777777", "linewidth": 1, "linestyle": (0, (4, 2)), "label": "Everybody"}
    return {"color": "#000000", "linewidth": 1, "label": "Nobody"}


def _rug(axis: Axes, labels: np.ndarray, p: np.ndarray) -> None:
    """Every patient's probability: those with the stage above, the others below."""
    for value, height in ((1, 1.06), (0, -0.06)):
        chosen = p[labels == value]
        axis.plot(
            chosen,
            np.full(len(chosen), height),
            "|",
            color=NOTE_COLOUR,
            markersize=5,
            alpha=0.5,
            # Ten thousand ticks as vectors would be half of the report.
            rasterized=len(chosen) > MOST_TICKS,
        )
