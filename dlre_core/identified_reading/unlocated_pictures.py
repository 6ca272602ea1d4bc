"""A hospital's pictures on which ingestion found no elastogram, from its own folder, in memory only."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from PIL import Image

from dlre_core.dicom.file_search import FoundFile, find_files
from dlre_core.dicom.guarded_reader import GuardedReader
from dlre_core.dicom.reader import ReadLimits, SweImage
from dlre_core.dicom.reject_reasons import Reason, Unusable
from dlre_core.foundation.errors import ReadingsError
from dlre_core.reading.made_ahead import MadeAhead

# What a square in roi.csv makes up for, or a profile of the screen, because no box was found in the picture.
NOT_LOCATED = (Reason.NO_ELASTOGRAM, Reason.PROFILE_DISAGREES, Reason.SQUARE_OUTSIDE, Reason.BOX_OUTSIDE)
# Pictures that memory holds.
KEPT = 6
COMPRESSION = 1


@dataclass(frozen=True)
class UnlocatedFile:
    """A file and why it is no picture of the study, in words."""

    file: FoundFile
    reason: str


@dataclass(frozen=True)
class SeenFile:
    """A decoded picture, and the same as PNG."""

    image: SweImage
    png: bytes


def unlocated_files(folder: str | Path, hospital: str, private: str | Path, limits: ReadLimits) -> list[UnlocatedFile]:
    """The files of a hospital in which ingestion found no box, by name.

    Parameters
    ----------
    folder : path
        The cohort's.
    hospital : str
    private : path
        ``.dlre``, where ingestion's list with the true names is.
    limits : ReadLimits

    Raises
    ------
    ReadingsError
        If the hospital was not ingested.
    """
    table = Path(private, "rejected_files", f"{hospital}.csv")
    if not table.is_file():
        raise ReadingsError(
            f"{table} is not there: the files of hospital {hospital} were not read yet.",
            "Run make pictures, which only reads the hospitals' files, or make study.",
        )
    codes = {reason.code for reason in NOT_LOCATED}
    # File names that are no UTF-8 are written as the bytes they are.
    with open(table, encoding="utf-8", errors="surrogateescape", newline="") as file:
        reasons = {row["file"]: row["reason"] for row in csv.DictReader(file) if row["code"] in codes}
    files = find_files(Path(folder, "dicom", hospital), limits.bytes_per_file)
    return [UnlocatedFile(file, reasons[file.name]) for file in files if file.name in reasons and not file.problem]


class IdentifiedPictures:
    """Context manager: pictures by number, decoded by a process of its own; nothing of them reaches a disk.

    Parameters
    ----------
    files : sequence of UnlocatedFile
    limits : ReadLimits
    """

    def __init__(self, files: Sequence[UnlocatedFile], limits: ReadLimits) -> None:
        self._files = files
        self._reader = GuardedReader(limits)
        # One thread, which alone uses the reader.
        self._seen = MadeAhead(self._read, KEPT, "identified")

    def __enter__(self) -> Self:
        self._reader.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._seen.__exit__(kind, error, trace)
        self._reader.__exit__(kind, error, trace)

    def seen(self, number: int) -> SeenFile:
        """A picture; of a clip the frame with most colour.

        Raises
        ------
        ReadingsError
            If it cannot be read any more.
        """
        return self._seen.made(number)

    def prepare(self, number: int) -> None:
        """Decode a picture ahead."""
        self._seen.begun(number)

    def _read(self, number: int) -> SeenFile:
        file = self._files[number].file
        try:
            image = self._reader.images(file)[0]
        except Unusable as unusable:
            raise ReadingsError(f"{file.name}: {unusable.reason.sentence}", unusable.reason.remedy) from None
        buffer = io.BytesIO()
        Image.fromarray(image.pixels).save(buffer, "PNG", compress_level=COMPRESSION)
        return SeenFile(image, buffer.getvalue())
