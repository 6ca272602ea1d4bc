"""The order in which a reader sees the pictures."""

from hypothesis import given, settings
from hypothesis import strategies as st

from dlre_core.reading.reading_order import LEAST_BETWEEN, reading_order

studies = st.lists(st.integers(0, 30), max_size=200).map(
    lambda patients: [(f"p{patient}", f"i{number}") for number, patient in enumerate(patients)]
)


@settings(max_examples=60, deadline=None)
@given(studies, st.sampled_from(["ab", "cd"]), st.integers(0, 3))
def test_every_picture_is_seen_once_and_a_tenth_once_more_later(pictures, reader, seed):
    order = reading_order(pictures, reader, seed)
    first = [look.picture for look in order if look.look == 1]
    second = [look.picture for look in order if look.look == 2]
    assert sorted(first) == list(range(len(pictures)))
    assert len(second) == len(set(second)) == -(-len(pictures) // 10)
    places = {tuple(look): place for place, look in enumerate(order)}
    for picture in second:
        between = places[picture, 2] - places[picture, 1] - 1
        rest = len(order) - places[picture, 1] - 1 - len(second)
        assert between >= min(LEAST_BETWEEN - 1, rest)


@settings(max_examples=30, deadline=None)
@given(studies)
def test_pictures_of_a_patient_follow_one_another(pictures):
    seen = [pictures[look.picture][0] for look in reading_order(pictures, "ab") if look.look == 1]
    changes = [a for a, b in zip(seen, [None, *seen], strict=False) if a != b]
    assert len(changes) == len(set(seen))


@settings(max_examples=30, deadline=None)
@given(studies, st.integers(0, 200))
def test_new_pictures_leave_the_others_in_their_order(pictures, number):
    def first(some):
        return [some[look.picture] for look in reading_order(some, "ab") if look.look == 1]

    fewer = pictures[: min(number, len(pictures))]
    assert [one for one in first(pictures) if one in set(fewer)] == first(fewer)


def test_the_order_is_the_readers_own_and_the_same_again():
    pictures = [(f"p{n // 5}", f"i{n}") for n in range(200)]
    ab, again, cd = (reading_order(pictures, reader) for reader in ("ab", "ab", "cd"))
    assert ab == again
    assert ab != cd
    assert reading_order(pictures, "ab", seed=1) != ab
    patients = [pictures[look.picture][0] for look in ab if look.look == 1]
    assert patients != sorted(patients)
