"""The Triton server of nvidia-pytriton: where its files are, and what they need to start.

The package is taken for these files alone. Its Python stub holds an interpreter, so it must find the shared
library of the same Python (Debian: ``libpython3.x``), whoever made that Python.
"""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from dataclasses import dataclass
from pathlib import Path

from dlre_core.foundation.errors import ServerUnavailable

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
LIBPYTHON = f"libpython{PYTHON}.so.1.0"
BACKEND_FILES = ("libtriton_python.so", "triton_python_backend_utils.py")
STUB = "triton_python_backend_stub"
# What the stub says when it has started and misses what Triton hands it.
STUB_STARTED = "Expected"
SECONDS_TO_START = 20


@dataclass(frozen=True)
class TritonProgram:
    """Files of the installed server that fit this Python."""

    server: Path
    stub: Path
    backend: tuple[Path, ...]
    libraries: Path

    def lay_out(self, folder: Path) -> dict[str, str]:
        """Fill ``folder/python`` as a backend folder and return the environment the server needs.

        Triton wants library, utilities and stub side by side. The stub is copied: one of its search
        paths begins at its own place and leads, for Python 3.13, to a bundled libpython that cannot
        import modules which Debian builds into its own. That library's name leads to this Python's.
        """
        backend = folder / "python"
        backend.mkdir()
        for file in self.backend:
            (backend / file.name).symlink_to(file)
        shutil.copy(self.stub, backend / STUB)
        own = libpython()
        bundled = re.compile(rf"libpython3-\w+\.{sys.version_info.minor}\.so\.1\.0")
        for file in self.libraries.iterdir():
            if own and bundled.fullmatch(file.name):
                (backend / file.name).symlink_to(own)
        places = [backend, *([own.parent] if own else []), self.libraries]
        return os.environ | {
            "LD_LIBRARY_PATH": os.pathsep.join(map(str, places)),
            "PYTHONPATH": str(self.libraries.parent),
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
        }


def find_triton() -> TritonProgram:
    """The server's files in the installed nvidia-pytriton.

    Raises
    ------
    ServerUnavailable
        If the package is not installed or has no stub for this Python.
    """
    package = importlib.util.find_spec("pytriton")
    if package is None or package.origin is None:
        raise ServerUnavailable(
            "The package nvidia-pytriton, which holds the Triton server, is not installed.",
            "Install it: uv pip install --no-deps --requirement envs/triton.lock (make environment "
            "does), or set serving.url to a running server.",
        )
    root = Path(package.origin).parent / "tritonserver"
    found = TritonProgram(
        server=root / "bin" / "tritonserver",
        stub=root / "python_backend_stubs" / PYTHON / STUB,
        backend=tuple(root / "backends/python" / name for name in BACKEND_FILES),
        libraries=root.parent.parent / "nvidia_pytriton.libs",
    )
    needed = (found.server, found.stub, *found.backend, found.libraries)
    if missing := [str(path) for path in needed if not path.exists()]:
        raise ServerUnavailable(
            f"The installed nvidia-pytriton lacks, for Python {PYTHON}: {', '.join(missing)}.",
            "Use Python 3.11, 3.12 or 3.13 and the version of envs/triton.lock.",
        )
    return found


def libpython() -> Path | None:
    """This Python's shared library where the interpreter says it is, or None."""
    places = (sysconfig.get_config_var("LIBDIR"), Path(sys.base_prefix) / "lib")
    files = [Path(place) / LIBPYTHON for place in places if place]
    return next((file for file in files if file.exists()), None)


def check_stub() -> None:
    """Start Triton's Python stub once, without a server, which takes some hundredths of a second.

    Raises
    ------
    ServerUnavailable
        If the server is not installed, or its stub cannot start.
    """
    program = find_triton()
    with tempfile.TemporaryDirectory(prefix="dlre-stub-") as scratch:
        environment = program.lay_out(Path(scratch))
        try:
            answer = subprocess.run(
                [Path(scratch) / "python" / STUB],
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=SECONDS_TO_START,
            )
            said = answer.stderr.strip()
        except (OSError, subprocess.TimeoutExpired) as error:
            said = str(error)
    if STUB_STARTED in said:
        return
    if "libpython" in said:
        raise ServerUnavailable(
            f"Triton's Python stub needs {LIBPYTHON}, which is not on this machine.",
            f"Install it (Debian, Ubuntu: apt install libpython{PYTHON}), or use another Python: make PYTHON=...",
        )
    raise ServerUnavailable(
        f"Triton's Python stub does not start: {said or 'it says nothing'}.",
        "Install what it names, or set serving.url to a running server.",
    )
