"""Two simulated readers of a simulated cohort, so that a demo has something to agree on.

Use: ``python -m dlre_core.reading.simulated_readers``; ``make simulated-readers`` calls it.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from dlre_core.elastography.square import SMALLEST_SIDE, Square
from dlre_core.foundation.csv_tables import read_table
from dlre_core.foundation.errors import DlreError, ReadingsError
from dlre_core.patients.cohort_folder import SIMULATED_FOLDER
from dlre_core.reading.reading_order import reading_order
from dlre_core.reading.reading_session import Given, ReadingSession
from dlre_core.reading.readings_file import ACCEPT, EXCLUDE, UNSURE, Readings, held_by_one, readings_path
from dlre_core.reading.shown_pictures import ShownPicture, stored_pictures

NAMES = ("simulated_1", "simulated_2")
# Share of the pictures, those with least signal in the box, that readers should exclude.
BAD_SHARE = 0.1
# When the readings would have been made, seconds since 1970: the same bytes whenever they are.
BEGIN = 1_546_300_800.0


@dataclass(frozen=True)
class SimulatedReader:
    """How a simulated reader reads.

    Attributes
    ----------
    sensitivity : float
        Share of the bad pictures that are excluded.
    false_exclusions : float
        Share of the good pictures that are excluded.
    unsure : float
        Share of all pictures of which the reader is unsure.
    jitter_pixels : float
        Standard deviation of the square's row and column; half of it of its side. 0 leaves the found square.
    """

    sensitivity: float = 0.85
    false_exclusions: float = 0.02
    unsure: float = 0.01
    jitter_pixels: float = 5.0


def simulated_readings(
    pictures: Sequence[ShownPicture],
    signal: Sequence[float],
    path: str | Path,
    reader: SimulatedReader,
    seed: int,
) -> None:
    """Write one reader's file, by way of the session that a browser uses.

    Parameters
    ----------
    pictures : sequence of ShownPicture
    signal : sequence of float
        Share of each picture's box that carries colour; the lowest `BAD_SHARE` of the pictures are bad.
    path : path
    reader : SimulatedReader
    seed : int
        The same one gives the same bytes.
    """
    order = reading_order([(picture.patient, picture.image_id) for picture in pictures], Path(path).stem)
    generator = np.random.default_rng([seed, *Path(path).stem.encode()])
    bad = pd.Series(signal).rank(method="first", pct=True).to_numpy() <= BAD_SHARE
    now = [BEGIN]
    session = ReadingSession(pictures, order, Readings(path), clock=lambda: now[0])
    for position, look in enumerate(order):
        picture = pictures[look.picture]
        excludes = generator.random() < (reader.sensitivity if bad[look.picture] else reader.false_exclusions)
        unsure = generator.random() < reader.unsure
        verdict = UNSURE if unsure else EXCLUDE if excludes else ACCEPT
        reason = "" if verdict != EXCLUDE else "little_signal" if bad[look.picture] else "artefact"
        seconds = float(np.round(generator.lognormal(1.2, 0.4), 1))
        now[0] += seconds
        square = _jittered(picture, reader.jitter_pixels, generator)
        session.record(position, Given(verdict, reason, "", square, False, seconds, 0))


def _jittered(picture: ShownPicture, pixels: float, generator: np.random.Generator) -> Square:
    found, moves = picture.found, np.rint(generator.normal(0, pixels, 3) * (1, 1, 0.5)).astype(int)
    size = int(np.clip(found.size + moves[2], SMALLEST_SIDE, min(picture.height, picture.width)))
    row = int(np.clip(found.row + moves[0], 0, picture.height - size))
    return Square(row, int(np.clip(found.column + moves[1], 0, picture.width - size)), size)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write both readers' files into the simulated cohort; status 2 where they, or others, are there."""
    parser = argparse.ArgumentParser(prog="make simulated-readers", description="Two simulated readers.")
    parser.add_argument("--store", type=Path, default=Path("results/store"))
    parser.add_argument("--cohort", type=Path, default=Path(SIMULATED_FOLDER))
    parser.add_argument("--seed", type=int, default=2019)
    options = parser.parse_args(arguments)
    try:
        _write(options)
    except DlreError as error:
        sys.stdout.write(f"{error}\n")
        return 2
    return 0


def _write(options: argparse.Namespace) -> None:
    if not (options.cohort / "clinical.csv").exists() or options.cohort.name != Path(SIMULATED_FOLDER).name:
        raise ReadingsError(f"{options.cohort} is no simulated cohort.", "Real pictures are read by people only.")
    hospitals = sorted(path.name.removesuffix("_acquisitions.csv") for path in options.store.glob("*_acquisitions.csv"))
    pictures = stored_pictures(options.store, hospitals)
    tables = [read_table(options.store / f"{hospital}_acquisitions.csv") for hospital in hospitals]
    signal = [float(value) for table in tables for value in table["fill_fraction"]]
    readers = (SimulatedReader(), SimulatedReader(sensitivity=0.75, false_exclusions=0.03, jitter_pixels=8.0))
    for name, reader in zip(NAMES, readers, strict=True):
        path = readings_path(options.cohort, name)
        if path.exists():
            raise ReadingsError(f"{path} is there already.", "Delete it to have it made anew.")
        with held_by_one(path):
            simulated_readings(pictures, signal, path, reader, options.seed)
        sys.stdout.write(f"Simulated: {path}, {len(pictures)} pictures\n")


if __name__ == "__main__":
    sys.exit(main())
