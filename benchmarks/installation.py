"""How long the environment takes to install, by uv and by pip in turns: ``python3 benchmarks/installation.py``.

Nothing is taken from a cache: every round downloads all packages and, for uv, uv itself, as on a new machine.
"""

import argparse
import importlib.util
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SCRATCH = ROOT / ".scratch"


def main() -> None:
    """Print the seconds of each round and the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=2)
    rounds = parser.parse_args().rounds
    spec = importlib.util.spec_from_file_location("bootstrap", ROOT / "envs/bootstrap.py")
    bootstrap = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(bootstrap)
    os.environ |= {"UV_NO_CACHE": "1", "PIP_NO_CACHE_DIR": "1"}
    taken: dict[str, list[float]] = {"uv": [], "pip": []}
    for _ in range(rounds):
        for tool, seconds in taken.items():
            SCRATCH.mkdir(exist_ok=True)
            with tempfile.TemporaryDirectory(dir=SCRATCH) as scratch:
                started = time.monotonic()
                folder = Path(scratch) / "environment"
                uv = bootstrap.own_uv(Path(scratch) / "uv") if tool == "uv" else None
                if tool == "uv" and uv is None:
                    sys.exit("uv cannot be had from the registry.")
                if not bootstrap.make_environment(folder, [], uv):
                    sys.exit(f"{tool} could not install the locks.")
                seconds.append(time.monotonic() - started)
    for tool, seconds in taken.items():
        print(f"{tool:4} {', '.join(f'{s:.0f}' for s in seconds)} s, median {statistics.median(seconds):.0f} s")


if __name__ == "__main__":
    main()
