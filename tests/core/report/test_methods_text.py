"""Methods in words: every number is the configuration's or the data's, and every citation has its entry."""

import copy
import re
from pathlib import Path

import pandas as pd
import pytest

from dlre_core.report.methods_text import REFERENCES, StudyCounts, methods_paragraphs, study_counts, write_methods
from dlre_core.workflow.study_design import read_configuration

CONFIG = read_configuration(Path(__file__).parents[3] / "config.yaml")
COUNTS = StudyCounts(654, 398, 12, 1990, 266, 132)


def changed(**sections):
    config = copy.deepcopy(CONFIG)
    for section, values in sections.items():
        config[section] = values if isinstance(values, list) else config[section] | values
    return config


def text(config=CONFIG, simulated=False) -> str:
    return " ".join(methods_paragraphs(config, COUNTS, simulated).values())


def test_counts_are_those_of_the_tables():
    enrolment = pd.DataFrame({"hospital": list("AABC"), "enrolled": [1, 0, 1, 0]})
    scores = pd.DataFrame({"cohort": ["training", "validation"], "images": [5, 4]})
    assert study_counts(enrolment, scores) == StudyCounts(4, 2, 2, 9, 1, 1)


def test_an_external_cohort_is_told_of():
    config = changed(splits={"overall": CONFIG["splits"]["overall"] | {"external": {"country": ["ES", "IT"]}}})
    words = " ".join(methods_paragraphs(config, StudyCounts(654, 398, 12, 1990, 200, 100, 98), False).values())
    assert "The 98 patients with country ES and IT were an external cohort, which had no part in training." in words
    assert "The other patients were divided at random" in words
    assert "is in two of them" in words


def test_the_words_of_the_default_study():
    words = text()
    assert "Of 654 eligible patients, 398 of 12 hospitals were enrolled." in words
    assert "a training cohort of 266 and a validation cohort of 132" in words
    assert "the highest Youden index" in words
    assert "simulated" not in words
    assert "654 eligible simulated patients" in text(simulated=True)


def test_a_primary_hypothesis_opens_the_statistics():
    named = CONFIG | {"primary_hypothesis": {"question": "f4", "comparator": "lsm"}}
    words = methods_paragraphs(named, COUNTS, False)["Statistics"]
    claim = "for cirrhosis (F4) the AUC of DLRE is higher than that of 2D-SWE in the validation cohort"
    assert words.startswith(f"The primary hypothesis, of superiority, was that {claim}; it was tested by DeLong's test")
    assert "two-sided, at 5 %, without adjustment. All other comparisons are secondary. AUCs have" in words
    assert "primary" not in text()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"enrolment": {"minimum_biopsy_length_mm": 20}}, "a biopsy of at least 20 mm"),
        ({"statistics": {"cutoff": "sensitivity_90"}}, "by a sensitivity of 90 %"),
        ({"statistics": {"cutoff_from": "apparent"}}, "on the networks' own training patients"),
        ({"statistics": {"confidence": 0.9}}, "90 % confidence intervals"),
        ({"statistics": {"proportion_interval": "wilson"}}, "Wilson's intervals"),
        ({"readings": {"readers": "two"}}, "Two readers, independently, reviewed all pictures"),
        ({"training": {"balance": "none"}}, "Classes were not balanced"),
        ({"units": [{"column": "fibrosis_stage", "unit": "ishak"}]}, "to which stages by ishak were mapped"),
        ({"splits": {"overall": {"method": "hospitals", "training": ["A"]}}}, "divided by hospital"),
        (
            {"splits": {"overall": {"method": "random", "stratify_by": ["fibrosis_stage", "aetiology", "country"]}}},
            "at random, stratified by stage, aetiology and country into",
        ),
    ],
)
def test_what_the_configuration_changes_changes_the_words(change, words):
    assert words not in text()
    assert words in text(changed(**change))


@pytest.fixture
def written(tmp_path) -> Path:
    paragraphs = methods_paragraphs(CONFIG, COUNTS, True)
    files = {"page": "m.html", "tex": "m.tex", "bibliography": "m.bib"}
    write_methods(paragraphs, **{name: tmp_path / file for name, file in files.items()}, simulated=True)
    return tmp_path


def test_every_citation_has_its_entry_and_every_entry_is_cited(written):
    cited = set(re.findall(r"\\cite\{(\w+)\}", (written / "m.tex").read_text()))
    entries = set(re.findall(r"@article\{(\w+),", (written / "m.bib").read_text()))
    assert cited == entries <= set(REFERENCES)
    assert (written / "m.html").read_text().count("<li>") == len(cited)


def test_nothing_is_left_that_latex_or_html_would_misread(written):
    tex = (written / "m.tex").read_text()
    assert re.search(r"(?<!\\)%", tex) is None
    assert "[[" not in tex
    assert "≥" not in tex
    page = (written / "m.html").read_text()
    assert "[[" not in page
    assert "SIMULATED DATA" in page
