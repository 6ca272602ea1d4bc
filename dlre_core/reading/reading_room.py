"""The reading room: one reader's session as a page, its pictures by number and its answers."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from dlre_core.elastography.square import SMALLEST_SIDE
from dlre_core.foundation.errors import ReadingsError
from dlre_core.reading.reading_session import Given, ReadingSession
from dlre_core.reading.readings_file import LONGEST_NOTE, REASONS
from dlre_core.reading.server import (
    Content,
    LocalServer,
    NoSuchPicture,
    as_json,
    square_of_body,
    template,
    text_of,
    whole_number,
)
from dlre_core.reading.shown_pictures import PictureFiles

# Pictures made ahead of the one that is shown.
AHEAD = 4
SCRIPT, STYLE = "text/javascript; charset=utf-8", "text/css; charset=utf-8"
# Files that every page of pictures has.
SHARED = {"/picture.js": ("picture.js", SCRIPT), "/reading.css": ("reading.css", STYLE)}
PICTURE = re.compile(r"/picture/(0|[1-9][0-9]{0,6})\.png")
ENTRY = re.compile(r"/entry/(0|[1-9][0-9]{0,6})")


@dataclass(frozen=True)
class Room:
    """What the page says above the pictures.

    ``reader`` is the name, ``title`` what is read, ``simulated`` marks pictures of nobody, and ``consensus`` is true
    where both readers' answers are shown.
    """

    reader: str
    title: str
    simulated: bool
    consensus: bool


class ReadingServer(LocalServer):
    """Serves one reader's session.

    Parameters
    ----------
    session : ReadingSession
    files : PictureFiles
        Of the session's pictures.
    room : Room
    port : int
        0 takes a free one.
    """

    static: ClassVar[Mapping[str, tuple[str, str]]] = {**SHARED, "/reading.js": ("reading.js", SCRIPT)}
    posted: ClassVar[tuple[str, ...]] = ("/answer", "/undo")

    def __init__(self, session: ReadingSession, files: PictureFiles, room: Room, port: int = 0) -> None:
        super().__init__(port)
        self.session, self.files, self.room = session, files, room

    def page(self) -> str:
        """The page, without anything of a picture."""
        words = {"reasons": REASONS, "longest_note": LONGEST_NOTE, "smallest": SMALLEST_SIDE}
        return template("reading.html.j2").render(room=self.room, **words)

    def content(self, path: str) -> Content | None:
        """Progress, what is known of a position, or its picture."""
        if path == "/progress":
            return as_json(self.session.progress() | {"next": self.session.next_unread()})
        if match := ENTRY.fullmatch(path):
            return as_json(self.entry(self._position(int(match[1]))))
        if match := PICTURE.fullmatch(path):
            picture = self.session.order[self._position(int(match[1]))].picture
            return Content(self.files.png(picture), "image/png")
        return None

    def take(self, path: str, body: Mapping[str, Any]) -> object:
        """An answer, which is saved, or the wish to take the last one back."""
        session = self.session
        if path == "/undo":
            return {"position": session.undo(), "progress": session.progress()}
        position = self._position(whole_number(body, "position"))
        session.record(position, _given(body))
        flagged_only = body.get("flagged_only") is True
        following = session.next_unread(position, flagged_only)
        answered = {"entry": self.entry(position), "next": following, "progress": session.progress()}
        return answered | {"next_entry": None if following is None else self.entry(following)}

    def _position(self, position: int) -> int:
        if not 0 <= position < len(self.session):
            raise NoSuchPicture
        return position

    def entry(self, position: int) -> dict[str, object]:
        """What the page is told of a position; the pictures that come after it are made ahead, and named."""
        return self.session.entry(position) | {"ahead": self._prepare_after(position)}

    def _prepare_after(self, position: int) -> list[int]:
        """The next ones without an answer, then the neighbour."""
        wanted, at = [], position
        for _ in range(AHEAD):
            at = self.session.next_unread(at)
            if at is None or at == position or at in wanted:
                break
            wanted.append(at)
        wanted.append((position + 1) % len(self.session))
        self.files.prepare(self.session.order[place].picture for place in wanted)
        return wanted


def _given(body: Mapping[str, Any]) -> Given:
    seconds, box_wrong = body.get("seconds"), body.get("box_wrong", False)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise ReadingsError(f"seconds = {seconds!r} is no number.")
    if not isinstance(box_wrong, bool):
        raise ReadingsError(f"box_wrong = {box_wrong!r} is neither true nor false.")
    words = (text_of(body, name) for name in ("verdict", "reason", "note"))
    return Given(*words, square_of_body(body), box_wrong, float(seconds), whole_number(body, "seen"))
