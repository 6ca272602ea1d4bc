"""Logging of one workflow job: to its log file and, briefly, to the terminal."""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from dlre_core.foundation.design import design_of, use_design
from dlre_core.foundation.errors import DlreError
from dlre_core.foundation.processes import end_with_parent, reserve
from dlre_core.foundation.storage_faults import storage_fault

FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


BARS = "DLRE_BARS"
# Room in a job's log for what it says of a full disk.
LAST_WORDS = 1 << 16


def bars_stand_on_the_terminal() -> bool:
    """Whether Snakemake draws its bars where this job would write; then only errors may break them."""
    return BARS in os.environ


class _LogFile(logging.FileHandler):
    def handleError(self, record: logging.LogRecord) -> None:
        """Say nothing of a log that cannot be written: the terminal has the record, too."""

    def reserve(self) -> None:
        """Set room aside, so that an error can be written when the disk is full."""
        reserve(self.stream.fileno(), LAST_WORDS)

    def close(self) -> None:
        """Close it, whatever of it could not be written, and give back what is left of its room."""
        with suppress(OSError):
            super().close()
            os.truncate(self.baseFilename, os.path.getsize(self.baseFilename))


@contextmanager
def job_log(path: str | Path) -> Iterator[None]:
    """Send log records of the block to ``path``; end the process plainly on a user's error.

    A process that Snakemake started ends with Snakemake, however that ends, and follows its configuration's design.

    Parameters
    ----------
    path : path
        Log file, rewritten. Records of level INFO and above go there and to standard error (errors
        only where `bars_stand_on_the_terminal`).

    Raises
    ------
    SystemExit
        With status 1 after a `DlreError`, a full disk or a closed folder: message and remedy are
        logged, without a stack.
        Any other exception is logged with its stack and passes on.
    """
    # Snakemake gives its scripts this global; tests have none.
    job = getattr(sys.modules["__main__"], "snakemake", None)
    if job is not None:
        end_with_parent()
        use_design(design_of(job.config))
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    file = _LogFile(path, mode="w", encoding="utf-8")
    file.reserve()
    terminal = logging.StreamHandler(sys.stderr)
    terminal.setLevel(logging.ERROR if bars_stand_on_the_terminal() else logging.INFO)
    for handler in (file, terminal):
        handler.setFormatter(logging.Formatter(FORMAT, datefmt="%H:%M:%S"))
    logging.basicConfig(level=logging.INFO, handlers=[file, terminal], force=True)
    logging.captureWarnings(True)
    try:
        yield
    except DlreError as error:
        logging.getLogger("dlre").error("%s", error)
        raise SystemExit(1) from None
    except Exception as error:
        fault = storage_fault(error, path)
        if fault is not None:
            logging.getLogger("dlre").error("%s", fault)
            raise SystemExit(1) from None
        logging.getLogger("dlre").exception("a fault of the program, not of the data")
        raise
    finally:
        logging.shutdown()
