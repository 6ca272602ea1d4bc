"""Runs that end badly: jobs die with Snakemake, a dead run's lock is lifted, a full disk is named."""

import contextlib
import ctypes
import errno
import fcntl
import os
import shutil
import signal
import socket
import tempfile
from pathlib import Path
from typing import IO, NamedTuple

from dlre_core.errors import StorageError

# glibc gives large blocks back after every training step; keeping them is worth 1.3 to 2 times the
# speed (benchmarks/training.py). For the environment of every job.
KEEP_MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": "4294967296",
    "MALLOC_TRIM_THRESHOLD_": "8589934592",
    "MALLOC_TOP_PAD_": "268435456",
}
FULL = {errno.ENOSPC, errno.EDQUOT}
CLOSED = {errno.EROFS, errno.EACCES, errno.EPERM}
# Libraries that do not hand the number on.
FULL_WORDS = ("No space left on device", "Disk quota exceeded", "database or disk is full")
_PR_SET_PDEATHSIG = 1
_FALLOC_FL_KEEP_SIZE = 1


class Run(NamedTuple):
    """A running Snakemake's hold on its folder (kept as long as this object), and what it found."""

    hold: IO[str]
    lifted_lock: bool


def end_with_parent() -> None:
    """Have the kernel kill this process when the Snakemake that started it is gone, however it died.

    A job that outlived a killed Snakemake would write into the files of the next run.
    """
    parent = os.getppid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    # It may have gone while this process was still starting: then another one has adopted it.
    try:
        command = Path(f"/proc/{parent}/cmdline").read_bytes()
    except OSError:
        command = b""
    if os.getppid() != parent or b"snakemake" not in command:
        os.kill(os.getpid(), signal.SIGKILL)


def reserve(descriptor: int, size: int) -> None:
    """Set ``size`` bytes of the disk aside for an open file without making it longer, where that is possible.

    What is not used goes back when the file is cut to its length (`os.ftruncate`).
    """
    where = (ctypes.c_int64(0), ctypes.c_int64(size))
    ctypes.CDLL(None).fallocate(descriptor, _FALLOC_FL_KEEP_SIZE, *where)


def begin_run(results: str | Path, memory: str | Path) -> Run:
    """Check that both folders can be written, and lift a lock whose owner is dead.

    Every run holds a shared lock of the kernel's, which ends with the process. Who gets it alone is
    alone in the folder: Snakemake's lock files are then left from a killed run, if that ran on this
    machine. (Other machines may not see the kernel's lock on a network disk.)

    Parameters
    ----------
    results : path
        Folder of all results.
    memory : path
        Snakemake's own folder, ``.snakemake``.

    Returns
    -------
    Run

    Raises
    ------
    StorageError
        If files cannot be made in one of the folders.
    """
    for folder in (results, memory):
        _check_writable(Path(folder))
    hold = open(Path(memory) / "dlre_run", "a+", encoding="ascii")  # noqa: SIM115
    lifted = False
    # An error: somebody else is alive here, or the disk has no such locks.
    with contextlib.suppress(OSError):
        fcntl.flock(hold, fcntl.LOCK_EX | fcntl.LOCK_NB)
        lifted = _lift(Path(memory) / "locks", hold)
    # Waits no longer than another process takes for the lines above.
    with contextlib.suppress(OSError):
        fcntl.flock(hold, fcntl.LOCK_SH)
    return Run(hold, lifted)


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


def _check_writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"0")
    except OSError as error:
        error.filename = str(folder)
        raise storage_fault(error, folder.parent) or error from None


def _lift(locks: Path, hold: IO[str]) -> bool:
    """Remove Snakemake's lock files if the folder's last owner was on this machine; own it."""
    hold.seek(0)
    here, owner = socket.gethostname(), hold.read().strip()
    left = list(locks.glob("*.lock"))
    if left and owner != here:
        return False
    for path in left:
        path.unlink()
    hold.truncate(0)
    hold.write(here)
    hold.flush()
    return bool(left)
