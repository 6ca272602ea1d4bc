"""Pseudonyms are keyed and stable, dates keep their distances, pixels outside the pictures go."""

import hashlib
import hmac
import os
import stat
from base64 import b32encode
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlre_core.foundation.errors import ConfigurationError
from dlre_core.patients.pseudonyms import Pseudonymiser, load_or_create_key, simulation_key

KEY = bytes(range(32))
DAYS = st.dates(date(1980, 1, 1), date(2100, 1, 1))


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


def test_the_shift_is_the_digests_number_of_days():
    """By hand: 0 to 59 less 30, and no day for 0."""
    for name in ("1", "2", "3", "4"):
        digest = hmac.new(KEY, b"4:date1:A1:" + name.encode(), hashlib.sha256).digest()
        days = int.from_bytes(digest[:8], "big") % 60 - 30
        moved = Pseudonymiser(KEY, 30).shift(date(2016, 1, 31), "A", name)
        assert (moved - date(2016, 1, 31)).days == (days if days < 0 else days + 1)


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
    assert "not a key of 64 hexadecimal digits" in str(caught.value)


def test_key_that_others_may_read_is_refused(tmp_path):
    path = tmp_path / "k"
    load_or_create_key(path)
    path.chmod(0o640)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        load_or_create_key(path)
