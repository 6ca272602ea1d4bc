"""A study killed at random moments ends in the same bytes, and nothing of it lives on.

Run by ``make test-crash`` (``DLRE_KILLS=20``): the end of a finished study is killed while the server
works, and whole studies of one arm from the first picture to the report. What keeps them safe is tested
piece by piece in ``tests/core/workflow/test_run_lock.py``, which the suite always runs.
"""

import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.workflow.study import Study

KILLS = int(os.environ.get("DLRE_KILLS", "0"))
# A job that was just starting looks for Snakemake once its imports are done.
SECONDS_TO_END = 60
# Snakemake needs a few seconds before its first job: some kills meet that, most meet jobs.
LONGEST_SECONDS = 25


def living(study):
    """Command lines of processes that work in the study's folder, and its servers' shared memory."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = process.joinpath("cmdline").read_bytes().replace(b"\0", b" ").decode()
            folder = os.readlink(process / "cwd")
        except OSError:
            continue
        if command and (folder == str(study.folder) or f"{study.folder}/" in command):
            found.append(command)
    return found


def kill_after(study, seconds, *arguments):
    """Start a run and kill Snakemake, and it alone, unless it ends first; its exit status."""
    with study.start("--cores", "2", *arguments, output=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + seconds
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
        status = process.wait()
    deadline = time.monotonic() + SECONDS_TO_END
    while (left := living(study)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert left == [], "these outlived a killed Snakemake"
    return status


@pytest.mark.skipif(not KILLS, reason="make test-crash")
def test_a_killed_end_goes_on_by_itself(finished_study, tmp_path):
    study = finished_study.copy(tmp_path / "killed")
    reference = study.tables()
    wanted = ["results/tables/table_2.csv", "results/figures/figure_3.txt"]
    for folder in ("predictions", "scores"):
        for path in (study.folder / "results" / folder).iterdir():
            wanted.append(str(path.relative_to(study.folder)))
            path.unlink()
    # While it starts, while the server works, and after that.
    for seconds in (4, 7, 10):
        kill_after(study, seconds, *wanted)
    last = study.run("--", *wanted)
    assert "--unlock" not in last
    assert study.tables() == reference


@pytest.mark.timeout(3600)
@pytest.mark.skipif(not KILLS, reason="make test-crash")
def test_a_study_killed_at_random_moments_ends_in_the_same_bytes(tmp_path):
    undisturbed = Study.create(tmp_path / "undisturbed")
    undisturbed.keep_arms("overall_5_images")
    started = time.monotonic()
    undisturbed.run()
    whole = time.monotonic() - started
    study = Study.create(tmp_path / "killed")
    study.keep_arms("overall_5_images")
    moments = random.Random(2019)
    killed = 0
    # A run may be done before all kills: then the next begins anew.
    while killed < KILLS:
        if kill_after(study, moments.uniform(1, LONGEST_SECONDS)) == 0:
            assert study.tables() == undisturbed.tables()
            study = Study.create(tmp_path / f"killed_{killed}")
            study.keep_arms("overall_5_images")
        else:
            killed += 1
    study.run()
    assert study.tables() == undisturbed.tables()
    assert study.pending() == set()
    print(f"{killed} kills; an undisturbed run takes {whole:.0f} s")
