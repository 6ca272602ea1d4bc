"""What stopped a study, in the words of the jobs' own logs."""

import logging
import re
import shutil
import textwrap
from collections import defaultdict
from pathlib import Path

from dlre_core.foundation import errors

MARK = " ERROR "
LONGEST = 700
JOBS_NAMED = 4
# Differs between jobs that met the same full disk.
FREE_SPACE = re.compile(r" \([\d.]+ of \d+ MB free\)")
KILLED = (
    "Somebody killed the job; most often it is the system, for want of memory. Give the same command "
    "again on fewer cores (make study CORES=1), or free some memory."
)
# With less than this a job's log may have had no room for its own error.
FULL_BYTES = 100_000


class PlainErrors(logging.Filter):
    """Says Snakemake's errors in plain words, or leaves them to `failure_text`."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite a record; False for one that the job's own log says better."""
        name, text = str(getattr(record, "exception", "")), record.getMessage()
        kind = getattr(errors, name, None)
        if isinstance(kind, type) and issubclass(kind, errors.DlreError):
            # Class, file and line first, then message and remedy, then the stack.
            text = re.sub(r'(\n  File "[^\n]*)+\s*$', "", text.partition("\n")[2])
            record.msg, record.args = f"\nNothing was run.\n\n{_wrapped(text)}\n", ()
        elif "died with <Signals.SIGKILL" in text:
            record.msg, record.args = f"{text}\n{KILLED}", ()
        return not ("CalledProcessError" in text and "non-zero exit status 1." in text)


def failure_text(logs: str | Path, since: float) -> str:
    """The last error of every log written since the run began, with its remedy and its place.

    Parameters
    ----------
    logs : path
        Folder of the jobs' logs (``results/logs``).
    since : float
        When the run began, seconds since the epoch.

    Returns
    -------
    str
        An error that several jobs met stands once. Empty where no log holds an error.
    """
    logs = Path(logs)
    jobs = defaultdict(list)
    for path in sorted(logs.rglob("*.log")):
        sentence = _last_error(path) if path.stat().st_mtime >= since else ""
        if sentence:
            jobs[FREE_SPACE.sub("", sentence)].append(path)
    parts = [_paragraph(sentence, paths, logs) for sentence, paths in jobs.items()]
    if not parts and logs.exists() and shutil.disk_usage(logs).free < FULL_BYTES:
        parts = [f"The disk that holds {logs.resolve()} is full. Free some space.\n"]
    if not parts:
        return ""
    again = "Put it right and give the same command again: what is finished stays finished."
    return "\n".join(["", "The study stopped.", "", *parts, again, ""])


def made_since(path: str | Path, started: float) -> bool:
    """Whether a file is there and was written after ``started`` (seconds since the epoch)."""
    path = Path(path)
    return path.exists() and path.stat().st_mtime >= started


def _last_error(path: Path) -> str:
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    errors = [number for number, line in enumerate(lines) if MARK in line]
    if not errors:
        return ""
    sentence = lines[errors[-1]].partition(MARK)[2].partition(": ")[2].strip()
    return sentence + _fault(lines[errors[-1] + 1 :])


def _paragraph(sentence: str, paths: list[Path], logs: Path) -> str:
    names = [" ".join(path.relative_to(logs).with_suffix("").parts) for path in paths]
    more = f" and {len(names) - JOBS_NAMED} more" if len(names) > JOBS_NAMED else ""
    title = ", ".join(names[:JOBS_NAMED]).replace("_", " ") + more
    shortened = textwrap.shorten(sentence, LONGEST, placeholder=" ...")
    return f"{title}:\n{_wrapped(shortened)}\n  (all of it: {paths[0]})\n"


def _wrapped(text: str) -> str:
    return "\n".join(
        textwrap.fill(
            line,
            96,
            initial_indent="  ",
            subsequent_indent="  ",
            break_long_words=False,
            break_on_hyphens=False,
        )
        for line in text.splitlines()
    )


def _fault(following: list[str]) -> str:
    """What a stack that follows an error ends in, and whom to tell; empty where there is none."""
    if not any(line.startswith("Traceback") for line in following):
        return ""
    last = next(line for line in reversed(following) if line.strip())
    return f" ({last.strip()}). Please report it, with this log."
