"""The square holds the whole box, stays in the picture, and shows the same part at any size."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from dlre_core.elastography import crop_kernel
from dlre_core.elastography.elastogram import find_layout
from dlre_core.elastography.network_square import (
    bmode_square,
    crop_hospital,
    crop_square,
    link_hospitals,
    square_flags,
    stiffness_square,
)
from dlre_core.elastography.scale import UNKNOWN_SCALE, Scale
from dlre_core.elastography.screen_layout import NATIVE_WIDTH, Rectangle
from dlre_core.elastography.square import Square, find_square
from dlre_core.foundation.errors import StoreMismatch
from dlre_core.foundation.picture_store import open_rois
from tests.helpers.reading import drawn_screen, stored_study
from tests.helpers.scenes import scene


@settings(max_examples=200, deadline=None)
@given(
    left=st.integers(0, 1300),
    top=st.integers(0, 950),
    width=st.integers(1, 500),
    height=st.integers(1, 500),
    half=st.booleans(),
)
def test_the_square_holds_the_box_and_stays_inside(left, top, width, height, half):
    rows, columns = (540, 720) if half else (1080, 1440)
    box = Rectangle(left, top, left + width, top + height)
    if box.right > columns or box.bottom > rows:
        with pytest.raises(ValueError, match="does not fit"):
            find_square(box, rows, columns)
        return
    square = find_square(box, rows, columns)
    assert 0 <= square.row <= top
    assert square.row + square.size >= box.bottom
    assert 0 <= square.column <= left
    assert square.column + square.size >= box.right
    assert square.row + square.size <= rows
    assert square.column + square.size <= columns
    assert square.size == max(125 if half else 250, width, height)


def test_it_is_centred_on_the_box():
    square = find_square(Rectangle(600, 300, 800, 460), 1080, 1440)
    assert (square.row, square.column, square.size, square.scale) == (255, 575, 250, 1.0)


def test_crops_copy_or_resample():
    screen = np.random.default_rng(0).integers(0, 256, (1080, 1440, 3), dtype=np.uint8)
    plain = crop_square(screen, Square(100, 200, 250))
    assert np.array_equal(plain, screen[100:350, 200:450])
    flat = np.full((540, 720, 3), 77, np.uint8)
    assert (crop_square(flat, Square(10, 10, 125)) == 77).all()
    assert crop_square(screen, Square(0, 0, 400)).shape == (250, 250, 3)


def test_half_size_pictures_show_the_same_part():
    generator = np.random.default_rng(1)
    small = generator.integers(0, 256, (54, 72, 3), dtype=np.uint8)
    screen = np.repeat(np.repeat(small, 20, axis=0), 20, axis=1)
    native = crop_square(screen, find_square(Rectangle(600, 300, 800, 460), 1080, 1440))
    halved = screen[::2, ::2]
    clip = crop_square(halved, find_square(Rectangle(300, 150, 400, 230), 540, 720))
    assert np.abs(native.astype(int) - clip).mean() < 12


@pytest.mark.parametrize("size", [100, 125, 249, 251, 400, 700])
def test_resampling_is_pillows(size):
    screen = np.random.default_rng(2).integers(0, 256, (size, size, 3), dtype=np.uint8)
    expected = Image.fromarray(screen).resize((250, 250), Image.Resampling.BILINEAR)
    ours = crop_square(screen, Square(0, 0, size))
    assert np.abs(ours.astype(int) - np.asarray(expected)).max() <= 1


@pytest.mark.parametrize("size", [6, 3, 12])
def test_crop_compiled_and_interpreted_agree_and_stay_inside(size):
    screen = np.random.default_rng(3).integers(0, 256, (14, 15, 3), dtype=np.uint8)
    results = []
    for kernel in (crop_kernel.resample_square, crop_kernel.resample_square.py_func):
        out = np.zeros((6, 6, 3), np.uint8)
        kernel(screen, 14 - size, 15 - size, size, out)
        results.append(out)
    assert np.array_equal(*results)


def test_squares_by_hand_are_cut_and_what_is_left_out_is_in_no_joined_file(tmp_path):
    store = stored_study(tmp_path / "store", {"A": 4, "B": 2})
    made = {hospital: (tmp_path / f"{hospital}.h5", tmp_path / f"{hospital}.csv") for hospital in "AB"}
    by_hand = {"A" + "1".zfill(15): Square(7, 9, 100)}
    for hospital, files in made.items():
        crop_hospital(store / f"{hospital}.h5", store / f"{hospital}_acquisitions.csv", *files, by_hand)
    rois, tables = zip(*made.values(), strict=True)
    table = pd.read_csv(tables[0])
    assert list(table["source"]) == ["automatic", "hand", "automatic", "automatic"]
    assert table[["row", "column", "size"]].iloc[1].tolist() == [7, 9, 100]
    with open_rois(rois[0]) as squares:
        assert np.array_equal(squares.read()[1], crop_square(drawn_screen(1), by_hand["A" + "1".zfill(15)]))
    used = pd.concat([pd.read_csv(store / f"{hospital}_acquisitions.csv") for hospital in "AB"]).iloc[[1, 3, 4]]
    used.to_csv(tmp_path / "used.csv", index=False)
    for acquisitions, expected in ((None, range(6)), (tmp_path / "used.csv", [1, 3, 4])):
        link_hospitals(rois, tables, tmp_path / "rois.h5", tmp_path / "rois.csv", acquisitions)
        whole = pd.concat([pd.read_csv(path) for path in tables], ignore_index=True)
        with open_rois(tmp_path / "rois.h5") as squares:
            assert squares.image_ids == list(whole["image_id"].iloc[list(expected)])
        assert list(pd.read_csv(tmp_path / "rois.csv")["image_id"]) == list(whole["image_id"].iloc[list(expected)])


def test_a_box_on_the_edge_of_the_square_is_whole():
    square = Square(row=40, column=30, size=250)
    inside = {"box_left": 30, "box_top": 40, "box_right": 280, "box_bottom": 290}
    row = SimpleNamespace(**inside, width=NATIVE_WIDTH, layout_source="found")
    assert square_flags(square, row) == ""
    for side, move in (("box_left", -1), ("box_top", -1), ("box_right", 1), ("box_bottom", 1)):
        cut = SimpleNamespace(**vars(row) | {side: inside[side] + move})
        assert square_flags(square, cut) == "box_cut;box_larger_than_square"
    assert square_flags(square, SimpleNamespace(**vars(row) | {"box_left": 0, "layout_source": "hand"})) == ""


def test_the_square_without_colours_has_the_twins_box():
    rendered, _ = scene()
    layout = find_layout(rendered.screen)
    square = find_square(layout.box, *rendered.screen.shape[:2])
    plain, coloured = bmode_square(rendered.screen, square, layout), crop_square(rendered.screen, square)
    down = layout.twin.top - layout.elastogram.top
    box = layout.box.moved(-square.column, -square.row)
    below = layout.box.moved(layout.twin.left - layout.elastogram.left, down)
    assert np.array_equal(box.cut(plain), below.cut(rendered.screen))
    around = np.ones((250, 250), bool)
    around[box.top : box.bottom, box.left : box.right] = False
    assert np.array_equal(plain[around], coloured[around])
    assert (np.ptp(plain.astype(int), axis=2) == 0).mean() > 0.99
    assert (np.ptp(coloured.astype(int), axis=2) > 60).mean() > 0.2
    # What is blanked around the twin's box changes nothing.
    blanked = rendered.screen.copy()
    kept = below.cut(rendered.screen).copy()
    layout.twin.cut(blanked)[:] = 0
    below.cut(blanked)[:] = kept
    assert np.array_equal(bmode_square(blanked, square, layout), plain)
    assert not bmode_square(rendered.screen, square, replace(layout, twin=None)).any()


@pytest.mark.parametrize("kpa", [5.0, 9.0, 22.0])
def test_the_square_of_stiffness_is_in_kilopascals_whatever_the_scale(kpa):
    rendered, _ = scene(kpa=kpa)
    layout = find_layout(rendered.screen)
    square = find_square(layout.box, *rendered.screen.shape[:2])
    drawn = stiffness_square(rendered.screen, square, layout, Scale(0, 40, "kPa", "label"), 0.5)
    signal = drawn[..., 1] == 255
    assert 0.1 < signal.mean() < 0.9
    read = np.expm1(drawn[..., 0][signal] / 255 * np.log1p(300))
    assert np.median(read) == pytest.approx(kpa, rel=0.25)
    assert not drawn[..., 0][drawn[..., 1] == 0].any()
    # The same colours of another scale are another stiffness: value by value, not by the colour.
    twice = stiffness_square(rendered.screen, square, layout, Scale(0, 80, "kPa", "label"), 0.5)
    again = np.expm1(twice[..., 0][signal] / 255 * np.log1p(300))
    assert np.median(again) == pytest.approx(2 * np.median(read), rel=0.05)
    assert not stiffness_square(rendered.screen, square, layout, UNKNOWN_SCALE, 0.5).any()


# What ingestion says of pictures of one half each: the elastogram, and the same without colours beside it.
LAYOUT = {
    **{
        f"elastogram_{side}": at
        for side, at in zip(("left", "top", "right", "bottom"), (120, 0, 240, 270), strict=True)
    },
    **{f"twin_{side}": at for side, at in zip(("left", "top", "right", "bottom"), (0, 0, 120, 270), strict=True)},
    **dict.fromkeys(f"colour_bar_{side}" for side in ("left", "top", "right", "bottom")),
    **{"pixel_spacing_mm": 0.3, "layout_source": "found", "screen": "found", "stiff_end": "top", "opacity": 1.0},
    **{"scale_minimum_kpa": 0.0, "scale_maximum_kpa": 40.0, "scale_unit": "kPa", "scale_source": "label"},
}


def test_what_networks_see_besides_lies_beside_the_squares(tmp_path):
    store = stored_study(tmp_path / "store", {"A": 2, "B": 2})
    for hospital, pictures in (("A", ["bmode", "stiffness"]), ("B", ["bmode"])):
        files = store / f"{hospital}.h5", store / f"{hospital}_acquisitions.csv"
        pd.read_csv(files[1]).assign(**LAYOUT).to_csv(files[1], index=False)
        crop_hospital(*files, tmp_path / f"{hospital}.h5", tmp_path / f"{hospital}.csv", pictures=pictures)
    rois, tables = ([tmp_path / f"{hospital}.{end}" for hospital in "AB"] for end in ("h5", "csv"))
    link_hospitals(rois, tables, tmp_path / "rois.h5", tmp_path / "rois.csv")
    with open_rois(tmp_path / "rois.h5") as squares:
        plain = squares.read()
        assert [np.array_equal(plain[n], squares.read(np.array([n]))[0]) for n in range(4)] == [True] * 4
        both = squares.squares(np.array([3, 1]), "square+bmode")
        assert both.shape == (2, 250, 250, 6)
        assert np.array_equal(both[0:2][..., :3], plain[[3, 1]])
        assert np.array_equal(both[0:2][..., 3:], squares.read(np.array([3, 1]), "bmode"))
        # Not of every hospital.
        with pytest.raises(StoreMismatch, match="no pictures of the kind stiffness"):
            squares.read(kind="stiffness")
    with open_rois(rois[0]) as squares:
        assert squares.read(kind="stiffness").shape == (2, 250, 250, 3)
