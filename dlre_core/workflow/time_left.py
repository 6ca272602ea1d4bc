"""How long a run still takes: a line now and then, from what its jobs have taken so far."""

import contextlib
import logging
import time
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

# Seconds of a job in a demo study on two busy cores (its results/benchmarks); other rules take about
# OTHER_SECONDS. Only their ratios matter once a few jobs are done.
DEMO_SECONDS = {
    "train": 370.0,
    "train_variant": 370.0,
    "predict": 100.0,
    "supplementary_figure_1": 36.0,
    "model_repository": 33.0,
    "frozen_study": 27.0,
    "table_4": 22.0,
    "heat_maps": 21.0,
    "crop_rois": 3.0,
    "scores": 3.0,
    "leak_check": 3.0,
    "split": 1.0,
    "all": 0.1,
}
OTHER_SECONDS = 12.0
FIRST_LINE_SECONDS = 15.0
LINE_SECONDS = 30.0
# Long runs get about twenty lines.
LINE_SHARE = 0.05


class TimeLeft:
    """Estimates the time until all planned jobs are done.

    A waiting job is taken to last as long as the finished ones of its rule. Where none is finished yet,
    as long as expected, times how much slower or faster than expected this run has been, and at least
    as long as the one that runs. The sum is divided by how many jobs ran at one time on average.

    Parameters
    ----------
    expected : mapping of rule to float
        Seconds of one job, from another run.

    Examples
    --------
    Four jobs alike, one at a time; the first one took twice as long as expected:

    >>> left = TimeLeft({"train": 10.0})
    >>> left.plan({"train": 4})
    >>> left.start(1, "train", 0.0)
    >>> left.finish(1, 20.0)
    >>> left.seconds(20.0)
    60.0
    """

    def __init__(self, expected: Mapping[str, float]) -> None:
        self.done = self.total = 0
        self._expected = expected
        self._waiting: dict[str, int] = defaultdict(int)
        self._running: dict[int, tuple[str, float]] = {}
        self._finished: dict[str, list[float]] = defaultdict(list)
        self._began: float | None = None

    def plan(self, jobs: Mapping[str, int]) -> None:
        """Take over how many jobs each rule will run."""
        self._waiting.update(jobs)
        self.total = sum(jobs.values())

    def start(self, job: int, rule: str, now: float) -> None:
        """A job runs from ``now`` (seconds, of any clock that goes forward)."""
        self._began = now if self._began is None else self._began
        if self._waiting[rule]:
            self._waiting[rule] -= 1
        self._running[job] = (rule, now)

    def finish(self, job: int, now: float) -> None:
        """A job is done."""
        if job not in self._running:
            return
        rule, started = self._running.pop(job)
        self._finished[rule].append(now - started)
        self.done += 1

    def fail(self, job: int) -> None:
        """A job ended without success; if it is tried again, it starts again."""
        if job in self._running:
            self._waiting[self._running.pop(job)[0]] += 1

    def seconds(self, now: float) -> float | None:
        """Seconds from ``now`` to the end; None before any job is done."""
        if not self.done or self._began is None or now <= self._began:
            return None
        pace = self._pace()
        ages = [(rule, now - started) for rule, started in self._running.values()]
        running = [max(self._job_seconds(rule, pace, now) - age, 0.0) for rule, age in ages]
        waiting = sum(count * self._job_seconds(rule, pace, now) for rule, count in self._waiting.items())
        worked = sum(map(sum, self._finished.values())) + sum(age for _, age in ages)
        at_once = max(worked / (now - self._began), 1.0)
        return max((sum(running) + waiting) / at_once, *running, 0.0)

    def _pace(self) -> float:
        """Time taken over time expected, of all finished jobs."""
        expected = sum(len(times) * self._expected.get(rule, OTHER_SECONDS) for rule, times in self._finished.items())
        return sum(map(sum, self._finished.values())) / expected

    def _job_seconds(self, rule: str, pace: float, now: float) -> float:
        if times := self._finished.get(rule):
            return sum(times) / len(times)
        ages = [now - started for name, started in self._running.values() if name == rule]
        return max(pace * self._expected.get(rule, OTHER_SECONDS), *ages, 0.0)


class TimeLeftHandler(logging.Handler):
    """Listens to Snakemake's own events, and logs a line about the whole run now and then.

    Parameters
    ----------
    log : Logger
        Snakemake's; takes the line, so that it stands above the progress bars of a terminal.
    benchmarks : path
        ``results/benchmarks``: what an earlier run in this folder took is expected again.
    """

    def __init__(self, log: logging.Logger, benchmarks: str | Path) -> None:
        super().__init__(logging.INFO)
        self._log = log
        self._benchmarks = benchmarks
        self._left = TimeLeft({})
        self._first = self._next = 0.0

    def emit(self, record: logging.LogRecord) -> None:
        """Take in one event; an estimate that fails never stops a study."""
        try:
            self._take(record)
        except Exception:
            self.handleError(record)

    def _take(self, record: logging.LogRecord) -> None:
        event = str(getattr(record, "event", ""))
        if event == "run_info":
            self._left = TimeLeft(DEMO_SECONDS | earlier_seconds(self._benchmarks))
            self._left.plan({rule: n for rule, n in record.stats.items() if rule != "total"})
            self._first = record.created
            self._next = record.created + FIRST_LINE_SECONDS
        elif event == "job_info":
            self._left.start(record.jobid, record.rule_name, record.created)
        elif event == "job_error":
            self._left.fail(record.jobid)
        elif event == "job_finished":
            self._left.finish(record.job_id, record.created)
            self._say(record.created)

    def _say(self, now: float) -> None:
        seconds = self._left.seconds(now)
        if seconds is None or now < self._next or self._left.done >= self._left.total:
            return
        whole = now - self._first + seconds
        self._next = now + max(LINE_SECONDS, LINE_SHARE * whole)
        end = time.strftime("%H:%M" if seconds < 86_400 else "%d %b %H:%M", time.localtime(now + seconds))
        self._log.info(
            f"{self._left.done} of {self._left.total} jobs done; about {in_words(seconds)} left, until {end}."
        )


def earlier_seconds(benchmarks: str | Path) -> dict[str, float]:
    """Mean seconds of a job by rule, from the benchmark files that an earlier run left.

    Parameters
    ----------
    benchmarks : path
        Holds ``{rule}.tsv`` or ``{rule}/**/*.tsv``.
    """
    benchmarks, found = Path(benchmarks), defaultdict(list)
    for path in sorted(benchmarks.rglob("*.tsv")):
        rule = path.relative_to(benchmarks).with_suffix("").parts[0]
        # A killed run may leave half a file.
        with contextlib.suppress(ValueError, KeyError):
            seconds = float(pd.read_csv(path, sep="\t")["s"].mean())
            found[rule].append(seconds)
    return {rule: sum(times) / len(times) for rule, times in found.items()}


def in_words(seconds: float) -> str:
    """A duration, no finer than an estimate of it can be.

    Examples
    --------
    >>> in_words(40), in_words(200), in_words(1600), in_words(8000)
    ('a minute', '3 minutes', '25 minutes', '2 hours 10 minutes')
    """
    minutes = seconds / 60
    step = 1 if minutes < 10 else 5 if minutes < 60 else 10
    hours, minutes = divmod(max(round(minutes / step) * step, 1), 60)
    parts = [f"{n} {word}{'s' if n > 1 else ''}" for n, word in ((hours, "hour"), (minutes, "minute")) if n]
    return "a minute" if parts == ["1 minute"] else " ".join(parts)
