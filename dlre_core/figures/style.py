"""One look for all figures: grey-safe, colour-blind-safe, and the same bytes every time."""

from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")

from matplotlib.figure import Figure

# Okabe and Ito's colours, with line styles and markers that also tell the curves apart in grey.
METHOD_STYLES = {
    "dlre": {"color": "#0072B2", "linestyle": "-", "linewidth": 2.2, "marker": "o"},
    "lsm": {"color": "#D55E00", "linestyle": "--", "linewidth": 1.7, "marker": "s"},
    "apri": {"color": "#009E73", "linestyle": "-.", "linewidth": 1.5, "marker": "^"},
    "fib4": {"color": "#7A5195", "linestyle": ":", "linewidth": 1.9, "marker": "D"},
}
SERIES_STYLES = tuple(METHOD_STYLES.values())
PARAMETERS = {
    "font.family": "DejaVu Sans",
    "font.size": 8.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "legend.frameon": False,
    "svg.hashsalt": "dlre",
    "svg.fonttype": "none",
}
SIMULATED = "Simulated data: no real patients"


def new_figure(width: float, height: float) -> Figure:
    """An empty figure in the house style; inches."""
    with mpl.rc_context(PARAMETERS):
        return Figure(figsize=(width, height), layout="constrained")


def mark_simulated(figure: Figure, simulated: bool) -> None:
    """Say at the figure's foot that its data are simulated, where they are."""
    if simulated:
        figure.supxlabel(SIMULATED, fontsize=8, color="#a04000", fontweight="bold")


def save_figure(figure: Figure, svg: str | Path, png: str | Path) -> None:
    """Write both forms, without dates, so that the same data give the same bytes."""
    with mpl.rc_context(PARAMETERS):
        figure.savefig(svg, format="svg", metadata={"Date": None, "Creator": "DLRE"})
        figure.savefig(png, format="png", dpi=200, metadata={"Software": "DLRE"})
