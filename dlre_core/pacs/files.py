"""Names and places of pictures from a PACS: nothing that was sent becomes part of a path."""

import filecmp
import hashlib
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from dlre_core.foundation.digests import file_digest

OURS = re.compile(r"[0-9a-f]{32}(-[0-9a-f]{16})?\.dcm")
# Ultrasound and its retired forms, and how exports of whole screens arrive.
PICTURE_CLASSES = {
    "1.2.840.10008.5.1.4.1.1.6.1": "Ultrasound Image",
    "1.2.840.10008.5.1.4.1.1.3.1": "Ultrasound Multi-frame Image",
    "1.2.840.10008.5.1.4.1.1.6": "Ultrasound Image (retired)",
    "1.2.840.10008.5.1.4.1.1.3": "Ultrasound Multi-frame Image (retired)",
    "1.2.840.10008.5.1.4.1.1.7": "Secondary Capture Image",
    "1.2.840.10008.5.1.4.1.1.7.4": "Multi-frame True Colour Secondary Capture Image",
}
STALE_SECONDS = 24 * 3600


def picture_name(sop_instance_uid: str) -> str:
    """File name of a picture: 32 hexadecimal digits of the SHA-256 of its UID."""
    return hashlib.sha256(sop_instance_uid.encode()).hexdigest()[:32] + ".dcm"


def hospital_folder(folder: str | Path, hospital: str) -> Path:
    """``<folder>/dicom/<hospital>``, made (for this user only) where it is missing."""
    path = Path(folder) / "dicom" / hospital
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    return path


@contextmanager
def arrivals(folder: str | Path) -> Iterator[Path]:
    """A private folder for what is not whole yet, beside ``dicom/`` and on the same disk.

    Left by a killed process, it is removed by a later one after a day.
    """
    root = Path(folder) / ".arriving"
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    for old in root.iterdir():
        with suppress(FileNotFoundError):
            if time.time() - old.stat().st_mtime > STALE_SECONDS:
                shutil.rmtree(old, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=root) as place:
        yield Path(place)


def keep(arrived: Path, pictures: Path, sop_instance_uid: str) -> bool:
    """Move a whole file into the hospital's folder, by rename; False if it was there already.

    Another file of the same UID is kept beside the first: ingestion decides between them.

    Raises
    ------
    OSError
        If the disk is full or the folder cannot be written.
    """
    target = pictures / picture_name(sop_instance_uid)
    if target.exists() and not filecmp.cmp(arrived, target, shallow=False):
        target = target.with_name(f"{target.stem}-{file_digest(arrived)[:16]}.dcm")
    new = not target.exists()
    if new:
        with open(arrived, "rb") as file:
            os.fsync(file.fileno())
        os.replace(arrived, target)
    return new
