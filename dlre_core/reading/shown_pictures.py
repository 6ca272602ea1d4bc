"""The pictures that readers see: those of the hospitals' shards, by number, as PNG files made ahead."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace, TracebackType
from typing import Self

import numpy as np
from PIL import Image

from dlre_core.elastography.screen_layout import Rectangle
from dlre_core.elastography.square import Square, box_of, square_of
from dlre_core.foundation.errors import ReadingsError, StoreMismatch
from dlre_core.foundation.picture_store import open_images
from dlre_core.reading.made_ahead import MadeAhead

# Nothing else of a picture's row is ever read: no stage, no laboratory value, no stiffness.
TEXTS = ("image_id", "hospital", "patient", "flags")
SIDES = ("height", "width", "roi_row", "roi_column", "roi_size")
SIDES += tuple(f"box_{side}" for side in ("left", "top", "right", "bottom"))
# Pictures kept as PNG, about 1 MB each.
KEPT = 12
# Fast, and hardly larger.
COMPRESSION = 1


@dataclass(frozen=True, slots=True)
class ShownPicture:
    """A stored picture, and what was found on it.

    Attributes
    ----------
    shard : path
    row : int
        In the shard, 0-based.
    image_id, hospital, patient : str
        Pseudonyms; they never leave the server.
    height, width : int
        Pixels.
    box : Rectangle
    found : Square
        That the network would see.
    flagged : bool
        Whether ingestion doubts something about the picture.
    """

    shard: Path
    row: int
    image_id: str
    hospital: str
    patient: str
    height: int
    width: int
    box: Rectangle
    found: Square
    flagged: bool


def stored_pictures(store: str | Path, hospitals: Iterable[str]) -> list[ShownPicture]:
    """All pictures of the hospitals' shards, also those that readers have excluded from the study.

    Parameters
    ----------
    store : path
        ``results/store``.
    hospitals : iterable of str

    Raises
    ------
    ReadingsError
        If a hospital has not been ingested.
    """
    found = []
    for hospital in hospitals:
        table, shard = Path(store, f"{hospital}_acquisitions.csv"), Path(store, f"{hospital}.h5")
        if not (table.exists() and shard.exists()):
            raise ReadingsError(
                f"The pictures of hospital {hospital} are not in {store} yet.",
                "Run make pictures, which only reads the hospitals' files, or make study.",
            )
        found += [_shown(shard, number, row) for number, row in enumerate(_rows(table))]
    return found


def _rows(table: Path) -> Iterator[SimpleNamespace]:
    """The rows of a hospital's acquisitions; without pandas, whose import takes longer than all the rest."""
    with open(table, encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        lacking = [name for name in (*TEXTS, *SIDES) if name not in (rows.fieldnames or ())]
        if lacking:
            raise StoreMismatch(f"{table} lacks the columns {', '.join(lacking)}.", "Delete the file and run again.")
        for row in rows:
            numbers = {name: float(row[name]) if row[name] else np.nan for name in SIDES}
            yield SimpleNamespace(**{name: row[name] for name in TEXTS}, **numbers)


def _shown(shard: Path, number: int, row: SimpleNamespace) -> ShownPicture:
    return ShownPicture(
        shard,
        number,
        row.image_id,
        row.hospital,
        row.patient,
        int(row.height),
        int(row.width),
        box_of(row),
        square_of(row),
        bool(row.flags),
    )


class PictureFiles:
    """Context manager: pictures as PNG by their number, the next ones made ahead by a thread of its own.

    Memory holds `KEPT` of them, however many there are.

    Parameters
    ----------
    pictures : sequence of ShownPicture
    """

    def __init__(self, pictures: Sequence[ShownPicture]) -> None:
        # One thread: HDF5 reads one thing at a time.
        self._files = MadeAhead(lambda number: _png(pictures[number]), KEPT, "pictures")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._files.__exit__(kind, error, trace)

    def png(self, number: int) -> bytes:
        """The picture as it is stored: blanked, with every colour as it is.

        Raises
        ------
        StoreMismatch
            If the shard holds another picture there.
        """
        return self._files.made(number)

    def prepare(self, numbers: Iterable[int]) -> None:
        """Make pictures ahead; at most half of what is kept."""
        for number in list(numbers)[: KEPT // 2]:
            self._files.begun(number)


def _png(picture: ShownPicture) -> bytes:
    with open_images(picture.shard) as store:
        if store.image_id(picture.row) != picture.image_id:
            raise StoreMismatch(
                f"{picture.shard} has changed since make read began.", "End make read and call it anew."
            )
        screen = store.screen(picture.row)
    buffer = io.BytesIO()
    Image.fromarray(screen).save(buffer, "PNG", compress_level=COMPRESSION)
    return buffer.getvalue()
