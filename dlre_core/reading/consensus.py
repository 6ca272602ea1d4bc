"""What two readers agree on, and what is left to be decided together."""

from pathlib import Path

from dlre_core.elastography.square import Square
from dlre_core.foundation.errors import ReadingsError
from dlre_core.reading.readings_file import ACCEPT, UNSURE, Answer, read_answers, readers_of, readings_path

# Squares that share less of their union are a disagreement.
LEAST_OVERLAP = 0.7


def overlap(a: Square, b: Square) -> float:
    """Intersection over union of two squares, 0 to 1.

    Examples
    --------
    >>> overlap(Square(0, 0, 10), Square(0, 5, 10))
    0.3333333333333333
    """
    rows = min(a.row + a.size, b.row + b.size) - max(a.row, b.row)
    columns = min(a.column + a.size, b.column + b.size) - max(a.column, b.column)
    shared = max(rows, 0) * max(columns, 0)
    return shared / (a.size**2 + b.size**2 - shared)


def first_looks(path: str | Path) -> dict[str, Answer]:
    """A reader's answers at the first look, by image id."""
    return {image_id: answer for (image_id, look), answer in read_answers(path).items() if look == 1}


def both_readers(cohort: str | Path) -> tuple[str, str]:
    """Names of the cohort's two readers, in the order in which the results count them.

    Raises
    ------
    ReadingsError
        If there are not two.
    """
    found = readers_of(cohort)
    if len(found) != 2:
        folder = readings_path(cohort, "x").parent
        remedy = "Have the other read, too (make read READER=name), or move files that do not count elsewhere."
        raise ReadingsError(f"Two readers' files are needed in {folder}, and {len(found)} are there.", remedy)
    return found[0], found[1]


def disagree(a: Answer, b: Answer) -> bool:
    """Whether two answers need a decision: unlike verdicts, somebody unsure, or squares that hardly overlap.

    So do pictures that both accept and whose box only one of them says is wrong.
    """
    if a.verdict != b.verdict or UNSURE in (a.verdict, b.verdict):
        return True
    if a.verdict == ACCEPT and a.box_wrong != b.box_wrong:
        return True
    return overlap(a.square, b.square) < LEAST_OVERLAP


def middle(a: Square, b: Square) -> Square:
    """The square between two, to whole pixels; inside whatever both are inside of."""
    return Square((a.row + b.row) // 2, (a.column + b.column) // 2, (a.size + b.size) // 2)
