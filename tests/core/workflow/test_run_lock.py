"""A killed run's lock is lifted by the next, a living one's never; a full disk is one sentence."""

import errno
import logging
import os
import signal
import socket
import subprocess
import sys
import time

import numpy as np
import pytest

from dlre_core.foundation.atomic_files import written_whole
from dlre_core.foundation.errors import StorageError
from dlre_core.foundation.job_log import BARS, job_log
from dlre_core.foundation.picture_store import write_rois
from dlre_core.foundation.storage_faults import storage_fault
from dlre_core.workflow.failure_summary import failure_text
from dlre_core.workflow.run_lock import begin_run

BEGIN = "import sys, time; from dlre_core.workflow.run_lock import begin_run; run = begin_run(*sys.argv[1:]); "


@pytest.fixture
def folders(tmp_path):
    (tmp_path / "memory/locks").mkdir(parents=True)
    return tmp_path / "results", tmp_path / "memory"


def lock(memory):
    path = memory / "locks/0.input.lock"
    path.write_text("a.csv\n")
    return path


def process(folders, then):
    command = [sys.executable, "-c", BEGIN + then, *map(str, folders)]
    return subprocess.Popen(command, stdout=subprocess.PIPE)


def test_a_killed_runs_lock_is_lifted_and_a_living_ones_is_not(folders):
    with process(folders, "print('held', flush=True); time.sleep(60)") as other:
        other.stdout.readline()
        path = lock(folders[1])
        assert not begin_run(*folders).lifted_lock
        assert path.exists()
        other.kill()
    assert begin_run(*folders).lifted_lock
    assert not path.exists()
    assert not begin_run(*folders).lifted_lock


def test_a_lock_from_another_machine_stays(folders):
    begin_run(*folders)
    owner = folders[1] / "dlre_run"
    assert owner.read_text() == socket.gethostname()
    owner.write_text("elsewhere")
    path = lock(folders[1])
    assert not begin_run(*folders).lifted_lock
    assert path.exists()
    assert owner.read_text() == "elsewhere"


def test_a_job_ends_with_who_started_it(tmp_path):
    job = (
        "import os, time; from dlre_core.foundation.processes import end_with_parent; end_with_parent(); "
        "print(os.getpid(), flush=True); time.sleep(60)"
    )
    middle = f"'snakemake'; import subprocess, sys; subprocess.run([sys.executable, '-c', {job!r}])"
    with subprocess.Popen([sys.executable, "-c", middle], stdout=subprocess.PIPE) as parent:
        child = int(parent.stdout.readline())
        parent.send_signal(signal.SIGKILL)
        # The pipe closes when the last of them is gone.
        parent.stdout.read()
    deadline = time.monotonic() + 10
    while os.path.exists(f"/proc/{child}") and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not os.path.exists(f"/proc/{child}")


def test_a_job_that_lost_snakemake_while_starting_ends(tmp_path):
    job = "from dlre_core.foundation.processes import end_with_parent; end_with_parent(); print('lives')"
    done = subprocess.run([sys.executable, "-c", job], stdout=subprocess.PIPE)
    assert done.returncode == -signal.SIGKILL
    assert done.stdout == b""


@pytest.fixture
def mounted(tmp_path):
    def mount(options):
        folder = tmp_path / "disk"
        folder.mkdir(exist_ok=True)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder])
        if done.returncode:
            pytest.skip("nobody may mount here")
        return folder

    yield mount
    subprocess.run(["umount", "--lazy", tmp_path / "disk"], check=False)


def big_text(folder):
    (folder / "text").write_bytes(bytes(2_000_000))


def big_store(folder):
    write_rois(folder / "rois.h5", ["a"] * 10, np.ones((10, 250, 250, 3), np.uint8))


@pytest.mark.parametrize("write", [big_text, big_store])
def test_a_full_disk_is_one_message_for_all_jobs(mounted, write):
    folder = mounted("size=1m")
    for name in ("A", "B"):
        with pytest.raises(SystemExit), job_log(folder / f"logs/ingest/{name}.log"):
            write(folder)
    words = " ".join(failure_text(folder / "logs", 0).split())
    assert words.count("is full") == 1
    # By a job's log, or where that had no room by the state of the disk.
    assert f"{folder}" in words
    assert "Free some space" in words


def test_the_disk_that_is_full_is_named_not_that_of_the_log(mounted, tmp_path):
    disk, log = mounted("size=1m"), tmp_path / "logs/stage.log"
    with pytest.raises(SystemExit), job_log(log), written_whole(disk / "report.dcm") as path:
        path.write_bytes(bytes(2_000_000))
    assert f"The disk mounted at {disk} is full" in log.read_text()


@pytest.mark.parametrize("bars", [True, False])
def test_only_errors_break_the_bars_of_a_terminal(tmp_path, capsys, monkeypatch, bars):
    if bars:
        monkeypatch.setenv(BARS, "1")
    else:
        monkeypatch.delenv(BARS, raising=False)

    def fail():
        logging.getLogger("dlre").info("stored")
        raise StorageError("No room.")

    with pytest.raises(SystemExit), job_log(tmp_path / "job.log"):
        fail()
    log, terminal = (tmp_path / "job.log").read_text(), capsys.readouterr().err
    assert "stored" in log
    assert "No room." in log
    assert ("stored" in terminal) != bars
    assert "No room." in terminal


def test_a_closed_folder_stops_before_the_first_job(mounted, tmp_path):
    folder = mounted("ro")
    with pytest.raises(StorageError, match=rf"^{folder} cannot.*Read-only.*writable"):
        begin_run(folder, tmp_path / "memory")


def test_other_faults_are_not_taken_for_the_disk(tmp_path):
    assert storage_fault(ValueError("full"), tmp_path) is None
    assert storage_fault(FileNotFoundError(errno.ENOENT, "missing"), tmp_path) is None


def fill(folder):
    with open(folder / "all", "wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


def test_a_jobs_last_words_have_room_on_a_full_disk(mounted):
    folder = mounted("size=1m")
    log = folder / "logs/ingest/A.log"
    with pytest.raises(SystemExit), job_log(log):
        fill(folder)
    assert "is full" in log.read_text()
    # What was not needed is given back.
    assert log.stat().st_blocks * 512 <= 2 * 4096
