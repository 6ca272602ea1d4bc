"""Figures made of pictures: heat maps of right and wrong cases, and contact sheets."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from dlre_core.figures.style import PARAMETERS, SIMULATED, mark_simulated, new_figure
from dlre_core.heat_maps import KINDS, grad_cam, load_network
from dlre_core.store import RoiStore, open_rois
from dlre_core.tables.accuracy import STAGES
from dlre_core.tables.formatting import STAGE_NAMES, round_half_up

THUMBNAIL = 92
PER_ROW = 12
MARGIN, LABEL = 4, 34


def heat_map_figure(
    cases: pd.DataFrame,
    rois: pd.DataFrame,
    rois_file: str | Path,
    weights: Mapping[str, str | Path],
    *,
    simulated: bool,
) -> Figure:
    """A row a stage question, a column a kind of answer: the square, and what spoke for the answer.

    Parameters
    ----------
    cases : DataFrame
        As `dlre_core.heat_maps.choose_cases` returns it.
    rois : DataFrame
        ``results/roi/rois.csv``.
    rois_file : path
        ``results/roi/rois.h5``.
    weights : mapping of stage to path
        Safetensors files of the arm that made the predictions.
    simulated : bool
    """
    figure = new_figure(11.0, 5.4)
    index = dict(zip(rois["image_id"], range(len(rois)), strict=True))
    with mpl.rc_context(PARAMETERS), open_rois(rois_file) as store:
        axes = figure.subplots(3, len(KINDS))
        for row, stage in enumerate(STAGES):
            network = load_network(weights[stage])
            for column, kind in enumerate(KINDS):
                axis = axes[row, column]
                axis.set_xticks([])
                axis.set_yticks([])
                axis.spines[:].set_visible(False)
                if row == 0:
                    axis.set_title(kind)
                if column == 0:
                    axis.set_ylabel(STAGE_NAMES[stage])
                found = cases[(cases["stage"] == stage) & (cases["kind"] == kind)]
                if not len(found):
                    axis.text(0.5, 0.5, "nobody", ha="center", color="#51606F")
                    continue
                case = found.iloc[0]
                picture = store.read(np.array([index[case["image_id"]]]))[0]
                pair = np.concatenate([picture, overlay(picture, grad_cam(network, picture))], 1)
                axis.imshow(pair)
                axis.set_xlabel(
                    f"Biopsy F{case['fibrosis_stage']}, probability "
                    f"{round_half_up(case['probability'], 2)}",
                    fontsize=7.5,
                )
    mark_simulated(figure, simulated)
    return figure


def overlay(picture: NDArray[np.uint8], heat: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The picture in grey with the heat (0 to 1) in yellow to red over it."""
    grey = np.repeat(picture.mean(axis=2, keepdims=True), 3, axis=2)
    colours = mpl.colormaps["autumn_r"](heat)[..., :3] * 255
    share = 0.65 * heat[..., None]
    return np.rint((1 - share) * grey + share * colours).astype(np.uint8)


def save_raster(figure: Figure, caption: str, jpg: str | Path, text: str | Path) -> None:
    """Write a figure of pictures as JPEG, and its caption."""
    with mpl.rc_context(PARAMETERS):
        figure.savefig(jpg, format="jpg", dpi=160, pil_kwargs={"quality": 88})
    Path(text).write_text(caption + "\n", encoding="utf-8")


def contact_sheet(
    groups: Mapping[str, Sequence[int]], rois_file: str | Path, path: str | Path, *, simulated: bool
) -> None:
    """Thumbnails of squares, a row (or more) a group with its name at the left, as one JPEG.

    Parameters
    ----------
    groups : mapping of name to row numbers of ``rois.csv``
    rois_file : path
    path : path
        Written.
    simulated : bool
    """
    rows = {name: max(1, -(-len(members) // PER_ROW)) for name, members in groups.items()}
    step = THUMBNAIL + MARGIN
    foot = 26 if simulated else 0
    size = (LABEL + PER_ROW * step + MARGIN, sum(rows.values()) * step + MARGIN + foot)
    sheet = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(15)
    top = MARGIN
    with open_rois(rois_file) as store:
        for name, members in groups.items():
            draw.text((6, top + THUMBNAIL // 2 - 8), name, fill="black", font=font)
            for number, thumbnail in enumerate(_thumbnails(store, members)):
                down, across = divmod(number, PER_ROW)
                sheet.paste(thumbnail, (LABEL + across * step, top + down * step))
            top += rows[name] * step
    if simulated:
        draw.text((LABEL, top + 3), SIMULATED, fill="#a04000", font=font)
    sheet.save(path, format="JPEG", quality=85)


def evenly_chosen(rois: pd.DataFrame, number: int = PER_ROW) -> dict[str, list[int]]:
    """Up to ``number`` squares of every hospital, spread evenly over its pictures."""
    groups = {}
    for hospital, part in rois.groupby("hospital", sort=True):
        chosen = np.linspace(0, len(part) - 1, min(number, len(part))).round().astype(int)
        groups[str(hospital)] = [rois.index.get_loc(label) for label in part.index[chosen]]
    return groups


def least_filled(
    rois: pd.DataFrame, acquisitions: pd.DataFrame, number: int = 3 * PER_ROW
) -> dict[str, list[int]]:
    """The squares of the pictures with the least signal in the box, worst first, as one group."""
    fill = acquisitions.set_index("image_id")["fill_fraction"].reindex(rois["image_id"]).to_numpy()
    return {"": np.argsort(fill, kind="stable")[:number].tolist()}


def _thumbnails(store: RoiStore, members: Sequence[int]) -> list[Image.Image]:
    # HDF5 reads rising rows; the order asked for is restored afterwards.
    order = np.argsort(members)
    pictures = store.read(np.asarray(members, dtype=np.int64)[order]) if len(members) else []
    result: list[Image.Image] = [Image.new("RGB", (THUMBNAIL, THUMBNAIL))] * len(members)
    for place, picture in zip(order, pictures, strict=True):
        result[place] = Image.fromarray(picture).resize(
            (THUMBNAIL, THUMBNAIL), Image.Resampling.BOX
        )
    return result
