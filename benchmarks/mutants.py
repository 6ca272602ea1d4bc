"""How many small changes of the code do its tests notice?

A mutant is one comparison, operator, ``and``, ``or`` or ``not`` changed in one module of a copy of the project. The
tests of its package that call the changed function run, quick ones first. A mutant that none notices lives, and is a
question to the tests, unless it means the same as the code did.

    PYTHONPATH=. python benchmarks/mutants.py [mutants, default 200] [seed, default 2019] [part of a module's path ...]
"""

import ast
import importlib
import json
import os
import random
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import pytest

from benchmarks.mutation import Calls, mutated, places

ROOT = Path(__file__).parents[1]
COPIED = ("dlre_core", "tests", "rules", "scripts", "docs", "pyproject.toml", "config.yaml")
TESTS = {
    "statistics/*.py": ["tests/core/statistics"],
    "tables/*.py": ["tests/core/tables"],
    "patients/enrolment.py": ["tests/core/patients/test_enrolment.py"],
    "patients/*splits.py": ["tests/core/patients/test_splits.py", "tests/core/patients/test_resplits.py"],
    "patients/pseudonyms.py": ["tests/core/patients/test_pseudonyms.py"],
    "elastography/screen_layout.py": ["tests/core/elastography"],
    "elastography/network_square.py": ["tests/core/elastography"],
}
LONGEST = 600
# Imported once: every run is a fork that has them.
HEAVY = ("matplotlib.pyplot", "numba", "pandas", "scipy.stats", "sklearn.linear_model", "statsmodels.api")


def fails(folder, arguments, *plugins):
    """Whether pytest fails there, in a fork of this process; a hang counts as failure."""
    child = os.fork()
    if not child:
        signal.alarm(0 if plugins else LONGEST)
        os.chdir(folder)
        os.environ["NUMBA_CACHE_DIR"] = f"{folder}/numba"
        sys.path.insert(0, folder)
        sys.dont_write_bytecode = True
        for stream in (1, 2):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
        os._exit(pytest.main(["-x", "-p", "no:cacheprovider", *arguments], plugins=plugins))
    return os.waitpid(child, 0)[1] != 0


def survives(folder, path, number, tests):
    """Whether no test notices the mutant, which is undone afterwards."""
    text, words, line = mutated(path, ROOT, number)
    target = Path(folder, path.relative_to(ROOT))
    calls = json.loads(Path(folder, f"{tests[0].replace('/', '_')}.json").read_text())
    reaching = [test for test, called in calls.items() if not line or f"{target}:{line}" in called]
    target.write_text(text)
    lives = not fails(folder, [str(target), *reaching])
    target.write_text(path.read_text())
    print("lives " if lives else "killed", words, flush=True)
    return lives


def main(count, seed, parts):
    """Draw the mutants, try one after the other, and say how many live."""
    modules = {path: tests for name, tests in TESTS.items() for path in sorted((ROOT / "dlre_core").glob(name))}
    chosen = {path: tests for path, tests in modules.items() if not parts or any(part in str(path) for part in parts)}
    every = [(p, n, tests) for p, tests in chosen.items() for n in range(len(places(ast.parse(p.read_text()))))]
    drawn = random.Random(seed).sample(every, min(count, len(every)))
    for library in HEAVY:
        importlib.import_module(library)
    with tempfile.TemporaryDirectory() as folder:
        for part in COPIED:
            (shutil.copytree if (ROOT / part).is_dir() else shutil.copy2)(ROOT / part, Path(folder, part))
        for tests in {tuple(tests) for _, _, tests in drawn}:
            if fails(folder, tests, Calls()):
                sys.exit(f"{' '.join(tests)}: its tests fail before anything is changed")
            Path(folder, "calls.json").rename(Path(folder, f"{tests[0].replace('/', '_')}.json"))
        alive = sum(survives(folder, *mutant) for mutant in drawn)
    print(f"{len(drawn) - alive} of {len(drawn)} mutants killed ({100 * (1 - alive / max(len(drawn), 1)):.0f} %)")


if __name__ == "__main__":
    main(int((sys.argv[1:] or [200])[0]), int((sys.argv[2:] or [2019])[0]), sys.argv[3:])
