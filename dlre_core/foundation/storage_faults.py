"""What a failed read or write means: a full or read-only disk, in one sentence with a remedy."""

import errno
import os
import shutil
from pathlib import Path

from dlre_core.foundation.errors import StorageError

FULL = {errno.ENOSPC, errno.EDQUOT}
CLOSED = {errno.EROFS, errno.EACCES, errno.EPERM}
# Libraries that do not hand the number on.
FULL_WORDS = ("No space left on device", "Disk quota exceeded", "database or disk is full")


def storage_fault(error: BaseException, place: str | Path) -> StorageError | None:
    """What a failed write means, in one sentence that is the same for all jobs; None for another fault.

    Parameters
    ----------
    error : exception
        As it came from the operating system or a library.
    place : path
        A file on the disk that is written to, where the error does not say.
    """
    number = error.errno if isinstance(error, OSError) else None
    place = (error.filename if isinstance(error, OSError) else None) or place
    if number in FULL or any(words in str(error) for words in FULL_WORDS):
        disk = Path(place).resolve()
        while not os.path.ismount(disk):
            disk = disk.parent
        use = shutil.disk_usage(disk)
        return StorageError(
            f"The disk mounted at {disk} is full ({use.free / 1e6:.1f} of {use.total / 1e6:.0f} MB free).",
            "Free some space and give the same command again: what is finished stays finished.",
        )
    if number in CLOSED and isinstance(error, OSError):
        return StorageError(
            f"{place} cannot be read or written: {error.strerror}.",
            "Make the folder yours to write (chmod, or mount it writable), or work in another one.",
        )
    return None
