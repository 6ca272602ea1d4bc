"""Runs one server and outlives whoever started it just long enough to clean up.

Started as a program of its own, so it imports the standard library only. It ends the server when
it is told to (SIGTERM) or when the process that started it is gone, however that died, and removes
the server's shared memory and scratch folder. If the guard is killed, the kernel ends the server.

    python guard.py PARENT_PID SHARED_MEMORY_PREFIX SCRATCH_FOLDER SERVER [ARGUMENT ...]
"""

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

SHARED_MEMORY = Path("/dev/shm")
SECONDS_TO_STOP = 8.0
_PR_SET_PDEATHSIG = 1


def remove_leftovers(prefix: str, scratch: str) -> None:
    """Remove the shared memory regions whose names begin with ``prefix``, and a folder."""
    for region in SHARED_MEMORY.glob(f"{prefix}*"):
        region.unlink(missing_ok=True)
    shutil.rmtree(scratch, ignore_errors=True)


def run_guarded(parent: int, prefix: str, scratch: str, command: list[str]) -> int:
    """Run ``command`` until it ends, the process ``parent`` is gone or SIGTERM comes.

    Returns
    -------
    int
        The exit status of the command.
    """
    told: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda received, _: told.append(received))
    libc = ctypes.CDLL(None)
    # preexec_fn is safe here: the guard has one thread.
    server = subprocess.Popen(
        command, process_group=0, preexec_fn=lambda: libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    )
    while not told and os.getppid() == parent and not _ended(server, 0.1):
        pass
    server.terminate()
    _ended(server, SECONDS_TO_STOP)
    # Usually the server and its children are gone by now.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGKILL)
    status = server.wait()
    remove_leftovers(prefix, scratch)
    return status


def _ended(server: subprocess.Popen, seconds: float) -> bool:
    try:
        server.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


if __name__ == "__main__":
    sys.exit(run_guarded(int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4:]) & 0xFF)
