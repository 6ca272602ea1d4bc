"""Figure 1: one picture of the study from the screen to the network."""

from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.legend_handler import HandlerPatch
from matplotlib.patches import Circle, Rectangle
from numpy.typing import NDArray
from PIL import Image

from dlre_core.elastography.elastogram import map_of, read_box, stiffness_map, stored_layout
from dlre_core.elastography.network_square import crop_square
from dlre_core.elastography.q_box import BOX_WIDTH_MM, DIAMETER_MM, QBox, measure_q_box
from dlre_core.elastography.scale import scale_of_columns
from dlre_core.elastography.screen_layout import Rectangle as Part
from dlre_core.elastography.screen_layout import ScreenLayout
from dlre_core.elastography.square import Square
from dlre_core.figures.network_chart import draw_network, network_blocks
from dlre_core.figures.style import PARAMETERS, mark_simulated, new_figure
from dlre_core.foundation.design import question_labels, study_questions
from dlre_core.foundation.errors import StoreMismatch
from dlre_core.foundation.picture_store import open_images
from dlre_core.foundation.study_terms import PAPERS_NETWORK, STIFFNESS_NETWORK
from dlre_core.network.fibrosis_network import FibrosisNetwork

WELL_FILLED = 0.9
# On blue, red and grey alike.
BOX, Q_BOX, SQUARE = "#FFFFFF", "#FF5CF4", "#FFD21F"
NO_STIFFNESS = "#8A8F94"


@dataclass(frozen=True)
class Case:
    """A stored picture, its line of acquisitions, squares and split, and what is measured in it."""

    row: pd.Series
    screen: NDArray[np.uint8]
    layout: ScreenLayout
    square: Square
    kpa: NDArray[np.float32]
    q_box: QBox | None

    @property
    def q_box_mean_kpa(self) -> float | None:
        """Mean read from the picture's Q-Box; None without a circle, NaN with too little signal."""
        return None if self.q_box is None else self.q_box.mean_kpa

    @property
    def pixel_mm(self) -> float:
        """Millimetres a pixel of the screen: by the file's tags, else by the box's width."""
        return self.layout.pixel_spacing_mm or BOX_WIDTH_MM / self.layout.box.width


def choose_case(acquisitions: pd.DataFrame, rois: pd.DataFrame, split: pd.DataFrame) -> pd.Series:
    """The picture to show: unflagged, well filled, and with its Q-Box mean nearest mid-scale.

    In the middle of the scale a picture shows most of the colours. Ties go to the first image id.

    Parameters
    ----------
    acquisitions, rois, split : DataFrame
        ``results/store/acquisitions.csv``, ``results/roi/rois.csv``, ``results/splits/{split}.csv``.

    Returns
    -------
    Series
        The picture's line of all three; the square's flags are ``flags_square``.

    Raises
    ------
    StoreMismatch
        If no patient of the split has a picture.
    """
    squares = rois[["image_id", "row", "column", "size", "scale", "flags"]]
    rows = acquisitions.merge(squares, on="image_id", suffixes=("", "_square"))
    rows = rows.merge(split[["hospital", "patient", "fibrosis_stage", "cohort"]])
    if rows.empty:
        raise StoreMismatch(
            "No patient of the split has a picture in the store.",
            "Delete results/store and results/splits and run again.",
        )
    rows["flagged"] = (rows["flags"] != "") | (rows["flags_square"] != "")
    rows["holes"] = rows["fill_fraction"] < WELL_FILLED
    rows["off"] = (rows["q_box_mean_kpa"] / rows["scale_maximum_kpa"] - 0.5).abs()
    return rows.sort_values(["flagged", "holes", "off", "image_id"]).iloc[0]


def read_case(row: pd.Series, images: str | Path) -> Case:
    """Read a picture from ``results/store/images.h5`` and measure it as ingestion did.

    Where only a square drawn by hand is kept, it stands for the box, and no stiffness is known.

    Raises
    ------
    StoreMismatch
        If the store does not have it.
    """
    with open_images(images) as store:
        if row["image_id"] not in store.image_ids:
            raise StoreMismatch(f"{images} lacks a picture of acquisitions.csv.", "Run again.")
        screen = store.screen(store.image_ids.index(row["image_id"]))
    square = Square(int(row["row"]), int(row["column"]), int(row["size"]))
    if row["layout_source"] == "hand":
        part = _part(row, "box")
        layout = ScreenLayout(part, part, None, None, None, "hand")
        unknown = np.full((part.height, part.width), np.nan, dtype=np.float32)
        return Case(row=row, screen=screen, layout=layout, square=square, kpa=unknown, q_box=None)
    layout = stored_layout(row)
    opacity = None if np.isnan(row["opacity"]) else float(row["opacity"])
    kpa = stiffness_map(read_box(screen, layout, opacity), scale_of_columns(row))
    diameter = row["q_box_diameter_mm"]
    return Case(
        row=row,
        screen=screen,
        layout=layout,
        square=square,
        kpa=kpa,
        q_box=measure_q_box(screen, layout, kpa, DIAMETER_MM if np.isnan(diameter) else float(diameter)),
    )


def figure_1(case: Case, *, network: str = PAPERS_NETWORK, simulated: bool) -> Figure:
    """Screen with box, Q-Box and square (A), the square (B), its stiffness (C), the network (D)."""
    figure = new_figure(11.0, 7.7)
    crop = crop_square(case.screen, case.square)
    with mpl.rc_context(PARAMETERS):
        panels = figure.subplot_mosaic(
            [["A", "B"], ["A", "C"], ["D", "D"]],
            width_ratios=[2.05, 1],
            height_ratios=[1, 1, 1.06],
        )
        _draw_screen(panels["A"], case)
        panels["B"].imshow(crop)
        panels["B"].set_anchor("W")
        panels["B"].set_xticks([0, crop.shape[1]])
        panels["B"].set_yticks([0, crop.shape[0]])
        panels["B"].set_title("B  The network's square, pixels", loc="left")
        _draw_stiffness(figure, panels["C"], case)
        if network in (PAPERS_NETWORK, STIFFNESS_NETWORK):
            draw_network(panels["D"], network_blocks(FibrosisNetwork()), crop)
        else:
            panels["D"].axis("off")
            panels["D"].text(0.02, 0.5, f"The network {network}, whose layers are not drawn.", va="center")
        questions = ", ".join(question_labels()[stage] for stage in study_questions())
        panels["D"].set_title(f"D  The network, trained once for each question: {questions}", loc="left")
    mark_simulated(figure, simulated)
    return figure


def _draw_screen(axis: Axes, case: Case) -> None:
    # Half its size: the speckle is what makes the file large, and panel B shows it whole.
    height, width = case.screen.shape[:2]
    small = Image.fromarray(case.screen).reduce(2)
    axis.imshow(small, extent=(-0.5, width - 0.5, height - 0.5, -0.5))
    axis.axis("off")
    axis.set_anchor("W")
    axis.set_title("A  The stored screen", loc="left")
    box, square = case.layout.box, case.square
    outlines = [
        Rectangle(
            (box.left - 0.5, box.top - 0.5),
            box.width,
            box.height,
            edgecolor=BOX,
            linestyle="--",
            linewidth=1.2,
            label="Elastography box",
        ),
        Rectangle(
            (square.column - 0.5, square.row - 0.5),
            square.size,
            square.size,
            edgecolor=SQUARE,
            linewidth=1.6,
            label="The network's square",
        ),
    ]
    if case.q_box is not None:
        outlines.insert(1, _circle(case, 0, 0, Q_BOX, "Q-Box"))
    for outline in outlines:
        outline.set_fill(False)
        axis.add_patch(outline)
    # Below the screen, whose own pictures stay free; white needs a dark ground.
    legend = axis.legend(
        handles=outlines,
        handler_map={Circle: HandlerPatch(_legend_circle)},
        ncols=len(outlines),
        loc="upper center",
        bbox_to_anchor=(0.5, -0.01),
        facecolor="#2B3138",
        framealpha=1,
        frameon=True,
    )
    for text in legend.get_texts():
        text.set_color("white")


def _draw_stiffness(figure: Figure, axis: Axes, case: Case) -> None:
    box, colours = case.layout.box, ListedColormap(map_of(case.screen, case.layout) / 255)
    axis.set_facecolor(NO_STIFFNESS)
    scale = float(case.row["scale_maximum_kpa"])
    known = not np.isnan(scale)
    drawn = axis.imshow(case.kpa, cmap=colours, vmin=0, vmax=scale if known else 1, interpolation="nearest")
    if case.q_box is not None:
        axis.add_patch(_circle(case, box.left, box.top, "#FFFFFF", ""))
    axis.set_xticks([])
    axis.set_yticks([])
    axis.set(xlim=(-0.5, box.width - 0.5), ylim=(box.height - 0.5, -0.5), anchor="W")
    if not known:
        axis.set_title("C  Stiffness: unknown, no scale of colours", loc="left")
        return
    length = 10 / case.pixel_mm
    below = 1.05 * box.height
    axis.plot([0, length], [below, below], color="black", linewidth=2, clip_on=False)
    axis.text(1.1 * length, below, "10 mm", va="center", fontsize=7.5)
    axis.set_title("C  Stiffness read from the colours", loc="left")
    figure.colorbar(drawn, cax=axis.inset_axes((1.03, 0, 0.04, 1)), label="kPa")


def _legend_circle(*, width: float, height: float, **_: object) -> Circle:
    return Circle((width / 2, height / 2), 0.6 * height)


def _circle(case: Case, left: int, top: int, colour: str, label: str) -> Circle:
    """The Q-Box's circle, with coordinates from a corner of the screen's part."""
    q_box = case.q_box
    centre = (q_box.centre_column - left, q_box.centre_row - top)
    radius = q_box.diameter_mm / 2 / case.pixel_mm
    return Circle(centre, radius, fill=False, edgecolor=colour, linewidth=1.4, label=label)


def _part(row: pd.Series, name: str) -> Part:
    sides = (row[f"{name}_{side}"] for side in ("left", "top", "right", "bottom"))
    return Part(*(0 if np.isnan(side) else int(side) for side in sides))
