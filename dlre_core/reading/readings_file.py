"""One reader's file, ``<cohort>/readings/<reader>.csv``: written whole at every answer, read strictly."""

import csv
import fcntl
import io
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dlre_core.elastography.square import SMALLEST_SIDE, Square
from dlre_core.foundation.atomic_files import make_folder, written_whole
from dlre_core.foundation.errors import ReadingsError

FOLDER = "readings"
# The file of what the readers decided together has this name, so no reader can.
CONSENSUS = "consensus"
ACCEPT, EXCLUDE, UNSURE = VERDICTS = ("accept", "exclude", "unsure")
# In the order of the keys 1 to 9.
REASONS: Mapping[str, str] = {
    "little_signal": "Little or no signal",
    "outside_parenchyma": "Box not in parenchyma",
    "vessel": "Vessel in the box",
    "shadow": "Capsule or rib shadow",
    "motion": "Motion",
    "artefact": "Artefact",
    "wrong_scale": "Wrong scale",
    "no_elastogram": "Not an elastogram",
    "other": "Other",
}
LONGEST_NOTE = 200
LONGEST_SECONDS = 86_400.0
COLUMNS = (
    "image_id",
    "hospital",
    "look",
    "verdict",
    "reason",
    "note",
    "row",
    "column",
    "size",
    "by_hand",
    "box_wrong",
    "seconds",
    "time",
    "version",
)
READER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
IMAGE_ID = re.compile(r"[\w.-]{1,64}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
# A picture and which look at it: the first or the second.
Key = tuple[str, int]


@dataclass(frozen=True)
class Answer:
    """What a reader says of a picture at one look.

    Attributes
    ----------
    image_id, hospital : str
        Pseudonym of the picture, and the code of its hospital.
    look : int
        1, or 2 where the picture is shown again for agreement with oneself.
    verdict : str
        One of `VERDICTS`.
    reason : str
        A key of `REASONS` where the verdict is ``exclude``, else empty.
    note : str
        At most `LONGEST_NOTE` characters; it stays in this file.
    square : Square
        Pixels of the picture.
    by_hand : bool
        Whether the square is another than the one that was found.
    box_wrong : bool
        Whether the reader says that the drawn box is not the picture's.
    seconds : float
        How long the picture was looked at.
    time : str
        UTC, ``2026-01-31T12:00:00Z``.
    version : str
        Of the program.
    """

    image_id: str
    hospital: str
    look: int
    verdict: str
    reason: str
    note: str
    square: Square
    by_hand: bool
    box_wrong: bool
    seconds: float
    time: str
    version: str

    @property
    def key(self) -> Key:
        """Picture and look."""
        return self.image_id, self.look

    def faults(self) -> list[str]:
        """What cannot be so, each as a sentence with the value; empty where all is well."""
        found = []
        if not IMAGE_ID.fullmatch(self.image_id):
            found.append(f"image_id = {self.image_id!r} names no picture.")
        if not IMAGE_ID.fullmatch(self.hospital):
            found.append(f"hospital = {self.hospital!r} is no code of a hospital.")
        if self.look not in (1, 2):
            found.append(f"look = {self.look!r} is neither 1 nor 2.")
        if self.verdict not in VERDICTS:
            found.append(f"verdict = {self.verdict!r} is none of {', '.join(VERDICTS)}.")
        if (self.verdict == EXCLUDE) != bool(self.reason) or (self.reason and self.reason not in REASONS):
            found.append(f"reason = {self.reason!r}: an exclusion, and nothing else, has one of {', '.join(REASONS)}.")
        if len(self.note) > LONGEST_NOTE or not self.note.isprintable():
            found.append(f"note = {self.note[:40]!r}...: at most {LONGEST_NOTE} characters on one line.")
        if self.square.size < SMALLEST_SIDE or min(self.square.row, self.square.column) < 0:
            found.append(f"{self.square}: not inside the picture, or smaller than {SMALLEST_SIDE} pixels.")
        if not 0 <= self.seconds <= LONGEST_SECONDS:
            found.append(f"seconds = {self.seconds!r} is not a number from 0 to {LONGEST_SECONDS:g}.")
        if not TIME.fullmatch(self.time):
            found.append(f"time = {self.time!r} is not written as 2026-01-31T12:00:00Z.")
        return found

    def cells(self) -> list[str]:
        """The row of the file."""
        square = self.square
        numbers = [square.row, square.column, square.size, int(self.by_hand), int(self.box_wrong)]
        words = [self.image_id, self.hospital, str(self.look), self.verdict, self.reason, self.note]
        return [*words, *map(str, numbers), f"{self.seconds:.1f}", self.time, self.version]


def check_reader(name: str) -> str:
    """The reader's name, which becomes the name of a file.

    Raises
    ------
    ReadingsError
        If it has other characters than letters, digits, ``_`` and ``-``, more than 32 of them, or is `CONSENSUS`.
    """
    if not READER.fullmatch(name) or name.lower() == CONSENSUS:
        raise ReadingsError(
            f"READER={name!r} cannot be a reader's name.",
            f"Write up to 32 letters, digits, _ and -, such as READER=ab; {CONSENSUS} is taken.",
        )
    return name


def readers_of(cohort: str | Path) -> list[str]:
    """Names of the readers who have a file, sorted; the consensus aside."""
    files = Path(cohort, FOLDER).glob("*.csv")
    return sorted(path.stem for path in files if READER.fullmatch(path.stem) and path.stem.lower() != CONSENSUS)


def readings_path(cohort: str | Path, reader: str) -> Path:
    """Where a reader's file is."""
    return Path(cohort, FOLDER, f"{reader}.csv")


def read_answers(path: str | Path) -> dict[Key, Answer]:
    """Answers in the order in which they were given; none where there is no file.

    Raises
    ------
    ReadingsError
        With the file, the line and the value of whatever cannot be read.
    """
    path = Path(path)
    if not path.exists():
        return {}
    answers: dict[Key, Answer] = {}
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(file, strict=True)
            if tuple(next(rows, ())) != COLUMNS:
                raise _refused(path, 1, f"the columns are not {', '.join(COLUMNS)}.")
            for cells in rows:
                answer = _answer(path, rows.line_num, cells)
                if answer.key in answers:
                    raise _refused(path, rows.line_num, f"image_id = {answer.image_id!r} stands there twice.")
                answers[answer.key] = answer
    except (csv.Error, UnicodeDecodeError) as error:
        raise _refused(path, 0, f"{error}.") from None
    return answers


def _answer(path: Path, line: int, cells: list[str]) -> Answer:
    if len(cells) != len(COLUMNS):
        raise _refused(path, line, f"{len(cells)} cells, and {len(COLUMNS)} columns.")
    row = dict(zip(COLUMNS, cells, strict=True))
    try:
        square = Square(int(row["row"]), int(row["column"]), int(row["size"]))
        marks = [{"0": False, "1": True}[row[name]] for name in ("by_hand", "box_wrong")]
        look, seconds = int(row["look"]), float(row["seconds"])
    except (ValueError, KeyError) as error:
        raise _refused(path, line, f"{error} is not what this column holds.") from None
    words = (row["verdict"], row["reason"], row["note"])
    answer = Answer(
        row["image_id"], row["hospital"], look, *words, square, *marks, seconds, row["time"], row["version"]
    )
    faults = answer.faults()
    if faults:
        raise _refused(path, line, " ".join(faults))
    return answer


def _refused(path: Path, line: int, what: str) -> ReadingsError:
    place = f"{path}, line {line}" if line else str(path)
    return ReadingsError(
        f"{place}: {what}", "Put back a copy of the file, or delete the line; make read asks for that picture again."
    )


class Readings:
    """A reader's answers and their file, which is whole after every change.

    Parameters
    ----------
    path : path
        Read if it is there, else made at the first answer.

    Raises
    ------
    ReadingsError
        If the file cannot be read.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.answers = read_answers(self.path)
        # Written anew at every answer: what did not change is not put into words again.
        self._lines = {key: _line(answer.cells()) for key, answer in self.answers.items()}

    def put(self, answer: Answer) -> Answer | None:
        """Add an answer as the last one, in place of an earlier one of that picture and look, which is returned.

        Raises
        ------
        ReadingsError
            If something of it cannot be so.
        OSError
            If it cannot be saved; then it is not kept here either.
        """
        faults = answer.faults()
        if faults:
            raise ReadingsError(" ".join(faults))
        lines = {key: line for key, line in self._lines.items() if key != answer.key}
        self._save({**lines, answer.key: _line(answer.cells())})
        before = self.answers.pop(answer.key, None)
        self.answers[answer.key] = answer
        return before

    def take_back(self, key: Key, before: Answer | None = None) -> None:
        """Remove an answer, or put back the one that was there ``before``.

        Raises
        ------
        OSError
            If that cannot be saved; then all stays as it is.
        """
        if before is not None:
            self.put(before)
            return
        self._save({other: line for other, line in self._lines.items() if other != key})
        self.answers.pop(key)

    def _save(self, lines: dict[Key, str]) -> None:
        with written_whole(self.path, private=True) as unfinished, open(unfinished, "w", encoding="utf-8") as file:
            file.write(_line(COLUMNS) + "".join(lines.values()))
            file.flush()
            # A power cut leaves the old file or the new one, not an empty one.
            os.fsync(file.fileno())
        self._lines = lines


def _line(cells: list[str] | tuple[str, ...]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow(cells)
    return buffer.getvalue()


@contextmanager
def held_by_one(path: str | Path) -> Iterator[None]:
    """Hold a reader's file for one program; whoever ends, however, lets go of it.

    Raises
    ------
    ReadingsError
        If another program holds it.
    """
    path = Path(path)
    make_folder(path.parent, 0o700)
    with open(path.with_name(f".{path.stem}.lock"), "a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ReadingsError(
                f"{path} is being written by another make read.",
                "Go on in that one, or end it first (Ctrl+C); two tabs of one make read are fine.",
            ) from None
        except OSError:
            # Some network disks have no locks.
            pass
        yield
