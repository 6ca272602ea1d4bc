"""What people see of staged patients: a page each, a page of all, and the heat maps as one picture."""

import base64
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from dlre_core.figures.heat_maps import overlay
from dlre_core.foundation.design import question_labels, short_labels, stage_classes, study_questions
from dlre_core.foundation.study_terms import SQUARE_SIDE
from dlre_core.report.page_templates import environment
from dlre_core.serving.frozen_study import FrozenStudy
from dlre_core.staging.tables import question_shown, zone_columns
from dlre_core.tables.formatting import format_cutoff, round_half_up

GAP, HEAD = 10, 64
# Of a patient's probabilities, as of the cut-offs that they are held to.
DIGITS = 4
RESEARCH = "RESEARCH USE ONLY - not a medical device"
MEASURE_NAMES = {
    "fill_fraction": "signal in the box",
    "saturated_fraction": "share of the box at full scale",
    "box_width": "width of the box",
    "box_height": "height of the box",
    "q_box_mean_kpa": "stiffness in the Q-Box (unknown, or beyond any in training)",
    "brightness": "brightness",
    "contrast": "contrast",
    "coloured": "share of coloured pixels",
}


def heat_map_sheet(
    squares: NDArray[np.uint8], heats: Sequence[NDArray[np.float32]] | None, stage: str, *, simulated: bool
) -> NDArray[np.uint8]:
    """A patient's squares above, and below them what spoke for the network's answer.

    Parameters
    ----------
    squares : (n, 250, 250, 3) uint8
    heats : n of (250, 250) float32, or None
        As `dlre_core.network.grad_cam.grad_cam` makes them; None where they cannot be had of the network.
    stage : str
    simulated : bool

    Returns
    -------
    (height, width, 3) uint8
        With the question and the intended use written above.
    """
    width = max(len(squares), 3) * (SQUARE_SIDE + GAP) + GAP
    sheet = Image.new("RGB", (width, HEAD + 2 * (SQUARE_SIDE + GAP)), "white")
    draw = ImageDraw.Draw(sheet)
    words = f"{RESEARCH}{' - SIMULATED' if simulated else ''}"
    draw.text((GAP, 6), words, fill="#a01010", font=ImageFont.load_default(20))
    # The built-in font lacks the sign.
    name = question_labels()[stage].replace("≥", ">=")
    question = f"Heat maps below: what spoke for the answer to {name}"
    if heats is None:
        question = "No heat maps: they cannot be had of this study's network"
    draw.text((GAP, 36), question, fill="black", font=ImageFont.load_default(16))
    for number, square in enumerate(squares):
        left = GAP + number * (SQUARE_SIDE + GAP)
        sheet.paste(Image.fromarray(square), (left, HEAD))
        if heats is not None:
            heat = overlay(square, heats[number])
            sheet.paste(Image.fromarray(heat), (left, HEAD + SQUARE_SIDE + GAP))
    return np.asarray(sheet)


def patient_page(patient: pd.Series, images: pd.DataFrame, sheet: NDArray[np.uint8], study: FrozenStudy) -> str:
    """One self-contained HTML page for a patient.

    Parameters
    ----------
    patient : Series
        A row of `dlre_core.staging.tables.patient_table`.
    images : DataFrame
        The patient's rows of `dlre_core.staging.tables.image_table`.
    sheet : (height, width, 3) uint8
        From `heat_map_sheet`.
    study : FrozenStudy
    """
    cutoffs = study.cutoffs["dlre"]
    return (
        environment()
        .get_template("staged_patient.html.j2")
        .render(
            study=study,
            patient=patient.to_dict(),
            questions=[
                {
                    "name": question_labels()[stage],
                    "probability": round_half_up(patient[stage], DIGITS),
                    "cutoff": format_cutoff(cutoffs[stage], "dlre"),
                    "answer": "unknown"
                    if np.isnan(cutoffs[stage])
                    else ("yes" if patient[stage] >= cutoffs[stage] else "no"),
                    "zone": zone_sentence(patient, stage, study),
                }
                for stage in study_questions()
            ],
            images=[
                {
                    "number": int(row.acquisition),
                    "probabilities": [round_half_up(getattr(row, stage), 2) for stage in study_questions()],
                    "stiffness": "unknown" if np.isnan(row.q_box_mean_kpa) else round_half_up(row.q_box_mean_kpa, 1),
                    "outside": _words(row.outside_training),
                }
                for row in images.itertuples()
            ],
            stiffness="unknown"
            if np.isnan(patient["liver_stiffness_kpa"])
            else f"{round_half_up(patient['liver_stiffness_kpa'], 1)} kPa",
            outside=_words(patient["outside_training"]),
            stage_names=[question_labels()[stage] for stage in study_questions()],
            shown=question_labels()[question_shown(patient)],
            picture=_jpeg(sheet),
        )
    )


def overview_page(patients: pd.DataFrame, rejects: pd.DataFrame, counts: pd.DataFrame, study: FrozenStudy) -> str:
    """One page of all staged patients, of the files that were not used, and of what was applied."""
    return (
        environment()
        .get_template("staging.html.j2")
        .render(
            study=study,
            staged=int((patients["images"] > 0).sum()),
            patients=[
                row
                | {
                    "probabilities": [round_half_up(row[stage], DIGITS) for stage in study_questions()],
                    "stiffness": "unknown"
                    if np.isnan(row["liver_stiffness_kpa"])
                    else round_half_up(row["liver_stiffness_kpa"], 1),
                    "zones": [row[column] for column in zone_columns().values()],
                }
                for row in patients.to_dict("records")
            ],
            rejects=rejects.fillna("").to_dict("records"),
            counts=counts.iloc[0].to_dict(),
            implied={name: int((patients["implied_stage"] == name).sum()) for name in stage_classes()},
            short_names=list(short_labels().values()),
            cutoffs=[
                (question_labels()[s], format_cutoff(study.cutoffs["dlre"][s], "dlre")) for s in study_questions()
            ],
        )
    )


def zone_sentence(patient: pd.Series, stage: str, study: FrozenStudy) -> str:
    """The zone of a patient with the limits of the grey zone; what is missing where a study froze none."""
    if stage not in study.dual_cutoffs:
        return "not frozen by this study"
    rule_out, rule_in = study.dual_cutoffs[stage]
    if np.isnan(rule_out) and np.isnan(rule_in):
        return "the study could choose no such cut-offs"
    limits = [
        f"{words} {format_cutoff(limit, 'dlre')}" if not np.isnan(limit) else f"{words} never"
        for words, limit in (("out below", rule_out), ("in from", rule_in))
    ]
    return f"{patient[zone_columns()[stage]]} ({', '.join(limits)})"


def write_pages(folder: str | Path, pages: Sequence[tuple[str, str]]) -> None:
    """Write named pages into a folder that is made anew."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages:
        (folder / f"{name}.html").write_text(text, encoding="utf-8")


def _words(names: str) -> str:
    return ", ".join(MEASURE_NAMES[name] for name in names.split(";") if name)


def _jpeg(picture: NDArray[np.uint8]) -> str:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, format="JPEG", quality=88)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"
