"""Implied stages, doubts, and pictures unlike those of training, by hand."""

import re

import numpy as np
import pandas as pd
import pytest

from dlre_core.serving.frozen_study import outside_training
from dlre_core.staging.pages import patient_page
from dlre_core.staging.tables import (
    chosen_pictures,
    not_staged,
    patient_table,
    question_shown,
    withheld,
)
from tests.helpers.frozen import study


def images(f4, ge_f3, ge_f2, *, outside=("", "")):
    """Two pictures of a patient; the second one's probabilities are 0.1 higher."""
    return pd.DataFrame(
        {
            "hospital": "inbox",
            "patient": "P",
            "acquisition": [1, 2],
            "f4": [f4, f4 + 0.1],
            "ge_f3": [ge_f3, ge_f3 + 0.1],
            "ge_f2": [ge_f2, ge_f2 + 0.1],
            "q_box_mean_kpa": [5.0, 7.0],
            "outside_training": outside,
        }
    )


@pytest.mark.parametrize(
    ("probabilities", "stage", "notes", "shown"),
    [
        ((0.1, 0.2, 0.3), "F0-1", "", "ge_f2"),
        ((0.1, 0.2, 0.45), "F2", "", "ge_f2"),
        ((0.1, 0.6, 0.7), "F3", "", "ge_f3"),
        ((0.6, 0.7, 0.8), "F4", "", "f4"),
        ((0.6, 0.1, 0.8), "F4", "the answers contradict each other", "f4"),
    ],
)
def test_the_highest_yes_is_the_stage(probabilities, stage, notes, shown):
    row = patient_table(images(*probabilities), study()).iloc[0]
    assert (row["implied_stage"], row["notes"]) == (stage, notes)
    assert question_shown(row) == shown
    assert row["f4"] == pytest.approx(probabilities[0] + 0.05)
    assert row["liver_stiffness_kpa"] == 6.0


def test_doubts_are_told():
    part = images(0.1, 0.2, 0.3, outside=("brightness", "contrast;brightness"))
    row = patient_table(part, study(images_per_patient=5)).iloc[0]
    assert row["images_outside_training"] == 2
    assert row["outside_training"] == "brightness;contrast"
    assert row["notes"] == "2 of 5 pictures; unlike the pictures of training"


def test_without_a_cutoff_there_is_no_stage():
    cutoffs = {"dlre": {"f4": np.nan, "ge_f3": 0.5, "ge_f2": 0.5}}
    row = patient_table(images(0.6, 0.7, 0.8), study(cutoffs=cutoffs)).iloc[0]
    assert row["implied_stage"] == ""
    assert "no cut-off" in row["notes"]
    page = patient_page(
        row, images(0.6, 0.7, 0.8).assign(q_box_mean_kpa=np.nan), np.zeros((9, 9, 3), np.uint8), study(cutoffs=cutoffs)
    )
    cells = re.findall(r"<td[^>]*>\s*(yes|no|unknown)\s*</td>", page)
    assert cells[:3] == ["yes", "yes", "unknown"] or cells[:3] == ["unknown", "yes", "yes"]


def test_two_cutoffs_rule_out_or_in_or_leave_a_grey_zone():
    limits = {"f4": (0.2, 0.9), "ge_f3": (0.3, 0.6), "ge_f2": (np.nan, 0.75)}
    frozen = study(dual_cutoffs=limits)
    pictures = images(0.1, 0.4, 0.7)
    row = patient_table(pictures, frozen).iloc[0]
    # The second picture's probabilities are 0.1 higher, and the mean counts.
    assert [row[f"{name}_zone"] for name in ("f4", "ge_f3", "ge_f2")] == ["ruled out", "grey zone", "ruled in"]
    page = patient_page(row, pictures, np.zeros((9, 9, 3), np.uint8), frozen)
    assert "ruled out (out below 0.2000, in from 0.9000)" in page
    assert "ruled in (out below never, in from 0.7500)" in page
    # Of too few patients none could be chosen.
    none = study(dual_cutoffs=limits | {"f4": (np.nan, np.nan)})
    row = patient_table(pictures, none).iloc[0]
    assert (row["f4_zone"], row["ge_f3_zone"]) == ("", "grey zone")
    page = patient_page(row, pictures, np.zeros((9, 9, 3), np.uint8), none)
    assert "the study could choose no such cut-offs" in page
    # A study that an earlier version froze has one cut-off only.
    earlier = patient_table(pictures, study()).iloc[0]
    assert [earlier[f"{name}_zone"] for name in ("f4", "ge_f3", "ge_f2")] == ["", "", ""]
    assert "not frozen by this study" in patient_page(earlier, pictures, np.zeros((9, 9, 3), np.uint8), study())


def test_whoever_sent_files_and_is_not_staged_is_listed():
    acquisitions = pd.DataFrame(
        {
            "hospital": "inbox",
            "patient": ["P", "Q", "R"],
            "flags": ["", "no_time;also_sent_for_another_patient", np.nan],
        }
    )
    rejects = pd.DataFrame({"hospital": "inbox", "patient": ["S", np.nan, "", "P"]})
    assert withheld(acquisitions) == {"Q"}
    found = not_staged(acquisitions, rejects, {"P", "R"})
    assert found["patient"].to_list() == ["Q", "S"]
    assert found["notes"].to_list() == ["a picture was sent for another patient, too", "no usable picture"]
    assert found["images"].eq(0).all()
    assert found[["f4", "ge_f3", "ge_f2"]].isna().all(axis=None)
    assert not_staged(acquisitions, rejects, {"P", "Q", "R", "S"}).empty


def test_a_probability_has_as_many_digits_as_its_cutoff():
    cutoffs = {"dlre": {"f4": 0.7025, "ge_f3": 0.5, "ge_f2": 0.5}}
    part = images(0.65246, 0.8, 0.9)
    row = patient_table(part, study(cutoffs=cutoffs)).iloc[0]
    page = patient_page(row, part, np.zeros((9, 9, 3), np.uint8), study(cutoffs=cutoffs))
    assert "<td>0.7025</td><td>0.7025</td><td>no</td>" in page


def test_a_tenth_beyond_the_range_is_still_inside():
    found = outside_training(pd.DataFrame({"brightness": [90.0, 210.0, 89.9, 210.1, np.nan]}), study())
    assert found == [[], [], ["brightness"], ["brightness"], ["brightness"]]


def test_the_first_pictures_count():
    rois = pd.DataFrame({"image_id": ["c", "a", "b"]})
    acquisitions = pd.DataFrame(
        {"image_id": ["a", "b", "c"], "hospital": "inbox", "patient": "P", "acquisition": [1, 2, 3]}
    )
    chosen = chosen_pictures(rois, acquisitions, 2)
    assert list(chosen["image_id"]) == ["a", "b"]
    assert list(chosen["index"]) == [1, 2]
