"""What is missing is said before anything runs, with what to install."""

import importlib.util
import os
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import pandas as pd
import pytest

from dlre_core.foundation.errors import MachineError, ServerUnavailable
from dlre_core.preflight import machine
from dlre_core.workflow.study_design import read_configuration

ROOT = Path(__file__).parents[3]
CONFIG = read_configuration(ROOT / "config.yaml")
Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def bootstrap():
    spec = importlib.util.spec_from_file_location("bootstrap", ROOT / "envs/bootstrap.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_this_machine_can_run_a_study(tmp_path):
    machine.check_machine(CONFIG, tmp_path)


def test_a_full_disk_is_named_before_the_run(monkeypatch, tmp_path):
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda place: Usage(10**12, 0, 10**9))
    with pytest.raises(MachineError, match=r"\(disk\) has 1\.00 GB free; this study needs [\d.]+ GB"):
        machine.check_machine(CONFIG | {"cohort": CONFIG["cohort"] | {"size": "paper"}}, tmp_path)


def test_what_stands_in_results_needs_no_more_room(tmp_path):
    store = tmp_path / "results/store"
    store.mkdir(parents=True)
    before = [need.what for need in machine.machine_needs(CONFIG, tmp_path)][-1]
    with (store / "A.h5").open("wb") as file:
        os.truncate(file.fileno(), 10**12)
    after = [need.what for need in machine.machine_needs(CONFIG, tmp_path)][-1]
    assert " 0.0 GB needed" not in before
    assert " 0.0 GB needed" in after


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_own_data_needs_room_for_its_patients(form, tmp_path):
    table = pd.DataFrame({"hospital": ["A"] * 1000})
    write = {"csv": table.to_csv, "xlsx": table.to_excel}[form]
    write(tmp_path / f"clinical.{form}", index=False)
    cohort = CONFIG["cohort"] | {"source": "folder", "folder": str(tmp_path)}
    needed = machine.bytes_to_write(CONFIG | {"cohort": cohort}, tmp_path)
    assert 5e9 < needed < 10e9


def test_every_fault_is_said_at_once(monkeypatch, tmp_path):
    def no_stub() -> None:
        raise ServerUnavailable("no libpython", "apt install libpython3.11")

    memory = namedtuple("Memory", "total")(2e9)
    monkeypatch.setattr(machine, "check_stub", no_stub)
    monkeypatch.setattr(machine.psutil, "virtual_memory", lambda: memory)
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda place: Usage(10**9, 10**9, 0))
    with pytest.raises(MachineError) as caught:
        machine.check_machine(CONFIG, tmp_path)
    lines = str(caught.value).splitlines()
    assert len(lines) == 4
    assert lines[0] == "no libpython apt install libpython3.11"
    assert "--shm-size" in lines[1]
    assert "2.0 GB of memory" in lines[2]
    assert "(disk)" in lines[3]


def test_a_running_server_needs_no_stub(monkeypatch, tmp_path):
    monkeypatch.setattr(machine, "check_stub", lambda: pytest.fail("asked"))
    serving = CONFIG["serving"] | {"url": "127.0.0.1:8001"}
    machine.check_machine(CONFIG | {"serving": serving}, tmp_path)


def test_the_doctor_names_what_is_there_and_what_is_absent():
    said = subprocess.run(
        [sys.executable, "-m", "dlre_core.preflight.machine"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert said.returncode == 0, said.stdout + said.stderr
    assert "Triton's Python stub with libpython" in said.stdout
    assert "sbatch: the SLURM profile" in said.stdout


def test_other_versions_than_the_lock_are_named(tmp_path):
    lock = tmp_path / "lock"
    lock.write_text("# made\nnumpy==1.0\nno-such-package==2.0\n")
    numpy, absent = machine.other_versions(lock)
    assert numpy.startswith("numpy 2.")
    assert absent == "no-such-package absent, not 2.0"


def test_the_bootstrap_names_packages_of_debian(bootstrap, monkeypatch, tmp_path):
    monkeypatch.setattr(bootstrap, "has_libpython", lambda version: False)
    monkeypatch.setattr(bootstrap.importlib.util, "find_spec", lambda name: None)
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    (said,) = bootstrap.faults(tmp_path, needs_pip=True)
    assert f"apt install python3-venv libpython{version}" in said
    (said,) = bootstrap.faults(tmp_path, needs_pip=False)
    assert "python3-venv" not in said


def test_the_bootstrap_refuses_other_pythons(bootstrap, monkeypatch, tmp_path):
    version = type("Version", (tuple,), {"major": 3, "minor": 14})((3, 14, 0))
    monkeypatch.setattr(bootstrap.sys, "version_info", version)
    (said,) = bootstrap.faults(tmp_path, needs_pip=True)
    assert said.startswith("This is Python 3.14; 3.11, 3.12 or 3.13 is needed")


def test_the_bootstrap_wants_room_for_the_packages(bootstrap, monkeypatch, tmp_path):
    monkeypatch.setattr(bootstrap, "has_libpython", lambda version: True)
    monkeypatch.setattr(bootstrap.shutil, "disk_usage", lambda place: Usage(10**10, 0, 10**9))
    (said,) = bootstrap.faults(tmp_path, needs_pip=False)
    assert "has 1.0 GB free" in said


@pytest.mark.parametrize("uv", [None, "/usr/bin/uv"])
def test_pip_takes_over_where_uv_cannot_install(bootstrap, monkeypatch, tmp_path, uv):
    commands = []

    def run(command, **_) -> namedtuple:
        commands.append(command)
        return namedtuple("Done", "returncode")(int(command[0] == "/usr/bin/uv"))

    monkeypatch.setattr(bootstrap.subprocess, "run", run)
    monkeypatch.setattr(bootstrap.shutil, "which", lambda name: uv)
    monkeypatch.setattr(bootstrap, "own_uv", lambda folder: None)
    monkeypatch.setattr(bootstrap, "faults", lambda place, needs_pip: [])
    monkeypatch.setattr(bootstrap.sys, "argv", ["bootstrap.py", str(tmp_path / "env")])
    bootstrap.main()
    assert [command[1:4] for command in commands if command[0] != uv] == [
        ["-m", "venv", "--clear"],
        ["-m", "pip", "install"],
        ["-m", "pip", "install"],
    ]
    assert "--no-deps" in commands[-1]
