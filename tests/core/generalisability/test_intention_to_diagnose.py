"""Extended tables 16 and 17: failed elastography counted, by hand and by simulation."""

import numpy as np
import pandas as pd
import pytest

from dlre_core.generalisability.failure_rates import failure_rates, printed_failure_rates
from dlre_core.generalisability.intention_to_diagnose import (
    attempted_patients,
    intention_to_diagnose,
    printed_intention_to_diagnose,
    with_failures,
)
from dlre_core.statistics.proportions import proportion
from dlre_core.tables.table_2_accuracy import table_2
from tests.helpers.score_table import SETTINGS, scores


def test_by_hand():
    wrong, right = (with_failures((40, 50), (10, 60), counted_right=side) for side in (False, True))
    # 40 of 60 are right; or 40 and the 10 that failed.
    assert wrong.value == pytest.approx(40 / 60)
    assert right.value == pytest.approx(50 / 60)
    # R: p <- 40/50; q <- 50/60; a <- binom.test(40, 50)$conf.int; b <- binom.test(50, 60)$conf.int
    #    exp(log(p * q) + c(-1, 1) * sqrt(c(log(p / a[1])^2 + log(q / b[1])^2, log(a[2] / p)^2 + log(b[2] / q)^2)))
    assert (wrong.low, wrong.high) == pytest.approx((0.5229695261755, 0.7757442420955), rel=1e-9)


def test_counted_as_right_the_wrong_answers_are_the_product():
    # Ten wrong answers in 50 results, as if they were the right ones, turned round.
    turned = with_failures((10, 50), (10, 60))
    right = with_failures((40, 50), (10, 60), counted_right=True)
    assert (right.low, right.high) == pytest.approx((1 - turned.high, 1 - turned.low))
    assert right.low < right.value < right.high


def test_where_nothing_fails_table_2_stands():
    for side in (False, True):
        found = with_failures((40, 50), (0, 60), counted_right=side)
        assert found.value == pytest.approx(0.8)
    assert with_failures((0, 50), (10, 60)).value == 0
    assert with_failures((0, 50), (10, 60)).high > proportion(0, 50).high * 0.8
    assert with_failures((50, 50), (10, 60), counted_right=True).value == 1
    assert with_failures((40, 50), (60, 60)).value == 0
    assert with_failures((0, 0), (3, 5)).reason == "no results"
    assert with_failures((3, 5), (0, 0)).reason == "nobody was tried"


def test_the_limits_are_about_those_of_one_share():
    """The same patients as one binomial: 40 of 60, Clopper and Pearson."""
    one, product = proportion(40, 60), with_failures((40, 50), (10, 60))
    assert (product.low, product.high) == pytest.approx((one.low, one.high), abs=0.035)


def test_the_interval_covers():
    """Sensitivity 0.85 among 60 results, failures 0.1 of 200: 4,000 intervals hold 0.765 in 95 % or more."""
    rng = np.random.default_rng(2)
    counts = zip(rng.binomial(60, 0.85, 4000), rng.binomial(200, 0.1, 4000), strict=True)
    held = []
    for hits, failed in counts:
        found = with_failures((int(hits), 60), (int(failed), 200))
        held.append(found.low <= 0.85 * 0.9 <= found.high)
    assert 0.945 <= np.mean(held) <= 0.99


@pytest.fixture
def study():
    table = scores(300)
    failed = scores(40, seed=5).assign(patient=[f"X{i}" for i in range(40)])
    everybody = pd.concat([table, failed], ignore_index=True)
    enrolment = everybody[["hospital", "patient"]].assign(
        enrolled=np.repeat([1, 0], [300, 40]), elastography_failed=np.repeat([0, 1, 0], [300, 24, 16])
    )
    patients = everybody[["hospital", "patient", "fibrosis_stage", "bmi_kg_m2"]].copy()
    patients.loc[0, "bmi_kg_m2"] = np.nan
    return table, enrolment, patients


def test_only_those_whom_all_else_admits_were_tried(study):
    _, enrolment, patients = study
    tried = attempted_patients(enrolment, patients)
    assert (len(tried), tried["failed"].sum()) == (324, 24)
    assert set(tried.loc[tried["failed"] == 1, "patient"]) == {f"X{i}" for i in range(24)}


def test_the_table_counts_failures_by_class(study):
    table, enrolment, patients = study
    accuracy = table_2(table, SETTINGS)
    found = intention_to_diagnose(accuracy, attempted_patients(enrolment, patients), SETTINGS)
    row = found[(found["stage"] == "f4") & (found["method"] == "dlre")].iloc[0]
    # Every fourth patient has F4: 75 of 300 and 6 of 24.
    assert row[["failed_cases", "tried_cases", "failed_controls", "tried_controls"]].tolist() == [6, 81, 18, 243]
    here = (accuracy["stage"] == "f4") & (accuracy["method"] == "dlre") & (accuracy["cohort"] == "validation")
    plain = accuracy[here].iloc[0]
    assert row["sensitivity"] == plain["sensitivity"]
    assert row["sensitivity_low"] == pytest.approx(plain["sensitivity_low"])
    assert row["sensitivity_failed_wrong"] == pytest.approx(plain["sensitivity"] * 75 / 81)
    assert row["specificity_failed_right"] == pytest.approx(1 - (1 - plain["specificity"]) * 225 / 243)
    printed = printed_intention_to_diagnose(found, SETTINGS, simulated=True)
    assert "Extended table 16" in printed.caption
    assert printed.blocks[0].rows[0][:3] == ["DLRE", "6 of 81", "18 of 243"]


def test_too_few_results_and_no_cutoff_are_words(study):
    table, enrolment, patients = study
    accuracy = table_2(table, SETTINGS)
    here = (accuracy["stage"] == "f4") & (accuracy["cohort"] == "validation")
    accuracy.loc[here & (accuracy["method"] == "dlre"), ["true_positives", "false_negatives"]] = [2, 2]
    accuracy.loc[here & (accuracy["method"] == "lsm"), ["true_positives", "false_negatives"]] = np.nan
    found = intention_to_diagnose(accuracy, attempted_patients(enrolment, patients), SETTINGS)
    part = found[found["stage"] == "f4"].set_index("method")
    assert part["sensitivity_failed_wrong"].isna().all()
    assert part.loc["dlre", "notes"] == "sensitivity: 4 cases, fewer than 5"
    assert part.loc["lsm", "notes"] == "sensitivity: no cut-off"
    notes = printed_intention_to_diagnose(found, SETTINGS, simulated=False).footnotes
    assert "4 cases, fewer than 5" in notes[-1]


def test_failure_rates_by_bmi_hospital_and_stage(study):
    _, enrolment, patients = study
    attempted = attempted_patients(enrolment, patients)
    table = failure_rates(attempted, 25.0).set_index(["grouping", "group"])
    assert table.loc[("All patients", "All"), ["tried", "failed"]].tolist() == [324, 24]
    whole = proportion(24, 324)
    assert table.loc[("All patients", "All"), ["rate", "rate_low", "rate_high"]].tolist() == pytest.approx(
        [whole.value, whole.low, whole.high]
    )
    groups = [group for grouping, group in table.index if grouping == "BMI"]
    assert groups == ["≤25 kg/m²", ">25 to 30 kg/m²", "unknown"]
    unknown = table.loc[("BMI", "unknown")]
    assert np.isnan(unknown["rate"])
    assert unknown["notes"] == "1 patient, fewer than 5"
    assert [group for grouping, group in table.index if grouping == "Hospital"] == ["A", "B"]
    stages = table.loc["Stage"]
    assert list(stages.index) == ["F0-1", "F2", "F3", "F4"]
    assert stages["failed"].tolist() == [6, 6, 6, 6]
    printed = printed_failure_rates(table.reset_index(), 0.95, simulated=True)
    cells = {row[0]: row for block in printed.blocks for row in block.rows}
    assert cells["unknown"][3] == "1 patient, fewer than 5"
    assert cells["All"][3].startswith("7.4 (")


def test_five_patients_have_a_rate_and_four_have_none(study):
    _, enrolment, patients = study
    attempted = attempted_patients(enrolment, patients)
    attempted["hospital"] = np.repeat(["A", "B", "C"], [315, 5, 4])
    table = failure_rates(attempted, 25.0).set_index(["grouping", "group"])
    assert table.loc[("Hospital", "B"), "rate"] == 1
    assert table.loc[("Hospital", "C"), "notes"] == "4 patients, fewer than 5"


def test_a_study_without_failures_says_zero(study):
    _, enrolment, patients = study
    attempted = attempted_patients(enrolment[:300], patients)
    table = failure_rates(attempted, 32.0)
    assert table["failed"].sum() == 0
    assert ">30" not in " ".join(table["group"])
