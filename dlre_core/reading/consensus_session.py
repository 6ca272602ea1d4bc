"""The session in which two readers, or a third one, decide what they disagree about."""

from collections.abc import Sequence
from pathlib import Path

from dlre_core.reading.consensus import both_readers, disagree, first_looks
from dlre_core.reading.reading_order import Look
from dlre_core.reading.reading_session import ReadingSession
from dlre_core.reading.readings_file import Answer, Readings, readings_path
from dlre_core.reading.shown_pictures import ShownPicture


def consensus_session(pictures: Sequence[ShownPicture], cohort: str | Path, readings: Readings) -> ReadingSession:
    """A session of what both readers have read and disagree about, with what each said, as reader 1 and 2.

    Raises
    ------
    ReadingsError
        If there are not two readers.
    """
    a, b = (first_looks(readings_path(cohort, name)) for name in both_readers(cohort))
    numbers = [
        number
        for number, picture in enumerate(pictures)
        if picture.image_id in a and picture.image_id in b and disagree(a[picture.image_id], b[picture.image_id])
    ]
    others = {
        picture.image_id: [_said(a[picture.image_id]), _said(b[picture.image_id])]
        for picture in (pictures[number] for number in numbers)
    }
    return ReadingSession(pictures, [Look(number, 1) for number in numbers], readings, others)


def _said(answer: Answer) -> dict[str, object]:
    return {
        "verdict": answer.verdict,
        "reason": answer.reason,
        "square": vars(answer.square),
        "box_wrong": answer.box_wrong,
    }
