"""Whether a study's primary hypothesis was named before there were results: a record that every run adds to."""

import csv
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

# Outside results/, so that cleaning keeps it.
RECORD = ".dlre/primary_hypothesis.csv"
COLUMNS = ("time", "cohort", "hypothesis", "results")
# What tells one cohort from another, in the section cohort.
COHORT = ("source", "folder", "simulated", "size", "seed")


def record_hypothesis(config: Mapping[str, Any], results: str | Path = "results", record: str | Path = RECORD) -> None:
    """Note which hypothesis a run works under and whether scores of the cohort's patients are there already.

    Nothing is added where the last row says the same. Scores that lie there when a run begins belong to the cohort of
    the last row.

    Parameters
    ----------
    config : mapping
        With the sections ``cohort`` and, where one is named, ``primary_hypothesis``.
    results : path
        Folder of the study's results; whoever has ``scores/`` of it can know the answer.
    record : path
        CSV: time (UTC), cohort, hypothesis (JSON), results (1: there).
    """
    record, rows = Path(record), _rows(Path(record))
    cohort, said = _words(config)
    of_others = bool(rows) and rows[-1]["cohort"] != cohort
    there = str(int(any(Path(results).glob("scores/*.csv")) and not of_others))
    if rows and (rows[-1]["cohort"], rows[-1]["hypothesis"], rows[-1]["results"]) == (cohort, said, there):
        return
    record.parent.mkdir(parents=True, exist_ok=True)
    with open(record, "a", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        if not rows:
            writer.writerow(COLUMNS)
        writer.writerow([datetime.now(UTC).isoformat(timespec="seconds"), cohort, said, there])


def named_beforehand(config: Mapping[str, Any], record: str | Path = RECORD) -> bool | None:
    """Whether a run without results worked under the hypothesis before any run had some; None: nothing is recorded."""
    cohort, said = _words(config)
    for row in [row for row in _rows(Path(record)) if row["cohort"] == cohort]:
        if row["results"] == "1":
            return False
        if row["hypothesis"] == said:
            return True
    return None


def _words(config: Mapping[str, Any]) -> tuple[str, str]:
    cohort = " ".join(str(config["cohort"].get(name)) for name in COHORT)
    return cohort, json.dumps(config.get("primary_hypothesis"), sort_keys=True)


def _rows(record: Path) -> list[dict[str, str]]:
    if not record.exists():
        return []
    with open(record, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
