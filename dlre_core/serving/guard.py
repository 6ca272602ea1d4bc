"""Runs one server, again if its model died, and outlives whoever started it just long enough to clean up.

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
    _remove_regions(prefix)
    shutil.rmtree(scratch, ignore_errors=True)


def close_regions(prefix: str) -> None:
    """Let nobody else read the regions, which hold pictures: Triton opens them to all, whatever the umask."""
    for region in SHARED_MEMORY.glob(f"{prefix}*"):
        # Gone, or laid there by another account.
        with contextlib.suppress(OSError):
            if not region.is_symlink():
                region.chmod(0o600)


def run_guarded(parent: int, prefix: str, scratch: str, command: list[str]) -> int:
    """Run ``command`` until it ends, the process ``parent`` is gone or SIGTERM comes.

    Triton does not replace a model's process that died, so the whole command is started again.

    Returns
    -------
    int
        The exit status of the command.
    """
    told: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda received, _: told.append(received))
    libc = ctypes.CDLL(None)
    revive = True
    while revive:
        # preexec_fn is safe here: the guard has one thread.
        server = subprocess.Popen(
            command,
            process_group=0,
            preexec_fn=lambda: libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL),
        )
        revive = False
        while not (told or revive or os.getppid() != parent or _ended(server, 0.1)):
            close_regions(prefix)
            revive = _model_died(server.pid)
        if not revive:
            server.terminate()
            _ended(server, SECONDS_TO_STOP)
        # Usually the server and its children are gone by now.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)
        status = server.wait()
        _remove_regions(prefix)
        if revive:
            print("The model's process died; the server starts again.", file=sys.stderr, flush=True)
    shutil.rmtree(scratch, ignore_errors=True)
    return status


def _model_died(server: int) -> bool:
    """Whether a process of the server ended by itself: Triton reaps at once those that it ends."""
    with contextlib.suppress(OSError):
        for children in Path(f"/proc/{server}/task").glob("*/children"):
            for child in children.read_text().split():
                if ") Z " in Path(f"/proc/{child}/stat").read_text():
                    return True
    return False


def _remove_regions(prefix: str) -> None:
    for region in SHARED_MEMORY.glob(f"{prefix}*"):
        with contextlib.suppress(OSError):
            region.unlink()


def _ended(server: subprocess.Popen, seconds: float) -> bool:
    try:
        server.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


if __name__ == "__main__":
    sys.exit(run_guarded(int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4:]) & 0xFF)
