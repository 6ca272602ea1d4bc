"""Parts of the report: what stopped a study, the picture of the rules, headline, heat maps, sheets."""

import base64
import json
from pathlib import Path

import pandas as pd
import pytest
import yaml

from dlre_core.figures.headline import headline_figure
from dlre_core.patients.doubts import Doubts
from dlre_core.report.exhibits import FIGURES, FOLDED, OPTIONAL, TABLES, ordered_exhibits
from dlre_core.report.headline import HeadlineTables, headline_text
from dlre_core.report.rule_graph import rule_edges, rule_figure
from dlre_core.report.sentences import headline
from dlre_core.tables.table_2_accuracy import AccuracySettings, table_2
from tests.helpers.score_table import scores

ROOT = Path(__file__).parents[3]


def test_rules_are_joined_by_the_files_they_read(tmp_path):
    def remember(output, rule, *inputs):
        name = base64.b64encode(output.encode(), altchars=b"-_").decode()
        (tmp_path / name).write_text(json.dumps({"rule": rule, "input": list(inputs)}))

    remember("a.csv", "first", "raw")
    remember("b.csv", "second", "a.csv")
    remember("c.csv", "third", "a.csv", "b.csv")
    remember("d.csv", "fourth", "a.csv")
    (tmp_path / "broken").write_text("{")
    edges = rule_edges(tmp_path)
    assert edges == {
        ("first", "second"),
        ("first", "third"),
        ("second", "third"),
        ("first", "fourth"),
    }
    figure = rule_figure(edges)
    words = {text.get_text() for text in figure.axes[0].texts} - {""}
    assert words == {"first", "second", "third", "fourth"}
    # The way from first to third leads over second; its shortcut is not drawn.
    lines = [text for text in figure.axes[0].texts if not text.get_text()]
    assert len(lines) == 3
    assert rule_edges(tmp_path / "absent") == set()


def test_exhibits_come_in_the_reports_order_and_unknown_ones_are_refused():
    found = ordered_exhibits(["table_2", "table_1"], ["heat_maps", "figure_3"], "results")
    assert [part.name for part in found] == ["table_1", "table_2", "figure_3", "heat_maps"]
    assert [part.path.suffix for part in found] == [".html", ".html", ".svg", ".jpg"]
    assert [part.is_figure for part in found] == [False, False, True, True]
    assert set(TABLES) & set(FIGURES) == {"calibration", "hospitals", "repeatability", "subanalyses"}
    with pytest.raises(ValueError, match="is not in list"):
        ordered_exhibits(["table_9"], [], "results")


def test_folded_exhibits_are_known():
    assert {*TABLES, *FIGURES} >= FOLDED
    assert [part.is_folded for part in ordered_exhibits(["table_2", "recalibration"], [], "results")] == [False, True]


def test_optional_exhibits_are_the_analyses_that_the_configuration_knows_and_that_of_two_readers():
    schema = yaml.safe_load((ROOT / "rules/schemas/config.schema.yaml").read_text())
    analyses = schema["properties"]["robustness"]["properties"]["analyses"]["items"]["enum"]
    others = {"agreement", "reader_squares", "every_picture", "reader_agreement", "networks"}
    assert {*analyses} | others == OPTIONAL <= {*TABLES, *FIGURES}


def test_the_headline_prints_every_interval(tmp_path):
    table = table_2(scores(), AccuracySettings())
    figure = headline_figure(table, simulated=True)
    words = [text.get_text() for axis in figure.axes for text in axis.texts]
    row = table[(table["stage"] == "f4") & (table["method"] == "lsm") & (table["cohort"] == "validation")].iloc[0]
    assert f"{row['auc']:.2f} ({row['auc_low']:.2f} to {row['auc_high']:.2f}){row['stars']}" in words
    assert len(words) == 12


def test_the_sentences_of_the_headline_say_no_more_than_their_numbers():
    table = table_2(scores(), AccuracySettings())
    first, *others = headline(table)
    row = table[(table["stage"] == "f4") & (table["method"] == "dlre") & (table["cohort"] == "validation")].iloc[0]
    assert f"{row['auc']:.2f} ({row['auc_low']:.2f} to {row['auc_high']:.2f}) for cirrhosis (F4)" in first
    assert len(others) == 3
    # Every p stands beside its value after Holm's adjustment.
    assert all(sentence.count("(p ") == sentence.count("after Holm's adjustment") for sentence in others)
    here = (table["stage"] == "f4") & (table["cohort"] == "validation")
    table.loc[here, ["auc_low", "auc_high", "p_value", "p_holm"]] = float("nan")
    table.loc[here, ["n", "prevalence"]] = [20, 0.1]
    first, *others = headline(table)
    assert f"{row['auc']:.2f} (no interval: 2 cases, fewer than 5) for cirrhosis (F4)" in first
    untested = "not tested against that of APRI for cirrhosis (F4): too few patients, or no variance"
    assert any(untested in sentence for sentence in others)


def test_what_is_not_significant_says_what_could_have_been_found():
    table = table_2(scores(), AccuracySettings())
    here = (table["stage"] == "f4") & (table["method"] == "apri") & (table["cohort"] == "validation")
    # A standard error of 0.05; 1.96 + 0.84 of them are 0.14.
    table.loc[here, ["difference", "z", "p_value", "p_holm"]] = [0.05, 1.0, 0.317, 1.0]
    (sentence,) = [words for words in headline(table) if "APRI" in words]
    found = (
        "p = 0.317; = 1.000 after Holm's adjustment; a difference of 0.14 would have been found with a power of 80 %)"
    )
    assert found in sentence
    table.loc[here, ["difference", "z", "p_value", "p_holm"]] = [0.0, 0.0, 1.0, 1.0]
    (sentence,) = [words for words in headline(table) if "APRI" in words]
    assert "would have been found" not in sentence


def test_the_headline_in_words_has_the_methods_of_table_2_and_no_others():
    table = table_2(scores(), AccuracySettings())
    enrolment = pd.DataFrame({"enrolled": [1, 1, 0], "first_reason": ["", "", "antiviral_treatment"]})
    counts = pd.DataFrame({"images_stored": [10], "rejected": [2]})
    effects = ["row rejected", "row rejected", "flagged"]
    problems = pd.DataFrame({"row": [3, 3, 7], "effect": effects, "code": "missing_value"})
    text = headline_text(
        HeadlineTables(table, enrolment, counts, problems, findings=pd.DataFrame({"severity": []})),
        primary=["Primary hypothesis: named.", "Result: shown."],
        notes=[*Doubts(3, 10, 0, (), 1).sentences(), "Pictures in doubt: 0."],
        title="A study",
        simulated=True,
        report="results/report.html",
    )
    (names,) = [line for line in text.splitlines() if "2D-SWE" in line]
    assert names.split() == ["DLRE", "2D-SWE", "APRI", "FIB-4"]
    assert "A study - SIMULATED DATA, no real patients\nPrimary hypothesis: named.\nResult: shown.\n3 eligible" in text
    assert "\nSecondary: AUC (95 % CI) in the validation cohort" in text
    assert "3 eligible patients, 2 enrolled" in text
    assert "1 excluded: 1 antiviral treatment" in text
    assert "Pictures whose colour scale is unknown, so that no stiffness is read from them: 3 of 10." in text
    assert "Values removed from the tables: 0." in text
    assert "Units doubted, whose values are not used: 0." in text
    assert "Patients excluded because a cell could not be read: 1." in text
    assert "3 problems in the clinical table, 1 row of it rejected" in text
    assert "\nPictures in doubt: 0.\n" in text
