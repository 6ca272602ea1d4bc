"""The documents: their links lead somewhere, and what they name exists."""

import pytest
import yaml

from dlre_core.workflow.study_design import read_configuration
from tests.docs.documents import DOCUMENT, DOCUMENTS, PLACE, ROOT, anchors, links, text_of


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_link_of_a_document_leads_to_a_file_and_a_heading(document):
    broken = [
        f"{path}#{anchor}"
        for path, anchor in links(document)
        if not (ROOT / path).exists() or (anchor and anchor not in anchors(path))
    ]
    assert broken == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_path_that_a_document_names_is_there(document):
    # CONTRIBUTING invents a table to add.
    invented = ("waiting.py",)
    named = [path for path in PLACE.findall(text_of(document)) if not path.endswith(invented)]
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_every_document_that_the_code_names_is_there():
    folders = ("dlre_core", "rules", "scripts", "benchmarks", "profiles", "tests")
    files = [ROOT / "config.yaml", ROOT / "Makefile", ROOT / "Snakefile"]
    files += [path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file()]
    texts = {".py", ".smk", ".yaml", ".csv", ".j2", ".rst", ".sh", ""}
    missing = {
        (path.relative_to(ROOT).as_posix(), document)
        for path in files
        if path.suffix in texts
        for document in DOCUMENT.findall(path.read_text(encoding="utf-8", errors="replace"))
        if not (ROOT / document).is_file()
    }
    assert missing == set()


def test_the_architecture_names_every_package_and_every_rule_file_and_no_other():
    text = text_of("docs/design/architecture.md")
    packages = {path.parent.name for path in ROOT.glob("dlre_core/*/__init__.py")}
    rows = [line.split("`")[1] for line in text.splitlines() if line.startswith("| `")]
    named = [row.split("/")[1] for row in rows if row.startswith("dlre_core/") and row.count("/") == 2]
    assert sorted(named) == sorted(packages)
    drawn = (ROOT / "docs/images/house.svg").read_text(encoding="utf-8")
    assert [name for name in packages if f">{name}</text>" not in drawn] == []
    rules = {path.relative_to(ROOT).as_posix() for path in ROOT.glob("rules/*.smk")}
    assert {row for row in rows if row.endswith(".smk")} == rules


def test_every_key_of_the_configuration_is_documented_with_its_default():
    """What the user names, and lists of entries, are described in words."""
    config = read_configuration(ROOT / "config.yaml")
    sections = text_of("docs/reference/configuration.md").split("\n## ")[1:]
    documented = {section.split("\n", 1)[0]: section for section in sections}
    assert list(documented) == list(config)
    for name, section in config.items():
        if name in ("units", "splits", "arms") or not isinstance(section, dict):
            continue
        for key, value in flat(section):
            row = next((r for r in documented[name].splitlines() if r.startswith(f"| `{key}` |")), "")
            assert row, f"{name}.{key} is not documented"
            default = row.split(" | ")[1]
            assert yaml.safe_load(default) == value or key in ("required_serology", "criteria"), row


def flat(section, prefix=""):
    """Keys of a section, with dots, and their values."""
    for key, value in section.items():
        if isinstance(value, dict) and value:
            yield from flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
