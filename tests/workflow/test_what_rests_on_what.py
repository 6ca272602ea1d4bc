"""One line of the library is edited in a copy: which rules would run again, and which would not?"""

import re
import shutil
from pathlib import Path

import pytest

from dlre_core.foundation import digests
from tests.workflow.study import ROOT

READS_DICOM = {"ingest_hospital"}
SIMULATES = {"simulate_clinical", "simulate_hospital", "example_patients"}
TRAINS = {"train", "train_variant"}


def scripts_of_rules(rules: Path) -> dict[str, Path]:
    """Every rule's script, taken from the text of the rule files."""
    found = {}
    for path in sorted(rules.glob("*.smk")):
        blocks = re.split(r"^ *(?:rule|checkpoint|use rule) ", path.read_text(), flags=re.MULTILINE)[1:]
        for block in blocks:
            name = re.match(r"(?:(?P<base>\w+) as )?(?P<name>\w+)", block)
            script = re.search(r'script:\s*"([^"]+)"', block)
            if script:
                found[name["name"]] = (path.parent / script[1]).resolve()
            elif name["base"]:
                found[name["name"]] = found[name["base"]]
    return found


@pytest.fixture
def library(tmp_path, monkeypatch):
    """A copy of the library, which the digests look at."""
    root = tmp_path / "dlre_core"
    shutil.copytree(ROOT / "dlre_core", root, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(digests, "PACKAGE_ROOT", root)
    digests.forget_modules()
    yield root
    digests.forget_modules()


def would_run_again(library: Path, module: str, before: str = "", after: str = "", added: str = "") -> set[str]:
    """Rules whose digest changes when one text of a module is replaced, or a line is added."""
    rules = scripts_of_rules(ROOT / "rules")
    old = {name: digests.script_digest(script) for name, script in rules.items()}
    path = library / module
    text = path.read_text()
    assert before in text, f"{module} no longer says {before}"
    path.write_text(text.replace(before, after, 1) + f"\n{added}\n")
    digests.forget_modules()
    return {name for name, script in rules.items() if digests.script_digest(script) != old[name]}


def test_the_formula_of_apri_retrains_nothing(library):
    stale = would_run_again(library, "comparators/serum_indices.py", "_quotient(100.0 * ast", "_quotient(101.0 * ast")
    assert "scores" in stale
    assert not stale & (TRAINS | READS_DICOM | SIMULATES | {"split", "enrolment", "predict"})


def test_the_audit_reruns_the_audit_alone(library):
    stale = would_run_again(library, "audit/sizes.py", added="ADDED = 1")
    # The report then follows from its input.
    assert stale == {"audit_published", "audit_study"}


def test_the_published_tables_rerun_the_audit_alone(library):
    stale = would_run_again(library, "audit/data/paper_tables.json", "{", "{ ")
    assert stale == {"audit_published", "audit_study", "compare_paper"}


def test_a_kernel_of_augmentation_reads_no_dicom_file_again(library):
    stale = would_run_again(library, "augmentation/sampling_kernels.py", added="ADDED = 1")
    assert stale == TRAINS


def test_finding_the_box_simulates_nothing_again(library):
    stale = would_run_again(library, "elastography/box_outline.py", added="ADDED = 1")
    assert stale >= READS_DICOM
    assert not stale & (SIMULATES | TRAINS)


def test_a_column_of_an_exhibit_touches_that_exhibit_alone(library):
    before = 'DECISION_TEXT = ("strategy",)'
    stale = would_run_again(library, "extended_tables/probabilities.py", before, before[:-1] + '"new",)')
    probabilities = {"calibration", "calibration_figure", "decision_curves", "decision_figure", "predictive_values"}
    assert probabilities <= stale
    assert not stale & (TRAINS | READS_DICOM | SIMULATES | {"scores", "table_1", "table_2", "counts", "hospitals"})


def test_a_comment_or_docstring_reruns_nothing(library):
    assert not would_run_again(library, "statistics/delong.py", '"""', '"""Another text. ')


def test_every_file_of_the_library_that_is_no_module_is_behind_some_rule(library):
    behind = set().union(*(digests.files_behind(script) for script in scripts_of_rules(ROOT / "rules").values()))
    data = {path for path in library.rglob("*") if path.is_file() and path.suffix != ".py"}
    assert data
    # The pages of make read and make screens are made by no rule.
    pages = {path for path in data if path.parent == library / "reading/templates" or path.stem == "screens.html"}
    reading = {"reading.css", "reading.html.j2", "reading.js", "identified.html.j2", "identified.js", "picture.js"}
    assert {path.name for path in pages} == reading | {"screens.html.j2"}
    # What a design says comes to rules through the configuration.
    designs = set((library / "foundation/designs").iterdir())
    assert data - pages - designs <= behind
