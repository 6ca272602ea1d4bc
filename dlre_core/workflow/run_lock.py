"""A run's hold on its folder: checked to be writable, and a lock left by a dead run is lifted."""

import contextlib
import fcntl
import socket
import tempfile
from pathlib import Path
from typing import IO, NamedTuple

from dlre_core.foundation.storage_faults import storage_fault


class Run(NamedTuple):
    """A running Snakemake's hold on its folder (kept as long as this object), and what it found."""

    hold: IO[str]
    lifted_lock: bool


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
