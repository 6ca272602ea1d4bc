"""What a study of any size gives: width of the AUC's interval, and power for the difference."""

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from dlre_core.figures.style import PARAMETERS, SERIES_STYLES, new_figure
from dlre_core.foundation.design import question_labels
from dlre_core.sample_size.plan import Assumptions

PATIENTS_SHOWN = (30, 100, 300, 1000, 3000)


def plan_figure(table: pd.DataFrame, assumptions: Assumptions) -> Figure:
    """Two panels, one curve per question; what the plan asks for is a grey line.

    Parameters
    ----------
    table : DataFrame
        As `dlre_core.sample_size.plan.curves` returns it.
    assumptions : Assumptions
    """
    figure = new_figure(9.0, 3.8)
    panels = (
        ("width", "Width of the AUC's interval", assumptions.interval_width, (0, 0.4)),
        ("power", "Power to find the difference", assumptions.power, (0, 1.02)),
    )
    with mpl.rc_context(PARAMETERS):
        for axis, (column, name, wanted, limits) in zip(figure.subplots(1, 2), panels, strict=True):
            for number, question in enumerate(assumptions.questions):
                part = table[table["question"] == question.name]
                style = {k: v for k, v in SERIES_STYLES[number % len(SERIES_STYLES)].items() if k != "marker"}
                axis.plot(
                    part["patients"], part[column], label=question_labels().get(question.name, question.name), **style
                )
            axis.axhline(wanted, color="#888888", linewidth=0.8)
            axis.set_xscale("log")
            axis.set_xticks(PATIENTS_SHOWN, [f"{patients:,}" for patients in PATIENTS_SHOWN])
            axis.xaxis.set_minor_formatter(NullFormatter())
            axis.set(xlabel="Patients with biopsy and pictures", ylabel=name, ylim=limits)
        handles, labels = figure.axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
    return figure
