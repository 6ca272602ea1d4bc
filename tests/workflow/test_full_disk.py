"""A study on a disk that is too small, then full, then read-only: one clear message each, and it goes on."""

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from tests.helpers.disks import mount
from tests.workflow.study import Study


@pytest.fixture
def disk(tmp_path):
    """A folder on a disk of 40 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount(folder, "size=40m")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=False)


def take_room(path: Path, leaving: int) -> None:
    """Write a file that leaves so many bytes of the disk to others."""
    free = shutil.disk_usage(path.parent).free
    with path.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, free - leaving)


def wait_for(path: Path, process: subprocess.Popen) -> None:
    while not path.exists():
        assert process.poll() is None, "ended before anything was written"
        time.sleep(0.05)


def test_a_small_a_full_and_a_closed_disk_end_a_study_in_one_sentence_each(disk):
    study = Study.create(disk / "study")
    small = study.snakemake("--cores", "2", check=False)
    assert small.returncode
    words = " ".join(small.stdout.partition("Nothing was run.")[2].split())
    assert "(disk) has 0.04 GB free; this study needs" in words
    # Room enough at the start, which somebody else takes as soon as the study writes.
    mount(disk, "remount,size=2g")
    with study.start("--cores", "2") as process:
        wait_for(study.folder / "results/simulated_cohort", process)
        take_room(disk / "others", leaving=30_000_000)
        said, _ = process.communicate(timeout=300)
    assert process.returncode
    summary = " ".join(said.partition("The study stopped.")[2].split())
    assert summary.count(f"The disk mounted at {disk} is full. Free some space") == 1
    assert "Traceback" not in said
    # Room was made: the same command goes on without further ado.
    (disk / "others").unlink()
    study.run("--", "results/roi/A.h5")
    assert (study.folder / "results/roi/A.h5").exists()
    mount(disk, "remount,ro")
    closed = study.snakemake("--cores", "2", check=False)
    assert closed.returncode
    words = " ".join(closed.stdout.partition("Nothing was run.")[2].split())
    assert words.startswith("results cannot be read or written: Read-only file system.")
    assert "Traceback" not in closed.stdout
