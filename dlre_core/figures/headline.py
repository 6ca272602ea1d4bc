"""The headline as a figure: validation AUCs of every method, a panel per stage question."""

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from dlre_core.figures.style import (
    PARAMETERS,
    mark_simulated,
    method_styles,
    question_figure,
    question_panels,
)
from dlre_core.foundation.design import method_labels, question_labels, study_questions
from dlre_core.tables.accuracy_print import estimate
from dlre_core.tables.formatting import UNDEFINED, format_interval


def headline_figure(table_2: pd.DataFrame, *, simulated: bool) -> Figure:
    """AUC with its interval by method, validation cohort; stars against DLRE.

    Parameters
    ----------
    table_2 : DataFrame
        ``results/tables/table_2.csv``.
    simulated : bool
    """
    validation = table_2[table_2["cohort"] == "validation"].set_index(["stage", "method"])
    methods = [method for method in method_styles() if (study_questions()[0], method) in validation.index]
    figure = question_figure(1.1 + 0.42 * len(methods))
    with mpl.rc_context(PARAMETERS):
        axes = question_panels(figure, sharex=True, sharey=True)[0]
        for axis, stage in zip(axes, study_questions(), strict=True):
            for place, method in enumerate(methods):
                row, style = validation.loc[(stage, method)], method_styles()[method]
                found = estimate(row, "auc")
                text = format_interval(found) + row["stars"] if found.defined else UNDEFINED
                axis.text(1.05, place, text, va="center", fontsize=8)
                if not found.defined:
                    continue
                limits = [[found.value - found.low], [found.high - found.value]]
                axis.errorbar(
                    found.value,
                    place,
                    xerr=None if np.isnan(limits).any() else limits,
                    fmt=style["marker"],
                    color=style["color"],
                    markersize=7,
                    linewidth=2,
                )
            axis.axvline(0.5, color="#999999", linewidth=0.8)
            axis.set(xlim=(0.0, 1.72), ylim=(len(methods) - 0.5, -0.6))
            axis.set_xticks([0, 0.25, 0.5, 0.75, 1])
            axis.set_yticks(range(len(methods)), [method_labels()[method] for method in methods])
            axis.set_title(question_labels()[stage], loc="left")
            axis.spines["bottom"].set_bounds(0, 1)
            axis.set_xlabel("AUC", loc="left")
    mark_simulated(figure, simulated)
    return figure
