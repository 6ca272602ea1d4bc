"""One look for all figures: grey-safe, colour-blind-safe, and the same bytes every time."""

from pathlib import Path
from string import ascii_uppercase

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray

mpl.use("Agg")

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dlre_core.foundation.atomic_files import written_whole
from dlre_core.foundation.design import question_labels, study_methods, study_questions

# Okabe and Ito's colours, with line styles and markers that also tell the curves apart in grey.
LOOKS = (
    {"color": "#0072B2", "linestyle": "-", "linewidth": 2.2, "marker": "o"},
    {"color": "#D55E00", "linestyle": "--", "linewidth": 1.7, "marker": "s"},
    {"color": "#009E73", "linestyle": "-.", "linewidth": 1.5, "marker": "^"},
    {"color": "#7A5195", "linestyle": ":", "linewidth": 1.9, "marker": "D"},
    {"color": "#56B4E9", "linestyle": (0, (8, 2)), "linewidth": 1.5, "marker": "v"},
    {"color": "#E69F00", "linestyle": (0, (3, 1, 1, 1, 1, 1)), "linewidth": 1.5, "marker": "P"},
    {"color": "#CC79A7", "linestyle": (0, (1, 2.5)), "linewidth": 1.7, "marker": "X"},
    {"color": "#555555", "linestyle": (0, (5, 4)), "linewidth": 1.3, "marker": "*"},
)
# Subgroups and combinations of hospitals.
SERIES_STYLES = LOOKS[:4]
# Figure 4, from the smallest number of pictures to the largest: hue for the method, dashes for both.
IMAGE_STYLES = {
    "dlre": (
        {"color": "#7FB8DA", "linestyle": (0, (1, 1)), "linewidth": 2.0, "marker": "^"},
        {"color": "#3391C9", "linestyle": (0, (5, 1.2)), "linewidth": 2.0, "marker": "s"},
        {"color": "#00507E", "linestyle": "-", "linewidth": 2.2, "marker": "o"},
    ),
    "lsm": (
        {"color": "#F0A35E", "linestyle": (0, (1, 2.2)), "linewidth": 1.5, "marker": "v"},
        {"color": "#D55E00", "linestyle": (0, (5, 1.5, 1, 1.5)), "linewidth": 1.5, "marker": "D"},
        {"color": "#8A3B00", "linestyle": (0, (8, 2)), "linewidth": 1.3, "marker": "P"},
    ),
}
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


def method_styles() -> dict[str, dict[str, object]]:
    """Look of every method of the design: the network has the first."""
    return {method: dict(LOOKS[number % len(LOOKS)]) for number, method in enumerate(study_methods())}


def image_style(method: str, rank: int) -> dict[str, object]:
    """Look of a method's curve with the ``rank``-th number of pictures (0 is the smallest)."""
    styles = IMAGE_STYLES[method]
    return dict(styles[min(rank, len(styles) - 1)])


def new_figure(width: float, height: float) -> Figure:
    """An empty figure in the house style; inches."""
    with mpl.rc_context(PARAMETERS):
        return Figure(figsize=(width, height), layout="constrained")


def question_figure(height: float) -> Figure:
    """An empty figure, ``height`` inches high, as wide as a column of panels per question needs."""
    return new_figure(max(5.5, 11.0 * len(study_questions()) / 3), height)


def question_panels(figure: Figure, rows: int = 1, **shared: bool) -> NDArray[np.object_]:
    """Axes of a figure with a column per question of the design: (rows, questions)."""
    return figure.subplots(rows, len(study_questions()), squeeze=False, **shared)


def panel_title(question: str, row: int = 0) -> str:
    """Letter and question of a panel in a ``row`` of panels, as ``D  Cirrhosis (F4)``."""
    place = row * len(study_questions()) + study_questions().index(question)
    return f"{ascii_uppercase[place]}  {question_labels()[question]}"


def auc_legend(axis: Axes, confidence: float, below: float, **spacing: float) -> None:
    """Curves with their AUCs, ``below`` the axes by a share of their height: curves run through every corner."""
    axis.legend(
        loc="upper left",
        bbox_to_anchor=(0, -below),
        borderaxespad=0,
        fontsize=7.4,
        title=f"AUC ({100 * confidence:g} % CI; ≥ or ≤: one-sided bound)",
        title_fontsize=7.4,
        alignment="left",
        **spacing,
    )


def mark_simulated(figure: Figure, simulated: bool) -> None:
    """Say at the figure's foot that its data are simulated, where they are."""
    if simulated:
        figure.supxlabel(SIMULATED, fontsize=8, color="#a04000", fontweight="bold")


def save_figure(figure: Figure, caption: str, svg: str | Path, png: str | Path, text: str | Path) -> None:
    """Write SVG, PNG and the caption, without dates: the same data give the same bytes."""
    parts = {
        # Of the pictures in it; lines and words have none.
        svg: {"format": "svg", "dpi": 200, "metadata": {"Date": None, "Creator": "DLRE"}},
        png: {"format": "png", "dpi": 200, "metadata": {"Software": "DLRE"}},
    }
    with mpl.rc_context(PARAMETERS):
        for path, options in parts.items():
            with written_whole(path) as unfinished:
                figure.savefig(unfinished, **options)
    Path(text).write_text(caption + "\n", encoding="utf-8")
