"""Pseudonyms are keyed and stable, dates keep their distances, pixels outside the pictures go."""

import hashlib
import hmac
import os
import stat
from base64 import b32encode
from datetime import date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlre_core.deidentify import (
    Pseudonymiser,
    blank_identity,
    kept_parts,
    load_or_create_key,
    simulation_key,
)
from dlre_core.errors import ConfigurationError
from dlre_core.layout import Rectangle, ScreenLayout

KEY = bytes(range(32))
DAYS = st.dates(date(1980, 1, 1), date(2100, 1, 1))


def layout(source="regions"):
    return ScreenLayout(
        top_picture=Rectangle(156, 70, 544, 290),
        box=Rectangle(275, 125, 395, 225),
        bottom_picture=Rectangle(156, 296, 544, 516),
        colour_bar=Rectangle(693, 71, 702, 180),
        pixel_spacing_mm=0.2,
        source=source,
    )


def kept_rows_and_columns(screen):
    rows, columns = np.nonzero(screen.any(axis=2))
    return {int(r) for r in rows}, {int(c) for c in columns}


def test_pseudonym_is_hmac_sha256():
    digest = hmac.new(KEY, b"7:patient1:A5:A0001", hashlib.sha256).digest()
    assert Pseudonymiser(KEY, 365).patient("A", "A0001") == "P" + b32encode(digest)[:12].decode()


@given(st.text(), st.text(), st.text(), st.text())
def test_pseudonyms_differ_unless_hospital_and_id_are_the_same(hospital, name, other, another):
    pseudonymiser = Pseudonymiser(KEY, 365)
    same = pseudonymiser.patient(hospital, name) == pseudonymiser.patient(other, another)
    assert same == ((hospital, name) == (other, another))


def test_another_key_gives_other_names():
    first, second = Pseudonymiser(KEY, 365), Pseudonymiser(bytes(32), 365)
    assert first.patient("A", "1") != second.patient("A", "1")
    assert first.image("A", "1.2.3", 1) != second.image("A", "1.2.3", 1)
    assert first.image("A", "1.2.3", 1) != first.image("A", "1.2.3", 2)
    assert simulation_key(1) != simulation_key(2)


def test_names_that_are_no_utf_8_have_labels():
    name = os.fsdecode(b"\xc0\xee\xcb\xc4.dcm")
    assert Pseudonymiser(KEY, 365).file("A", name).startswith("A/")


@given(DAYS, DAYS, st.text(max_size=8), st.integers(1, 3650))
def test_shift_is_the_same_for_all_of_a_patient_and_within_bounds(first, second, name, days):
    pseudonymiser = Pseudonymiser(KEY, days)
    moved = pseudonymiser.shift(first, "A", name)
    assert 1 <= abs((moved - first).days) <= days
    assert pseudonymiser.shift(second, "A", name) - moved == second - first


def test_shift_keeps_the_time_of_day():
    moment = datetime(2016, 3, 2, 10, 15, 30)
    assert Pseudonymiser(KEY, 365).shift(moment, "A", "1").time() == moment.time()


def test_shifts_spread_over_both_directions():
    shift = Pseudonymiser(KEY, 30).shift
    days = {(shift(date(2016, 1, 1), "A", str(i)) - date(2016, 1, 1)).days for i in range(3000)}
    assert days == set(range(-30, 31)) - {0}
    assert all(isinstance(timedelta(d), timedelta) for d in days)


def test_key_file_is_made_once_and_private(tmp_path):
    path = tmp_path / "deep" / "pseudonym.key"
    key = load_or_create_key(path)
    assert len(key) == 32
    assert load_or_create_key(path) == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [p.name for p in path.parent.iterdir()] == ["pseudonym.key"]


@pytest.mark.parametrize("content", ["", "abc", "zz" * 32, "00" * 31])
def test_what_is_no_key_is_refused_without_showing_it(tmp_path, content):
    path = tmp_path / "k"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(ConfigurationError) as caught:
        load_or_create_key(path)
    assert not content or content not in str(caught.value)


def test_key_that_others_may_read_is_refused(tmp_path):
    path = tmp_path / "k"
    load_or_create_key(path)
    path.chmod(0o640)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        load_or_create_key(path)


def blanked(screen, layout, squares=()):
    return blank_identity(screen, kept_parts(layout, *screen.shape[:2], squares))


def test_parts_are_told_once():
    # The box lies in the top picture, its twin in the bottom one, and this square in the box.
    parts = kept_parts(layout(), 540, 720, [Rectangle(300, 130, 310, 140)])
    assert parts == [
        Rectangle(156, 70, 544, 290), Rectangle(156, 296, 544, 480), Rectangle(693, 71, 702, 180)
    ]  # fmt: skip


def test_only_pictures_and_colour_bar_stay():
    screen = np.full((540, 720, 3), 200, dtype=np.uint8)
    kept = blanked(screen, layout())
    # 960 of 1440 columns is row 480 here: below it, screens write annotations.
    expected = np.zeros_like(screen)
    expected[70:290, 156:544] = expected[296:480, 156:544] = expected[71:180, 693:702] = 200
    np.testing.assert_array_equal(kept, expected)
    assert (screen == 200).all()


def test_header_and_text_columns_go_even_where_a_region_tag_claims_them():
    screen = np.full((540, 720, 3), 200, dtype=np.uint8)
    lying = ScreenLayout(**{**vars(layout()), "top_picture": Rectangle(0, 0, 720, 290)})
    rows, columns = kept_rows_and_columns(blanked(screen, lying))
    # Its usual place, 156 to 544 and from 70 on, and 14 pixels more.
    assert min(rows) == 56
    assert (min(columns), max(c for c in columns if c < 693)) == (142, 557)


def test_where_tags_put_the_box_elsewhere_only_it_and_the_square_stay():
    screen = np.full((540, 720, 3), 200, dtype=np.uint8)
    other = ScreenLayout(
        **{**vars(layout()), "top_picture": Rectangle(0, 50, 300, 290), "box": Rectangle(20, 60, 120, 160), "bottom_picture": None}
    )  # fmt: skip
    rows, columns = kept_rows_and_columns(blanked(screen, other, [Rectangle(5, 40, 135, 170)]))
    assert (min(rows), max(rows), min(columns)) == (50, 179, 5)
    assert max(c for c in columns if c < 693) == 134


def test_box_and_its_twin_stay_among_annotations():
    low = ScreenLayout(
        **{**vars(layout()), "box": Rectangle(275, 180, 395, 280), "bottom_picture": Rectangle(156, 296, 544, 516)}
    )  # fmt: skip
    kept = blanked(np.full((540, 720, 3), 200, dtype=np.uint8), low)
    assert kept[480:506, 275:395].all()
    assert not kept[480:506, 156:275].any()


def test_without_region_tags_only_box_twin_and_square_stay():
    screen = np.full((540, 720, 3), 200, dtype=np.uint8)
    square = Rectangle(272, 112, 397, 237)
    kept = blanked(screen, layout("pixels"), [square])
    expected = np.zeros_like(screen)
    expected[112:237, 272:397] = expected[351:451, 275:395] = expected[71:180, 693:702] = 200
    np.testing.assert_array_equal(kept, expected)
