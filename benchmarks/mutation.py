"""For `benchmarks/mutants.py`: what can be changed in a module, and which functions each test calls."""

import ast
import json
import sys
from pathlib import Path

PAIRS = ((ast.Lt, ast.LtE), (ast.Gt, ast.GtE), (ast.Eq, ast.NotEq), (ast.Add, ast.Sub), (ast.Mult, ast.Div))
SWAPS = {a: b for pair in (*PAIRS, (ast.And, ast.Or)) for a, b in (pair, pair[::-1])}


class Calls:
    """Which functions each test calls; what a setup calls counts for all tests of its file."""

    def __init__(self):
        self.of, self.seconds = {}, {}

    def watch(self, name):
        seen = self.of.setdefault(name, set())
        sys.setprofile(lambda frame, *_: seen.add(f"{frame.f_code.co_filename}:{frame.f_code.co_firstlineno}"))

    def pytest_runtest_setup(self, item):
        self.watch(item.nodeid.split("::")[0])

    def pytest_runtest_call(self, item):
        self.watch(item.nodeid)

    def pytest_runtest_logreport(self, report):
        sys.setprofile(None)
        self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0) + report.duration

    def pytest_sessionfinish(self):
        tests = sorted(self.seconds, key=self.seconds.get)
        Path("calls.json").write_text(json.dumps({t: [*self.of[t], *self.of[t.split("::")[0]]] for t in tests}))


def places(tree):
    """Nodes that can be changed, each with the functions around it, from the outermost."""
    found, left = [], [(tree, ())]
    while left:
        node, around = left.pop()
        around += (node,) if isinstance(node, ast.FunctionDef) else ()
        left += [(child, around) for child in ast.iter_child_nodes(node)]
        operation = node.ops[0] if isinstance(node, ast.Compare) else getattr(node, "op", None)
        if not isinstance(node, ast.AugAssign) and (type(operation) in SWAPS or isinstance(operation, ast.Not)):
            found.append((node, around))
    return found


def mutated(path, root, number):
    """The module's text with one place changed, what was changed, and its function's first line if Python runs that."""
    tree = ast.parse(path.read_text())
    node, around = places(tree)[number]
    before = ast.unparse(node)
    if isinstance(node, ast.Compare):
        node.ops[0] = SWAPS[type(node.ops[0])]()
    elif isinstance(node, ast.UnaryOp):
        node.operand = ast.UnaryOp(ast.Not(), node.operand)
    else:
        node.op = SWAPS[type(node.op)]()
    compiled = not around or "jit" in "".join(map(ast.unparse, around[0].decorator_list))
    line = 0 if compiled else min(part.lineno for part in (around[-1], *around[-1].decorator_list))
    return ast.unparse(tree), f"{path.relative_to(root)}:{node.lineno}: {before}  ->  {ast.unparse(node)}", line
