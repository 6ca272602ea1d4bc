"""Profiles of screens that could not be read, for the user to correct: a proposed ``screens.yaml``."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from dlre_core.elastography.colour_bar import find_bars
from dlre_core.elastography.elastogram import coloured_pixels
from dlre_core.elastography.screen_layout import Rectangle
from dlre_core.screen_kinds.screen_kinds import Kind, coloured_parts
from dlre_core.screens.finding import picture_around

HEAD = """\
# Kinds of screens on which no elastogram was found, or no scale was read. Correct every line, delete the kinds that
# are no elastograms, and save the file as screens.yaml beside clinical.csv. Rectangles are left, top, right, bottom in
# pixels; right and bottom are the first column and row outside. make screens shows how the profiles fit.
"""
SCALE = "{low: 0, high: 40, unit: kPa}  # both ends and the unit, kPa or m/s, or: read"
NO_BAR = "read  # of the labels; give {low: 0, high: 40, unit: kPa} where colour_bar is given"
LONGEST_NAME = 36
REMARKS = {
    "elastogram": "the picture with the coloured box",
    "twin": "the same picture without colours, or null",
    "colour_bar": "only its colours, without labels",
    "stiff_end": "top, bottom, left or right",
    "quality_map": "a map of confidence or propagation, or null",
    "identity": "rectangles of names inside these parts",
}


def proposed_parts(kind: Kind) -> dict[str, Rectangle]:
    """What seem to be the parts of a kind's screen, by name, from its first example."""
    first = kind.examples[0]
    layout = first.layout
    if layout is not None:
        parts = {name: getattr(layout, name) for name in ("elastogram", "twin", "colour_bar")}
        return {name: place for name, place in parts.items() if place is not None}
    screen = first.image.pixels
    bars = [bar.place for bar in find_bars(screen, coloured_pixels(screen))]
    boxes = [part for part in coloured_parts(screen) if not any(_meets(part, bar) for bar in bars)]
    found = {"elastogram": picture_around(screen, boxes[0])} if boxes else {}
    return found | ({"colour_bar": bars[0]} if bars else {})


def _meets(first: Rectangle, second: Rectangle) -> bool:
    common = first.common(second)
    return common.width > 0 and common.height > 0


def profiles_yaml(kinds: Sequence[Kind]) -> str:
    """The proposed file, which `dlre_core.screens.profiles` accepts; only its head where no kind needs a profile."""
    needy = [kind for kind in kinds if kind.needs_profile]
    names = [profile_name(kind) for kind in needy]
    twice = {name for name in names if names.count(name) > 1}
    numbered = [f"{name} {n}" if name in twice else name for n, name in enumerate(names, 1)]
    return HEAD + "".join(f"\n{_entry(kind, name)}" for kind, name in zip(needy, numbered, strict=True))


def profile_name(kind: Kind) -> str:
    """Model, or maker, and size, in the letters that a profile's name may have."""
    device = re.sub(r"[^A-Za-z0-9._ -]", "", kind.model or kind.manufacturer).lstrip(" ._-")
    return f"{device} {kind.columns} x {kind.rows}".strip()[-LONGEST_NAME:].lstrip(" ._-")


def _entry(kind: Kind, name: str) -> str:
    parts = {part: list(vars(place).values()) for part, place in proposed_parts(kind).items()}
    match = {"manufacturer": kind.manufacturer, "model": kind.model, "columns": kind.columns, "rows": kind.rows}
    layout = kind.examples[0].layout
    lying = "colour_bar" in parts and _lies(parts["colour_bar"])
    values: dict[str, Any] = {
        "elastogram": parts.get("elastogram", [0, 0, kind.columns, kind.rows]),
        "twin": parts.get("twin"),
        "colour_bar": parts.get("colour_bar"),
        "stiff_end": layout.stiff_end if layout is not None else "right" if lying else "top",
    }
    match = {key: value for key, value in match.items() if value}
    return entry_text({"name": name, "match": match, **values}, SCALE if "colour_bar" in parts else NO_BAR)


def entry_text(entry: Mapping[str, Any], scale: str) -> str:
    """An entry of ``screens.yaml`` with a remark behind each line.

    Parameters
    ----------
    entry : mapping
        name, match, elastogram, twin, colour_bar and stiff_end, as `dlre_core.screens.profiles` reads them.
    scale : str
        As it is to stand there.
    """
    lines = [f"- name: {_flow(entry['name'])}", f"  match: {_flow(entry['match'])}"]
    parts = ("elastogram", "twin", "colour_bar", "stiff_end")
    lines += [f"  {key}: {_flow(entry[key])}  # {REMARKS[key]}" for key in parts]
    lines.append(f"  scale: {scale}")
    lines += [f"  quality_map: null  # {REMARKS['quality_map']}", f"  identity: []  # {REMARKS['identity']}"]
    return "\n".join(lines) + "\n"


def _lies(sides: Sequence[int]) -> bool:
    left, top, right, bottom = sides
    return right - left > bottom - top


def _flow(value: object) -> str:
    return (
        yaml.safe_dump(value, default_flow_style=True, width=1000, allow_unicode=True, sort_keys=False)
        .split("\n...")[0]
        .strip()
    )
