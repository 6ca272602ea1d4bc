"""Extended figure 6: how many pictures are enough: reliability and AUC by the number of pictures."""

from string import ascii_uppercase

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from dlre_core.figures.style import LOOKS, PARAMETERS, mark_simulated, method_styles, new_figure
from dlre_core.foundation.design import method_labels, question_labels, short_labels, study_questions
from dlre_core.generalisability.repeatability import EXCELLENT, STIFFNESS

NOTE_COLOUR = "#51606F"


def repeatability_figure(curve: pd.DataFrame, choices: pd.DataFrame, *, simulated: bool) -> Figure:
    """Reliability of the mean of k pictures at the left, then AUC with k pictures, a panel per question.

    Parameters
    ----------
    curve : DataFrame
        ``results/tables/repeatability_curve.csv``.
    choices : DataFrame
        ``results/tables/repeatability_auc.csv``.
    simulated : bool
    """
    figure = new_figure(3.1 * (1 + len(study_questions())), 3.9)
    with mpl.rc_context(PARAMETERS):
        axes = figure.subplots(1, 1 + len(study_questions()))
        _reliability(axes[0], curve)
        for letter, axis, stage in zip(ascii_uppercase[1:], axes[1:], study_questions(), strict=False):
            _aucs(axis, choices[choices["stage"] == stage])
            axis.set_title(f"{letter}  {question_labels()[stage]}", loc="left")
            axis.set_xlabel("Pictures per patient")
        axes[1].set_ylabel("AUC")
        handles, labels = axes[1].get_legend_handles_labels()
        if handles:
            figure.legend(handles, labels, loc="outside upper right", ncols=2)
    mark_simulated(figure, simulated)
    return figure


def _reliability(axis: Axes, curve: pd.DataFrame) -> None:
    # Stiffness looks as in the other panels, the questions like the network and what is left.
    looks = dict(zip([study_questions()[0], STIFFNESS, *study_questions()[1:]], LOOKS, strict=False))
    for measure, part in curve.groupby("measure", sort=False):
        if part["reliability"].isna().all():
            continue
        name = method_labels()[STIFFNESS] if measure == STIFFNESS else f"DLRE {short_labels()[str(measure)]}"
        look = looks.get(str(measure), LOOKS[0])
        axis.plot(part["images"], part["reliability"], label=name, markersize=3.5, **look)
        axis.fill_between(
            part["images"],
            part["reliability_low"],
            part["reliability_high"],
            color=look["color"],
            alpha=0.1,
            linewidth=0,
        )
    if axis.lines:
        axis.legend(loc="lower right", fontsize=7.2)
    else:
        _say(axis, "No curve: too few patients")
    axis.axhline(EXCELLENT, color="#999999", linewidth=0.8)
    axis.set(ylim=(0, 1.02), xlabel="Pictures per patient", ylabel="Reliability of their mean (ICC)")
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axis.set_title("A  Reliability", loc="left")


def _aucs(axis: Axes, part: pd.DataFrame) -> None:
    lowest = 1.0
    for shift, method in ((-0.06, "dlre"), (0.06, "lsm")):
        rows, look = part[part["method"] == method], method_styles()[method]
        if rows["auc_low"].isna().all():
            reason = next((str(note) for note in rows["notes"] if isinstance(note, str) and note), "too few patients")
            _say(axis, f"No curves: {reason}")
            continue
        limits = np.clip([rows["auc"] - rows["auc_low"], rows["auc_high"] - rows["auc"]], 0, None)
        line = {name: look[name] for name in ("color", "linestyle", "marker")}
        axis.errorbar(
            rows["images"] + shift,
            rows["auc"],
            yerr=limits,
            label=method_labels()[method],
            markersize=4,
            linewidth=1.3,
            capsize=2,
            **line,
        )
        lowest = min(lowest, float(rows["auc_low"].min()))
    axis.set(ylim=(min(lowest - 0.03, 0.9), 1.01))
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axis.grid(color="#eeeeee", linewidth=0.6)


def _say(axis: Axes, words: str) -> None:
    box = {"facecolor": "white", "edgecolor": "none", "pad": 3}
    place = {"transform": axis.transAxes, "ha": "center", "va": "center"}
    axis.text(0.5, 0.5, words, fontsize=7.2, color=NOTE_COLOUR, bbox=box, **place)


def repeatability_caption(choices: pd.DataFrame, confidence: float, simulated: bool) -> str:
    """What the figure shows, for the text below it."""
    n, most = int(choices["n"].max()), int(choices["images"].max())
    return (
        "Extended figure 6. How many pictures are enough. (A) Reliability (intraclass correlation) of the mean of a "
        "patient's pictures by their number, from that of one picture by Spearman and Brown's formula, with "
        f"{100 * confidence:g} % confidence bands; grey line: {EXCELLENT:g}. (B onwards) AUC of DLRE and 2D-SWE with 1 "
        f"to {most} pictures of each of {n} validation patients, averaged over all choices of that many, with "
        f"{100 * confidence:g} % confidence intervals (DeLong, of the averaged placements). The networks are always "
        "those that were trained with all pictures. More pictures are worth taking as long as the curve rises."
        f"{' Simulated data.' if simulated else ''}"
    )
