"""Panels of ROC curves: the paper's figures 3, 4 and 5 and the supplementary figures 2 to 4."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from dlre_core.figures.style import (
    PARAMETERS,
    SERIES_STYLES,
    auc_legend,
    image_style,
    mark_simulated,
    method_styles,
    panel_title,
    question_figure,
    question_panels,
)
from dlre_core.foundation.design import method_labels, stage_labels, study_questions
from dlre_core.foundation.study_terms import cohorts_of
from dlre_core.statistics.estimates import too_few
from dlre_core.statistics.roc import roc_analysis
from dlre_core.tables.formatting import COHORT_NAMES, arm_name, format_interval, images_name
from dlre_core.tables.supplement_subgroups import Subgrouping, subgroup_of
from dlre_core.tables.table_2_accuracy import Sample, method_scores, samples
from dlre_core.tables.table_3_pictures import STRATEGIES

CHANCE = 0.5
Panels = Mapping[tuple[str, str], Sequence["Curve"]]


@dataclass(frozen=True)
class Curve:
    """One curve of a panel: truth (n,), scores (n,), its label, look, and cut-off if any.

    ``separates`` is False where the score did not separate the patients on whom its cut-off was chosen.
    """

    labels: NDArray[np.int64]
    scores: NDArray[np.float64]
    name: str
    style: Mapping[str, object] = field(default_factory=dict)
    cutoff: float = float("nan")
    separates: bool = True


def figure_3(
    scores: pd.DataFrame,
    table: pd.DataFrame,
    *,
    simulated: bool,
    confidence: float = 0.95,
    interval: str = "delong",
    cohorts: Mapping[str, str] | None = None,
) -> Figure:
    """DLRE against 2D-SWE and biomarkers: training above, validation (and external) below, a column per question.

    Parameters
    ----------
    scores : DataFrame
        ``results/scores/{arm}.csv``.
    table : DataFrame
        Table 2 of the same scores, for the cut-offs.
    simulated : bool
    confidence, interval
        Of the AUCs in the legends.
    cohorts : mapping of cohort to its name at the left, optional
        Those to be drawn; all that the scores have by default.
    """
    cutoffs = table.set_index(["stage", "method", "cohort"])[["cutoff", "auc"]]
    cohorts = cohorts or cohort_titles(scores)
    panels: dict[tuple[str, str], list[Curve]] = {}
    for stage in study_questions():
        for method, style in method_styles().items():
            found = samples(scores, method, stage)
            parts = {cohort: found[cohort] for cohort in cohorts}
            _add_curves(panels, (stage, method), parts, cutoffs, method_labels()[method], style)
    return roc_panels(panels, cohorts, simulated=simulated, confidence=confidence, interval=interval)


def figure_4(
    scores: Mapping[int, pd.DataFrame],
    table: pd.DataFrame,
    *,
    simulated: bool,
    confidence: float = 0.95,
    interval: str = "delong",
) -> Figure:
    """DLRE and 2D-SWE with 1, 3 and 5 pictures per patient, laid out as figure 3.

    Parameters
    ----------
    scores : mapping of images per patient to DataFrame
    table : DataFrame
        Table 3 of the same scores.
    """
    cutoffs = table.set_index(["stage", "method", "images", "cohort"])[["cutoff", "auc"]]
    panels: dict[tuple[str, str], list[Curve]] = {}
    for stage in study_questions():
        for method in STRATEGIES:
            for rank, number in enumerate(sorted(scores)):
                name = f"{method_labels()[method]}, {images_name(number, method)}"
                parts, style = samples(scores[number], method, stage), image_style(method, rank)
                _add_curves(panels, (stage, method, number), parts, cutoffs, name, style)
    rows = cohort_titles(scores[max(scores)])
    return roc_panels(panels, rows, simulated=simulated, confidence=confidence, interval=interval)


def figure_5(
    scores: Mapping[str, pd.DataFrame],
    table: pd.DataFrame,
    *,
    simulated: bool,
    confidence: float = 0.95,
    interval: str = "delong",
) -> Figure:
    """DLRE by combination of training hospitals, laid out as figure 3.

    Parameters
    ----------
    scores : mapping of arm to DataFrame
    table : DataFrame
        Table 4 of the same scores.
    """
    cutoffs = table.set_index(["stage", "arm", "cohort"])[["cutoff", "auc"]]
    panels: dict[tuple[str, str], list[Curve]] = {}
    for stage in study_questions():
        for rank, (arm, part) in enumerate(scores.items()):
            style = SERIES_STYLES[rank % len(SERIES_STYLES)]
            _add_curves(panels, (stage, arm), samples(part, "dlre", stage), cutoffs, arm_name(arm), style)
    rows = cohort_titles(pd.concat(scores.values()))
    return roc_panels(panels, rows, simulated=simulated, confidence=confidence, interval=interval)


def subgroup_figure(
    scores: pd.DataFrame,
    grouping: Subgrouping,
    *,
    simulated: bool,
    confidence: float = 0.95,
    interval: str = "delong",
    cohort: str | None = None,
) -> Figure:
    """DLRE above, 2D-SWE below, a curve a subgroup: supplementary figures 2 to 4.

    Parameters
    ----------
    scores : DataFrame
        ``results/scores/{arm}.csv``.
    grouping : Subgrouping
    simulated : bool
    confidence, interval
        Of the AUCs in the legends.
    cohort : str, optional
        Only this cohort; all enrolled patients otherwise.
    """
    part = scores if cohort is None else scores[scores["cohort"] == cohort]
    groups = subgroup_of(part, grouping)
    panels = {
        (method, stage): [
            Curve(
                stage_labels(part.loc[groups == name, "fibrosis_stage"], stage),
                method_scores(part[groups == name], method, stage),
                name,
                SERIES_STYLES[rank % len(SERIES_STYLES)],
            )
            for rank, name in enumerate(grouping.names)
        ]
        for method in STRATEGIES
        for stage in study_questions()
    }
    rows = {method: method_labels()[method] for method in STRATEGIES}
    return roc_panels(panels, rows, simulated=simulated, confidence=confidence, interval=interval)


def roc_panels(
    panels: Panels,
    rows: Mapping[str, str],
    *,
    simulated: bool,
    confidence: float = 0.95,
    interval: str = "delong",
) -> Figure:
    """Rows of panels, one per question, lettered like the paper's.

    Parameters
    ----------
    panels : mapping of (row, stage) to curves
    rows : mapping of row to its name at the left
    """
    longest = max(len(curves) for curves in panels.values())
    figure = question_figure(1.1 + (4.05 + 0.17 * longest) * len(rows))
    # Room between a legend and what stands below it.
    figure.get_layout_engine().set(h_pad=0.15)
    with mpl.rc_context(PARAMETERS):
        axes = question_panels(figure, len(rows), sharex=True, sharey=True)
        for number, (row, name) in enumerate(rows.items()):
            for column, stage in enumerate(study_questions()):
                axis = axes[number, column]
                draw_curves(axis, panels[row, stage], confidence, interval)
                axis.set_title(panel_title(stage, number), loc="left")
                if column == 0:
                    axis.set_ylabel(f"{name}\nSensitivity (%)")
                axis.tick_params(labelbottom=True)
                axis.set_xlabel("100 − specificity (%)", loc="right", labelpad=1)
    mark_simulated(figure, simulated)
    return figure


def _add_curves(
    panels: dict[tuple[str, str], list[Curve]],
    key: tuple[object, ...],
    parts: Mapping[str, Sample],
    cutoffs: pd.DataFrame,
    name: str,
    style: Mapping[str, object],
) -> None:
    """Add one curve to the panel of every cohort; ``key``, a stage first, and a cohort index cut-offs and AUCs."""
    trained = (*key, "training")
    separates = trained not in cutoffs.index or not cutoffs.loc[trained, "auc"] <= CHANCE
    for cohort, part in parts.items():
        cutoff = float(cutoffs.loc[(*key, cohort), "cutoff"])
        curve = Curve(part.labels, part.values, name, style, cutoff, separates)
        panels.setdefault((cohort, str(key[0])), []).append(curve)


def draw_curves(axis: Axes, curves: Sequence[Curve], confidence: float, interval: str = "delong") -> None:
    """Draw ROC curves with AUC and interval in the legend and cut-offs as markers."""
    axis.plot([0, 100], [0, 100], color="#999999", linewidth=0.8, zorder=0)
    drawn = 0
    for curve in curves:
        roc = roc_analysis(curve.labels, curve.scores, confidence=confidence, interval=interval)
        look = {key: value for key, value in curve.style.items() if key != "marker"}
        without = roc.reason if np.isnan(roc.auc) else too_few(roc.n_cases, roc.n_controls)
        if without:
            axis.plot([], [], label=f"{curve.name}: {without}", **look)
            continue
        drawn += 1
        label = f"{curve.name} {format_interval(roc.estimate)}"
        axis.plot(*_drawn(100 * (1 - roc.specificity), 100 * roc.sensitivity), label=label, **look)
        if not np.isnan(curve.cutoff):
            _mark_cutoff(axis, curve)
    if not drawn:
        axis.text(
            50, 70, "No curves: too few patients", ha="center", va="center", color="#51606F", backgroundcolor="white"
        )
    axis.set(xlim=(-2, 102), ylim=(-2, 102), aspect="equal")
    axis.set_xticks(range(0, 101, 20))
    axis.set_yticks(range(0, 101, 20))
    axis.grid(color="#eeeeee", linewidth=0.6)
    auc_legend(axis, confidence, 0.14, handlelength=2.8, labelspacing=0.35)


def _drawn(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The curve's points; of many only those that differ by 0.1 %, which nobody can see."""
    if len(x) < 2000:
        return x, y
    steps = np.round(np.column_stack([x, y]), 1)
    kept = np.concatenate([[True], (steps[1:] != steps[:-1]).any(axis=1)])
    kept[-1] = True
    return x[kept], y[kept]


def _mark_cutoff(axis: Axes, curve: Curve) -> None:
    present = ~np.isnan(curve.scores)
    positive = curve.scores[present] >= curve.cutoff
    case = curve.labels[present] == 1
    axis.plot(
        100 * positive[~case].mean(),
        100 * positive[case].mean(),
        marker=curve.style["marker"],
        markersize=6,
        color=curve.style["color"],
        markerfacecolor=curve.style["color"] if curve.separates else "white",
        markeredgecolor="#222222" if curve.separates else curve.style["color"],
        markeredgewidth=0.6 if curve.separates else 1.2,
        linestyle="none",
        zorder=5,
        clip_on=False,
    )


def cohort_titles(scores: pd.DataFrame) -> dict[str, str]:
    """Cohorts of a table of scores and their names, a row of panels each."""
    return {cohort: f"{COHORT_NAMES[cohort]} cohort" for cohort in cohorts_of(scores)}
