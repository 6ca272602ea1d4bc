"""How long a run still takes: by hand, and as a line between Snakemake's own."""

import logging

import pytest

from dlre_core.workflow.time_left import TimeLeft, TimeLeftHandler, earlier_seconds, in_words


def test_the_runs_own_times_replace_expected_ones():
    left = TimeLeft({"ingest": 10.0, "train": 100.0})
    left.plan({"ingest": 2, "train": 2})
    assert left.seconds(0.0) is None
    left.start(1, "ingest", 0.0)
    left.finish(1, 20.0)
    # Half as fast as expected: 20 for the other hospital, 200 for each arm.
    assert left.seconds(20.0) == pytest.approx(420.0)
    left.start(2, "ingest", 20.0)
    left.finish(2, 40.0)
    left.start(3, "train", 40.0)
    left.finish(3, 90.0)
    assert left.seconds(90.0) == pytest.approx(50.0)
    assert (left.done, left.total) == (3, 4)


def test_jobs_that_run_together_share_the_time_and_the_last_one_holds_it_up():
    left = TimeLeft({"train": 100.0})
    left.plan({"train": 5})
    for job in (1, 2):
        left.start(job, "train", 0.0)
        left.finish(job, 100.0)
    assert left.seconds(100.0) == pytest.approx(150.0)  # Three, two at a time.
    for job in (3, 4):
        left.start(job, "train", 100.0)
        left.finish(job, 200.0)
    left.start(5, "train", 200.0)
    assert left.seconds(210.0) == pytest.approx(90.0)  # One alone is not shared.


def test_a_job_that_runs_longer_than_expected_says_what_its_fellows_will_take():
    left = TimeLeft({"ingest": 10.0, "train": 10.0})
    left.plan({"ingest": 1, "train": 2})
    left.start(1, "ingest", 0.0)
    left.finish(1, 10.0)
    left.start(2, "train", 10.0)
    assert left.seconds(90.0) == pytest.approx(80.0)


def test_a_failed_job_is_counted_once_when_it_is_tried_again():
    left = TimeLeft({"predict": 10.0})
    left.plan({"predict": 2})
    left.start(1, "predict", 0.0)
    left.fail(1)
    left.start(1, "predict", 10.0)
    left.finish(1, 20.0)
    assert left.done == 1
    assert left.seconds(20.0) == pytest.approx(10.0)
    left.finish(7, 30.0)
    left.fail(7)
    assert left.done == 1


def test_earlier_benchmarks_are_read_by_rule_and_half_files_are_not(tmp_path):
    (tmp_path / "train").mkdir()
    (tmp_path / "train/a.tsv").write_text("s\th:m:s\n30.0\t0:00:30\n")
    (tmp_path / "train/b.tsv").write_text("s\th:m:s\n10.0\t0:00:10\n")
    (tmp_path / "report.tsv").write_text("s\th:m:s\n4.0\t0:00:04\n")
    (tmp_path / "split.tsv").write_text("")
    assert earlier_seconds(tmp_path) == {"train": 20.0, "report": 4.0}
    assert earlier_seconds(tmp_path / "none") == {}


def test_lines_come_now_and_then_and_never_at_the_end(tmp_path, caplog):
    log = logging.getLogger("a study")
    handler = TimeLeftHandler(log, tmp_path)

    def event(kind, now, **facts):
        record = logging.makeLogRecord({"event": kind, "created": now, **facts})
        handler.emit(record)

    with caplog.at_level(logging.INFO, "a study"):
        event("run_info", 0.0, stats={"train": 100, "total": 100})
        for job in range(100):
            event("job_info", 12.0 * job, jobid=job, rule_name="train")
            event("job_finished", 12.0 * (job + 1), job_id=job)
        event("job_finished", 2000.0)  # Not as Snakemake gives it: said, not raised.
    assert caplog.messages[0].startswith("2 of 100 jobs done; about 20 minutes left, until ")
    assert 15 <= len(caplog.messages) <= 25
    assert not caplog.messages[-1].startswith("100 of")


def test_durations_are_no_finer_than_an_estimate():
    assert [in_words(s) for s in (0, 95, 585, 660, 3590, 7300, 90_000)] == [
        "a minute",
        "2 minutes",
        "10 minutes",
        "10 minutes",
        "1 hour",
        "2 hours",
        "25 hours",
    ]
