"""Agreement of a patient's stiffness measurements by the rule of the device's maker."""

import contextlib

import numpy as np
import pandas as pd
import pytest

from dlre_core.dicom.makers import MAKERS
from dlre_core.extended_tables.reliability import printed_reliability
from dlre_core.patients.enrolment import EnrolmentSettings, enrol_pictured, flow
from dlre_core.patients.reliability import COLUMNS, device_rules, reliability
from tests.helpers.clinical_csv import GOOD


def pictures(**patients: list[float]) -> pd.DataFrame:
    """Acquisitions of hospital A, one a stiffness."""
    rows = [("A", patient, kpa) for patient, values in patients.items() for kpa in values]
    return pd.DataFrame(rows, columns=["hospital", "patient", "q_box_mean_kpa"]).assign(manufacturer="")


def test_numbers_worked_out_by_hand():
    table = reliability(pictures(P1=[6, 7, 8, 9, 10], P2=[3, 5, 12, 27], P3=[7, np.nan], P4=[np.nan])).set_index(
        "patient"
    )
    # Quartiles 7 and 9 of median 8; 4.5 and 15.75 of 8.5; speeds 1, 1.29, 2 and 3 m/s.
    assert table.loc["P1", ["median_kpa", "iqr_over_median", "unreliable"]].tolist() == [8, 0.25, 0]
    assert table.loc["P2", "iqr_over_median"] == pytest.approx(11.25 / 8.5)
    speeds = np.sqrt([1, 5 / 3, 4, 9])
    low, high = speeds[0] + 0.75 * (speeds[1] - speeds[0]), speeds[2] + 0.25 * (speeds[3] - speeds[2])
    assert table.loc["P2", "iqr_over_median_m_s"] == pytest.approx((high - low) / speeds[1:3].mean())
    assert table.loc["P2", "unreliable"] == 1
    assert table.loc["P3", ["measurements", "median_kpa"]].tolist() == [1, 7]
    assert table.loc["P4", "measurements"] == 0
    assert table.loc[["P3", "P4"], ["iqr_over_median", "unreliable"]].isna().all(None)
    assert np.isnan(table.loc["P4", "stiffness_kpa"])


def test_at_the_limit_is_reliable_and_just_above_is_not():
    # Quartiles 8.5 and 11.5 of median 10: 30 %.
    table = reliability(pictures(P1=[7, 8.5, 10, 11.5, 13], P2=[7, 8.5, 10, 11.51, 13]))
    assert table["unreliable"].tolist() == [0, 1]


def test_each_maker_has_its_own_number_and_statistic_and_mixed_ones_the_guidelines():
    table = pictures(P1=[4, 5, 9], P2=[4, 5, 9], P3=[4, 5, 9])
    table["manufacturer"] = ["SuperSonic Imagine"] * 3 + ["GE"] * 3 + ["GE", "Philips", ""]
    found = reliability(table).set_index("patient")
    assert found["maker"].tolist() == ["SuperSonic Imagine", "GE", "any other"]
    assert found["measurements_recommended"].tolist() == [3, 10, 3]
    assert found["stiffness_kpa"].tolist() == [6, 5, 5]
    assert found["limit"].tolist() == [0.3] * 3


def test_every_rule_is_whole_and_has_its_source():
    rules = device_rules()
    assert rules.index[0] == "any other"
    assert rules["source"].str.len().min() > 10
    assert set(rules["statistic"]) == {"mean", "median"}
    # By the names that leave ingestion; those without a rule have the guideline's.
    assert set(rules.index[1:]) == set(MAKERS) - {"DLRE-SIM"}
    both = rules.dropna(subset=["iqr_over_median_kpa", "iqr_over_median_m_s"])
    assert (both["iqr_over_median_kpa"] == 2 * both["iqr_over_median_m_s"]).all()


def test_the_criterion_is_off_until_it_is_asked_for_and_then_unknown_excludes():
    sound = {name: [value] * 3 for name, value in GOOD.items() if name not in ("patient_id", "hospital")}
    patients = pd.DataFrame(sound | {"hospital": "A", "patient": ["P1", "P2", "P3"]})
    for name in patients.columns.difference(["hospital", "patient"]):
        with contextlib.suppress(ValueError):
            patients[name] = pd.to_numeric(patients[name])
    acquisitions = pictures(P1=[6, 7, 8, 9, 10], P2=[3, 5, 12, 27, 27], P3=[np.nan] * 5)
    off, on = EnrolmentSettings(), EnrolmentSettings(reliable_stiffness=True)
    assert enrol_pictured(patients, acquisitions, off)["enrolled"].tolist() == [1, 1, 1]
    assert "unreliable_stiffness" not in set(flow(enrol_pictured(patients, acquisitions, off), off)["criterion"])
    verdict = enrol_pictured(patients, acquisitions, on)
    assert verdict["enrolled"].tolist() == [1, 0, 0]
    assert verdict["first_reason"].tolist() == ["", "unreliable_stiffness", "unreliable_stiffness"]
    assert flow(verdict, on).set_index("criterion").loc["unreliable_stiffness", "excluded_first"] == 2


def test_the_printed_table_and_a_cohort_without_pictures():
    table = reliability(pictures(P1=[6, 7, 8, 9, 10], P2=[3, 5, 12, 27], P3=[7]))
    (row,) = printed_reliability(table, False).blocks[0].rows
    assert row == ["A", "any other", "3", "3", "4 (of 3)", "79 %", "1", "1"]
    empty = reliability(pictures())
    assert list(empty.columns) == COLUMNS
    assert printed_reliability(empty, True).blocks[0].rows == []
