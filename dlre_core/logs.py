"""Logging of one workflow job: to its log file and, briefly, to the terminal."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dlre_core.errors import DlreError

FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


@contextmanager
def job_log(path: str | Path) -> Iterator[None]:
    """Send log records of the block to ``path``; end the process plainly on a user's error.

    Parameters
    ----------
    path : path
        Log file, rewritten. Records of level INFO and above go there and to standard error.

    Raises
    ------
    SystemExit
        With status 1 after a `DlreError`: its message and remedy are logged, without a stack.
        Any other exception is logged with its stack and passes on.
    """
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    file = logging.FileHandler(path, mode="w", encoding="utf-8")
    terminal = logging.StreamHandler(sys.stderr)
    for handler in (file, terminal):
        handler.setFormatter(logging.Formatter(FORMAT, datefmt="%H:%M:%S"))
    logging.basicConfig(level=logging.INFO, handlers=[file, terminal], force=True)
    logging.captureWarnings(True)
    try:
        yield
    except DlreError as error:
        logging.getLogger("dlre").error("%s", error)
        raise SystemExit(1) from None
    except Exception:
        logging.getLogger("dlre").exception("a fault of the program, not of the data")
        raise
    finally:
        logging.shutdown()
