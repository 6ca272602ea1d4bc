"""Kinds of screens of a folder, as a page with examples and as a text, before a study.

Use: ``python -m dlre_core.preflight.screens_page FOLDER``.
"""

import argparse
import base64
import io
import sys
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path

from PIL import Image

from dlre_core.elastography.screen_layout import Rectangle
from dlre_core.foundation.atomic_files import written_whole
from dlre_core.foundation.errors import ConfigurationError
from dlre_core.ingestion.usable_picture import IngestionSettings
from dlre_core.report.page_templates import environment
from dlre_core.screen_kinds.proposed_screens import profiles_yaml, proposed_parts
from dlre_core.screen_kinds.reading_settings import reading_settings
from dlre_core.screen_kinds.screen_kinds import MOST_PICTURES, Kind, SeenPicture, SortedFolder, sort_folder

OUT = Path(".dlre/screens")
PAGE, PROFILES = "index.html", "screens.yaml"
# Examples are shown at most so wide; JPEG quality.
EXAMPLE_WIDTH, EXAMPLE_QUALITY = 960, 85
# Columns of a screen by the size of the labels that are drawn over it.
TEXT_SHARE = 42
PARTS = {"elastogram": "elastogram", "box": "box", "twin": "B-mode", "colour_bar": "colour bar"}


def write_screens(folder: str | Path, found: SortedFolder, out: str | Path = OUT) -> tuple[Path, Path]:
    """Write the page and the proposed profiles, for the eyes of this user only (mode 0600).

    Parameters
    ----------
    folder : path
        Where the pictures are.
    found : SortedFolder
    out : path
        Folder to write to, outside ``results/``: the examples show names.

    Returns
    -------
    tuple of Path
        ``index.html``, one file that needs no network, and ``screens.yaml``.
    """
    page, profiles = Path(out) / PAGE, Path(out) / PROFILES
    kinds = [_shown_kind(kind) for kind in found.kinds]
    text = (
        environment()
        .get_template("screens.html.j2")
        .render(folder=str(folder), found=found, kinds=kinds, profiles=profiles, unread=unread_sentences(found))
    )
    for path, content in ((page, text), (profiles, profiles_yaml(found.kinds))):
        with written_whole(path, private=True) as temporary:
            temporary.write_text(content, encoding="utf-8")
    return page, profiles


def _shown_kind(kind: Kind) -> dict[str, object]:
    return {
        "title": kind.title,
        "arrangement": kind.arrangement,
        "verdict": verdict(kind),
        "scale": scale_sentence(kind),
        "reasons": [(number, reason, detail) for (reason, detail), number in kind.reasons.most_common()],
        "examples": [_shown_example(kind, seen) for seen in kind.examples],
        "profile": profiles_yaml([kind]).split("\n\n", 1)[1] if kind.needs_profile else "",
    }


def _shown_example(kind: Kind, seen: SeenPicture) -> dict[str, object]:
    rows, columns = seen.image.pixels.shape[:2]
    picture = Image.fromarray(seen.image.pixels)
    picture.thumbnail((EXAMPLE_WIDTH, EXAMPLE_WIDTH))
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=EXAMPLE_QUALITY)
    return {
        "name": seen.name,
        "code": seen.reason.code if seen.reason else "can be used",
        "columns": columns,
        "rows": rows,
        "size": columns / TEXT_SHARE,
        "source": f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}",
        "parts": list(_drawn_parts(kind, seen)),
    }


def _drawn_parts(kind: Kind, seen: SeenPicture) -> Iterator[dict[str, object]]:
    """What was found, or what a profile would propose: class, rectangle, label, and where the label stands."""
    if seen.layout is not None:
        found = {part: getattr(seen.layout, part) for part in PARTS}
        mark, style = "", ""
    else:
        found = proposed_parts(kind) if kind.needs_profile and seen is kind.examples[0] else {}
        mark, style = "?", " proposed"
    for part, place in found.items():
        if place is not None:
            label = f"{PARTS[part]}{mark}"
            yield {"class": part + style, "label": label, "place": place} | _at(part, place, seen.image.pixels.shape[1])


def _at(part: str, place: Rectangle, columns: int) -> dict[str, object]:
    """Where a part's label stands: in its lower left corner; below a small part, and clear of a bar's own labels."""
    size = columns / TEXT_SHARE
    if part != "colour_bar" and place.width > 5 * size:
        return {"x": place.left + 4, "y": place.bottom - 6, "anchor": "start"}
    y = place.bottom + (2.4 if part == "colour_bar" else 1.2) * size
    if place.left > columns / 2:
        return {"x": min(place.right + 2 * size, columns - 4), "y": y, "anchor": "end"}
    return {"x": max(place.left - size, 4), "y": y, "anchor": "start"}


def verdict(kind: Kind) -> str:
    """How many pictures of a kind the study can use."""
    return f"{kind.usable} of {kind.number} can be used"


def scale_sentence(kind: Kind) -> str:
    """The scales of a kind's pictures, the commonest first; empty where no elastogram was found."""
    scales = [f"{scale} on {number}" for scale, number in kind.scales.most_common()]
    return f"Scale: {', '.join(scales)}." if scales else ""


def unread_sentences(found: SortedFolder) -> list[str]:
    """Files that gave no picture, in words, each reason with what to do."""
    sentences = [f"{n} not read: {reason.sentence} {reason.remedy}" for reason, n in found.unread.most_common()]
    if found.no_pictures:
        sentences.append(f"{found.no_pictures} files are no pictures.")
    if found.left:
        sentences.append(f"{found.left} files were not looked at (PICTURES=number looks at more).")
    return sentences


def kinds_text(found: SortedFolder) -> str:
    """The kinds for a terminal, each with how many can be used, why not the others, and what to do."""
    plural = "s" * (len(found.kinds) != 1)
    lines = [f"{found.number} pictures, {len(found.kinds)} kind{plural} of screens."]
    for number, kind in enumerate(found.kinds, 1):
        lines += ["", f"{number}. {kind.title}: {verdict(kind)}", f"   {kind.arrangement}"]
        lines += [f"   {scale_sentence(kind)}"] if kind.scales else []
        for (reason, detail), n in kind.reasons.most_common():
            for words in (f"{n} x {reason.code}: {reason.sentence} {detail}", f"What to do: {reason.remedy}"):
                lines += textwrap.wrap(words, 96, initial_indent="   ", subsequent_indent="     ")
        lines += [f"   such as {kind.examples[0].name}"]
    rest = unread_sentences(found)
    return "\n".join(lines + [""] * bool(rest) + rest) + "\n"


def next_step(kinds: Sequence[Kind], page: Path, profiles: Path, folder: Path) -> str:
    """What to look at, and what to do about kinds that need a profile."""
    text = f"\nExamples: {page} (names are on them: for you only)\n"
    needy = sum(kind.needs_profile for kind in kinds)
    if needy:
        text += (
            f"Proposed profiles for {needy} kind{'s' * (needy > 1)}: {profiles}. Correct it by the page, save it as "
            f"{folder / PROFILES}, and call make screens again (docs/guide/screens.md). If they are no elastograms, "
            "there is nothing to do.\n"
        )
    return text


def main(arguments: list[str] | None = None) -> int:
    """Write page and proposal, print the text; status 1 where a kind needs a profile."""
    parser = argparse.ArgumentParser(prog="make screens", description="Sort a folder's pictures into kinds of screens.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--pictures", type=int, default=MOST_PICTURES, help="look at so many at most")
    options = parser.parse_args(arguments)
    if not options.folder.is_dir():
        sys.stdout.write(f"{options.folder} is no folder. Name the folder that holds dicom/, or pictures.\n")
        return 2
    try:
        settings = reading_settings()
    except ConfigurationError as error:
        sys.stdout.write(f"{error}\nThe settings' defaults are taken.\n\n")
        settings = IngestionSettings()
    try:
        found = sort_folder(options.folder, settings, options.pictures)
    except ConfigurationError as error:
        sys.stdout.write(f"{error}\n")
        return 2
    page, profiles = write_screens(options.folder, found, options.out)
    sys.stdout.write(kinds_text(found) + next_step(found.kinds, page, profiles, options.folder))
    return int(any(kind.needs_profile for kind in found.kinds))


if __name__ == "__main__":
    sys.exit(main())
