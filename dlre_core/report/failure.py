"""What stopped a study, in the words of the jobs' own logs."""

import textwrap
from pathlib import Path

MARK = " ERROR "
LONGEST = 700


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
        Empty where no log holds an error.
    """
    parts = []
    for path in sorted(Path(logs).rglob("*.log")):
        if path.stat().st_mtime < since:
            continue
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        errors = [number for number, line in enumerate(lines) if MARK in line]
        if errors:
            sentence = lines[errors[-1]].partition(MARK)[2].partition(": ")[2].strip()
            sentence = textwrap.shorten(sentence, LONGEST, placeholder=" ...")
            words = textwrap.fill(sentence, 96, initial_indent="  ", subsequent_indent="  ")
            parts.append(f"{path.stem.replace('_', ' ')}:\n{words}\n  (all of it: {path})")
    if not parts:
        return ""
    again = "Put it right and give the same command again: what is finished stays finished."
    return "\n".join(["", "The study stopped.", "", *parts, "", again, ""])


def made_since(path: str | Path, started: float) -> bool:
    """Whether a file is there and was written after ``started`` (seconds since the epoch)."""
    path = Path(path)
    return path.exists() and path.stat().st_mtime >= started
