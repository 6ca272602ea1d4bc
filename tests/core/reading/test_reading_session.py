"""A reader's session, without a browser."""

import os

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from dlre_core.elastography.square import Square
from dlre_core.foundation.errors import ReadingsError
from dlre_core.reading.reading_order import reading_order
from dlre_core.reading.reading_session import ChangedElsewhere, Given, ReadingSession
from dlre_core.reading.readings_file import Readings, read_answers
from tests.helpers.reading import FOUND, HEIGHT, WIDTH, moved, shown

NUMBER = 12


def session(path, number=NUMBER, clock=lambda: 1_800_000_000.0):
    pictures = [shown(n) for n in range(number)]
    order = reading_order([(p.patient, p.image_id) for p in pictures], "ab")
    return ReadingSession(pictures, order, Readings(path), clock=clock)


def says(verdict="accept", reason="", square=FOUND, seen=0, seconds=2.0, note=""):
    return Given(verdict, reason, note, square, False, seconds, seen)


def test_reading_goes_on_where_it_stopped(tmp_path):
    one = session(tmp_path / "ab.csv")
    position = one.next_unread()
    assert position == 0
    one.record(position, says("exclude", "motion", moved(2, 3)))
    again = session(tmp_path / "ab.csv")
    assert again.next_unread() == 1
    answer = again.answer(0)
    assert (answer.verdict, answer.reason, answer.square, answer.by_hand) == ("exclude", "motion", moved(2, 3), True)
    assert answer.time == "2027-01-15T08:00:00Z"
    assert again.progress()["read"] == 1
    assert again.undo() == 0
    assert read_answers(tmp_path / "ab.csv") == {}
    assert again.undo() is None


def test_the_second_look_does_not_show_the_first_answer(tmp_path):
    one = session(tmp_path / "ab.csv")
    second = next(place for place, look in enumerate(one.order) if look.look == 2)
    first = next(
        place for place, look in enumerate(one.order) if (look.picture, look.look) == (one.order[second].picture, 1)
    )
    one.record(first, says("exclude", "motion", moved(1)))
    assert one.entry(second)["answer"] is None
    assert set(one.entry(second)) == set(one.entry(first))
    one.record(second, says())
    assert one.answer(first).verdict == "exclude"


def test_an_answer_from_another_tab_is_not_written_over_unseen(tmp_path):
    one = session(tmp_path / "ab.csv")
    one.record(0, says("unsure"))
    with pytest.raises(ChangedElsewhere, match="another tab"):
        one.record(0, says())
    assert one.answer(0).verdict == "unsure"
    one.record(0, says(seen=one.revision(0)))
    assert one.answer(0).verdict == "accept"
    # Undo puts back what was there before.
    assert one.undo() == 0
    assert one.answer(0).verdict == "unsure"


@pytest.mark.parametrize(
    "given",
    [
        says("exclude"),
        says("maybe"),
        says(reason="motion"),
        says(square=Square(HEIGHT - 100, 0, 101)),
        says(square=Square(0, WIDTH - 100, 101)),
        says(square=Square(-1, 0, 100)),
        says(seconds=-1.0),
        says(seconds=float("nan")),
        says(note="a\nb"),
        says(note="x" * 201),
    ],
)
def test_what_cannot_be_so_is_not_saved(tmp_path, given):
    one = session(tmp_path / "ab.csv")
    with pytest.raises(ReadingsError):
        one.record(0, given)
    assert one.answer(0) is None
    assert not (tmp_path / "ab.csv").exists()


def test_on_a_full_disk_nothing_changes(tmp_path, monkeypatch):
    one = session(tmp_path / "ab.csv")
    one.record(0, says())

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    for change in (lambda: one.record(1, says()), one.undo):
        with pytest.raises(OSError, match="No space"):
            change()
    assert (one.answer(0).verdict, one.answer(1)) == ("accept", None)
    assert one.revision(1) == 0
    monkeypatch.undo()
    one.record(1, says())
    assert one.undo() == 1


def test_flagged_ones_alone_can_be_read(tmp_path):
    one = session(tmp_path / "ab.csv")
    positions = []
    position = one.next_unread(flagged_only=True)
    while position is not None:
        positions.append(position)
        one.record(position, says())
        position = one.next_unread(position, flagged_only=True)
    assert positions == one.progress()["flagged"]
    assert one.next_unread() is not None


def test_the_time_left_is_the_median_of_the_answers(tmp_path):
    one = session(tmp_path / "ab.csv")
    assert one.progress()["seconds_left"] is None
    for position, seconds in enumerate((1.0, 2.0, 100.0)):
        one.record(position, says(seconds=seconds))
    assert one.progress()["seconds_left"] == 2 * (len(one) - 3)
    assert one.progress()["marks"] == "aaa" + "-" * (len(one) - 3)


def test_a_page_is_told_places_and_its_own_answer_only(tmp_path):
    one = session(tmp_path / "ab.csv")
    entry = one.entry(0)
    assert set(entry) == {
        "position",
        "revision",
        "width",
        "height",
        "box",
        "found",
        "flagged",
        "answer",
        "others",
    }
    assert "patient" not in str(entry)
    assert "image0" not in str(entry)


class Reader(RuleBasedStateMachine):
    """Answers, undoes and begins anew at random; the file always holds what was answered and not undone."""

    folder: object = None

    def __init__(self):
        super().__init__()
        self.path = Reader.folder.mktemp("reader") / "ab.csv"
        self.session, self.expected, self.history = session(self.path), {}, []

    @rule(
        position=st.integers(0, NUMBER),
        verdict=st.sampled_from(["accept", "exclude", "unsure"]),
        shift=st.integers(-5, 5),
    )
    def answer(self, position, verdict, shift):
        reason = "motion" if verdict == "exclude" else ""
        seen = self.session.revision(position)
        self.session.record(position, says(verdict, reason, moved(shift), seen))
        self.history.append((position, self.expected.pop(position, None)))
        self.expected[position] = (verdict, moved(shift))

    @precondition(lambda self: self.history)
    @rule()
    def undo(self):
        position, before = self.history.pop()
        assert self.session.undo() == position
        self.expected.pop(position)
        if before:
            self.expected[position] = before

    @rule()
    def begin_anew(self):
        self.session, self.history = session(self.path), []

    @invariant()
    def the_file_holds_what_was_answered(self):
        stored = {
            self.session.order.index((int(image_id.removeprefix("image")), look)): (answer.verdict, answer.square)
            for (image_id, look), answer in read_answers(self.path).items()
        }
        assert stored == self.expected
        assert self.session.progress()["read"] == len(self.expected)
        unread = [position for position in range(len(self.session)) if position not in self.expected]
        assert self.session.next_unread() == (unread[0] if unread else None)


def test_whatever_a_reader_does_nothing_is_lost(tmp_path_factory):
    Reader.folder = tmp_path_factory

    run_state_machine_as_test(Reader, settings=settings(max_examples=25, stateful_step_count=25, deadline=None))
