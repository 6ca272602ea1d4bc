"""Heat maps of where the networks look: the cases worth looking at, and their figure."""

from collections.abc import Mapping
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from dlre_core.figures.style import (
    PARAMETERS,
    mark_simulated,
    new_figure,
)
from dlre_core.foundation.design import question_labels, stage_labels, study_questions
from dlre_core.foundation.picture_store import open_rois
from dlre_core.foundation.study_terms import KEYS
from dlre_core.network.grad_cam import grad_cam
from dlre_core.network.kinds import kind_of_file, load_network
from dlre_core.tables.formatting import round_half_up

# What an answer can be, with (has the stage, answered with yes).
KINDS: Mapping[str, tuple[int, bool]] = {
    "Rightly yes": (1, True),
    "Rightly no": (0, False),
    "Missed": (1, False),
    "False alarm": (0, True),
}


def choose_cases(predictions: pd.DataFrame, table_2: pd.DataFrame) -> pd.DataFrame:
    """The most decided validation patient of every kind of answer and stage question.

    Parameters
    ----------
    predictions : DataFrame
        ``results/predictions/{arm}.csv``.
    table_2 : DataFrame
        ``results/tables/table_2.csv``: DLRE's cut-offs.

    Returns
    -------
    DataFrame
        stage, kind, fibrosis_stage, probability (of the patient), cutoff, image_id (the picture whose
        own probability is nearest to the patient's); a kind that nobody is of has no row.
    """
    cutoffs = table_2[(table_2["method"] == "dlre") & (table_2["cohort"] == "validation")]
    cutoff = cutoffs.set_index("stage")["cutoff"]
    pictures = predictions[predictions["cohort"] == "validation"]
    rows = []
    for stage in study_questions():
        patients = pictures.groupby(KEYS, sort=True).agg(
            fibrosis_stage=("fibrosis_stage", "first"), probability=(stage, "mean")
        )
        has = stage_labels(patients["fibrosis_stage"], stage)
        yes = (patients["probability"] >= cutoff[stage]).to_numpy()
        for kind, (truth, answer) in KINDS.items():
            part = patients[(has == truth) & (yes == answer)]
            if len(part):
                where = part["probability"].idxmax() if answer else part["probability"].idxmin()
                own = pictures.set_index(KEYS).loc[[where]]
                nearest = (own[stage] - part.loc[where, "probability"]).abs().to_numpy().argmin()
                rows.append(
                    {
                        "stage": stage,
                        "kind": kind,
                        "cutoff": cutoff[stage],
                        "fibrosis_stage": int(part.loc[where, "fibrosis_stage"]),
                        "probability": float(part.loc[where, "probability"]),
                        "image_id": own["image_id"].iloc[nearest],
                    }
                )
    columns = ["stage", "kind", "fibrosis_stage", "probability", "cutoff", "image_id"]
    return pd.DataFrame(rows, columns=columns)


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
        As `dlre_core.figures.heat_maps.choose_cases` returns it.
    rois : DataFrame
        ``results/roi/rois.csv``.
    rois_file : path
        ``results/roi/rois.h5``.
    weights : mapping of stage to path
        Safetensors files of the arm that made the predictions.
    simulated : bool
    """
    figure = new_figure(11.0, 0.3 + 1.7 * len(study_questions()))
    index = dict(zip(rois["image_id"], range(len(rois)), strict=True))
    with mpl.rc_context(PARAMETERS), open_rois(rois_file) as store:
        axes = figure.subplots(len(study_questions()), len(KINDS), squeeze=False)
        for row, stage in enumerate(study_questions()):
            network, seen_as = load_network(weights[stage]), kind_of_file(weights[stage]).input
            for column, kind in enumerate(KINDS):
                axis = axes[row, column]
                axis.set_xticks([])
                axis.set_yticks([])
                axis.spines[:].set_visible(False)
                if row == 0:
                    axis.set_title(kind)
                if column == 0:
                    axis.set_ylabel(question_labels()[stage])
                found = cases[(cases["stage"] == stage) & (cases["kind"] == kind)]
                if not len(found):
                    axis.text(0.5, 0.5, "nobody", ha="center", color="#51606F")
                    continue
                case = found.iloc[0]
                at = index[case["image_id"]]
                picture, seen = (store.read(np.array([at]), of)[0] for of in ("square", seen_as))
                heat = grad_cam(network, seen, float(rois["q_box_mean_kpa"].iloc[at]))
                pair = np.concatenate([picture, overlay(picture, heat)], 1)
                axis.imshow(pair)
                axis.set_xlabel(
                    f"Biopsy F{case['fibrosis_stage']}, probability {round_half_up(case['probability'], 2)}",
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
