"""A study on a disk that is full, made larger, and then read-only: one clear message each, and it goes on."""

import subprocess

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


def test_a_full_and_a_closed_disk_end_a_study_in_one_sentence_each(disk):
    study = Study.create(disk / "study")
    stopped = study.snakemake("--cores", "2", check=False)
    assert stopped.returncode
    summary = " ".join(stopped.stdout.partition("The study stopped.")[2].split())
    assert summary.count(f"The disk mounted at {disk} is full. Free some space") == 1
    assert "Traceback" not in stopped.stdout
    # Room was made: the same command goes on without further ado.
    mount(disk, "remount,size=2g")
    study.run("--", "results/roi/A.h5")
    assert (study.folder / "results/roi/A.h5").exists()
    mount(disk, "remount,ro")
    closed = study.snakemake("--cores", "2", check=False)
    assert closed.returncode
    words = " ".join(closed.stdout.partition("Nothing was run.")[2].split())
    assert words.startswith("results cannot be read or written: Read-only file system.")
    assert "Traceback" not in closed.stdout
