"""The rules of the house that a tree can break: size and names of packages, and what tests may import."""

import ast
import re
from pathlib import Path

import dlre_core

ROOT = Path(__file__).parents[1]
LIBRARY = ROOT / "dlre_core"
MOST_MODULES, MOST_SKIPS = 12, 10
SAYS_NOTHING = {"utils", "util", "helpers", "helper", "misc", "common", "tools"}
# Spelled in two parts, so that this file has none.
SKIP = "# fmt: " + "skip"


def packages() -> list[Path]:
    return sorted(path.parent for path in LIBRARY.glob("*/__init__.py"))


def python_files(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def is_private(name: str) -> bool:
    return re.match(r"_[A-Za-z]", name) is not None


def private_names() -> set[str]:
    """Functions, classes, variables and attributes of the library that begin with an underscore."""
    names = set()
    for path in python_files("dlre_core"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                names.add(node.name)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                names.add(node.id)
            elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                names.add(node.attr)
    return {name for name in names if is_private(name)}


def private_uses(text: str, private: set[str]) -> list[str]:
    """What a test takes from behind the library's doors: imported, as an attribute, or by its name in a text."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("dlre_core"):
            found += [alias.name for alias in node.names if is_private(alias.name)]
        elif isinstance(node, ast.Attribute) and node.attr in private:
            own = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
            found += [] if own else [node.attr]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            # monkeypatch takes names as texts.
            last = node.value.rpartition(".")[2]
            found += [node.value] if last in private else []
            found += re.findall(r"from dlre_core[\w.]* import .*?\b(_[a-z]\w*)", node.value)
    return found


def stored_names(tree: ast.AST) -> list[ast.Name]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]


def closures_over_later_names(text: str) -> list[str]:
    """Functions within functions that use what the outer one assigns only after them."""
    found = []
    for outer in [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)]:
        given = {node.arg for node in ast.walk(outer.args) if isinstance(node, ast.arg)}
        for inner in [node for node in outer.body if isinstance(node, ast.FunctionDef)]:
            own = {node.id for node in stored_names(inner)}
            own |= {node.arg for node in ast.walk(inner.args) if isinstance(node, ast.arg)}
            used = {node.id for node in ast.walk(inner) if isinstance(node, ast.Name)} - own - given
            first = {}
            for node in stored_names(outer):
                first[node.id] = min(node.lineno, first.get(node.id, node.lineno))
            found += [f"{outer.name}.{inner.name}: {name}" for name in used if first.get(name, 0) > inner.lineno]
    return found


def test_no_function_closes_over_a_name_that_is_assigned_after_it():
    late = "def f():\n    def g():\n        return a\n    a = 1\n    return g\n"
    assert closures_over_later_names(late) == ["f.g: a"]
    assert not closures_over_later_names(late.replace("    a = 1\n", "").replace("f():\n", "f():\n    a = 1\n"))
    found = {
        str(p): closures_over_later_names(p.read_text(encoding="utf-8")) for p in python_files("dlre_core", "scripts")
    }
    assert {path: names for path, names in found.items() if names} == {}


def test_no_package_has_more_modules_than_can_be_looked_over():
    sizes = {p.name: len([m for m in p.glob("*.py") if m.name != "__init__.py"]) for p in packages()}
    assert {name: size for name, size in sizes.items() if size > MOST_MODULES} == {}


def test_modules_lie_in_packages_and_packages_in_the_library():
    assert [path.name for path in LIBRARY.glob("*.py")] == ["__init__.py"]
    assert [path for path in LIBRARY.glob("*/*/**/*.py")] == []


def test_no_name_says_nothing():
    names = {path.stem for path in python_files("dlre_core")} | {path.name for path in packages()}
    assert names & SAYS_NOTHING == set()


def test_the_library_lists_its_packages():
    listed = re.findall(r"^- `(\w+)`: \w", dlre_core.__doc__, flags=re.MULTILINE)
    assert sorted(listed) == [path.name for path in packages()]
    assert all((path / "__init__.py").read_text(encoding="utf-8").startswith('"""') for path in packages())


def test_the_formatter_is_hardly_ever_told_to_look_away():
    rules = [*(ROOT / "rules").glob("*.smk"), ROOT / "Snakefile"]
    sources = [*python_files("dlre_core", "scripts", "tests", "benchmarks", "envs"), *rules]
    skips = [path.name for path in sources for _ in re.findall(SKIP, path.read_text(encoding="utf-8"))]
    assert len(skips) <= MOST_SKIPS, skips


def test_tests_use_what_is_public():
    private = private_names()
    used = {
        str(path.relative_to(ROOT)): names
        for path in python_files("tests")
        if path != Path(__file__) and (names := private_uses(path.read_text(encoding="utf-8"), private))
    }
    assert used == {}


def test_a_private_name_is_seen_however_it_is_used():
    private = {"_hidden"}
    assert private_uses("from dlre_core.a import _hidden", private)
    assert private_uses("module._hidden()", private)
    assert private_uses('patch.setattr(module, "_hidden", 1)', private)
    assert private_uses('patch.setattr("dlre_core.a._hidden", 1)', private)
    assert private_uses('code = "from dlre_core.a import b, _hidden"', private)
    assert not private_uses("self._hidden = other._theirs", private)


def test_no_test_imports_another_test():
    pattern = re.compile(r"(?:from|import) tests[\w.]*\.(test_\w+|conftest)\b|from tests[\w.]* import test_\w+")
    importing = [
        str(path.relative_to(ROOT))
        for path in python_files("tests", "benchmarks")
        if pattern.search(path.read_text(encoding="utf-8"))
    ]
    assert importing == []
