"""Content digests that let Snakemake see changes which file times do not show."""

import ast
import hashlib
import json
import os
import re
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from datetime import date
from functools import cache
from numbers import Number
from pathlib import Path, PurePath

PACKAGE_ROOT = Path(__file__).parents[1]
# Templates and data inside a package are as much a part of it as its modules.
SOURCE_SUFFIXES = (".py", ".j2", ".css", ".js", ".json", ".csv", ".yaml")
# The module of the design in use; modules that name it and whose output is the same whatever it says.
DESIGN = PACKAGE_ROOT / "foundation" / "design.py"
PASS_ON = ("job_log.py", "csv_tables.py", "clinical_table.py")
# A file's name in a template: {% include "report.css" %}.
WORDS = re.compile(r"[\w.-]+\.\w+")


def core_digest(*modules: str) -> str:
    """Digest the meaning of library modules and of everything of ``dlre_core`` that they rest on.

    Docstrings, comments and layout do not count, so that editing them reruns nothing. A module rests
    on the modules that it imports and on the files of the library that it names (templates, data).

    Parameters
    ----------
    *modules : str
        Names below ``dlre_core``, such as ``"figures.style"``. A package stands for all of its modules.

    Returns
    -------
    str
        16 hexadecimal digits.

    Raises
    ------
    ModuleNotFoundError
        If a name is neither a module nor a package of ``dlre_core``.
    """
    return _meaning(path for name in modules for path in _sources(name))


def script_digest(script: str | Path) -> str:
    """Digest the meaning of everything of ``dlre_core`` that a script rests on, as `core_digest` does.

    Parameters
    ----------
    script : path
        A rule's script; its own text does not count, since Snakemake follows that by itself.

    Returns
    -------
    str
        16 hexadecimal digits.
    """
    return _meaning(_parse(Path(script))[1])


def follows_design(script: str | Path) -> bool:
    """Whether what a script makes depends on the design's questions, methods or words."""
    return any(DESIGN in _parse(path)[1] for path in files_behind(script) if path.name not in PASS_ON)


def files_behind(script: str | Path) -> set[Path]:
    """Every file of ``dlre_core`` that a script rests on."""
    return _closure(_parse(Path(script))[1])


def value_digest(value: object) -> str:
    """Digest a JSON-like value; equal values give equal digests, whatever the order of their keys, in every process.

    Sets, which every process walks in another order, are sorted; paths, dates and NumPy's numbers are taken as text.

    Raises
    ------
    TypeError
        If it holds anything else that JSON cannot.

    Examples
    --------
    >>> value_digest({"a": 1, "b": 2}) == value_digest({"b": 2, "a": 1})
    True
    >>> value_digest({"b", "a"}) == value_digest(["a", "b"])
    True
    """
    text = json.dumps(value, sort_keys=True, default=_as_json)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _as_json(value: object) -> object:
    if isinstance(value, AbstractSet):
        return sorted(value, key=str)
    if isinstance(value, (PurePath, date, Number)):
        return str(value)
    raise TypeError(f"{type(value).__name__} {value!r} has no digest")


def file_digest(path: str | Path) -> str:
    """SHA-256 of a file's content, 64 hexadecimal digits.

    Raises
    ------
    OSError
        If the file cannot be read.
    """
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def contents_digest(*paths: str | Path) -> str:
    """Digest the contents of files, in the order given, whatever their times say.

    Parameters
    ----------
    *paths : path
        A file that does not exist, or not yet, counts as ``"absent"``.

    Returns
    -------
    str
        16 hexadecimal digits.

    Raises
    ------
    OSError
        If a file is there and cannot be read.
    """
    return value_digest([file_digest(path) if Path(path).exists() else "absent" for path in paths])


def file_stamp(path: str | Path) -> str:
    """Size, times and inode of a file, or ``"absent"``; another stamp means perhaps another content."""
    try:
        return _stamp(os.stat(path))
    except OSError:
        return "absent"


def tree_digest(folder: str | Path, cache: str | Path, bytes_per_file: int) -> str:
    """Digest names and contents of all files below a folder.

    A file is read again only if its size, inode, modification or change time moved since the last
    call; the change time also moves when a copy keeps an old modification time (``cp -p``).

    Parameters
    ----------
    folder : path
        The tree; a missing folder has the digest ``"absent"``.
    cache : path
        Folder that remembers digests between calls; made when missing.
    bytes_per_file : int
        Of larger files, which nobody reads, size and times stand for the content.

    Returns
    -------
    str
        16 hexadecimal digits.
    """
    folder = Path(folder)
    if not folder.is_dir():
        return "absent"
    entries = sorted(_walk(folder))
    known = _read_cache(cache, str(folder.resolve()))
    fresh: dict[str, tuple[str, str]] = {}
    digest = hashlib.sha256()
    for name, stamp in entries:
        content = (
            known[name][1] if known.get(name, ("",))[0] == stamp else _content(folder / name, stamp, bytes_per_file)
        )
        fresh[name] = (stamp, content)
        digest.update(f"{name}\0{content}\0".encode(errors="surrogateescape"))
    if fresh != known:
        _write_cache(cache, str(folder.resolve()), fresh)
    return digest.hexdigest()[:16]


def _walk(folder: Path) -> Iterable[tuple[str, str]]:
    for directory, _, names in os.walk(folder, onerror=None, followlinks=False):
        for name in names:
            if name == ".snakemake_timestamp":
                continue
            path = os.path.join(directory, name)
            # In a folder that may be listed but not entered, or gone meanwhile; ingestion says which.
            try:
                stamp = _stamp(os.lstat(path))
            except OSError as error:
                stamp = f"unreadable {error.errno}"
            yield os.path.relpath(path, folder), stamp


def _content(path: Path, stamp: str, bytes_per_file: int) -> str:
    try:
        if path.is_symlink() or not path.is_file():
            return f"not a regular file {os.readlink(path) if path.is_symlink() else ''}"
        return f"larger {stamp}" if path.stat().st_size > bytes_per_file else file_digest(path)
    except OSError as error:
        return f"unreadable {error.errno}"


def _stamp(status: os.stat_result) -> str:
    return f"{status.st_size}-{status.st_mtime_ns}-{status.st_ctime_ns}-{status.st_ino}"


def _cache_file(cache: str | Path, folder: str) -> Path:
    """One file a tree, replaced as a whole: a data base would need locks, which some network disks do not have."""
    name = hashlib.sha256(folder.encode(errors="surrogateescape")).hexdigest()[:16]
    return Path(cache) / f"{name}.json"


def _read_cache(cache: str | Path, folder: str) -> dict[str, tuple[str, str]]:
    """What is remembered; nothing where the memory is missing or damaged, which only costs time."""
    try:
        entries = json.loads(_cache_file(cache, folder).read_text(encoding="ascii"))
        return {name: (str(stamp), str(content)) for name, (stamp, content) in entries.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def _write_cache(cache: str | Path, folder: str, entries: dict[str, tuple[str, str]]) -> None:
    Path(cache).mkdir(mode=0o700, parents=True, exist_ok=True)
    path = _cache_file(cache, folder)
    # Another process may write the same.
    unfinished = path.with_name(f"{path.name}.{os.getpid()}")
    unfinished.write_text(json.dumps(entries), encoding="ascii")
    os.replace(unfinished, path)


def _meaning(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in sorted(_closure(files)):
        digest.update(f"{path.relative_to(PACKAGE_ROOT)}\0{_parse(path)[0]}\0".encode())
    return digest.hexdigest()[:16]


def _closure(files: Iterable[Path]) -> set[Path]:
    pending, seen = list(files), set()
    while pending:
        path = pending.pop()
        if path not in seen:
            seen.add(path)
            pending.extend(_parse(path)[1])
    return seen


def _sources(name: str) -> list[Path]:
    base = PACKAGE_ROOT.joinpath(*name.split("."))
    if base.is_dir():
        return sorted(path for path in base.rglob("*") if path.suffix in SOURCE_SUFFIXES)
    if base.with_suffix(".py").is_file():
        return [base.with_suffix(".py")]
    raise ModuleNotFoundError(f"dlre_core has no module {name!r}")


@cache
def _parse(path: Path) -> tuple[str, tuple[Path, ...]]:
    """The meaning of one file, and the files of the library that it rests on directly."""
    if path.suffix != ".py":
        words = set(WORDS.findall(path.read_text(encoding="utf-8")))
        return file_digest(path), _named(words - {path.name})
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        documented = isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        if documented and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    imported = {file for name in _imports(tree, path) for file in _module_files(name)}
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    return ast.dump(tree), tuple(sorted(imported | set(_named(texts))))


def _named(texts: set[object]) -> tuple[Path, ...]:
    """Files of the library whose names stand in a source: templates, data, a program to copy."""
    return tuple(path for name in sorted(_files_by_name().keys() & texts) for path in _files_by_name()[name])


@cache
def _files_by_name() -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for path in sorted(PACKAGE_ROOT.rglob("*")):
        if path.suffix in SOURCE_SUFFIXES and path.name != "__init__.py":
            found.setdefault(path.name, []).append(path)
    return found


def _imports(tree: ast.Module, path: Path) -> Iterable[str]:
    inside = path.is_relative_to(PACKAGE_ROOT)
    package = path.relative_to(PACKAGE_ROOT.parent).parts[:-1] if inside else ()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            origin = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join((*origin, *((node.module or "").split(".") if node.module else ())))
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def _module_files(name: str) -> Iterable[Path]:
    parts = name.split(".")
    if parts[0] != "dlre_core":
        return
    for depth in range(1, len(parts) + 1):
        base = PACKAGE_ROOT.parent.joinpath(*parts[:depth])
        for candidate in (base / "__init__.py", base.with_suffix(".py")):
            if candidate.is_file() and candidate != PACKAGE_ROOT / "__init__.py":
                yield candidate


def forget_modules() -> None:
    """Parse the library's modules anew, since their files have changed within this process."""
    _parse.cache_clear()
    _files_by_name.cache_clear()
