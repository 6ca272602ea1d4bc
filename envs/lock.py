"""Resolve pyproject.toml anew and write requirements.lock: ``python envs/lock.py [--upgrade-package NAME ...]``.

One list of pins serves every Python of `requires-python` on Linux, x86-64. Pins that still fit stay as
they are. What torch's CUDA build brings itself (nvidia-*, cuda-*, triton) is left out, so that a machine
with torch's CPU build needs none of it.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
LOCK = ROOT / "envs/requirements.lock"
BROUGHT_BY_TORCH = re.compile(r"(nvidia-|cuda-|triton==)")


def main() -> None:
    """Ask uv for pins that fit every Python, and write them without markers."""
    command = ["uv", "pip", "compile", "--universal", "--python-version", "3.11", "--all-extras"]
    command += ["--no-annotate", "--no-header", "--quiet", "--output-file", str(LOCK)]
    if links := os.environ.get("PIP_FIND_LINKS"):
        command += ["--find-links", links]
    subprocess.run([*command, *sys.argv[1:], "pyproject.toml"], cwd=ROOT, check=True)
    lines = [line for line in LOCK.read_text().splitlines() if "==" in line]
    pins = [line.partition(" ;")[0] for line in lines if not BROUGHT_BY_TORCH.match(line)]
    pins = [pin.split("+")[0] for pin in pins]
    names = [pin.partition("==")[0] for pin in pins]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        sys.exit(f"No one pin of {', '.join(twice)} fits every Python: bound it in pyproject.toml.")
    header = "# Made by envs/lock.py from pyproject.toml; do not edit.\n"
    LOCK.write_text(header + "\n".join(pins) + "\n")


if __name__ == "__main__":
    main()
