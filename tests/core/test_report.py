"""Parts of the report: what stopped a study, the picture of the rules, headline, heat maps, sheets."""

import base64
import json
import logging
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from PIL import Image
from safetensors.torch import save_file

from dlre_core.errors import StorageError
from dlre_core.figures.captions import contact_sheet_caption
from dlre_core.figures.headline import headline_figure
from dlre_core.figures.pictures import (
    FLAG_HEIGHT,
    LABEL,
    MARGIN,
    PER_ROW,
    THUMBNAIL,
    contact_sheet,
    evenly_chosen,
    heat_map_figure,
    least_filled,
    overlay,
    quality_flags,
    save_raster,
)
from dlre_core.heat_maps import choose_cases, grad_cam
from dlre_core.network import new_network
from dlre_core.report.exhibits import FIGURES, OPTIONAL, TABLES, ordered_exhibits
from dlre_core.report.failure import PlainErrors, failure_text
from dlre_core.report.headline import headline_text
from dlre_core.report.rule_graph import rule_edges, rule_figure
from dlre_core.store import write_rois
from dlre_core.tables.accuracy import AccuracySettings, table_2
from tests.core.test_study_tables import scores

ROOT = Path(__file__).parents[2]


def test_the_last_error_of_new_logs_is_told_with_its_place(tmp_path):
    old, new = tmp_path / "old.log", tmp_path / "ingest_hospital" / "A.log"
    new.parent.mkdir()
    old.write_text("12:00:00 ERROR   dlre: An old trouble.\n")
    new.write_text(
        "12:00:01 INFO    dlre: fine\n12:00:02 ERROR   dlre: No disk. Free some.\nTraceback\n"
    )
    os.utime(old, (1000, 1000))
    text = failure_text(tmp_path, since=2000)
    assert "No disk. Free some." in text
    assert str(new) in text
    assert "old trouble" not in text
    assert failure_text(tmp_path, since=1e12) == ""
    new.write_text("12:00:02 ERROR   dlre: " + "word " * 1000)
    assert len(failure_text(tmp_path, since=0)) < 1500


def test_a_fault_of_the_program_is_named_and_to_be_reported(tmp_path):
    log = tmp_path / "train.log"
    stack = 'Traceback (most recent call last):\n  File "x.py", line 1\nRuntimeError: planted\n'
    log.write_text(f"12:00:02 ERROR   dlre: a fault of the program, not of the data\n{stack}")
    words = " ".join(failure_text(tmp_path, since=0).split())
    assert "not of the data (RuntimeError: planted). Please report it, with this log." in words
    assert "Traceback" not in words


def test_jobs_that_met_the_same_full_disk_are_told_once(tmp_path):
    for name, free in (("A", "0.2"), ("B", "12.5")):
        error = StorageError(f"The disk mounted at / is full ({free} of 13 MB free).", "Free some.")
        (tmp_path / f"{name}.log").write_text(f"12:00:02 ERROR   dlre: {error}\n")
    text = failure_text(tmp_path, since=0)
    assert text.count("The disk mounted at / is full. Free some.") == 1
    assert "A, B:" in text


def snakemake_error(text, exception):
    record = logging.makeLogRecord({"msg": text, "event": "error", "exception": exception})
    return record if PlainErrors().filter(record) else None


def test_an_error_before_the_first_job_is_its_message_without_a_stack():
    text = 'CohortError in file "a.smk", line 3:\nNo folder.\n  - in a list\n  File "a.smk", line 3\n  File "b"'
    said = snakemake_error(text, "CohortError").getMessage()
    assert said.split("\n\n")[1].splitlines() == ["  No folder.", "    - in a list"]
    assert "File" not in said
    other = 'KeyError in file "a.smk", line 3:\n1\n  File "a.smk", line 3'
    assert snakemake_error(other, "KeyError").getMessage() == other


def test_a_failed_job_is_left_to_its_log_and_a_killed_one_explained():
    ended = "RuleException:\nCalledProcessError:\nCommand 'python a.py' returned non-zero exit status 1."
    assert snakemake_error(ended, "RuleException") is None
    killed = (
        "RuleException:\nCalledProcessError:\nCommand 'python a.py' died with <Signals.SIGKILL: 9>."
    )
    said = snakemake_error(killed, "RuleException").getMessage()
    assert said.startswith(killed)
    assert "memory" in said


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
    assert set(TABLES) & set(FIGURES) == {"calibration", "hospitals"}
    with pytest.raises(ValueError, match="is not in list"):
        ordered_exhibits(["table_9"], [], "results")


def test_optional_exhibits_are_the_analyses_that_the_configuration_knows():
    schema = yaml.safe_load((ROOT / "rules/schemas/config.schema.yaml").read_text())
    analyses = schema["properties"]["robustness"]["properties"]["analyses"]["items"]["enum"]
    assert set(analyses) == OPTIONAL <= set(TABLES)


def test_the_headline_prints_every_interval(tmp_path):
    table = table_2(scores(), AccuracySettings())
    figure = headline_figure(table, simulated=True)
    words = [text.get_text() for axis in figure.axes for text in axis.texts]
    row = table[(table["stage"] == "f4") & (table["method"] == "lsm") & (table["cohort"] == "validation")].iloc[0]  # fmt: skip
    assert (
        f"{row['auc']:.2f} ({row['auc_low']:.2f} to {row['auc_high']:.2f}){row['stars']}" in words
    )
    assert len(words) == 12


def test_the_headline_in_words_has_the_methods_of_table_2_and_no_others():
    table = table_2(scores(), AccuracySettings())
    enrolment = pd.DataFrame(
        {"enrolled": [1, 1, 0], "first_reason": ["", "", "antiviral_treatment"]}
    )
    counts = pd.DataFrame({"images_stored": [10], "rejected": [2]})
    effects = ["row rejected", "row rejected", "flagged"]
    problems = pd.DataFrame({"row": [3, 3, 7], "effect": effects, "code": "missing_value"})
    text = headline_text(
        table, enrolment, counts, problems, pd.DataFrame({"severity": []}),
        title="A study", simulated=True, report="results/report.html",
    )  # fmt: skip
    (names,) = [line for line in text.splitlines() if "2D-SWE" in line]
    assert names.split() == ["DLRE", "2D-SWE", "APRI", "FIB-4"]
    assert "A study - SIMULATED DATA, no real patients" in text
    assert "3 eligible patients, 2 enrolled" in text
    assert "1 excluded: 1 antiviral treatment" in text
    assert "3 findings in the clinical table, 1 row of it rejected" in text


def test_heat_speaks_for_the_answer_whichever_it_is():
    network = new_network(3).eval()
    picture = np.random.default_rng(1).integers(0, 256, (250, 250, 3), dtype=np.uint8)
    heat = grad_cam(network, picture)
    assert heat.shape == (250, 250)
    assert 0 <= heat.min() <= heat.max() <= 1
    mirrored = new_network(3).eval()
    with torch.no_grad():
        mirrored.output.weight.neg_()
        mirrored.output.bias.neg_()
    # The same picture with the opposite answer: what speaks for the answer stays the same.
    assert np.allclose(grad_cam(mirrored, picture), heat, atol=1e-6)


def test_heat_lies_where_the_answer_comes_from():
    network = new_network(3).eval()
    with torch.no_grad():
        for convolution in network.convolutions:
            convolution.weight.zero_()
            convolution.weight[0, 0, 1, 1] = 1.0
        network.hidden.weight.zero_()
        network.hidden.weight[0, : 15 * 15] = 1.0
        network.output.weight.fill_(1.0)
    picture = np.zeros((250, 250, 3), dtype=np.uint8)
    picture[40:80, 160:200] = 255
    heat = grad_cam(network, picture)
    row, column = np.unravel_index(heat.argmax(), heat.shape)
    assert 35 <= row <= 90
    assert 155 <= column <= 215
    assert heat[200:, :100].max() == 0


def cases_data():
    table = scores(40)
    pictures = table.loc[table.index.repeat(2)].reset_index(drop=True)
    pictures["image_id"] = [f"i{n}" for n in range(len(pictures))]
    pictures = pictures.rename(
        columns={"dlre_f4": "f4", "dlre_ge_f3": "ge_f3", "dlre_ge_f2": "ge_f2"}
    )
    pictures["f4"] = np.clip(pictures["f4"] + np.tile([0.0, 0.05], len(table)), 0, 1)
    return table, pictures


def test_cases_are_the_most_decided_validation_patients():
    table, pictures = cases_data()
    accuracy = table_2(table, AccuracySettings())
    cases = choose_cases(pictures, accuracy)
    validation = pictures[pictures["cohort"] == "validation"].groupby("patient")
    mean, stage = validation["f4"].mean(), validation["fibrosis_stage"].first()
    cutoff = cases[cases["stage"] == "f4"]["cutoff"].iloc[0]
    right = mean[(stage == 4) & (mean >= cutoff)]
    case = cases[(cases["stage"] == "f4") & (cases["kind"] == "Rightly yes")].iloc[0]
    assert case["probability"] == pytest.approx(right.max())
    assert case["fibrosis_stage"] == 4
    owner = pictures.set_index("image_id").loc[case["image_id"], "patient"]
    assert owner == right.idxmax()
    perfect = accuracy.assign(cutoff=0.0)
    assert set(choose_cases(pictures, perfect)["kind"]) == {"Rightly yes", "False alarm"}


def test_pictures_are_drawn_from_the_store(tmp_path):
    table, pictures = cases_data()
    generator = np.random.default_rng(1)
    squares = [
        generator.integers(0, 256, (250, 250, 3), dtype=np.uint8) for _ in pictures["image_id"]
    ]
    write_rois(tmp_path / "rois.h5", list(pictures["image_id"]), squares)
    rois = pictures[["image_id", "hospital", "patient"]].assign(source="automatic", flags="")
    weights = {}
    for number, stage in enumerate(("f4", "ge_f3", "ge_f2")):
        weights[stage] = tmp_path / f"{stage}.safetensors"
        save_file(new_network(number).state_dict(), weights[stage])
    cases = choose_cases(pictures, table_2(table, AccuracySettings()))
    figure = heat_map_figure(cases, rois, tmp_path / "rois.h5", weights, simulated=True)
    save_raster(figure, "Caption.", tmp_path / "h.jpg", tmp_path / "h.txt")
    assert Image.open(tmp_path / "h.jpg").size[0] == 1760
    unflagged = [[] for _ in squares]
    chosen = evenly_chosen(rois, unflagged)
    assert [len(part) for part in chosen.values()] == [PER_ROW, PER_ROW]
    fill = pd.DataFrame(
        {"image_id": rois["image_id"], "fill_fraction": np.linspace(1, 0, len(rois))}
    )
    worst = least_filled(rois, fill)[""]
    assert worst[:2] == [len(rois) - 1, len(rois) - 2]
    for number, groups in enumerate((chosen, {"": worst})):
        contact_sheet(
            groups, unflagged, tmp_path / "rois.h5", tmp_path / f"{number}.jpg", simulated=True
        )
        sheet = Image.open(tmp_path / f"{number}.jpg").convert("RGB")
        # The first thumbnail is the mean of the first square's pixels, JPEG aside.
        first = squares[next(iter(groups.values()))[0]]
        corner = np.asarray(sheet)[6:90, 40:120].mean()
        assert corner == pytest.approx(first.mean(), abs=4)


def test_heat_is_drawn_over_grey():
    picture = np.full((250, 250, 3), (200, 100, 0), dtype=np.uint8)
    assert (overlay(picture, np.zeros((250, 250), np.float32)) == 100).all()
    hot = overlay(picture, np.ones((250, 250), np.float32))
    assert hot[0, 0, 0] > hot[0, 0, 2]


def test_a_hospitals_flagged_squares_are_added_and_named_below(tmp_path):
    rois = pd.DataFrame(
        {
            "image_id": [f"i{n}" for n in range(40)], "hospital": ["A"] * 5 + ["B"] * 35,
            "source": "automatic", "flags": "",
        }
    )  # fmt: skip
    rois.loc[2, "source"] = "hand"
    rois.loc[[6, 7], "flags"] = "box_larger_than_square"
    acquisitions = rois[["image_id"]].assign(flags="")
    acquisitions.loc[7, "flags"] = "no_time;something_new"
    flags = quality_flags(rois, acquisitions[::-1])
    assert flags[2] == ["drawn_by_hand"]
    assert flags[7] == ["no_time", "something_new", "box_larger_than_square"]
    assert sum(map(bool, flags)) == 3
    groups = evenly_chosen(rois, flags)
    assert groups["A"] == [0, 1, 2, 3, 4]
    assert len(groups["B"]) == PER_ROW + 2
    assert groups["B"][-2:] == [6, 7]
    words, _ = contact_sheet_caption(groups, {"": [0]}, flags, True)
    assert "3 carry flags (box larger than square 2, drawn by hand 1, no time 1, " in words
    assert "none carries a flag" in contact_sheet_caption(groups, {"": [0]}, [[]] * 40, True)[0]
    grey = np.full((250, 250, 3), 90, dtype=np.uint8)
    write_rois(tmp_path / "rois.h5", list(rois["image_id"]), [grey] * 40)
    sheet_path = tmp_path / "sheet.jpg"
    contact_sheet(groups, flags, tmp_path / "rois.h5", sheet_path, simulated=False)
    sheet = np.asarray(Image.open(sheet_path).convert("RGB")).astype(int)
    step = THUMBNAIL + MARGIN
    yellow = np.abs(sheet - (255, 176, 0)).max(axis=2) < 40
    below = slice(MARGIN + THUMBNAIL + 2, MARGIN + THUMBNAIL + FLAG_HEIGHT - 2)
    named = [
        number
        for number in range(PER_ROW)
        if yellow[below, LABEL + number * step + THUMBNAIL - 6].all()
    ]
    assert named == [2]
    # Nothing of a square is hidden, and a row without flags has no room for them.
    assert not yellow[MARGIN : MARGIN + THUMBNAIL - 2].any()
    assert len(sheet) == 3 * step + FLAG_HEIGHT * (1 + 3) + MARGIN
