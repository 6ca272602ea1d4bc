"""Kinds of screens of a folder, as a page with examples and as a text, before a study.

Use: ``python -m dlre_core.preflight.screens_page FOLDER``.
"""

import argparse
import base64
import io
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from PIL import Image

from dlre_core.elastography.screen_layout import Rectangle
from dlre_core.foundation.atomic_files import written_whole
from dlre_core.foundation.errors import ConfigurationError
from dlre_core.ingestion.usable_picture import IngestionSettings
from dlre_core.preflight.proposed_config import reading_settings
from dlre_core.preflight.proposed_screens import profiles_yaml, proposed_parts
from dlre_core.preflight.screen_kinds import MOST_PICTURES, Kind, SeenPicture, SortedFolder, sort_folder
from dlre_core.report.page import environment

OUT = Path(".dlre/screens")
PAGE, PROFILES = "index.html", "screens.yaml"
# Examples are shown at most so wide; JPEG quality.
EXAMPLE_WIDTH, EXAMPLE_QUALITY = 960, 85
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
        "reasons": [(number, reason) for reason, number in kind.reasons.most_common()],
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
        "code": seen.reason.code if seen.reason else "can be read",
        "columns": columns,
        "rows": rows,
        "source": f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}",
        "parts": list(_drawn_parts(kind, seen)),
    }


def _drawn_parts(kind: Kind, seen: SeenPicture) -> Iterator[tuple[str, str, Rectangle]]:
    """Class, label and rectangle of what was found, or of what a profile would propose."""
    if seen.layout is not None:
        for part, label in PARTS.items():
            place = getattr(seen.layout, part)
            if place is not None:
                yield part, label, place
    elif kind.needs_profile and seen is kind.examples[0]:
        for part, place in proposed_parts(kind).items():
            yield f"{part} proposed", f"{PARTS[part]}?", place


def verdict(kind: Kind) -> str:
    """How many pictures of a kind can be read."""
    if kind.usable == kind.number:
        return f"all {kind.number} can be read" if kind.number > 1 else "its only picture can be read"
    return f"{kind.usable} of {kind.number} can be read"


def scale_sentence(kind: Kind) -> str:
    """What states the full scale of a kind's pictures; empty where none can be read."""
    sources = [f"{number} from the {source}" for source, number in kind.scale_sources.most_common()]
    return f"Scale: {', '.join(sources)}." if sources else ""


def unread_sentences(found: SortedFolder) -> list[str]:
    """Files that gave no picture, in words, each reason with what to do."""
    sentences = [f"{n} not read: {reason.sentence} {reason.remedy}" for reason, n in found.unread.most_common()]
    if found.no_pictures:
        sentences.append(f"{found.no_pictures} files are no pictures.")
    if found.left:
        sentences.append(f"{found.left} files were not looked at (PICTURES=number looks at more).")
    return sentences


def kinds_text(found: SortedFolder) -> str:
    """The kinds for a terminal, each with how many can be read, why not the others, and what to do."""
    plural = "s" * (len(found.kinds) != 1)
    lines = [f"{found.number} pictures, {len(found.kinds)} kind{plural} of screens."]
    for number, kind in enumerate(found.kinds, 1):
        lines += ["", f"{number}. {kind.title}: {verdict(kind)}", f"   {kind.arrangement}"]
        lines += [f"   {scale_sentence(kind)}"] if kind.scale_sources else []
        lines += [f"   {n} x {reason.code}: {reason.sentence}" for reason, n in kind.reasons.most_common()]
        lines += [f"   such as {kind.examples[0].name}"]
    rest = unread_sentences(found)
    return "\n".join(lines + [""] * bool(rest) + rest) + "\n"


def next_step(kinds: Sequence[Kind], page: Path, profiles: Path, folder: Path) -> str:
    """What to look at, and what to do about kinds without a layout."""
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
    """Write page and proposal, print the text; status 1 where nothing was found on a kind."""
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
    found = sort_folder(options.folder, settings, options.pictures)
    page, profiles = write_screens(options.folder, found, options.out)
    sys.stdout.write(kinds_text(found) + next_step(found.kinds, page, profiles, options.folder))
    return int(any(kind.needs_profile for kind in found.kinds))


if __name__ == "__main__":
    sys.exit(main())
