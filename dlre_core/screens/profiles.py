"""Profiles of kinds of screens: where their parts lie, as ``screens.yaml`` in the cohort's folder says it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from dlre_core.elastography.scale import Scale
from dlre_core.elastography.screen_layout import Rectangle
from dlre_core.foundation.errors import ConfigurationError

FILE = "screens.yaml"
SCHEMA = Path(__file__).with_name("screens.schema.json")
# What a picture's device may be asked for; text is compared without regard to case, and may be a part of the name.
TEXTS = ("manufacturer", "model", "software")


@dataclass(frozen=True)
class Device:
    """What a picture comes from: names as its file has them, its size in pixels, and the hospital's code."""

    manufacturer: str
    model: str
    software: str
    columns: int
    rows: int
    hospital: str = ""


@dataclass(frozen=True)
class ScreenProfile:
    """One kind of screen.

    ``match`` holds what a picture must have (manufacturer, model, software, columns, rows, hospital), all of it.
    Rectangles are in pixels of the screen. ``scale`` is None where the labels beside the bar are to be read.
    ``identity`` are places that are never kept.
    """

    name: str
    match: tuple[tuple[str, str | int], ...]
    elastogram: Rectangle
    twin: Rectangle | None
    colour_bar: Rectangle | None
    stiff_end: str
    scale: Scale | None
    quality_map: Rectangle | None
    identity: tuple[Rectangle, ...]

    def claims(self, device: Device) -> bool:
        """Whether a picture is of this kind."""
        for key, wanted in self.match:
            given = getattr(device, key)
            if key in TEXTS:
                if str(wanted).lower() not in given.lower():
                    return False
            elif given != wanted:
                return False
        return True


def read_profiles(folder: str | Path) -> tuple[ScreenProfile, ...]:
    """The profiles of a cohort, in their order; none without the file.

    Parameters
    ----------
    folder : path
        The cohort's.

    Raises
    ------
    ConfigurationError
        With every place that is wrong, its value and the remedy.
    """
    path = Path(folder) / FILE
    return profiles_of(_entries(path), str(path))


def profile_entries(folder: str | Path, hospital: str) -> list[dict[str, Any]]:
    """The entries that may claim a hospital's pictures, as the file has them: what a job depends on.

    Raises
    ------
    ConfigurationError
    """
    path = Path(folder) / FILE
    entries = _entries(path)
    profiles_of(entries, str(path))
    return [entry for entry in entries if entry["match"].get("hospital", hospital) == hospital]


def _entries(path: Path) -> Any:
    if not path.is_file():
        return []
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8")) or []
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} is no YAML: {error}", "Compare it with docs/guide/screens.md.") from None


def profiles_of(entries: Any, place: str = FILE) -> tuple[ScreenProfile, ...]:
    """Profiles of a list of entries, which ``place`` names in messages.

    Raises
    ------
    ConfigurationError
    """
    faults = [_said(place, error) for error in sorted(_validator().iter_errors(entries), key=lambda e: list(e.path))]
    if not faults:
        faults = [
            f"{place}, entry {number} ({entry['name']}): {fault}"
            for number, entry in enumerate(entries, start=1)
            for fault in _contradictions(entry)
        ]
        names = [entry["name"] for entry in entries]
        faults += [
            f"{place}: two entries are named {name!r}." for name in sorted({n for n in names if names.count(n) > 1})
        ]
    if faults:
        raise ConfigurationError("\n".join(faults), "Correct these lines; docs/guide/screens.md explains each key.")
    return tuple(_profile(entry) for entry in entries)


def _said(place: str, error: jsonschema.ValidationError) -> str:
    where = list(error.absolute_path)
    entry = f", entry {where[0] + 1}" if where else ""
    key = ".".join(str(part) for part in where[1:])
    return f"{place}{entry}{f', {key}' if key else ''}: {error.message}."


def _contradictions(entry: Mapping[str, Any]) -> list[str]:
    faults = []
    for name in ("elastogram", "twin", "colour_bar", "quality_map"):
        if entry.get(name):
            faults += _reversed(name, entry[name])
    faults += [fault for place in entry.get("identity", ()) for fault in _reversed("identity", place)]
    scale = entry["scale"]
    if scale != "read":
        if entry.get("colour_bar") is None:
            faults.append("scale is given, but no colour_bar, without which colours mean nothing.")
        if scale["low"] >= scale["high"]:
            faults.append(f"scale.low is {scale['low']:g} and scale.high {scale['high']:g}; low must be below high.")
    bar = entry.get("colour_bar")
    if bar and not faults:
        upright = bar[3] - bar[1] >= bar[2] - bar[0]
        ends = ("top", "bottom") if upright else ("left", "right")
        if entry["stiff_end"] not in ends:
            faults.append(f"stiff_end is {entry['stiff_end']}, but the colour bar has {' and '.join(ends)}.")
    if entry.get("twin") and not faults and _size(entry["twin"]) != _size(entry["elastogram"]):
        faults.append("twin and elastogram differ in size; the same picture has the same size.")
    return faults


def _reversed(name: str, sides: Sequence[int]) -> list[str]:
    left, top, right, bottom = sides
    if left < right and top < bottom:
        return []
    return [f"{name} is {list(sides)}; it must be left, top, right, bottom, with left < right and top < bottom."]


def _size(sides: Sequence[int]) -> tuple[int, int]:
    return sides[2] - sides[0], sides[3] - sides[1]


def _profile(entry: Mapping[str, Any]) -> ScreenProfile:
    def place(name: str) -> Rectangle | None:
        return Rectangle(*entry[name]) if entry.get(name) else None

    scale = entry["scale"]
    return ScreenProfile(
        name=entry["name"],
        match=tuple(sorted(entry["match"].items())),
        elastogram=Rectangle(*entry["elastogram"]),
        twin=place("twin"),
        colour_bar=place("colour_bar"),
        stiff_end=entry["stiff_end"],
        scale=None if scale == "read" else Scale(scale["low"], scale["high"], scale["unit"], "profile"),
        quality_map=place("quality_map"),
        identity=tuple(Rectangle(*sides) for sides in entry.get("identity", ())),
    )


@cache
def _validator() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))
