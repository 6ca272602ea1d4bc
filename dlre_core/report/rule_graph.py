"""The workflow's rules as a picture, from what Snakemake remembers of the jobs that were run."""

import base64
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from dlre_core.figures.style import PARAMETERS, new_figure

Edges = set[tuple[str, str]]


def rule_edges(metadata: str | Path) -> Edges:
    """Which rule's files which rule read.

    Parameters
    ----------
    metadata : path
        Snakemake's ``.snakemake/metadata``: one JSON record an output file, named by the path in
        base64. What cannot be read is left out: the picture is for orientation.
    """
    makers: dict[str, str] = {}
    readers: dict[str, set[str]] = {}
    for path in sorted(Path(metadata).rglob("*")):
        record = _record(path)
        if record:
            makers[_output(path, Path(metadata))] = record["rule"]
            readers.setdefault(record["rule"], set()).update(record.get("input") or [])
    return {
        (makers[name], rule)
        for rule, names in readers.items()
        for name in names
        if name in makers and makers[name] != rule
    }


def rule_figure(edges: Edges) -> Figure:
    """Boxes by depth from left to right; rules with the same neighbours share a box."""
    edges = _without_shortcuts(edges)
    groups = _grouped(edges)
    name_of = {rule: names for names in groups for rule in names}
    joined = {(name_of[a], name_of[b]) for a, b in edges}
    columns = _columns(groups, joined)
    height = max(sum(len(names) + 1 for names in column) for column in columns)
    figure = new_figure(1.25 * len(columns) + 0.2, 0.17 * height + 0.4)
    with mpl.rc_context(PARAMETERS):
        axis = figure.subplots()
        axis.axis("off")
        axis.set(xlim=(-0.5, len(columns) - 0.5), ylim=(height + 0.5, -0.5))
        places = {}
        for x, column in enumerate(columns):
            y = (height - sum(len(names) + 1 for names in column)) / 2
            for names in column:
                places[names] = (x, y + (len(names) + 1) / 2)
                axis.text(
                    x,
                    y + (len(names) + 1) / 2,
                    "\n".join(names).replace("_", " "),
                    ha="center",
                    va="center",
                    fontsize=6.5,
                    zorder=3,
                    bbox={"boxstyle": "round,pad=0.35", "facecolor": "#F5F7F9", "edgecolor": "#0B5C8F"},
                )
                y += len(names) + 1
        for first, second in sorted(joined):
            axis.annotate(
                "",
                places[second],
                places[first],
                zorder=1,
                arrowprops={
                    "arrowstyle": "-",
                    "color": "#9AA7B4",
                    "linewidth": 0.7,
                    "connectionstyle": "arc3,rad=0.06",
                },
            )
    return figure


def _record(path: Path) -> Mapping[str, str | list[str]] | None:
    if not path.is_file():
        return None
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return record if isinstance(record, dict) and record.get("rule") else None


def _output(path: Path, metadata: Path) -> str:
    """The file that a record is about; long names are split over folders that start with @."""
    text = "".join(part.removeprefix("@") for part in path.relative_to(metadata).parts)
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_").decode("utf-8")
    except ValueError:
        return ""


def _without_shortcuts(edges: Edges) -> Edges:
    """Without edges between rules that a longer way joins too."""
    after: dict[str, set[str]] = {}
    for first, second in edges:
        after.setdefault(first, set()).add(second)

    def reached(rule: str, seen: set[str]) -> set[str]:
        for following in after.get(rule, set()) - seen:
            seen.add(following)
            reached(following, seen)
        return seen

    beyond = {rule: set().union(*(reached(n, set()) for n in after[rule])) for rule in after}
    return {(first, second) for first, second in edges if second not in beyond[first]}


def _grouped(edges: Edges) -> list[tuple[str, ...]]:
    rules = sorted({rule for edge in edges for rule in edge})
    alike: dict[tuple[frozenset[str], frozenset[str]], list[str]] = {}
    for rule in rules:
        before = frozenset(a for a, b in edges if b == rule)
        after = frozenset(b for a, b in edges if a == rule)
        alike.setdefault((before, after), []).append(rule)
    return [tuple(names) for names in alike.values()]


def _columns(
    groups: Iterable[tuple[str, ...]], edges: set[tuple[tuple[str, ...], tuple[str, ...]]]
) -> list[list[tuple[str, ...]]]:
    """Groups by the longest way from a source, ordered in a column by where their sources stand."""
    depth = dict.fromkeys(groups, 0)
    for _ in depth:
        for first, second in edges:
            depth[second] = max(depth[second], depth[first] + 1)
    columns: list[list[tuple[str, ...]]] = [[] for _ in range(max(depth.values()) + 1)]
    for group, column in depth.items():
        columns[column].append(group)
    rank = {group: place for column in columns for place, group in enumerate(column)}
    for column in columns[1:]:
        column.sort(key=lambda g: sum(rank[a] for a, b in edges if b == g) / max(1, sum(b == g for _, b in edges)))
        rank.update({group: place for place, group in enumerate(column)})
    return columns
