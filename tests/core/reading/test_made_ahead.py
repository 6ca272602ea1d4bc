"""What one thread makes by number: right for many askers, tried again where it failed, and few are kept."""

import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from dlre_core.reading.made_ahead import MadeAhead


@pytest.fixture
def hasty_threads():
    """Threads take turns after every few steps, so that what they may not interrupt is interrupted."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


@pytest.mark.usefixtures("hasty_threads")
def test_many_threads_that_ask_for_more_than_is_kept_get_their_own():
    with MadeAhead(lambda number: number**2, 1, "squares") as squares, ThreadPoolExecutor(16) as askers:
        numbers = [number % 3 for number in range(20_000)]
        assert list(askers.map(squares.made, numbers)) == [number**2 for number in numbers]


def test_what_is_kept_is_made_once_and_the_oldest_goes():
    made = Counter()
    with MadeAhead(lambda number: made.update([number]), 2, "counts") as counts:
        for number in (1, 2, 1, 3, 1, 2):
            counts.made(number)
    assert made == {1: 1, 2: 2, 3: 1}


def test_what_could_not_be_made_is_tried_again():
    answers = iter([OSError("gone"), 7])

    def make(number):
        answer = next(answers)
        if isinstance(answer, OSError):
            raise answer
        return answer

    with MadeAhead(make, 2, "tries") as tries:
        with pytest.raises(OSError, match="gone"):
            tries.made(1)
        assert tries.made(1) == 7
