"""Supplementary figure 1: how training ends, a curve per arm and stage question."""

from collections.abc import Mapping

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure

from dlre_core.figures.style import (
    PARAMETERS,
    mark_simulated,
    question_figure,
    question_panels,
)
from dlre_core.foundation.design import question_labels, study_questions
from dlre_core.tables.formatting import arm_name

SHORT_RUN = 5


def training_figure(histories: Mapping[str, pd.DataFrame], *, minimum_epochs: int, simulated: bool) -> Figure:
    """Loss over fitted and held-back training patients by epoch; a row per arm.

    Parameters
    ----------
    histories : mapping of arm to DataFrame
        ``results/models/{arm}/history.csv``: stage, epoch, loss, stopping_loss, auc, chosen.
    minimum_epochs : int
        Epochs before this one are shaded: they cannot be chosen.
    simulated : bool
    """
    figure = question_figure(0.6 + 1.9 * len(histories))
    with mpl.rc_context(PARAMETERS):
        axes = question_panels(figure, len(histories), sharex=True)
        for row, (arm, history) in enumerate(histories.items()):
            for column, stage in enumerate(study_questions()):
                axis = axes[row, column]
                part = history[history["stage"] == stage]
                axis.axvspan(0.5, minimum_epochs - 0.5, color="#F0F2F4", zorder=0)
                axis.plot(part["epoch"], part["loss"], color="#0072B2", label="Fitted patients")
                axis.plot(
                    part["epoch"],
                    part["stopping_loss"],
                    color="#D55E00",
                    linestyle="--",
                    label="Held-back patients",
                )
                kept = part[part["chosen"] == 1].iloc[0]
                axis.axvline(kept["epoch"], color="#333333", linewidth=1, linestyle=":")
                axis.set_title(
                    f"{question_labels()[stage]}: epoch {int(kept['epoch'])} kept",
                    loc="left",
                    fontsize=8,
                )
                # A first epoch far above the others would flatten all that matters, but for short runs.
                later = part[part["epoch"] > 1] if len(part) > SHORT_RUN else part
                top = 1.15 * later[["loss", "stopping_loss"]].max().max()
                axis.set_ylim(0, max(top, 0.1))
                axis.set_xlim(0.5, history["epoch"].max() + 0.5)
                axis.xaxis.get_major_locator().set_params(integer=True)
                if column == 0:
                    axis.set_ylabel(f"{arm_name(arm)}\nCross-entropy")
                if row == len(histories) - 1:
                    axis.set_xlabel("Epoch")
        handles, labels = axes[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper right", ncols=2)
    mark_simulated(figure, simulated)
    return figure
