"""Extended table 9: what is measured in both readers' squares, and what the network makes of them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from torch import nn

from dlre_core.elastography.elastogram import read_box, stiffness_map, stored_layout
from dlre_core.elastography.network_square import seen_square
from dlre_core.elastography.q_box import measure_q_box
from dlre_core.elastography.scale import scale_of_columns
from dlre_core.elastography.screen_layout import Rectangle
from dlre_core.elastography.square import Square
from dlre_core.foundation.csv_tables import read_table
from dlre_core.foundation.design import question_labels
from dlre_core.foundation.errors import StoreMismatch
from dlre_core.foundation.picture_store import open_images
from dlre_core.foundation.study_terms import BOX_WRONG, INPUTS, KEYS
from dlre_core.heterogeneity.limits_of_agreement import measured_agreement
from dlre_core.ingestion.square_by_hand import SOURCE, place_of
from dlre_core.network.inference import picture_probabilities
from dlre_core.network.kinds import PAPERS, NetworkKind
from dlre_core.reading.consensus import both_readers, first_looks
from dlre_core.reading.readings_file import ACCEPT, readings_path
from dlre_core.tables.accuracy_print import estimate, undefined
from dlre_core.tables.formatting import format_interval
from dlre_core.tables.table_2_accuracy import spread
from dlre_core.tables.typeset import Block, PrintedTable, simulated_caption

Q_BOX = "q_box_mean_kpa"
# Text in the table.
TEXT = ("measure",)
# Pictures whose squares are held at once, 0.4 MB each.
AT_ONCE = 32


def measures() -> dict[str, str]:
    """What is measured in both readers' squares, and how it is called in print."""
    labels = question_labels()
    return {Q_BOX: "Mean in the Q-Box, kPa", **{name: f"DLRE's probability, {label}" for name, label in labels.items()}}


def value_columns() -> list[str]:
    """Columns of the values in both squares: one row per picture."""
    return ["image_id", *KEYS, *(f"{name}_{number}" for name in measures() for number in (1, 2))]


def square_values(
    cohort: str | Path,
    images: str | Path,
    acquisitions: str | Path,
    networks: Mapping[str, nn.Module],
    kind: NetworkKind = PAPERS,
) -> pd.DataFrame:
    """Stiffness and probabilities in both readers' squares of every picture that both accept and the study uses.

    Parameters
    ----------
    cohort : path
        Whose ``readings/`` are compared.
    images, acquisitions : path
        ``results/store/images.h5`` and ``acquisitions.csv``.
    networks : mapping of stage to nn.Module
    kind : NetworkKind, optional
        Theirs.

    Returns
    -------
    DataFrame
        `value_columns`. The Q-Box is measured in what of the box a square holds; NaN where it is not found there, or
        the scale is unknown, or the box is wrong.

    Raises
    ------
    ReadingsError
        If there are not two readers.
    StoreMismatch
        If pictures and table disagree.
    """
    a, b = (first_looks(readings_path(cohort, name)) for name in both_readers(cohort))
    rows = read_table(acquisitions)
    both = [name in a and name in b and a[name].verdict == b[name].verdict == ACCEPT for name in rows["image_id"]]
    chosen = np.flatnonzero(both)
    found = []
    with open_images(images) as store:
        if store.image_ids != list(rows["image_id"]):
            raise StoreMismatch(f"{images} and {acquisitions} list different pictures.", "Delete both and run again.")
        for start in range(0, len(chosen), AT_ONCE):
            part = rows.iloc[chosen[start : start + AT_ONCE]]
            crops, measured = [], []
            for index, row in zip(part.index, part.to_dict("records"), strict=True):
                screen = store.screen(index)
                squares = [answers[row["image_id"]].square for answers in (a, b)]
                names = INPUTS[kind.input]
                crops += [
                    np.concatenate([seen_square(screen, square, row, name) for name in names], axis=2)
                    for square in squares
                ]
                measured.append(_q_boxes(screen, row, squares))
            values = {Q_BOX: np.array(measured)}
            for stage, network in networks.items():
                values[stage] = picture_probabilities(network, np.stack(crops), values[Q_BOX].ravel()).reshape(-1, 2)
            columns = {f"{name}_{n + 1}": pairs[:, n] for name, pairs in values.items() for n in (0, 1)}
            found.append(part[["image_id", *KEYS]].assign(**columns))
    return pd.concat(found, ignore_index=True)[value_columns()] if found else pd.DataFrame(columns=value_columns())


def _q_boxes(screen: NDArray[np.uint8], row: Mapping[str, object], squares: Sequence[Square]) -> list[float]:
    layout, scale = stored_layout(row), scale_of_columns(row)
    if layout.source == SOURCE or not scale.known or BOX_WRONG in str(row["flags"]).split(";"):
        return [np.nan] * len(squares)
    known: dict[Rectangle, float] = {}
    values = []
    for square in squares:
        seen = layout.box.common(place_of(square))
        if seen not in known:
            known[seen] = np.nan
            if seen.width and seen.height:
                part = replace(layout, box=seen)
                kpa = stiffness_map(read_box(screen, part, float(row["opacity"])), scale)
                q_box = measure_q_box(screen, part, kpa)
                known[seen] = np.nan if q_box is None else q_box.mean_kpa
        values.append(known[seen])
    return values


def reader_squares_table(values: pd.DataFrame, *, confidence: float) -> pd.DataFrame:
    """Bland and Altman's limits and the ICC of every measure.

    Parameters
    ----------
    values : DataFrame
        As `square_values` returns it.
    confidence : float

    Returns
    -------
    DataFrame
        A row a measure: pictures and patients that have both, mean difference (reader 1 minus reader 2), its standard
        deviation, both limits of agreement and ICC(A,1), each with _low and _high; notes.
    """
    rows = []
    patients = values["hospital"].astype(str) + "/" + values["patient"].astype(str)
    for measure in measures():
        pair = (values[f"{measure}_{number}"].astype(float) for number in (1, 2))
        found = measured_agreement(*pair, patients, confidence=confidence)
        estimates = {"bias": found.bias, "lower": found.lower, "upper": found.upper, "icc": found.icc}
        rows.append(
            {"measure": measure, "pictures": found.n, "patients": found.patients}
            | {key: cell for name, one in estimates.items() for key, cell in spread(name, one).items()}
            | {"sd": found.sd, "notes": "; ".join(sorted({one.reason for one in estimates.values() if one.reason}))}
        )
    return pd.DataFrame(rows)


def printed_reader_squares(table: pd.DataFrame, confidence: float, simulated: bool) -> PrintedTable:
    """The table for print."""
    rows = []
    for row in table.to_dict("records"):
        digits = 2 if row["measure"] == Q_BOX else 3
        named = (estimate(row, name) for name in ("bias", "lower", "upper"))
        rows.append(
            [
                measures()[row["measure"]],
                str(row["pictures"]),
                str(row["patients"]),
                *(format_interval(one, digits) for one in named),
                format_interval(estimate(row, "icc"), 3),
            ]
        )
    columns = ("Measure", "Pictures", "Patients", "Mean difference", "Lower limit", "Upper limit", "ICC")
    notes = [
        "Of pictures that both accept: the same picture by reader 1's square less that by reader 2's. Limits of "
        "agreement by Bland and Altman; ICC: two-way model, absolute agreement, one measurement. "
        f"{100 * confidence:g} % confidence intervals by the jackknife over patients.",
        "The Q-Box is measured anew in what of the box each square holds; where a square cuts it off it is missing. "
        "Probabilities are of the study's own networks, for pictures of training and validation patients.",
        *undefined(table["notes"]),
    ]
    caption = "Extended table 9. Stiffness and probability in the squares of two readers"
    return PrintedTable(simulated_caption(caption, simulated), columns, [Block("", rows)], notes)
