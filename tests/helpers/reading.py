"""Pictures and answers of readers, without any file of a picture."""

from dlre_core.elastography.network_square import Square, find_square
from dlre_core.elastography.screen_layout import Rectangle
from dlre_core.reading.readings_file import Answer
from dlre_core.reading.shown_pictures import ShownPicture

HEIGHT, WIDTH = 1080, 1440
BOX = Rectangle(600, 200, 800, 400)
FOUND = find_square(BOX, HEIGHT, WIDTH)


def shown(number: int, patients: int = 4, hospital: str = "A") -> ShownPicture:
    """A picture that is nowhere; every fifth is flagged."""
    return ShownPicture(
        "nowhere.h5",
        number,
        f"image{number:04d}",
        hospital,
        f"patient{number % patients}",
        HEIGHT,
        WIDTH,
        BOX,
        FOUND,
        number % 5 == 0,
    )


def answer(image_id: str = "image0000", **changes: object) -> Answer:
    """An acceptance, or what is changed of it."""
    values = {
        "image_id": image_id,
        "hospital": "A",
        "look": 1,
        "verdict": "accept",
        "reason": "",
        "note": "",
        "square": FOUND,
        "by_hand": False,
        "box_wrong": False,
        "seconds": 2.5,
        "time": "2026-01-31T12:00:00Z",
        "version": "0.1.0",
    }
    return Answer(**(values | changes))


def excluded(image_id: str, reason: str = "motion", **changes: object) -> Answer:
    """An exclusion."""
    return answer(image_id, verdict="exclude", reason=reason, **changes)


def moved(rows: int = 0, columns: int = 0, size: int = 0) -> Square:
    """The found square, elsewhere."""
    return Square(FOUND.row + rows, FOUND.column + columns, FOUND.size + size)
