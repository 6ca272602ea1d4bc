"""Agreement of two readers: by hand, by statsmodels, and by what clusters must do to an interval."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.inter_rater import cohens_kappa

from dlre_core.reader_agreement.agreement import cohen_kappa, gwet_ac1
from dlre_core.reader_agreement.agreement_table import COLUMNS, agreement_table, printed_agreement
from dlre_core.reading.readings_file import Readings, readings_path
from tests.helpers.reading import answer, excluded, moved


def raters(both, first, second, none):
    """Answers of two raters with so many pictures in each cell, each of a patient of its own."""
    a = np.repeat([1, 1, 0, 0], [both, first, second, none])
    b = np.repeat([1, 0, 1, 0], [both, first, second, none])
    return a, b, np.arange(len(a))


def test_both_measures_by_hand():
    # Observed 0.84. Kappa: chance 0.5 x 0.46 + 0.5 x 0.54. AC1: yes 0.48, chance 2 x 0.48 x 0.52.
    a, b, patients = raters(40, 10, 6, 44)
    assert cohen_kappa(a, b, patients).value == pytest.approx((0.84 - 0.5) / 0.5)
    assert gwet_ac1(a, b, patients).value == pytest.approx((0.84 - 0.4992) / (1 - 0.4992))


def test_gwets_paradox():
    # Nearly all are accepted by both: kappa is low, AC1 is not.
    a, b, patients = raters(118, 5, 2, 0)
    assert cohen_kappa(a, b, patients).value == pytest.approx(-0.0234, abs=5e-5)
    assert gwet_ac1(a, b, patients).value == pytest.approx(0.9408, abs=5e-5)


@settings(max_examples=40, deadline=None)
@given(st.integers(40, 200), st.integers(5, 40), st.integers(5, 40), st.integers(40, 200))
def test_without_clusters_the_interval_is_the_asymptotic_one(both, first, second, none):
    ours = cohen_kappa(*raters(both, first, second, none))
    theirs = cohens_kappa(np.array([[none, second], [first, both]]), return_results=True)
    assert ours.value == pytest.approx(theirs.kappa)
    width = 2 * 1.97 * theirs.std_kappa
    assert ours.high - ours.low == pytest.approx(width, rel=0.03)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(0, 5)), min_size=1, max_size=60))
def test_limits_lie_around_the_value_and_order_does_not_matter(pictures):
    a, b, patients = (list(column) for column in zip(*pictures, strict=True))
    for rate in (cohen_kappa, gwet_ac1):
        one, other = rate(a, b, patients), rate(b[::-1], a[::-1], patients[::-1])
        assert math.isclose(one.value, other.value) or not (one.defined or other.defined)
        if one.defined and not math.isnan(one.low):
            assert -1 <= one.low <= one.value + 1e-12
            assert one.value - 1e-12 <= one.high <= 1


def test_pictures_of_one_patient_are_not_worth_as_much_as_of_several():
    a, b, patients = raters(60, 10, 10, 20)
    rng = np.random.default_rng(1)
    order = rng.permutation(len(a))
    five = np.tile([a[order], b[order]], 5)
    each = np.arange(five.shape[1])
    for rate in (cohen_kappa, gwet_ac1):
        once = rate(a[order], b[order], patients)
        # The same picture five times tells no more than once; five patients would.
        clustered, apart = rate(*five, each % len(a)), rate(*five, each)
        assert clustered.low == pytest.approx(once.low)
        assert apart.high - apart.low < 0.5 * (once.high - once.low)


def test_what_does_not_exist_says_why():
    assert cohen_kappa([], [], []).reason == "no picture has both answers"
    assert cohen_kappa([1, 1], [1, 1], [1, 2]).reason == "both accept all, or exclude all"
    assert gwet_ac1([1, 1], [1, 1], [1, 2]).value == 1
    assert gwet_ac1([1, 1], [1, 1], [1, 2]).reason == "an interval needs 5 patients"
    assert math.isnan(gwet_ac1([1, 0], [1, 1], ["a", "a"]).low)
    six = [1, 1, 1, 1, 1, 0]
    assert cohen_kappa(six, six, range(6)).reason == "without one of the patients both accept all, or exclude all"
    assert gwet_ac1(six, six, range(6)).reason == "an interval needs a disagreement"
    assert gwet_ac1(six, six[::-1], range(6)).reason == ""


@pytest.fixture
def cohort(tmp_path):
    ab, cd = (Readings(readings_path(tmp_path, name)) for name in ("ab", "cd"))
    rows = []
    for n in range(40):
        hospital = "A" if n < 30 else "B"
        rows.append([f"image{n:04d}", hospital, f"p{n // 4}"])
        own = {"hospital": hospital}
        ab.put(excluded(f"image{n:04d}", **own) if n % 8 == 0 else answer(f"image{n:04d}", **own))
        cd.put(excluded(f"image{n:04d}", **own) if n % 4 == 0 else answer(f"image{n:04d}", square=moved(3, 4), **own))
        if n % 10 == 1:
            ab.put(answer(f"image{n:04d}", look=2, verdict="unsure" if n == 1 else "accept", **own))
    for hospital in "AB":
        here = pd.DataFrame([row for row in rows if row[1] == hospital], columns=["image_id", "hospital", "patient"])
        here.to_csv(tmp_path / f"{hospital}.csv", index=False)
    return tmp_path


def test_the_table_counts_each_hospital_and_each_reader(cohort):
    table = agreement_table(cohort, [cohort / "A.csv", cohort / "B.csv"], confidence=0.95)
    assert list(table.columns) == COLUMNS
    assert list(table["compared"]) == ["between"] * 3 + ["within_1", "within_2"]
    assert list(table["hospital"]) == ["All", "A", "B", "All", "All"]
    counts = table[["pictures", "both", "one", "none", "unsure"]].to_numpy().tolist()
    assert counts == [[40, 30, 5, 5, 0], [30, 22, 4, 4, 0], [10, 8, 1, 1, 0], [4, 3, 1, 0, 1], [0, 0, 0, 0, 0]]
    everybody = table.iloc[0]
    # Observed 35/40; both accept 35/40 x 30/40, none 5/40 x 10/40.
    chance = 35 * 30 / 1600 + 5 * 10 / 1600
    assert everybody["kappa"] == pytest.approx((35 / 40 - chance) / (1 - chance))
    assert everybody["kappa_low"] < everybody["kappa"] < everybody["kappa_high"]
    assert everybody["distance_median_pixels"] == 5
    assert everybody["overlap_median"] == pytest.approx(247 * 246 / (2 * 250**2 - 247 * 246))


def test_a_picture_that_is_no_longer_stored_does_not_count(cohort):
    table = agreement_table(cohort, [cohort / "B.csv"], confidence=0.95)
    assert table["pictures"].iloc[0] == 10


def test_no_name_of_a_reader_is_printed(cohort):
    table = agreement_table(cohort, [cohort / "A.csv", cohort / "B.csv"], confidence=0.95)
    html = printed_agreement(table, 0.95, simulated=True).html()
    assert "Reader 1 and reader 2" in html
    assert "simulated" in html.lower()
    for text in (html, table.to_csv()):
        assert "ab" not in text.replace(",", " ").replace(">", " ").replace("<", " ").split()
