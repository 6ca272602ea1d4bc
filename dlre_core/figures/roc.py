"""Panels of ROC curves: the paper's figures 3, 4 and 5."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from dlre_core.figures.style import (
    METHOD_STYLES,
    PARAMETERS,
    mark_simulated,
    new_figure,
)
from dlre_core.splits import stage_labels
from dlre_core.statistics import roc_analysis
from dlre_core.tables.accuracy import COHORTS, STAGES, method_scores
from dlre_core.tables.formatting import (
    COHORT_NAMES,
    METHOD_NAMES,
    STAGE_NAMES,
    format_interval,
)


@dataclass(frozen=True)
class Curve:
    """One curve of a panel: truth (n,), scores (n,), its label, look, and cut-off if any."""

    labels: NDArray[np.int64]
    scores: NDArray[np.float64]
    name: str
    style: Mapping[str, object] = field(default_factory=dict)
    cutoff: float = float("nan")


def figure_3(
    scores: pd.DataFrame, table: pd.DataFrame, *, simulated: bool, confidence: float = 0.95
) -> Figure:
    """DLRE against 2D-SWE and biomarkers: training above, validation below, a column a question.

    Parameters
    ----------
    scores : DataFrame
        ``results/scores/{arm}.csv``.
    table : DataFrame
        Table 2 of the same scores, for the cut-offs.
    simulated : bool
    confidence : float
    """
    cutoffs = table.set_index(["stage", "method", "cohort"])["cutoff"]
    panels = {}
    for cohort in COHORTS:
        part = scores[scores["cohort"] == cohort]
        for stage in STAGES:
            panels[cohort, stage] = [
                Curve(
                    stage_labels(part["fibrosis_stage"], stage),
                    method_scores(part, method, stage),
                    METHOD_NAMES[method],
                    style,
                    float(cutoffs[stage, method, cohort]),
                )
                for method, style in METHOD_STYLES.items()
            ]
    return roc_panels(panels, simulated=simulated, confidence=confidence)


def roc_panels(
    panels: Mapping[tuple[str, str], Sequence[Curve]], *, simulated: bool, confidence: float = 0.95
) -> Figure:
    """Two rows (cohorts) of three panels (stage questions), lettered like the paper's."""
    figure = new_figure(11.0, 7.6)
    with mpl.rc_context(PARAMETERS):
        axes = figure.subplots(2, 3, sharex=True, sharey=True)
        for row, cohort in enumerate(COHORTS):
            for column, stage in enumerate(STAGES):
                axis = axes[row, column]
                draw_curves(axis, panels[cohort, stage], confidence)
                axis.set_title(f"{'ABCDEF'[3 * row + column]}  {STAGE_NAMES[stage]}", loc="left")
                if column == 0:
                    axis.set_ylabel(f"{COHORT_NAMES[cohort]} cohort\nSensitivity (%)")
                if row == 1:
                    axis.set_xlabel("100 − specificity (%)")
    mark_simulated(figure, simulated)
    return figure


def draw_curves(axis: Axes, curves: Sequence[Curve], confidence: float) -> None:
    """Draw ROC curves with AUC and interval in the legend and cut-offs as markers."""
    axis.plot([0, 100], [0, 100], color="#999999", linewidth=0.8, zorder=0)
    for curve in curves:
        roc = roc_analysis(curve.labels, curve.scores, confidence=confidence)
        look = {key: value for key, value in curve.style.items() if key != "marker"}
        label = f"{curve.name} {format_interval(roc.estimate)}"
        if np.isnan(roc.auc):
            axis.plot([], [], label=f"{curve.name}: {roc.reason}", **look)
            continue
        x, y = 100 * (1 - roc.specificity), 100 * roc.sensitivity
        axis.plot(x, y, label=label, drawstyle="default", **look)
        if not np.isnan(curve.cutoff):
            present = ~np.isnan(curve.scores)
            positive = curve.scores[present] >= curve.cutoff
            case = curve.labels[present] == 1
            point = (100 * positive[~case].mean(), 100 * positive[case].mean())
            axis.plot(
                *point, marker=curve.style["marker"], markersize=6, color=curve.style["color"],
                markeredgecolor="white", linestyle="none", zorder=5, clip_on=False,
            )  # fmt: skip
    axis.set(xlim=(-2, 102), ylim=(-2, 102), aspect="equal")
    axis.set_xticks(range(0, 101, 20))
    axis.set_yticks(range(0, 101, 20))
    axis.grid(color="#eeeeee", linewidth=0.6)
    axis.legend(loc="lower right",
        frameon=True,
        framealpha=0.85,
        edgecolor="none", fontsize=7.2, title="AUC (95 % CI)" if confidence == 0.95 else "AUC",
                title_fontsize=7.2, handlelength=2.6)  # fmt: skip
