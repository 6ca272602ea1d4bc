"""Heat maps and contact sheets are drawn from the store."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from safetensors.torch import save_file

from dlre_core.figures.captions import contact_sheet_caption
from dlre_core.figures.contact_sheets import (
    FLAG_HEIGHT,
    LABEL,
    MARGIN,
    PER_ROW,
    THUMBNAIL,
    contact_sheet,
    evenly_chosen,
    least_filled,
    quality_flags,
)
from dlre_core.figures.heat_maps import choose_cases, heat_map_figure, overlay, save_raster
from dlre_core.foundation.picture_store import write_rois
from dlre_core.network.fibrosis_network import new_network
from dlre_core.tables.table_2_accuracy import AccuracySettings, table_2
from tests.helpers.score_table import scores


def cases_data():
    table = scores(40)
    pictures = table.loc[table.index.repeat(2)].reset_index(drop=True)
    pictures["image_id"] = [f"i{n}" for n in range(len(pictures))]
    pictures = pictures.rename(columns={"dlre_f4": "f4", "dlre_ge_f3": "ge_f3", "dlre_ge_f2": "ge_f2"})
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
    squares = [generator.integers(0, 256, (250, 250, 3), dtype=np.uint8) for _ in pictures["image_id"]]
    write_rois(tmp_path / "rois.h5", list(pictures["image_id"]), squares)
    rois = pictures[["image_id", "hospital", "patient"]].assign(source="automatic", flags="", q_box_mean_kpa=8.0)
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
    fill = pd.DataFrame({"image_id": rois["image_id"], "fill_fraction": np.linspace(1, 0, len(rois))})
    worst = least_filled(rois, fill)[""]
    assert worst[:2] == [len(rois) - 1, len(rois) - 2]
    for number, groups in enumerate((chosen, {"": worst})):
        contact_sheet(groups, unflagged, tmp_path / "rois.h5", tmp_path / f"{number}.jpg", simulated=True)
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
            "image_id": [f"i{n}" for n in range(40)],
            "hospital": ["A"] * 5 + ["B"] * 35,
            "source": "automatic",
            "flags": "",
        }
    )
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
    named = [number for number in range(PER_ROW) if yellow[below, LABEL + number * step + THUMBNAIL - 6].all()]
    assert named == [2]
    # Nothing of a square is hidden, and a row without flags has no room for them.
    assert not yellow[MARGIN : MARGIN + THUMBNAIL - 2].any()
    assert len(sheet) == 3 * step + FLAG_HEIGHT * (1 + 3) + MARGIN
