"""An arm that cannot be trained is known by the table, before anything runs."""

import pandas as pd
import pytest

from dlre_core.patients.enrolment import EnrolmentSettings
from dlre_core.preflight.folder_check import main
from dlre_core.preflight.trainable_arms import eligible_patients, untrainable_arms
from tests.helpers.clinical_csv import GOOD
from tests.helpers.cohort_folders import write_folder

SPLITS = {
    "overall": {"method": "random", "training_fraction": 0.67},
    "a": {"method": "hospitals", "training": ["A"]},
    "b": {"method": "hospitals", "training": ["B"]},
}
ARMS = {"overall_5_images": {"split": "overall"}, "of_a": {"split": "a"}, "of_b": {"split": "b"}}


def stages(**hospitals):
    rows = [(name, stage) for name, found in hospitals.items() for stage in found]
    return pd.DataFrame(rows, columns=["hospital", "fibrosis_stage"])


@pytest.mark.parametrize(
    ("found", "skipped"),
    [
        ({"A": [0, 2, 4], "B": [1, 4]}, {}),
        ({"A": [2, 3, 4], "B": [1, 4]}, {"of_a": "F0 or F1"}),
        ({"A": [0, 2, 4], "B": [1, 2, 3]}, {"of_b": "F4"}),
        ({"A": [2, 4], "B": [3]}, dict.fromkeys(ARMS, "F0 or F1")),
        ({"A": [0, 4]}, {}),
        ({}, {}),
    ],
)
def test_an_arm_needs_both_ends_of_the_scale_in_training(found, skipped):
    reasons = untrainable_arms(ARMS, SPLITS, stages(**found))
    assert reasons.keys() == skipped.keys()
    for arm, lacking in skipped.items():
        assert f"has {lacking}," in reasons[arm]


def rows(*found):
    return [GOOD | {"patient_id": f"A{n:04d}", "fibrosis_stage": s} for n, s in enumerate(found)]


def test_only_who_could_be_enrolled_counts(tmp_path):
    patients = rows("0", "3", "4")
    patients[0]["other_liver_disease"] = "1"
    folder = write_folder(tmp_path, patients)
    found = eligible_patients(folder / "clinical.csv", ["A"], EnrolmentSettings())
    assert sorted(found["fibrosis_stage"]) == [3, 4]
    assert eligible_patients(tmp_path / "absent.csv", ["A"], EnrolmentSettings()).empty


def test_check_data_says_it_before_anything_trains(tmp_path, capsys):
    folder = write_folder(tmp_path, rows("2", "3", "4"))
    main([str(folder)])
    said = capsys.readouterr().out
    assert "Nobody who could be enrolled has F0 or F1" in said
    assert said.index("Nobody who") < said.index("cohort: {")
    folder = write_folder(tmp_path, rows("0", "3", "4"))
    main([str(folder)])
    assert "Nobody who" not in capsys.readouterr().out
