"""A hospital's files as ingestion asks about them: from memory, else through the guarded reader."""

import math
from collections.abc import Mapping

from dlre_core.dicom.file_search import FoundFile
from dlre_core.dicom.guarded_reader import GuardedReader
from dlre_core.dicom.reader import Header, header_facts, header_of
from dlre_core.dicom.reject_reasons import Unusable
from dlre_core.ingestion.acquisition_table import MeasuredPicture, given_columns, hand_square, measured_facts
from dlre_core.ingestion.memory import IngestionMemory
from dlre_core.ingestion.usable_picture import (
    IngestionSettings,
    UsablePicture,
    frames_of,
    pixel_digest,
    usable_picture,
)


class HospitalFiles:
    """Answers about files; every method raises `Unusable` with the file's reason.

    Parameters
    ----------
    reader : GuardedReader
    memory : IngestionMemory
    settings : IngestionSettings
    measurements, squares : mapping
        Numbers of ``measurements.csv`` and ``roi.csv`` of this hospital, by file without the hospital.
    """

    def __init__(
        self,
        reader: GuardedReader,
        memory: IngestionMemory,
        settings: IngestionSettings,
        measurements: Mapping[str, Mapping[str, float]],
        squares: Mapping[str, Mapping[str, float]],
    ) -> None:
        self._reader, self._memory, self.settings = reader, memory, settings
        self._measurements, self._squares = measurements, squares

    def header(self, file: FoundFile) -> Header | None:
        """Ids and times; None where it is neither DICOM nor a picture."""
        if file.problem is not None:
            raise Unusable(file.problem)
        facts = self._memory.answer("header", file, lambda: header_facts(self._reader.header(file)))
        return header_of(facts)

    def content(self, file: FoundFile) -> str:
        """Digest of all that its frames show."""
        return self._memory.answer(
            "content",
            file,
            lambda: ";".join(pixel_digest(image.pixels) for image in self._reader.images(file)),
        )

    def judge(self, file: FoundFile) -> None:
        """Return where it is usable."""

        def ask() -> bool:
            self._picture(file)
            return True

        self._memory.answer(f"judge {self._square(file)}", file, ask)

    def acquisition_number(self, file: FoundFile) -> float:
        """Place in the order of acquisition by ``measurements.csv``; infinite where it gives none."""
        return self._measurements.get(file.name, {}).get("acquisition_number", math.inf)

    def named(self, file: FoundFile) -> bool:
        """Whether the hospital's tables have a row for it."""
        return file.name in self._measurements or file.name in self._squares

    def measured(self, file: FoundFile, *, needs_screen: bool = True) -> MeasuredPicture:
        """The picture and what its row says of it, not decoded where the last shard has it.

        Parameters
        ----------
        file : FoundFile
        needs_screen : bool
            False leaves the pixels out where only decoding again could give them.
        """
        given = given_columns(self._measurements.get(file.name, {}), self._square(file))
        question = f"picture {self._square(file)}"
        known = self._memory.knows(question, file)
        if known is not None:
            screen = self._memory.screen(known["columns"]["pixel_digest"])
            if screen is not None or not needs_screen:
                return MeasuredPicture(screen, **self._memory.answer(question, file, dict), given=given)
            # It was usable but not stored: it has to be seen again.
            self._memory.forget(question, file)
        seen: list[UsablePicture] = []

        def ask() -> dict[str, object]:
            seen.append(self._picture(file))
            return measured_facts(seen[0])

        facts = self._memory.answer(question, file, ask)
        return MeasuredPicture(seen[0].screen, **facts, given=given)

    def _picture(self, file: FoundFile) -> UsablePicture:
        square = hand_square(self._square(file))
        return usable_picture(frames_of(self._reader, file, self.settings, square), self.settings, square)

    def _square(self, file: FoundFile) -> Mapping[str, float]:
        return self._squares.get(file.name, {})
