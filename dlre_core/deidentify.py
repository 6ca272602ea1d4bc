"""Pseudonyms, shifted dates and blanked pixels: what leaves ingestion tells nobody who it is."""

import base64
import csv
import hashlib
import hmac
import os
import secrets
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from dlre_core.errors import ConfigurationError
from dlre_core.layout import (
    BOTTOM_PICTURE,
    NATIVE_WIDTH,
    TOP_PICTURE,
    Rectangle,
    ScreenLayout,
    header_rows,
)
from dlre_core.whole_files import written_whole

KEY_BYTES = 32
# On the native screen: where annotations begin.
FIRST_ANNOTATION_ROW = 960
# Pictures may lie this share of the screen's width beside their usual places.
SLACK = 0.02
Day = TypeVar("Day", date, datetime)


class Pseudonymiser:
    """Keyed, one-way names and per-patient date shifts (HMAC-SHA256, RFC 2104).

    Parameters
    ----------
    key : bytes
        Secret; who has it can recompute pseudonyms from ids, so it never leaves the site.
    date_shift_days : int
        Dates move by up to this many days, either way, by the same amount for all of a patient.

    Examples
    --------
    >>> names = Pseudonymiser(b"secret", date_shift_days=365)
    >>> names.patient("A", "A0001"), names.patient("B", "A0001")
    ('P25L26VQXYCTI', 'P5OHI747G6V6R')
    >>> biopsy, ultrasound = date(2017, 3, 1), date(2017, 3, 4)
    >>> (names.shift(ultrasound, "A", "A0001") - names.shift(biopsy, "A", "A0001")).days
    3
    """

    def __init__(self, key: bytes, date_shift_days: int) -> None:
        self._key = key
        self._days = date_shift_days

    def _digest(self, *parts: str) -> bytes:
        # Lengths keep ("ab", "c") apart from ("a", "bc").
        # File names may hold bytes that are no UTF-8.
        encoded = [part.encode("utf-8", "surrogateescape") for part in parts]
        message = b"".join(b"%d:%s" % (len(part), part) for part in encoded)
        return hmac.new(self._key, message, hashlib.sha256).digest()

    def patient(self, hospital: str, patient_id: str) -> str:
        """Pseudonym of a patient: P and 12 letters or digits."""
        return "P" + base64.b32encode(self._digest("patient", hospital, patient_id))[:12].decode()

    def image(self, hospital: str, sop_instance_uid: str, frame: int) -> str:
        """Id of a picture, 16 hexadecimal digits; two hospitals may number theirs alike."""
        return self._digest("image", f"{hospital} {sop_instance_uid}", str(frame)).hex()[:16]

    def file(self, hospital: str, name: str) -> str:
        """Label of a file in the reject list: its hospital and 10 hexadecimal digits."""
        return f"{hospital}/{self._digest('file', hospital, name).hex()[:10]}"

    def shift(self, day: Day, hospital: str, patient_id: str) -> Day:
        """The date, moved by the patient's own number of days (never 0)."""
        number = int.from_bytes(self._digest("date", hospital, patient_id)[:8], "big")
        offset = number % (2 * self._days) - self._days
        return day + timedelta(days=offset if offset < 0 else offset + 1)


def load_or_create_key(path: str | Path) -> bytes:
    """Read the key file, or make it (mode 0600) on the first run.

    Raises
    ------
    ConfigurationError
        If the file is not a key, or others may read it.
    """
    path = Path(path)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary = path.with_name(f"{path.name}.{os.getpid()}")
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_hex(KEY_BYTES) + "\n")
        try:
            # Linking fails where another job was first; its key then counts.
            os.link(temporary, path)
        except FileExistsError:
            pass
        finally:
            temporary.unlink()
    if path.stat().st_mode & 0o077:
        raise ConfigurationError(
            f"privacy.key_file = {path}: other users may read it.", f"Run: chmod 600 {path}"
        )
    try:
        key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise ConfigurationError(
            f"privacy.key_file = {path}: not a key of {2 * KEY_BYTES} hexadecimal digits.",
            "Restore it from your backup; deleting it gives every patient a new pseudonym.",
        )
    return key


def write_private_table(
    path: str | Path, header: Sequence[str], rows: Sequence[tuple[str, ...]]
) -> None:
    """Write a CSV with identities, sorted, for the eyes of this user only (mode 0600)."""
    with (
        written_whole(path, private=True) as unfinished,
        # File names that are no UTF-8 come back as the bytes they are.
        open(unfinished, "w", encoding="utf-8", errors="surrogateescape", newline="") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(sorted(rows))


def study_key(path: str | Path, simulation_seed: int | None) -> bytes:
    """The key of a study: from the seed of a simulated cohort, else from the key file."""
    return load_or_create_key(path) if simulation_seed is None else simulation_key(simulation_seed)


def simulation_key(seed: int) -> bytes:
    """Key of a simulated cohort, from its seed, so that two runs have the same pseudonyms."""
    return hashlib.sha256(f"simulated cohort {seed}".encode()).digest()


def kept_parts(
    layout: ScreenLayout, height: int, width: int, squares: Sequence[Rectangle] = ()
) -> list[Rectangle]:
    """What the study looks at of a screen; everything else may name the patient.

    Kept are the two pictures, as far as they lie where they do on every known screen, and the colour bar, without
    the header and, below the box, without the rows where screens show annotations. Where the layout had to be found
    in the pixels, an archive may have burned its own overlay into the pictures, and where tags put the box elsewhere,
    nobody knows where such a screen has its texts: then only the box, its twin in the bottom picture and the
    squares are kept of them.

    Parameters
    ----------
    layout : ScreenLayout
    height, width : int
        Of the screen, pixels.
    squares : sequence of Rectangle
        What the network may see: the square around the box, or the one drawn by hand.

    Returns
    -------
    list of Rectangle
        Inside the screen; none lies in another.
    """
    header = header_rows(width)
    annotations = round(FIRST_ANNOTATION_ROW * width / NATIVE_WIDTH)
    rows, below_header = (Rectangle(0, header, width, bottom) for bottom in (annotations, height))
    top, bottom = layout.top_picture, layout.bottom_picture
    usual_top, usual_bottom = (_usual(place, width) for place in (TOP_PICTURE, BOTTOM_PICTURE))
    usual = layout.box.common(usual_top) == layout.box
    if usual:
        top = top.common(usual_top)
    if layout.source == "regions" and usual:
        around = [top, bottom.common(usual_bottom) if bottom else None]
    else:
        around = [square.common(top) for square in squares]
    measured = [layout.box, _twin(layout)]
    kept = [part.common(rows) for part in around if part]
    kept += [part.common(below_header) for part in measured if part]
    kept += [layout.colour_bar] if layout.colour_bar else []
    inside = {part.clamped(height, width): None for part in kept}
    return [
        part
        for part in inside
        if part.width > 0
        and part.height > 0
        and not any(part != other and part.common(other) == part for other in inside)
    ]


def blank_identity(screen: NDArray[np.uint8], parts: Sequence[Rectangle]) -> NDArray[np.uint8]:
    """A copy with everything black but these parts.

    Parameters
    ----------
    screen : (height, width, 3) uint8
    parts : sequence of Rectangle
        As `kept_parts` returns them.

    Returns
    -------
    (height, width, 3) uint8
    """
    kept = np.zeros_like(screen)
    for part in parts:
        place = (slice(part.top, part.bottom), slice(part.left, part.right))
        kept[place] = screen[place]
    return kept


def _twin(layout: ScreenLayout) -> Rectangle | None:
    """The box's place in the bottom picture."""
    if layout.bottom_picture is None:
        return None
    right = layout.bottom_picture.left - layout.top_picture.left
    down = layout.bottom_picture.top - layout.top_picture.top
    box = layout.box
    moved = Rectangle(box.left + right, box.top + down, box.right + right, box.bottom + down)
    return moved.common(layout.bottom_picture)


def _usual(place: Rectangle, width: int) -> Rectangle:
    """Where a picture lies on every known screen, with some slack."""
    scaled, slack = place.scaled(width / NATIVE_WIDTH), round(SLACK * width)
    return Rectangle(
        scaled.left - slack, scaled.top - slack, scaled.right + slack, scaled.bottom + slack
    )
