"""The page of identified pictures: a square for each, and a profile for each kind of screen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from typing import Any, ClassVar

from dlre_core.dicom.reader import SweImage
from dlre_core.dicom.reject_reasons import Unusable
from dlre_core.elastography.screen_layout import NATIVE_WIDTH, Rectangle
from dlre_core.elastography.square import SMALLEST_SIDE, Square, find_square
from dlre_core.foundation.errors import ConfigurationError, MissingRegion, ReadingsError
from dlre_core.foundation.study_terms import SQUARE_SIDE
from dlre_core.identified_reading.tables_by_hand import put_profile, put_square, put_squares
from dlre_core.identified_reading.unlocated_pictures import IdentifiedPictures, UnlocatedFile
from dlre_core.ingestion.square_by_hand import check_square
from dlre_core.ingestion.usable_picture import IngestionSettings, find_parts
from dlre_core.reading.reading_room import ENTRY, PICTURE, SCRIPT, SHARED
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
from dlre_core.screen_kinds.proposed_screens import profile_name, proposed_parts
from dlre_core.screen_kinds.screen_kinds import NOT_FOUND, Kind, SeenPicture, coloured_parts
from dlre_core.screens.profiles import Device, profiles_of

PARTS = ("elastogram", "colour_bar")
UNREAD, DONE = "-", "d"


@dataclass(frozen=True)
class Cohort:
    """Whose pictures they are: the cohort's ``folder``, the ``hospital``, and how its files are read."""

    folder: Path
    hospital: str
    settings: IngestionSettings


class IdentifiedServer(LocalServer):
    """Serves one hospital's unlocated pictures; squares go to ``roi.csv``, profiles to ``screens.yaml``.

    Parameters
    ----------
    files : sequence of UnlocatedFile
    pictures : IdentifiedPictures
        Of the same files.
    cohort : Cohort
    port : int
        0 takes a free one.
    """

    static: ClassVar[Mapping[str, tuple[str, str]]] = {**SHARED, "/identified.js": ("identified.js", SCRIPT)}
    posted: ClassVar[tuple[str, ...]] = ("/square", "/profile")

    def __init__(
        self, files: Sequence[UnlocatedFile], pictures: IdentifiedPictures, cohort: Cohort, port: int = 0
    ) -> None:
        super().__init__(port)
        self.files, self.pictures, self.cohort = files, pictures, cohort
        self._squares = put_squares(cohort.folder)
        self._settings = cohort.settings.at(cohort.folder, cohort.hospital)
        # One table is written at a time, and one picture asked for.
        self._turn = Lock()

    def page(self) -> str:
        """The page, without anything of a picture."""
        return template("identified.html.j2").render(hospital=self.cohort.hospital, smallest=SMALLEST_SIDE)

    def content(self, path: str) -> Content | None:
        """Progress, what is known of a position, or its picture."""
        if path == "/progress":
            return as_json(self.progress())
        if match := ENTRY.fullmatch(path):
            return as_json(self.entry(self._position(int(match[1]))))
        if match := PICTURE.fullmatch(path):
            with self._turn:
                return Content(self.pictures.seen(self._position(int(match[1]))).png, "image/png")
        return None

    def take(self, path: str, body: Mapping[str, Any]) -> object:
        """A square, or a profile of the kind of screen."""
        position = self._position(whole_number(body, "position"))
        with self._turn:
            image = self.pictures.seen(position).image
            if path == "/square":
                self._take_square(position, image, square_of_body(body))
            else:
                self._take_profile(image, body)
        return {"entry": self.entry(position), "progress": self.progress()}

    def progress(self) -> dict[str, object]:
        """Numbers of pictures and of squares, which positions have one, and the next without."""
        marks = [DONE if self._name(position) in self._squares else UNREAD for position in range(len(self.files))]
        following = marks.index(UNREAD) if UNREAD in marks else None
        return {"total": len(marks), "read": marks.count(DONE), "marks": "".join(marks), "next": following}

    def entry(self, position: int) -> dict[str, object]:
        """What the page is told of a picture: its file, why it is unused, its square, and its kind of screen."""
        with self._turn:
            image = self.pictures.seen(position).image
            ahead = (position + 1) % len(self.files)
            self.pictures.prepare(ahead)
        height, width = image.pixels.shape[:2]
        kind = _kind(image)
        parts = proposed_parts(kind)
        claiming = next((p.name for p in self._settings.profiles if p.claims(self._device(image))), None)
        square = self._squares.get(self._name(position))
        return {
            "position": position,
            "width": width,
            "height": height,
            "name": self.files[position].file.name,
            "reason": self.files[position].reason,
            "found": vars(_proposed_square(image)),
            "square": None if square is None else vars(square),
            "kind": {"title": kind.title, "name": profile_name(kind), "profile": claiming},
            "parts": {name: list(vars(parts[name]).values()) if name in parts else None for name in PARTS},
            "ahead": [ahead],
        }

    def _position(self, position: int) -> int:
        if not 0 <= position < len(self.files):
            raise NoSuchPicture
        return position

    def _name(self, position: int) -> str:
        return f"{self.cohort.hospital}/{self.files[position].file.name}"

    def _device(self, image: SweImage) -> Device:
        height, width = image.pixels.shape[:2]
        return Device(image.manufacturer, image.model, image.software, width, height, self.cohort.hospital)

    def _take_square(self, position: int, image: SweImage, square: Square) -> None:
        try:
            check_square(square, *image.pixels.shape[:2])
        except Unusable as unusable:
            raise ReadingsError(unusable.reason.sentence, unusable.reason.remedy) from None
        put_square(self.cohort.folder, self._name(position), square)
        self._squares[self._name(position)] = square

    def _take_profile(self, image: SweImage, body: Mapping[str, Any]) -> None:
        entry = self._profile(image, body)
        try:
            mine = profiles_of([entry], "the new entry")
            find_parts(image, replace(self._settings, profiles=mine))
            put_profile(self.cohort.folder, entry)
        except MissingRegion as error:
            raise ReadingsError(
                f"This profile does not fit the picture it was drawn on. {error.message}", "Draw its parts anew."
            ) from None
        except ConfigurationError as error:
            raise ReadingsError(error.message, error.remedy) from None
        self._settings = replace(self._settings, profiles=(*self._settings.profiles, *mine))

    def _profile(self, image: SweImage, body: Mapping[str, Any]) -> dict[str, Any]:
        device = self._device(image)
        match = {"manufacturer": device.manufacturer, "model": device.model}
        match = {key: value for key, value in match.items() if value} | {"columns": device.columns, "rows": device.rows}
        if not (device.manufacturer or device.model):
            match["hospital"] = self.cohort.hospital
        entry = {
            "name": text_of(body, "name"),
            "match": match,
            "elastogram": body.get("elastogram"),
            "twin": None,
            "colour_bar": body.get("colour_bar"),
            "stiff_end": text_of(body, "stiff_end"),
            "scale": body.get("scale"),
        }
        for name in PARTS:
            sides = entry[name]
            if isinstance(sides, list) and len(sides) == 4 and all(type(side) is int for side in sides):
                place = Rectangle(*sides)
                if place != place.clamped(device.rows, device.columns):
                    raise ReadingsError(f"{name} = {sides} reaches out of the picture.", "Draw it anew.")
        return entry


def _kind(image: SweImage) -> Kind:
    height, width = image.pixels.shape[:2]
    example = SeenPicture("", image, None, None, "", "")
    return Kind(image.manufacturer, image.model, width, height, NOT_FOUND, examples=[example])


def _proposed_square(image: SweImage) -> Square:
    """Around the largest coloured part, else in the middle."""
    height, width = image.pixels.shape[:2]
    for box in coloured_parts(image.pixels)[:1]:
        inside = box.clamped(height, width)
        if max(inside.width, inside.height) <= min(height, width):
            return find_square(inside, height, width)
    size = max(min(round(SQUARE_SIDE * width / NATIVE_WIDTH), height, width), min(SMALLEST_SIDE, height, width))
    return Square((height - size) // 2, (width - size) // 2, size)
