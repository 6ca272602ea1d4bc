"""Figure 2: the enrolment flow chart, with counts per criterion and hospital."""

import textwrap

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dlre_core.figures.style import PARAMETERS, mark_simulated, new_figure
from dlre_core.foundation.study_terms import EXTERNAL, cohorts_of
from dlre_core.tables.formatting import round_half_up

# With more hospitals the grid could not be read; their counts are in flow.csv.
MOST_HOSPITALS = 24
EDGE, WARM = "#0B5C8F", "#9A3B00"
FIGURE_SPACE = "\u2007"


def figure_2(
    enrolment: pd.DataFrame,
    flow: pd.DataFrame,
    split: pd.DataFrame,
    *,
    rejected_rows: int = 0,
    simulated: bool,
) -> Figure:
    """Flow chart above, a grid of counts by criterion and hospital below.

    Parameters
    ----------
    enrolment, flow : DataFrame
        ``results/enrolment/enrolment.csv`` and ``flow.csv``.
    split : DataFrame
        ``results/splits/{split}.csv``: the cohort of every patient.
    rejected_rows : int
        Rows of the clinical table that could not be used (`dlre_core.patients.clinical_table.rejected_rows`).
    simulated : bool
    """
    reasons = flow.groupby("sentence", sort=False)["excluded_first"].sum()
    reasons = reasons[reasons > 0]
    grid = hospital_grid(enrolment, flow, split)
    hospitals = len(grid.columns) - 1
    shown = hospitals <= MOST_HOSPITALS
    chart_height = 3.4 + 0.17 * len(reasons)
    figure = new_figure(11.0, chart_height + (0.6 + 0.24 * (len(grid) + 1) if shown else 0.2))
    with mpl.rc_context(PARAMETERS):
        ratios = [chart_height, 0.3 + 0.24 * (len(grid) + 1)] if shown else [1]
        axes = figure.subplots(len(ratios), 1, height_ratios=ratios, squeeze=False).ravel()
        _draw_chart(axes[0], enrolment, reasons, split, rejected_rows)
        if shown:
            _draw_grid(axes[1], grid)
    mark_simulated(figure, simulated)
    return figure


def hospital_grid(enrolment: pd.DataFrame, flow: pd.DataFrame, split: pd.DataFrame) -> pd.DataFrame:
    """Patients by step (rows) and hospital (columns, ``All`` last); criteria that exclude nobody are
    left out.

    Returns
    -------
    DataFrame of int
    """
    hospitals = sorted(enrolment["hospital"].unique())
    rows = {"Potentially eligible": enrolment.groupby("hospital").size()}
    for sentence, part in flow.groupby("sentence", sort=False):
        if part["excluded_first"].sum():
            rows[f"– {sentence}"] = part.set_index("hospital")["excluded_first"]
    rows["Enrolled"] = enrolment.groupby("hospital")["enrolled"].sum()
    for cohort in cohorts_of(split):
        rows[f"{cohort.capitalize()} cohort"] = split[split["cohort"] == cohort].groupby("hospital").size()
    grid = pd.DataFrame({name: counts.reindex(hospitals) for name, counts in rows.items()}).T
    grid["All"] = grid.sum(axis=1)
    return grid.fillna(0).astype(int)


def _draw_chart(
    axis: Axes,
    enrolment: pd.DataFrame,
    reasons: pd.Series,
    split: pd.DataFrame,
    rejected_rows: int,
) -> None:
    axis.set(xlim=(0, 100), ylim=(0, 100))
    axis.axis("off")
    enrolled = int(enrolment["enrolled"].sum())
    images = int(enrolment.loc[enrolment["enrolled"] == 1, "images"].sum())
    cohorts = split["cohort"].value_counts()
    hospitals = enrolment["hospital"].nunique()
    _box(axis, 24, 91, f"{len(enrolment)} potentially eligible patients\n{hospitals} hospitals")
    if rejected_rows:
        rows = "1 more row" if rejected_rows == 1 else f"{rejected_rows} more rows"
        _box(axis, 46, 91, f"{rows} of the clinical table rejected", colour=WARM, align="left")
    width = len(str(int(reasons.max()))) if len(reasons) else 1
    # A figure space is as wide as a digit, so that numbers stand below each other.
    lines = [
        textwrap.fill(
            f"{str(number).rjust(width, FIGURE_SPACE)}  {sentence}",
            84,
            subsequent_indent=FIGURE_SPACE * (width + 2),
        )
        for sentence, number in reasons.items()
    ]
    failed = int(enrolment["elastography_failed"].sum())
    if failed:
        share = round_half_up(failed / (failed + enrolled), 1, 100)
        lines.append(f"Elastography failed in {failed} of {failed + enrolled} whom all else admits ({share} %)")
    excluded = "\n".join([f"{len(enrolment) - enrolled} excluded", *lines])
    _box(axis, 46, 62, excluded, colour=WARM, align="left")
    _box(axis, 24, 32, f"{enrolled} enrolled\n{images} pictures")
    _box(axis, 11, 7, f"{cohorts.get('training', 0)} training cohort")
    _box(axis, 37, 7, f"{cohorts.get('validation', 0)} validation cohort")
    arrows = [((24, 84), (24, 39)), ((24, 62), (45, 62)), ((22, 25), (12, 12)), ((26, 25), (36, 12))]
    if EXTERNAL in cohorts:
        _box(axis, 63, 7, f"{cohorts[EXTERNAL]} external cohort")
        arrows.append(((28, 26), (60, 12)))
    for start, end in arrows:
        axis.annotate(
            "",
            end,
            start,
            arrowprops={"arrowstyle": "-|>", "color": "#51606F", "linewidth": 1.3},
        )


def _box(axis: Axes, x: float, y: float, text: str, *, colour: str = EDGE, align: str = "center") -> None:
    axis.text(
        x,
        y,
        text,
        ha=align,
        va="center",
        fontsize=9,
        linespacing=1.45,
        bbox={"boxstyle": "round,pad=0.6", "facecolor": "#F5F7F9", "edgecolor": colour, "linewidth": 1.4},
    )


def _draw_grid(axis: Axes, grid: pd.DataFrame) -> None:
    axis.axis("off")
    labels = [textwrap.shorten(name, 80, placeholder="…") for name in grid.index]
    share = 0.53 / len(grid.columns)
    table = axis.table(
        cellText=[[str(value) if value else "·" for value in row] for row in grid.to_numpy()],
        rowLabels=labels,
        colLabels=list(grid.columns),
        cellLoc="center",
        rowLoc="left",
        colWidths=[share] * len(grid.columns),
        bbox=[0.46, 0, 0.54, 1],
    )
    table.auto_set_font_size(False)
    table.set_fontsize(7.5)
    for (row, _), cell in table.get_celld().items():
        cell.set_linewidth(0)
        name = grid.index[row - 1] if row else ""
        total = row == 0 or not name.startswith("–")
        cell.set_text_props(fontweight="bold" if total else "normal")
        cell.set_facecolor("#F5F7F9" if total else "white")
