"""Optional table: accuracy with k pictures, averaged over all choices of k of a patient's pictures."""

import math
from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from dlre_core.foundation.design import method_labels, question_labels, stage_labels, study_questions
from dlre_core.foundation.study_terms import KEYS
from dlre_core.patients.splits import first_pictures
from dlre_core.statistics.delong import auc_parts, delong_covariance
from dlre_core.statistics.estimates import too_few
from dlre_core.tables.accuracy_print import estimate
from dlre_core.tables.formatting import format_interval, round_half_up
from dlre_core.tables.table_3_pictures import STRATEGIES
from dlre_core.tables.typeset import Block, PrintedTable, simulated_caption

AGGREGATES = {"mean": np.mean, "median": np.median, "max": np.max}


def choices_table(
    predictions: pd.DataFrame,
    acquisitions: pd.DataFrame,
    *,
    aggregate: str = "mean",
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Mean validation AUC over all choices of k pictures, for every k.

    Table 3 takes the first k pictures of everybody. Which pictures come first is chance; here every
    choice of acquisition numbers counts alike. In training, all choices of k weigh each picture
    alike, so the networks are those of the arm with all pictures.

    Parameters
    ----------
    predictions : DataFrame
        ``results/predictions/{arm}.csv`` of the first arm.
    acquisitions : DataFrame
        ``results/store/acquisitions.csv``: image_id, q_box_mean_kpa.
    aggregate : {"mean", "median", "max"}
        Of the probabilities; stiffness is the median.
    confidence : float

    Returns
    -------
    DataFrame
        stage, method, images, choices, n, n_cases, mean AUC with limits, lowest and highest AUC, difference from all
        pictures with limits, notes and n_missing (patients who lack one of the measurements, who are left out).
        Placements of the choices are averaged before their variance is taken, so the limits are DeLong's. With fewer
        than five cases or controls there are none, and notes say so.
    """
    part = predictions[predictions["cohort"] == "validation"]
    stiffness = acquisitions.set_index("image_id")["q_box_mean_kpa"]
    part = part.assign(lsm=part["image_id"].map(stiffness))
    count = int(part.groupby(KEYS).size().min())
    part = first_pictures(part, count)
    stages_of = part.groupby(KEYS, sort=False)["fibrosis_stage"].first()
    rows = []
    for stage in study_questions():
        labels = stage_labels(stages_of, stage)
        for method in STRATEGIES:
            column = stage if method == "dlre" else method
            values = part[column].to_numpy(dtype=np.float64).reshape(-1, count)
            # The same patients with any number of pictures: those with all of their measurements.
            known = ~np.isnan(values).any(axis=1)
            how = AGGREGATES[aggregate] if method == "dlre" else np.median
            for cells in _by_number(labels[known], values[known], how, confidence):
                missing = {"n_missing": int((~known).sum())}
                rows.append({"stage": stage, "method": method, **cells, **missing})
    return pd.DataFrame(rows)


def printed_choices(table: pd.DataFrame, confidence: float, simulated: bool) -> PrintedTable:
    """The table for print: a row per method and number of pictures."""
    columns = ["Method", "Pictures", "Choices"]
    for stage in study_questions():
        columns += [question_labels()[stage], "lowest to highest"]
    cells = {(r["stage"], r["method"], r["images"]): r for r in table.to_dict("records")}
    rows = []
    for method in STRATEGIES:
        for images in sorted(table["images"].unique()):
            first = cells[study_questions()[0], method, images]
            row = [method_labels()[method], str(images), str(first["choices"])]
            for stage in study_questions():
                cell = cells[stage, method, images]
                lowest, highest = (round_half_up(cell[n], 2) for n in ("auc_lowest", "auc_highest"))
                row += [format_interval(estimate(cell, "auc")), f"{lowest} to {highest}"]
            rows.append(row)
    caption = "AUC with k pictures per patient, averaged over all choices of k, validation cohort"
    note = f"Mean AUC with {100 * confidence:g} % confidence interval (DeLong, of the averaged placements)."
    return PrintedTable(simulated_caption(caption, simulated), columns, [Block("", rows)], [note])


def _by_number(
    truth: NDArray[np.int64], values: NDArray[np.float64], how: Callable[..., Any], confidence: float
) -> list[dict[str, Any]]:
    """Cells of every number of pictures, of labels (n,) and measurements (n, count)."""
    count, cases = values.shape[1], int(truth.sum())
    few = too_few(cases, len(truth) - cases)
    z = -float(special.ndtri((1 - confidence) / 2))
    found = [_averaged(truth, values, images, how) for images in range(1, count + 1)]
    all_pictures = found[-1]
    rows = []
    for images, (aucs, placements) in enumerate(found, 1):
        auc, difference = float(np.mean(aucs)), float(np.mean(aucs) - np.mean(all_pictures[0]))
        apart = tuple(a - b for a, b in zip(placements, all_pictures[1], strict=True))
        half, half_apart = (
            math.nan if few else z * math.sqrt(delong_covariance(one, one)) for one in (placements, apart)
        )
        rows.append(
            {
                "images": images,
                "choices": len(aucs),
                "n": len(truth),
                "n_cases": cases,
                "auc": auc,
                "auc_low": float(np.clip(auc - half, 0, 1)),
                "auc_high": float(np.clip(auc + half, 0, 1)),
                "auc_lowest": min(aucs),
                "auc_highest": max(aucs),
                "difference": difference,
                "difference_low": math.nan if images == count else difference - half_apart,
                "difference_high": math.nan if images == count else difference + half_apart,
                "notes": few,
            }
        )
    return rows


def _averaged(
    truth: NDArray[np.int64], values: NDArray[np.float64], images: int, how: Callable[..., Any]
) -> tuple[list[float], tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """AUC of every choice, and placements of cases and controls averaged over the choices."""
    parts = [
        auc_parts(truth, how(values[:, list(chosen)], axis=1))
        for chosen in combinations(range(values.shape[1]), images)
    ]
    of_cases, of_controls = (np.mean([part.placements[side] for part in parts], axis=0) for side in (0, 1))
    return [part.auc for part in parts], (of_cases, of_controls)
