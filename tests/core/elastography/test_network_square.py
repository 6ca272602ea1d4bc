"""The square holds the whole box, stays in the picture, and shows the same part at any size."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from dlre_core.elastography import crop_kernel
from dlre_core.elastography.network_square import crop_hospital, crop_square, link_hospitals, square_flags
from dlre_core.elastography.screen_layout import NATIVE_WIDTH, Rectangle
from dlre_core.elastography.square import Square, find_square
from dlre_core.foundation.picture_store import open_rois
from tests.helpers.reading import drawn_screen, stored_study


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
