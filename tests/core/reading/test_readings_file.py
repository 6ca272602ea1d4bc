"""A reader's file: what goes in comes out, and nothing else is taken."""

import os
import stat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlre_core.elastography.square import Square
from dlre_core.foundation.errors import ReadingsError
from dlre_core.reading.readings_file import (
    COLUMNS,
    REASONS,
    Readings,
    check_reader,
    held_by_one,
    read_answers,
    readers_of,
)
from tests.helpers.reading import answer, excluded, moved

notes = st.text(st.characters(codec="utf-8"), max_size=200).filter(str.isprintable)
answers = st.builds(
    lambda number, look, reason, note, square, hand, wrong, seconds: answer(
        f"image{number}",
        look=look,
        verdict="exclude" if reason else "accept",
        reason=reason,
        note=note,
        square=Square(*square),
        by_hand=hand,
        box_wrong=wrong,
        seconds=seconds,
    ),
    st.integers(0, 5),
    st.sampled_from([1, 2]),
    st.sampled_from(["", *REASONS]),
    notes,
    st.tuples(st.integers(0, 4000), st.integers(0, 4000), st.integers(32, 2000)),
    st.booleans(),
    st.booleans(),
    st.integers(0, 863_999).map(lambda tenths: tenths / 10),
)


@settings(max_examples=50, deadline=None)
@given(st.lists(answers, max_size=12))
def test_what_is_answered_is_read_again_in_the_order_of_the_answers(tmp_path_factory, given_answers):
    path = tmp_path_factory.mktemp("readings") / "ab.csv"
    readings, expected = Readings(path), {}
    for one in given_answers:
        before = readings.put(one)
        assert before == expected.pop(one.key, None)
        expected[one.key] = one
    assert list(read_answers(path).items()) == list(expected.items())
    again = Readings(path)
    assert again.answers == readings.answers


def test_the_file_is_the_readers_alone(tmp_path):
    path = tmp_path / "readings" / "ab.csv"
    Readings(path).put(answer())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [p.name for p in path.parent.iterdir()] == ["ab.csv"]


def test_an_answer_that_cannot_be_saved_changes_nothing(tmp_path, monkeypatch):
    readings = Readings(tmp_path / "ab.csv")
    readings.put(answer("image1"))
    content = readings.path.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        readings.put(answer("image2"))
    with pytest.raises(OSError, match="No space"):
        readings.take_back(("image1", 1))
    assert readings.path.read_bytes() == content
    assert list(readings.answers) == [("image1", 1)]
    monkeypatch.undo()
    readings.put(answer("image3"))
    assert list(read_answers(readings.path)) == [("image1", 1), ("image3", 1)]


@pytest.mark.parametrize(
    ("column", "value", "word"),
    [
        ("verdict", "yes", "verdict = 'yes'"),
        ("reason", "motion", "reason = 'motion'"),
        ("size", "31", "smaller than 32"),
        ("row", "-1", "not inside"),
        ("row", "1.5", "1.5"),
        ("by_hand", "2", "2"),
        ("look", "3", "look = 3"),
        ("seconds", "nan", "seconds = nan"),
        ("time", "yesterday", "time = 'yesterday'"),
        ("note", "x" * 201, "at most 200"),
        ("image_id", "a/b", "names no picture"),
    ],
)
def test_a_line_that_cannot_be_so_is_refused_with_its_place(tmp_path, column, value, word):
    path = tmp_path / "ab.csv"
    Readings(path).put(answer())
    cells = path.read_text().splitlines()[1].split(",")
    cells[COLUMNS.index(column)] = value
    path.write_text(",".join(COLUMNS) + "\n" + ",".join(cells) + "\n")
    with pytest.raises(ReadingsError, match="line 2") as caught:
        read_answers(path)
    assert word in str(caught.value)
    assert "copy of the file" in str(caught.value)


def test_other_columns_a_second_answer_and_a_short_line_are_refused(tmp_path):
    path = tmp_path / "ab.csv"
    Readings(path).put(answer())
    head, line = path.read_text().splitlines()
    for text, word in (
        (f"a,b\n{line}\n", "columns"),
        (f"{head}\n{line}\n{line}\n", "twice"),
        (f"{head}\na,b\n", "2 cells"),
    ):
        path.write_text(text)
        with pytest.raises(ReadingsError, match=word):
            read_answers(path)


def test_readers_are_the_files_but_for_the_consensus_and_what_is_hidden(tmp_path):
    for name in ("cd.csv", "ab.csv", "consensus.csv", ".ab.lock", "ab.csv.partial", "note.txt"):
        (tmp_path / "readings").mkdir(exist_ok=True)
        (tmp_path / "readings" / name).touch()
    assert readers_of(tmp_path) == ["ab", "cd"]


@pytest.mark.parametrize("name", ["", "../ab", "a b", "Consensus", "é", "a" * 33, ".ab", "-a", "ab.csv"])
def test_a_name_that_cannot_be_a_file_is_refused(name):
    with pytest.raises(ReadingsError, match="READER"):
        check_reader(name)
    assert check_reader("Dr_A-1") == "Dr_A-1"


def test_two_programs_cannot_hold_one_readers_file(tmp_path):
    path = tmp_path / "ab.csv"
    with held_by_one(path):
        with pytest.raises(ReadingsError, match="another make read"), held_by_one(path):
            pass
        with held_by_one(tmp_path / "cd.csv"):
            pass
    with held_by_one(path):
        pass


def test_a_square_may_be_moved(tmp_path):
    readings = Readings(tmp_path / "ab.csv")
    readings.put(excluded("image1", square=moved(3, -4, 5), by_hand=True))
    assert read_answers(readings.path)["image1", 1].square == moved(3, -4, 5)
