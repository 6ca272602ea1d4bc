"""What stopped a study is said in plain words, once, with its place."""

import logging
import os

from dlre_core.foundation.errors import StorageError
from dlre_core.workflow.failure_summary import PlainErrors, failure_text


def test_the_last_error_of_new_logs_is_told_with_its_place(tmp_path):
    old, new = tmp_path / "old.log", tmp_path / "ingest_hospital" / "A.log"
    new.parent.mkdir()
    old.write_text("12:00:00 ERROR   dlre: An old trouble.\n")
    new.write_text("12:00:01 INFO    dlre: fine\n12:00:02 ERROR   dlre: No disk. Free some.\nTraceback\n")
    os.utime(old, (1000, 1000))
    text = failure_text(tmp_path, since=2000)
    assert "No disk. Free some." in text
    assert str(new) in text
    assert "old trouble" not in text
    assert failure_text(tmp_path, since=1e12) == ""
    new.write_text("12:00:02 ERROR   dlre: " + "word " * 1000)
    assert len(failure_text(tmp_path, since=0)) < 1500


def test_a_fault_of_the_program_is_named_and_to_be_reported(tmp_path):
    log = tmp_path / "train.log"
    stack = 'Traceback (most recent call last):\n  File "x.py", line 1\nRuntimeError: planted\n'
    log.write_text(f"12:00:02 ERROR   dlre: a fault of the program, not of the data\n{stack}")
    words = " ".join(failure_text(tmp_path, since=0).split())
    assert "not of the data (RuntimeError: planted). Please report it, with this log." in words
    assert "Traceback" not in words


def test_jobs_that_met_the_same_full_disk_are_told_once(tmp_path):
    for name, free in (("A", "0.2"), ("B", "12.5")):
        error = StorageError(f"The disk mounted at / is full ({free} of 13 MB free).", "Free some.")
        (tmp_path / f"{name}.log").write_text(f"12:00:02 ERROR   dlre: {error}\n")
    text = failure_text(tmp_path, since=0)
    assert text.count("The disk mounted at / is full. Free some.") == 1
    assert "A, B:" in text


def snakemake_error(text, exception):
    record = logging.makeLogRecord({"msg": text, "event": "error", "exception": exception})
    return record if PlainErrors().filter(record) else None


def test_an_error_before_the_first_job_is_its_message_without_a_stack():
    text = 'CohortError in file "a.smk", line 3:\nNo folder.\n  - in a list\n  File "a.smk", line 3\n  File "b"'
    said = snakemake_error(text, "CohortError").getMessage()
    assert said.split("\n\n")[1].splitlines() == ["  No folder.", "    - in a list"]
    assert "File" not in said
    other = 'KeyError in file "a.smk", line 3:\n1\n  File "a.smk", line 3'
    assert snakemake_error(other, "KeyError").getMessage() == other


def test_a_failed_job_is_left_to_its_log_and_a_killed_one_explained():
    ended = "RuleException:\nCalledProcessError:\nCommand 'python a.py' returned non-zero exit status 1."
    assert snakemake_error(ended, "RuleException") is None
    killed = "RuleException:\nCalledProcessError:\nCommand 'python a.py' died with <Signals.SIGKILL: 9>."
    said = snakemake_error(killed, "RuleException").getMessage()
    assert said.startswith(killed)
    assert "memory" in said
