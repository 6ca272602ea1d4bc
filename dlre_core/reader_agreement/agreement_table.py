"""Extended table 8: on which pictures two readers agree, how near their squares lie, and each with themselves."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from dlre_core.foundation.csv_tables import read_table
from dlre_core.reader_agreement.agreement import cohen_kappa, gwet_ac1
from dlre_core.reading.consensus import both_readers, overlap
from dlre_core.reading.readings_file import ACCEPT, UNSURE, Answer, read_answers, readings_path
from dlre_core.statistics.estimates import Estimate
from dlre_core.tables.formatting import format_interval, round_half_up
from dlre_core.tables.typeset import Block, PrintedTable, simulated_caption

EVERYBODY = "All"
BETWEEN = "between"
COLUMNS = ["compared", "hospital", "pictures", "both", "one", "none", "unsure"]
COLUMNS += [f"{name}{part}" for name in ("kappa", "ac1") for part in ("", "_low", "_high")]
COLUMNS += ["overlap_median", "overlap_lowest_tenth", "distance_median_pixels", "notes"]
NAMES = {BETWEEN: "Reader 1 and reader 2", "within_1": "Reader 1, first and second look"}
NAMES["within_2"] = "Reader 2, first and second look"


def agreement_table(cohort: str | Path, acquisitions: Sequence[str | Path], *, confidence: float) -> pd.DataFrame:
    """Agreement of the two readers with each other, by hospital, and of each with themselves.

    Parameters
    ----------
    cohort : path
        Whose ``readings/`` are compared.
    acquisitions : sequence of path
        ``results/store/{hospital}_acquisitions.csv``: whose picture it is. Others are not counted.
    confidence : float

    Returns
    -------
    DataFrame
        `COLUMNS`: pictures that both accept, one does, and none (unsure is no acceptance); kappa and AC1 with limits;
        of the squares of pictures that both accept the median and tenth percentile of intersection over union, and
        the median distance of the centres.

    Raises
    ------
    ReadingsError
        If there are not two readers.
    """
    parts = [read_table(path, needs=("image_id", "patient")) for path in acquisitions]
    rows = pd.concat([part for part in parts if len(part)] or parts[:1])
    patients = dict(zip(rows["image_id"], rows["hospital"] + "/" + rows["patient"], strict=True))
    a, b = (read_answers(readings_path(cohort, name)) for name in both_readers(cohort))
    first = _pairs({k[0]: v for k, v in a.items() if k[1] == 1}, {k[0]: v for k, v in b.items() if k[1] == 1}, patients)
    table = [_row(BETWEEN, EVERYBODY, first, patients, confidence)]
    for hospital in sorted({pair[0].hospital for pair in first}):
        here = [pair for pair in first if pair[0].hospital == hospital]
        table.append(_row(BETWEEN, hospital, here, patients, confidence))
    for number, answers in enumerate((a, b), 1):
        looks = ({k[0]: v for k, v in answers.items() if k[1] == look} for look in (1, 2))
        table.append(_row(f"within_{number}", EVERYBODY, _pairs(*looks, patients), patients, confidence))
    return pd.DataFrame(table, columns=COLUMNS)


def printed_agreement(table: pd.DataFrame, confidence: float, simulated: bool) -> PrintedTable:
    """The agreement for print: a block between the readers, and one of each with themselves."""
    blocks = []
    for compared, part in table.groupby("compared", sort=False):
        blocks.append(Block(NAMES[str(compared)], [_printed(row) for row in part.to_dict("records")]))
    columns = ("Hospital", "Pictures", "Accepted by both", "by one", "by none", "Kappa", "AC1")
    columns += ("IoU, median", "IoU, lowest tenth", "Distance, pixels")
    notes = [
        f"Kappa: Cohen; AC1: Gwet; {100 * confidence:g} % confidence intervals by the jackknife over patients. Where "
        "nearly all pictures are accepted kappa is low even though readers hardly differ; AC1 is not. A reader who is "
        "unsure does not accept. IoU: intersection over union of both squares, and the distance of their centres, of "
        "pictures that both accept.",
        "A second look is at a random tenth of the pictures, later, without the first answer.",
        *sorted({f"Not given where it does not exist: {note}." for note in table["notes"] if note}),
    ]
    caption = "Extended table 8. Agreement of readers"
    return PrintedTable(simulated_caption(caption, simulated), columns, blocks, notes)


def _pairs(
    a: Mapping[str, Answer], b: Mapping[str, Answer], patients: Mapping[str, str]
) -> list[tuple[Answer, Answer]]:
    return [(a[image_id], b[image_id]) for image_id in sorted(a.keys() & b.keys() & patients.keys())]


def _row(
    compared: str,
    hospital: str,
    pairs: Sequence[tuple[Answer, Answer]],
    patients: Mapping[str, str],
    confidence: float,
) -> dict[str, object]:
    accepted = np.array([[answer.verdict == ACCEPT for answer in pair] for pair in pairs], dtype=bool).reshape(-1, 2)
    whose = [patients[pair[0].image_id] for pair in pairs]
    kappa, ac1 = (rate(*accepted.T, whose, confidence=confidence) for rate in (cohen_kappa, gwet_ac1))
    squares = [(x.square, y.square) for x, y in pairs if x.verdict == y.verdict == ACCEPT]
    overlaps = [overlap(x, y) for x, y in squares]
    centres = [
        np.hypot(x.row - y.row + (x.size - y.size) / 2, x.column - y.column + (x.size - y.size) / 2) for x, y in squares
    ]
    number = accepted.sum(axis=1)
    return {
        "compared": compared,
        "hospital": hospital,
        "pictures": len(pairs),
        **{name: int((number == count).sum()) for name, count in (("both", 2), ("one", 1), ("none", 0))},
        "unsure": sum(UNSURE in (x.verdict, y.verdict) for x, y in pairs),
        **_spread("kappa", kappa),
        **_spread("ac1", ac1),
        "overlap_median": float(np.median(overlaps)) if overlaps else np.nan,
        "overlap_lowest_tenth": float(np.quantile(overlaps, 0.1)) if overlaps else np.nan,
        "distance_median_pixels": float(np.median(centres)) if centres else np.nan,
        "notes": "; ".join(sorted({estimate.reason for estimate in (kappa, ac1) if estimate.reason})),
    }


def _spread(name: str, estimate: Estimate) -> dict[str, float]:
    return {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}


def _printed(row: Mapping[str, object]) -> list[str]:
    counts = [str(row[name]) for name in ("pictures", "both", "one", "none")]
    rates = [
        format_interval(Estimate(*(float(row[name + part]) for part in ("", "_low", "_high"))))
        for name in ("kappa", "ac1")
    ]
    squares = [round_half_up(row["overlap_median"], 2), round_half_up(row["overlap_lowest_tenth"], 2)]
    return [str(row["hospital"]), *counts, *rates, *squares, round_half_up(row["distance_median_pixels"], 1)]
