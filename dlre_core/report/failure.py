"""What stopped a study, in the words of the jobs' own logs."""

import shutil
import textwrap
from collections import defaultdict
from pathlib import Path

MARK = " ERROR "
LONGEST = 700
JOBS_NAMED = 4
# With less than this a job's log may have had no room for its own error.
FULL_BYTES = 100_000


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
            jobs[sentence].append(path)
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
    words = textwrap.fill(shortened, 96, initial_indent="  ", subsequent_indent="  ")
    return f"{title}:\n{words}\n  (all of it: {paths[0]})\n"


def _fault(following: list[str]) -> str:
    """What a stack that follows an error ends in, and whom to tell; empty where there is none."""
    if not any(line.startswith("Traceback") for line in following):
        return ""
    last = next(line for line in reversed(following) if line.strip())
    return f" ({last.strip()}). Please report it, with this log."
