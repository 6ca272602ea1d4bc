"""The documents of the repository, and what the tests read in them."""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(path.relative_to(ROOT).as_posix() for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
LINK = re.compile(r"\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
# A path of the repository in backticks; patterns and placeholders are not followed.
PLACE = re.compile(r"`((?:dlre_core|scripts|rules|tests|benchmarks|docs|profiles|envs)/[\w./-]*)`")

# A document as code names it.
DOCUMENT = re.compile(r"\bdocs/[\w/]+\.md\b")


def text_of(document: str) -> str:
    """A document without its blocks of code."""
    return FENCE.sub("", (ROOT / document).read_text(encoding="utf-8"))


def anchors(document: str) -> set[str]:
    """Anchors of a document's headings, as the site and the usual code hosts make them."""
    plain = (re.sub(r"[`*]|\]\([^)]*\)|\[", "", title) for title in HEADING.findall(text_of(document)))
    return {re.sub(r"[\s]", "-", re.sub(r"[^\w\s-]", "", title.lower()).strip()) for title in plain}


def links(document: str) -> Iterator[tuple[str, str]]:
    """Every link within the repository: the file and the anchor, empty where there is none."""
    for target in LINK.findall(text_of(document)):
        if "://" not in target:
            path, _, anchor = target.partition("#")
            folder = (ROOT / document).parent
            yield (
                (folder / path).resolve().relative_to(ROOT).as_posix() if path else document,
                anchor,
            )
