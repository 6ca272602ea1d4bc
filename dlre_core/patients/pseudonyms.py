"""Pseudonyms and shifted dates: keyed, one-way, the same for all of a patient's pictures."""

import base64
import hashlib
import hmac
import os
import secrets
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from dlre_core.foundation.errors import ConfigurationError

KEY_BYTES = 32
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
        raise ConfigurationError(f"privacy.key_file = {path}: other users may read it.", f"Run: chmod 600 {path}")
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


def study_key(path: str | Path, simulation_seed: int | None) -> bytes:
    """The key of a study: from the seed of a simulated cohort, else from the key file."""
    return load_or_create_key(path) if simulation_seed is None else simulation_key(simulation_seed)


def simulation_key(seed: int) -> bytes:
    """Key of a simulated cohort, from its seed, so that two runs have the same pseudonyms."""
    return hashlib.sha256(f"simulated cohort {seed}".encode()).digest()
