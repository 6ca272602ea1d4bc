"""Extended figure 5: on what two readers agree: pictures, and what is measured and predicted in their squares."""

from collections.abc import Mapping

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dlre_core.figures.style import LOOKS, PARAMETERS, mark_simulated, new_figure
from dlre_core.reader_agreement.agreement_table import BETWEEN
from dlre_core.reader_agreement.reader_squares import Q_BOX
from dlre_core.tables.formatting import round_half_up

# How many accept a picture: shade and hatch, which grey keeps apart.
BARS: Mapping[str, tuple[str, str, str]] = {
    "both": ("Both accept", "#0072B2", ""),
    "one": ("One accepts", "#A8CDE6", "////"),
    "none": ("None accepts", "#FFFFFF", "...."),
}
RATES = {"kappa": ("Cohen's kappa", LOOKS[1]), "ac1": ("Gwet's AC1", LOOKS[0])}
# Of the network's probabilities the one that is drawn.
STAGE = "ge_f2"
# Where squares hardly matter the axis still shows what would.
LEAST_REACH = {Q_BOX: 0.5, STAGE: 0.05}
WORDS = {Q_BOX: "mean in the Q-Box, kPa", STAGE: "probability of significant fibrosis (≥F2)"}
NOTE_COLOUR = "#51606F"


def agreement_figure(table: pd.DataFrame, values: pd.DataFrame, measures: pd.DataFrame, *, simulated: bool) -> Figure:
    """Acceptances and their agreement by hospital, and Bland and Altman's plots of stiffness and probability.

    Parameters
    ----------
    table : DataFrame
        ``results/tables/agreement.csv``.
    values, measures : DataFrame
        ``results/tables/reader_squares_values.csv`` and ``reader_squares.csv``.
    simulated : bool
    """
    rows = table[table["compared"] == BETWEEN].reset_index(drop=True)
    figure = new_figure(11.0, 4.6 + 0.3 * len(rows))
    heights = [1.0 + 0.3 * len(rows), 3.2]
    with mpl.rc_context(PARAMETERS):
        axes = figure.subplots(2, 2, gridspec_kw={"height_ratios": heights})
        _acceptances(axes[0, 0], rows)
        _rates(axes[0, 1], rows)
        by_measure = measures.set_index("measure")
        for axis, measure, letter in zip(axes[1], (Q_BOX, STAGE), "CD", strict=True):
            words = WORDS[measure]
            _bland_altman(axis, values, by_measure.loc[measure], measure)
            axis.set_title(f"{letter}  {words[0].upper()}{words[1:]}", loc="left", pad=17)
            axis.set_xlabel(f"Mean of both readers' squares: {words}")
        axes[1, 0].set_ylabel("Reader 1 less reader 2")
    mark_simulated(figure, simulated)
    return figure


def _acceptances(axis: Axes, rows: pd.DataFrame) -> None:
    start = np.zeros(len(rows))
    total = rows["pictures"].clip(lower=1).to_numpy()
    for name, (label, colour, hatch) in BARS.items():
        share = 100 * rows[name].to_numpy() / total
        look = {"color": colour, "hatch": hatch, "edgecolor": "#1F4E6E", "linewidth": 0.6}
        axis.barh(range(len(rows)), share, 0.68, left=start, label=label, **look)
        start = start + share
    for place, row in rows.iterrows():
        counts = " / ".join(str(row[name]) for name in BARS)
        axis.text(101.5, place, counts, va="center", fontsize=7.2, color=NOTE_COLOUR)
    axis.set(xlim=(0, 100), ylim=(len(rows) - 0.4, -0.6))
    axis.set_yticks(range(len(rows)), rows["hospital"])
    axis.set_ylabel("Hospital")
    axis.set_xlabel("Pictures, % (numbers at the right)")
    axis.set_title("A  Acceptance", loc="left", pad=24)
    axis.legend(loc="lower left", bbox_to_anchor=(-0.01, 0.99), ncols=3, fontsize=7.5, columnspacing=1.2)


def _rates(axis: Axes, rows: pd.DataFrame) -> None:
    for shift, (name, (label, style)) in zip((-0.16, 0.16), RATES.items(), strict=True):
        known = rows[rows[name].notna()]
        limits = np.clip([known[name] - known[f"{name}_low"], known[f"{name}_high"] - known[name]], 0, None)
        look = {"color": style["color"], "fmt": style["marker"], "markersize": 4, "linewidth": 1.1, "capsize": 2}
        axis.errorbar(known[name], known.index + shift, xerr=np.nan_to_num(limits), label=label, **look)
    for place, row in rows.iterrows():
        if row[list(RATES)].isna().all():
            axis.text(0.5, place, row["notes"], ha="center", va="center", fontsize=6.6, color=NOTE_COLOUR)
    axis.axvline(0, color="#999999", linewidth=0.8)
    lowest = np.nanmin([-0.05, rows[[f"{name}_low" for name in RATES]].min().min()])
    axis.set(xlim=(max(lowest - 0.05, -1.05), 1.05), ylim=(len(rows) - 0.4, -0.6))
    axis.set_yticks(range(len(rows)), rows["hospital"])
    axis.set_xlabel("Agreement: 0 as by chance, 1 always")
    axis.set_title("B  Agreement on acceptance", loc="left", pad=24)
    axis.legend(loc="lower left", bbox_to_anchor=(-0.01, 0.99), ncols=2, fontsize=7.5)


def _bland_altman(axis: Axes, values: pd.DataFrame, row: pd.Series, measure: str) -> None:
    first, second = (values[f"{measure}_{number}"].to_numpy(dtype=float) for number in (1, 2))
    known = ~(np.isnan(first) | np.isnan(second))
    first, second = first[known], second[known]
    if len(first) < 2:
        axis.text(0.5, 0.5, "Fewer than two pictures", ha="center", transform=axis.transAxes, color=NOTE_COLOUR)
        axis.set(xticks=[], yticks=[])
        return
    difference = first - second
    # Many thousand dots would be as many elements of the drawing.
    axis.plot((first + second) / 2, difference, ".", markersize=3.5, alpha=0.45, color="#333333", rasterized=True)
    reach = max(float(np.abs(difference).max()), abs(row["lower"]), abs(row["upper"]), LEAST_REACH[measure])
    axis.set_ylim(-1.25 * reach, 1.25 * reach)
    for name, style in (("bias", "-"), ("lower", "--"), ("upper", "--")):
        axis.axhline(row[name], color="#D55E00", linestyle=style, linewidth=1.2)
        if not np.isnan(row[f"{name}_low"]):
            axis.axhspan(row[f"{name}_low"], row[f"{name}_high"], color="#D55E00", alpha=0.12, linewidth=0)
    digits = 2 if measure == Q_BOX else 3
    bias, lower, upper = (round_half_up(row[name], digits) for name in ("bias", "lower", "upper"))
    words = f"Mean: {bias}; limits: {lower} to {upper}; ICC: {round_half_up(row['icc'], 3)}"
    axis.text(0, 1.015, words, transform=axis.transAxes, va="bottom", fontsize=7.2, color=NOTE_COLOUR)


def agreement_caption(table: pd.DataFrame, values: pd.DataFrame, confidence: float, simulated: bool) -> str:
    """What the figure shows, for the text below it."""
    pictures = int(table.loc[table["compared"] == BETWEEN, "pictures"].iloc[0])
    return (
        f"Extended figure 5. Agreement of two readers on {pictures} pictures. (A) Pictures that both, one or none "
        f"accept, by hospital. (B) Cohen's kappa and Gwet's AC1 with {100 * confidence:g} % confidence intervals by "
        "the jackknife over patients; without one where it does not exist (Extended table 8). (C, D) Reader 1's square "
        f"less reader 2's, of {len(values)} pictures that both accept and the study uses: mean in the Q-Box (C) and "
        f"DLRE's {WORDS[STAGE]} (D). Lines: mean difference and limits of agreement, with bands of their intervals."
        f"{' Simulated data.' if simulated else ''}"
    )
