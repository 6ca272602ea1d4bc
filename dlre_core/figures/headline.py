"""The headline as a figure: validation AUCs of every method, a panel per stage question."""

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from dlre_core.figures.style import METHOD_STYLES, PARAMETERS, mark_simulated, new_figure
from dlre_core.foundation.study_terms import STAGES
from dlre_core.tables.accuracy_print import estimate
from dlre_core.tables.formatting import METHOD_NAMES, STAGE_NAMES, UNDEFINED, format_interval


def headline_figure(table_2: pd.DataFrame, *, simulated: bool) -> Figure:
    """AUC with its interval by method, validation cohort; stars against DLRE.

    Parameters
    ----------
    table_2 : DataFrame
        ``results/tables/table_2.csv``.
    simulated : bool
    """
    validation = table_2[table_2["cohort"] == "validation"].set_index(["stage", "method"])
    methods = [method for method in METHOD_STYLES if (STAGES[0], method) in validation.index]
    figure = new_figure(11.0, 1.1 + 0.42 * len(methods))
    with mpl.rc_context(PARAMETERS):
        axes = figure.subplots(1, 3, sharex=True, sharey=True)
        for axis, stage in zip(axes, STAGES, strict=True):
            for place, method in enumerate(methods):
                row, style = validation.loc[(stage, method)], METHOD_STYLES[method]
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
            axis.set_yticks(range(len(methods)), [METHOD_NAMES[method] for method in methods])
            axis.set_title(STAGE_NAMES[stage], loc="left")
            axis.spines["bottom"].set_bounds(0, 1)
            axis.set_xlabel("AUC", loc="left")
    mark_simulated(figure, simulated)
    return figure
