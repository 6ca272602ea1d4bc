"""MkDocs hook: pages that are made from files elsewhere, and formulas as MathML.

The site shows the README as its home page, the other Markdown files of the repository's root, and one page
of docstrings per package of the library. Their links are rewritten, so that the same text works on the site
and in the repository.
"""

import html
import posixpath
import re
from pathlib import Path

from latex2mathml.converter import convert
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
ROOT_PAGES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "reporting.md",
}
LIBRARY = "reference/library"
ROOT_LINK = re.compile(rf"\]\((?:\.\./)+({'|'.join(map(re.escape, ROOT_PAGES))})")
FORMULA = re.compile(r'<span class="arithmatex">\\\((.*?)\\\)</span>', re.DOTALL)


def packages() -> list[str]:
    """Packages of the library in the order in which its docstring lists them, others last."""
    library = ROOT / "dlre_core"
    names = sorted(path.parent.name for path in library.glob("*/__init__.py"))
    text = (library / "__init__.py").read_text(encoding="utf-8")
    places = {name: re.search(rf"`{name}`", text) for name in names}
    return sorted(names, key=lambda name: found.start() if (found := places[name]) else len(text))


def library_page(package: str) -> str:
    """A package's docstring, then each module under a heading of its own."""
    folder = ROOT / "dlre_core" / package
    # Its imports and names are those of its modules.
    parts = [f"# {package}\n\n::: dlre_core.{package}\n    options: {{members: false}}\n"]
    for path in sorted(folder.glob("*.py")):
        if not path.stem.startswith("__"):
            parts.append(f"## {path.stem}\n\n::: dlre_core.{package}.{path.stem}\n")
    return "\n".join(parts)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Give the library's pages their place in the navigation."""
    pages = [{name: f"{LIBRARY}/{name}.md"} for name in packages()]
    for section in config.nav or []:
        if isinstance(section, dict) and "Reference" in section:
            section["Reference"].append({"Library": pages})
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that have no file below ``docs/``."""
    for source, page in ROOT_PAGES.items():
        text = (ROOT / source).read_text(encoding="utf-8").replace("](docs/", "](")
        for other, target in ROOT_PAGES.items():
            text = text.replace(f"]({other}", f"]({target}")
        files.append(File.generated(config, page, content=text))
    for name in packages():
        files.append(File.generated(config, f"{LIBRARY}/{name}.md", content=library_page(name)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Point links to files of the repository's root at their pages."""
    folder = posixpath.dirname(page.file.src_uri) or "."
    return ROOT_LINK.sub(lambda link: f"]({posixpath.relpath(ROOT_PAGES[link[1]], folder)}", markdown)


def on_page_content(content: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Formulas as MathML, which browsers show without a script."""
    return FORMULA.sub(lambda formula: convert(html.unescape(formula[1])), content)
