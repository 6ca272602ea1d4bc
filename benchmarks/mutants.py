"""How many small changes of the code do its tests notice?

A mutant is one comparison, operator, ``and``, ``or`` or ``not`` changed in one module of a copy of the project. One
that no test of its package notices lives, and is a question to the tests, unless it means the same as the code did.

    PYTHONPATH=. python benchmarks/mutants.py [mutants, default 200] [seed, default 2019] [part of a module's path ...]
"""

import ast
import os
import random
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

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
PAIRS = ((ast.Lt, ast.LtE), (ast.Gt, ast.GtE), (ast.Eq, ast.NotEq), (ast.Add, ast.Sub), (ast.Mult, ast.Div))
SWAPS = {a: b for pair in (*PAIRS, (ast.And, ast.Or)) for a, b in (pair, pair[::-1])}
LONGEST = 600


def places(tree):
    """Nodes that can be changed, in the order of the file."""
    return [
        node
        for node in ast.walk(tree)
        if (isinstance(node, ast.Compare) and type(node.ops[0]) in SWAPS)
        or (isinstance(node, ast.BinOp | ast.BoolOp) and type(node.op) in SWAPS)
        or (isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not))
    ]


def mutated(path, number):
    """The module's text with one place changed, and what was changed."""
    tree = ast.parse(path.read_text())
    node = places(tree)[number]
    before = ast.unparse(node)
    if isinstance(node, ast.Compare):
        node.ops[0] = SWAPS[type(node.ops[0])]()
    elif isinstance(node, ast.UnaryOp):
        node.operand = ast.UnaryOp(ast.Not(), node.operand)
    else:
        node.op = SWAPS[type(node.op)]()
    return ast.unparse(tree), f"{path.relative_to(ROOT)}:{node.lineno}: {before}  ->  {ast.unparse(node)}"


def survivors(mutants):
    """How many of the mutants no test notices, tried one after the other in a copy; a hang counts as noticed."""
    alive = 0
    with tempfile.TemporaryDirectory() as folder:
        for part in COPIED:
            (shutil.copytree if (ROOT / part).is_dir() else shutil.copy2)(ROOT / part, Path(folder, part))
        environment = os.environ | {"PYTHONPATH": folder, "NUMBA_CACHE_DIR": f"{folder}/numba"}
        for path, number, tests in mutants:
            text, words = mutated(path, number)
            target = Path(folder, path.relative_to(ROOT))
            target.write_text(text)
            command = [sys.executable, "-m", "pytest", "-x", "-q", "--doctest-modules", str(target), *tests]
            try:
                run = subprocess.run(command, cwd=folder, env=environment, capture_output=True, timeout=LONGEST)
                lives = run.returncode == 0
            except subprocess.TimeoutExpired:
                lives = False
            target.write_text(path.read_text())
            alive += lives
            print("lives " if lives else "killed", words, flush=True)
    return alive


def main(count, seed, parts):
    """Draw the mutants, try them on all cores, and say how many live."""
    modules = {path: tests for name, tests in TESTS.items() for path in sorted((ROOT / "dlre_core").glob(name))}
    chosen = {path: tests for path, tests in modules.items() if not parts or any(part in str(path) for part in parts)}
    every = [(p, n, tests) for p, tests in chosen.items() for n in range(len(places(ast.parse(p.read_text()))))]
    drawn = random.Random(seed).sample(every, min(count, len(every)))
    workers = max(1, (os.cpu_count() or 2) // 2)
    with ThreadPoolExecutor(workers) as pool:
        alive = sum(pool.map(survivors, [drawn[first::workers] for first in range(workers)]))
    print(f"{len(drawn) - alive} of {len(drawn)} mutants killed ({100 * (1 - alive / max(len(drawn), 1)):.0f} %)")


if __name__ == "__main__":
    main(int((sys.argv[1:] or [200])[0]), int((sys.argv[2:] or [2019])[0]), sys.argv[3:])
