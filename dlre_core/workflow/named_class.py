"""Whether a class that a configuration names can be had, without importing its package."""

import ast
import importlib.util
from pathlib import Path


def module_file(module: str) -> Path | None:
    """The file of a module, found without running any of it; None where its package is not installed."""
    root, *rest = module.split(".")
    try:
        found = importlib.util.find_spec(root)
    except ValueError:
        return None
    if found is None or found.origin is None:
        return None
    path = Path(found.origin)
    for name in rest:
        folder = path.parent if path.name == "__init__.py" else path.with_suffix("")
        candidates = (folder / name / "__init__.py", folder / f"{name}.py")
        path = next((candidate for candidate in candidates if candidate.is_file()), folder / "nowhere")
    return path if path.is_file() else None


def names_of(path: Path) -> set[str]:
    """Names that a module defines or imports at its top level."""
    names: set[str] = set()
    for node in ast.parse(path.read_bytes()).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.ImportFrom | ast.Import):
            names |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return names
