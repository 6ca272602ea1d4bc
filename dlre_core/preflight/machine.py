"""Does this machine have what a study needs? ``python -m dlre_core.preflight.machine`` (``make doctor``)."""

import argparse
import importlib.metadata
import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from dlre_core.foundation.errors import ClinicalTableError, DlreError, MachineError
from dlre_core.patients.cohort_folder import cohort_folder
from dlre_core.patients.table_file import open_table, table_path
from dlre_core.serving.triton_program import LIBPYTHON, check_stub
from dlre_core.simulation.presets import embedded_patients
from dlre_core.user_tables.csv_input import Problems
from dlre_core.workflow.study_design import read_configuration

ROOT = Path(__file__).resolve().parents[2]
OLDEST, NEWEST = (3, 11), (3, 13)
GIGABYTE = 1e9
# The largest job of the paper's size takes 1.6 GB, and two run side by side (docs/measurements/study.md).
MEMORY_GIGABYTES = 4
# Triton and its model's process hand pictures to each other there, up to 24 MB per request.
SHARED_MEMORY_MEGABYTES = 64
# What a study writes per picture (the part of the screen that is kept, and the square), and besides.
BYTES_PER_PICTURE = 1_400_000
BYTES_PER_SIMULATED_PICTURE = 1_600_000
BYTES_BESIDES = 200_000_000
# Program, what it is for, Debian's package.
OPTIONAL = (
    ("chromium", "tests of the report in a browser", "chromium"),
    ("dcmdump", "tests of DICOM files against dcmtk", "dcmtk"),
    ("dciodvfy", "tests of the files for the PACS", "dicom3tools"),
    ("Orthanc", "tests against a real PACS", "orthanc orthanc-dicomweb"),
    ("Rscript", "the benchmark against pROC", "r-base-core r-cran-proc"),
    ("sbatch", "the SLURM profile", "slurm-wlm"),
    ("podman", "make container", "podman"),
    ("nvidia-smi", "training on a GPU", "nvidia-driver"),
)


@dataclass(frozen=True)
class Need:
    """One thing that a study needs, and what is wrong with it (None: nothing)."""

    what: str
    fault: DlreError | None = None


def machine_needs(config: Mapping[str, Any], folder: str | Path = ".") -> Iterator[Need]:
    """Look at interpreter, Triton, shared memory, memory and disk.

    Parameters
    ----------
    config : mapping
        The study's configuration, for its size and for ``serving.url``.
    folder : path
        Where ``results/`` is made.
    """
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    yield Need(
        f"Python {version}",
        None
        if OLDEST <= sys.version_info[:2] <= NEWEST
        else MachineError(
            f"This is Python {version}; the study needs 3.11, 3.12 or 3.13.",
            "Make another environment: make PYTHON=python3.13 environment.",
        ),
    )
    if config["serving"]["url"] is None:
        yield Need(f"Triton's Python stub with {LIBPYTHON}", _stub_fault())
        yield _room("shared memory", Path("/dev/shm"), SHARED_MEMORY_MEGABYTES * 1e6)
    memory = psutil.virtual_memory().total
    yield Need(
        f"{memory / GIGABYTE:.0f} GB of memory",
        None
        if memory >= MEMORY_GIGABYTES * GIGABYTE
        else MachineError(
            f"This machine has {memory / GIGABYTE:.1f} GB of memory; a study needs {MEMORY_GIGABYTES} GB.",
            "Use a larger machine, or give the container more memory.",
        ),
    )
    yield _room("disk", Path(folder).resolve(), bytes_to_write(config, Path(folder)))


def check_machine(config: Mapping[str, Any], folder: str | Path = ".") -> None:
    """Refuse a machine on which the study would fail at its end.

    Raises
    ------
    MachineError
        With everything that is missing and what to install.
    """
    faults = [need.fault for need in machine_needs(config, folder) if need.fault]
    if faults:
        raise MachineError("\n".join(map(str, faults)))


def _stub_fault() -> DlreError | None:
    try:
        check_stub()
    except DlreError as error:
        return error
    return None


def _room(name: str, place: Path, needed: float) -> Need:
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    what = f"{name}: {free / GIGABYTE:.1f} GB free in {place}, {needed / GIGABYTE:.1f} GB needed"
    if free >= needed:
        return Need(what)
    fault = MachineError(
        f"{place} ({name}) has {free / GIGABYTE:.2f} GB free; this study needs {needed / GIGABYTE:.2f} GB.",
        "Free some space, or work in a folder on another disk."
        if name == "disk"
        else "Mount a larger /dev/shm (in a container: --shm-size=256m).",
    )
    return Need(what, fault)


def bytes_to_write(config: Mapping[str, Any], folder: Path) -> float:
    """What the study has yet to write; what stands in results/ already is not counted again."""
    cohort, images = config["cohort"], config["enrolment"]["images_per_patient"]
    if cohort["source"] == "simulated":
        pictures = embedded_patients(cohort["simulated"], cohort["size"]) * images
        each = BYTES_PER_PICTURE + BYTES_PER_SIMULATED_PICTURE
    else:
        pictures, each = _patients(table_path(cohort_folder(cohort), "clinical")) * images, BYTES_PER_PICTURE
    written = sum(
        path.stat().st_size
        for part in ("store", "roi", "simulated_cohort")
        for path in (folder / "results" / part).rglob("*")
        if path.is_file()
    )
    return max(pictures * each + BYTES_BESIDES - written, 0)


def _patients(table: Path) -> int:
    """Rows of the clinical table; none where it cannot be read, which the study says elsewhere."""
    try:
        return len(open_table(table, Problems()).rows)
    except ClinicalTableError:
        return 0


def main() -> None:
    """Print what is there, what is missing, and which optional programs are absent."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    config = read_configuration("config.yaml")
    needs = list(machine_needs(config))
    for need in needs:
        print(f"  ok       {need.what}" if need.fault is None else f"  MISSING  {need.fault}")
    other = other_versions(ROOT / "envs/requirements.lock")
    if other:
        print(f"  NOTE     other versions than the lock's: {', '.join(other)}")
    print("Optional:")
    for program, purpose, package in OPTIONAL:
        here = shutil.which(program) is not None
        print(
            f"  {'ok      ' if here else 'absent  '} {program}: {purpose}"
            + ("" if here else f" (apt install {package})")
        )
    if any(need.fault for need in needs):
        sys.exit(1)


def other_versions(lock: Path) -> list[str]:
    """Packages of which another version than the lock's is installed, or none, as ``name 1.0, not 1.1``."""
    found = []
    for name, version in re.findall(r"^([\w.-]+)==(\S+)$", lock.read_text(), re.MULTILINE):
        try:
            installed = importlib.metadata.version(name).partition("+")[0]
        except importlib.metadata.PackageNotFoundError:
            installed = "absent"
        if installed != version:
            found.append(f"{name} {installed}, not {version}")
    return found


if __name__ == "__main__":
    main()
