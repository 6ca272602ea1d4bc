"""Make a virtual environment: ``python3 envs/bootstrap.py FOLDER [MORE_REQUIREMENTS]`` (``make environment``).

Checks first what the machine lacks, then installs the locks by uv (the one on the PATH, else one of its
own from the registry), or by pip where uv cannot be had. Standard library only: nothing is installed yet.
"""

import ctypes
import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

ENVS = Path(__file__).resolve().parent
LOCK = ENVS / "requirements.lock"
# Installed without what it says it needs: its own requirements hold numpy below 2.
TRITON_LOCK = ENVS / "triton.lock"
UV = "uv==0.13.9"
OLDEST, NEWEST = (3, 11), (3, 13)
# PyTorch's CUDA build, which the registry gives on Linux, unpacks to 5.9 GB.
GIGABYTES = 8


def main() -> None:
    """Check the machine, make the environment, install the locks."""
    folder, *more = map(Path, sys.argv[1:])
    uv = shutil.which("uv")
    if missing := faults(folder.resolve().parent, needs_pip=uv is None):
        sys.exit("\n".join(missing))
    packages = sum("==" in line for file in (LOCK, TRITON_LOCK) for line in file.open())
    print(f"Installing {packages} packages into {folder}, once.", flush=True)
    started = time.monotonic()
    uv = uv or own_uv(folder.resolve().parent / ".uv")
    if not (uv and make_environment(folder, more, uv)):
        print("uv cannot do it here: pip installs, which takes some minutes.", flush=True)
        if not make_environment(folder, more, None):
            sys.exit("The packages could not be installed; the lines above say why.")
    print(f"Installed in {time.monotonic() - started:.0f} s.", flush=True)


def faults(place: Path, *, needs_pip: bool) -> list[str]:
    """What keeps the study from running on this machine, each with its remedy."""
    found = []
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        found.append(f"This is Python {version}; 3.11, 3.12 or 3.13 is needed: make PYTHON=python3.13 ...")
        return found
    packages = []
    if needs_pip and not (importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip")):
        packages.append("python3-venv")
    if not has_libpython(version):
        packages.append(f"libpython{version}")
    if packages:
        found.append(
            f"This machine lacks {' and '.join(packages)}: apt install {' '.join(packages)} (Debian, "
            "Ubuntu), or use another Python: make PYTHON=..."
        )
    free = shutil.disk_usage(place).free / 1e9
    if free < GIGABYTES:
        found.append(
            f"The disk of {place} has {free:.1f} GB free; the packages need up to {GIGABYTES} GB: free "
            "some space, or work on another disk."
        )
    return found


def has_libpython(version: str) -> bool:
    """Whether the shared library of this Python, in which Triton runs its model, can be found."""
    name = f"libpython{version}.so.1.0"
    places = (sysconfig.get_config_var("LIBDIR"), Path(sys.base_prefix) / "lib")
    if any((Path(place) / name).exists() for place in places if place):
        return True
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def own_uv(folder: Path) -> str | None:
    """The path of a uv installed into a small environment of its own, or None where that fails."""
    program = folder / "bin" / "uv"
    if not program.exists():
        commands = [
            [sys.executable, "-m", "venv", str(folder)],
            [str(folder / "bin/pip"), "install", "--quiet", "--only-binary", ":all:", UV],
        ]
        for command in commands:
            if subprocess.run(command, stderr=subprocess.DEVNULL).returncode:
                shutil.rmtree(folder, ignore_errors=True)
                return None
    return str(program)


def make_environment(folder: Path, more: list[Path], uv: str | None) -> bool:
    """Make it and install both locks, then what else is asked for, by uv or pip; False where that fails."""
    if uv is None:
        make = [sys.executable, "-m", "venv", "--clear"]
        install = [
            str(folder / "bin/python"),
            "-m",
            "pip",
            "install",
            "--disable-pip-version-check",
        ]
    else:
        make = [uv, "venv", "--quiet", "--clear", "--python", sys.executable]
        install = [uv, "pip", "install", "--python", str(folder / "bin/python")]
        # Of itself uv reads neither pip's variables nor the system's certificates.
        os.environ |= {"UV_SYSTEM_CERTS": "1", "UV_NATIVE_TLS": "1"}
        for link in os.environ.get("PIP_FIND_LINKS", "").split():
            install += ["--find-links", link]
    commands = [
        [*make, str(folder)],
        [*install, "--requirement", str(LOCK)],
        [*install, "--no-deps", "--requirement", str(TRITON_LOCK)],
        *([*install, "--requirement", str(requirements)] for requirements in more),
    ]
    return all(subprocess.run(command).returncode == 0 for command in commands)


if __name__ == "__main__":
    main()
