"""A reader at work: which picture is shown, what was answered, and what is left. It knows of no browser."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from threading import Lock

from dlre_core import __version__
from dlre_core.elastography.square import Square
from dlre_core.foundation.errors import ReadingsError
from dlre_core.reading.reading_order import Look
from dlre_core.reading.readings_file import UNSURE, Answer, Key, Readings
from dlre_core.reading.shown_pictures import ShownPicture

# Answers by which the time left is told.
RECENT = 50
# Marks of the list of positions.
UNREAD = "-"


class ChangedElsewhere(ReadingsError):
    """The picture was answered in another tab since this one showed it."""


@dataclass(frozen=True)
class Given:
    """What a page sends of a picture.

    ``seen`` is the `ReadingSession.revision` that the page had shown; the rest is as in
    `dlre_core.reading.readings_file.Answer`.
    """

    verdict: str
    reason: str
    note: str
    square: Square
    box_wrong: bool
    seconds: float
    seen: int


class ReadingSession:
    """The pictures in a reader's order, with the answers so far; every method may be called by any thread.

    Parameters
    ----------
    pictures : sequence of ShownPicture
    order : sequence of Look
        What is shown, by number of the picture.
    readings : Readings
        Saved at every answer.
    others : mapping of image id to list
        What the page shows beside a picture: in a consensus what each reader said, else nothing.
    clock : callable
        Seconds since 1970.
    """

    def __init__(
        self,
        pictures: Sequence[ShownPicture],
        order: Sequence[Look],
        readings: Readings,
        others: Mapping[str, list[dict[str, object]]] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.pictures, self.order = pictures, order
        self._readings, self._others, self._clock = readings, others or {}, clock
        self._keys: list[Key] = [(pictures[look.picture].image_id, look.look) for look in order]
        self._places = {key: position for position, key in enumerate(self._keys)}
        self._revisions = [0] * len(order)
        self._flagged = [place for place, look in enumerate(order) if pictures[look.picture].flagged]
        # The first letters of the verdicts, by position, which are looked through at every answer.
        self._marks = bytearray(self._mark(position) for position in range(len(order)))
        # What each answer of this session took the place of.
        self._before: list[tuple[Key, Answer | None]] = []
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self.order)

    def picture_at(self, position: int) -> ShownPicture:
        """The picture that is shown at a position."""
        return self.pictures[self.order[position].picture]

    def revision(self, position: int) -> int:
        """How often the answer at a position was changed since the program began."""
        return self._revisions[position]

    def answer(self, position: int) -> Answer | None:
        """What was answered at a position."""
        return self._readings.answers.get(self._keys[position])

    def next_unread(self, after: int = -1, flagged_only: bool = False) -> int | None:
        """The next position without an answer, from the beginning again after the last one; None where all are read."""
        if flagged_only:
            unread = [place for place in self._flagged if self._marks[place] == ord(UNREAD)]
            return next((place for place in unread if place > after), unread[0] if unread else None)
        found = self._marks.find(UNREAD.encode(), after + 1)
        found = self._marks.find(UNREAD.encode()) if found < 0 else found
        return None if found < 0 else found

    def record(self, position: int, given: Given) -> Answer:
        """Save an answer.

        Raises
        ------
        ChangedElsewhere
            If the answer has changed since the page showed it.
        ReadingsError
            If something of it cannot be so.
        OSError
            If it cannot be saved; then nothing has changed.
        """
        picture = self.picture_at(position)
        square = given.square
        if square.row + square.size > picture.height or square.column + square.size > picture.width:
            raise ReadingsError(f"{square} reaches out of the picture of {picture.width} x {picture.height} pixels.")
        answer = Answer(
            image_id=picture.image_id,
            hospital=picture.hospital,
            look=self.order[position].look,
            verdict=given.verdict,
            reason=given.reason,
            note=given.note,
            square=square,
            by_hand=square != picture.found,
            box_wrong=given.box_wrong,
            seconds=given.seconds,
            time=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self._clock())),
            version=__version__,
        )
        with self._lock:
            if given.seen != self._revisions[position]:
                raise ChangedElsewhere(
                    "This picture was answered in another tab; that answer is shown now.", "Answer again to change it."
                )
            self._before.append((answer.key, self._readings.put(answer)))
            self._changed(position)
        return answer

    def undo(self) -> int | None:
        """Take the last answer back, also one of an earlier session; its position, or None where there is none.

        Raises
        ------
        OSError
            If that cannot be saved; then nothing has changed.
        """
        with self._lock:
            if self._before:
                key, before = self._before[-1]
            else:
                # Of other hospitals than those that are read now nothing is taken back.
                key = next((k for k in reversed(self._readings.answers) if k in self._places), None)
                before = None
            if key is None:
                return None
            self._readings.take_back(key, before)
            if self._before:
                self._before.pop()
            position = self._places[key]
            self._changed(position)
            return position

    def _mark(self, position: int) -> int:
        answer = self.answer(position)
        return ord(UNREAD if answer is None else answer.verdict[0])

    def _changed(self, position: int) -> None:
        self._revisions[position] += 1
        self._marks[position] = self._mark(position)

    def entry(self, position: int) -> dict[str, object]:
        """What the page is told of a position: places on the picture and the reader's own answer, and nothing else."""
        picture, answer = self.picture_at(position), self.answer(position)
        box = picture.box
        return {
            "position": position,
            "revision": self._revisions[position],
            "width": picture.width,
            "height": picture.height,
            "box": [box.left, box.top, box.right, box.bottom],
            "found": _sides(picture.found),
            "flagged": picture.flagged,
            "answer": None
            if answer is None
            else {
                "verdict": answer.verdict,
                "reason": answer.reason,
                "note": answer.note,
                "square": _sides(answer.square),
                "box_wrong": answer.box_wrong,
            },
            "others": self._others.get(picture.image_id, []),
        }

    def progress(self) -> dict[str, object]:
        """Numbers of positions and of answers, seconds left (None without any answer), which are flagged, and marks.

        Marks are the first letters of the verdicts, by position; `UNREAD` where there is none.
        """
        read = len(self) - self._marks.count(UNREAD.encode())
        with self._lock:
            recent = sorted(answer.seconds for answer in islice(reversed(self._readings.answers.values()), RECENT))
        median = recent[len(recent) // 2] if recent else None
        return {
            "total": len(self),
            "read": read,
            "unsure": self._marks.count(UNSURE[0].encode()),
            "seconds_left": None if median is None else round(median * (len(self) - read)),
            "marks": self._marks.decode(),
            "flagged": self._flagged,
        }


def _sides(square: Square) -> dict[str, int]:
    return {"row": square.row, "column": square.column, "size": square.size}
