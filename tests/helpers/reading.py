"""Pictures and answers of readers, and a small study's store to read."""

from pathlib import Path

import numpy as np
import pandas as pd

from dlre_core.elastography.screen_layout import Rectangle
from dlre_core.elastography.square import Square, find_square
from dlre_core.foundation.picture_store import write_shard
from dlre_core.reading.readings_file import Answer
from dlre_core.reading.shown_pictures import ShownPicture

HEIGHT, WIDTH = 1080, 1440
BOX = Rectangle(600, 200, 800, 400)
FOUND = find_square(BOX, HEIGHT, WIDTH)
# Nobody who reads may see it.
SECRET_KPA = 23.717


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


def drawn_screen(number: int) -> np.ndarray:
    """A small screen: grey, with a coloured box of another place and colour for each number."""
    screen = np.full((270, 360, 3), 60 + number, np.uint8)
    screen[:8, :8] = number
    top, left = 40 + number % 30, 150 + number % 50
    screen[top : top + 50, left : left + 50] = (200, 40 + number, 30)
    return screen


def stored_study(store: Path, hospitals: dict[str, int]) -> Path:
    """Shards and tables of hospitals, with so many pictures each; the tables hold secrets."""
    store.mkdir(parents=True)
    for hospital, number in hospitals.items():
        ids = [f"{hospital}{n:015d}" for n in range(number)]
        write_shard(store / f"{hospital}.h5", [(name, drawn_screen(n)) for n, name in enumerate(ids)])
        rows = [
            {
                "image_id": name,
                "hospital": hospital,
                "patient": f"pseudonym{hospital}{n // 5}",
                "acquisition": n % 5 + 1,
                "height": 270,
                "width": 360,
                "box_left": 150 + n % 50,
                "box_top": 40 + n % 30,
                "box_right": 200 + n % 50,
                "box_bottom": 90 + n % 30,
                "roi_row": None,
                "roi_column": None,
                "roi_size": None,
                "layout_source": "regions",
                "flags": "secret_flag" if n % 5 == 0 else "",
                "fibrosis_stage": 4,
                "alt_iu_l": 77.125,
                "q_box_mean_kpa": SECRET_KPA,
            }
            for n, name in enumerate(ids)
        ]
        pd.DataFrame(rows).to_csv(store / f"{hospital}_acquisitions.csv", index=False)
    return store
