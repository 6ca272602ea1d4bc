"""Resolve pyproject.toml anew and write requirements.lock: ``python envs/lock.py``.

Local build labels (such as torch's +cpu) are dropped, so that a machine with a GPU takes its own build.
"""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent


def main() -> None:
    """Ask pip what it would install and pin it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = project["dependencies"] + project["optional-dependencies"]["test"]
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--quiet"]
    output = subprocess.run(
        [*command, "--report", "-", *needed], check=True, stdout=subprocess.PIPE, text=True
    )
    pins = sorted(
        f"{item['metadata']['name'].lower()}=={item['metadata']['version'].split('+')[0]}"
        for item in json.loads(output.stdout)["install"]
    )
    header = "# Made by envs/lock.py from pyproject.toml; do not edit.\n"
    (ROOT / "envs/requirements.lock").write_text(header + "\n".join(pins) + "\n")


if __name__ == "__main__":
    main()
