"""What a process asks of the operating system: to end with its parent, to keep memory, to set disk space aside."""

import ctypes
import os
import signal
from pathlib import Path

# glibc gives large blocks back after every training step; keeping them is worth 1.3 to 2 times the
# speed (benchmarks/training.py). For the environment of every job.
KEEP_MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": "4294967296",
    "MALLOC_TRIM_THRESHOLD_": "8589934592",
    "MALLOC_TOP_PAD_": "268435456",
}
_PR_SET_PDEATHSIG = 1
_FALLOC_FL_KEEP_SIZE = 1


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
