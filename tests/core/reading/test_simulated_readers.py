"""Simulated readers: they find most of the bad pictures, and give the same bytes again."""

import numpy as np
import pytest

from dlre_core.reading.readings_file import read_answers
from dlre_core.reading.simulated_readers import SimulatedReader, main, simulated_readings
from tests.helpers.reading import shown, stored_study

PICTURES = [shown(n, patients=60) for n in range(300)]
SIGNAL = np.linspace(0, 1, 300)


def first(path):
    return {int(k[0].removeprefix("image")): a for k, a in read_answers(path).items() if k[1] == 1}


def test_they_exclude_what_they_should_as_often_as_they_say(tmp_path):
    reader = SimulatedReader(sensitivity=0.8, false_exclusions=0.05, unsure=0.0, jitter_pixels=6)
    simulated_readings(PICTURES, SIGNAL, tmp_path / "a.csv", reader, 1)
    answers = first(tmp_path / "a.csv")
    bad = [answers[n].verdict == "exclude" for n in range(30)]
    good = [answers[n].verdict == "exclude" for n in range(30, 300)]
    # Within three standard errors.
    assert np.mean(bad) == pytest.approx(0.8, abs=0.22)
    assert np.mean(good) == pytest.approx(0.05, abs=0.04)
    rows = [answer.square.row - PICTURES[0].found.row for answer in answers.values()]
    assert np.std(rows) == pytest.approx(6, abs=1)


def test_the_same_seed_gives_the_same_bytes_and_another_reader_others(tmp_path):
    for folder, name, seed in (("x", "a", 1), ("y", "a", 1), ("z", "a", 2), ("x", "b", 1)):
        simulated_readings(PICTURES[:50], SIGNAL[:50], tmp_path / folder / f"{name}.csv", SimulatedReader(), seed)
    a, again, other = ((tmp_path / folder / "a.csv").read_bytes() for folder in "xyz")
    assert a == again
    assert a != other
    assert first(tmp_path / "x" / "a.csv") != first(tmp_path / "x" / "b.csv")


def test_a_real_cohort_gets_none(tmp_path, capsys):
    stored_study(tmp_path / "store", {"A": 3})
    (tmp_path / "cohort").mkdir()
    (tmp_path / "cohort" / "clinical.csv").touch()
    assert main(["--store", str(tmp_path / "store"), "--cohort", str(tmp_path / "cohort")]) == 2
    assert "no simulated cohort" in capsys.readouterr().out
    assert not (tmp_path / "cohort" / "readings").exists()
