"""External validation's tables name this cohort's patients and the study's own, and nothing else."""

import json
from dataclasses import fields, replace

import numpy as np
import pandas as pd
import pytest

from dlre_core.extended_tables.probabilities import calibration_table, printed_calibration
from dlre_core.foundation.design import study_methods, study_questions
from dlre_core.foundation.errors import ConfigurationError, PatientLeak, StoreMismatch
from dlre_core.foundation.picture_store import open_rois, write_rois
from dlre_core.ingestion.look_alikes import hashes_as_text, perceptual_hashes
from dlre_core.recalibration.maps import Recalibration
from dlre_core.serving.frozen_study import (
    FrozenStudy,
    check_never_seen,
    check_same_settings,
    read_frozen_study,
    write_frozen_study,
)
from dlre_core.tables.accuracy_print import printed_external_table
from dlre_core.validation.cohorts import VALIDATION, external_table
from dlre_core.validation.exhibits import ExternalCohort, side_by_side, write_validation_report
from tests.helpers.pictures import jpeg, pictures
from tests.helpers.score_table import PRINT, SETTINGS, scores

STUDY = FrozenStudy(
    title="The frozen one",
    simulated=True,
    arm="a",
    images_per_patient=1,
    aggregate="mean",
    cutoff_choice="sensitivity_90",
    cutoffs={method: dict.fromkeys(study_questions(), 0.5) for method in study_methods()},
    training_range={},
    own_validation={method: dict.fromkeys(study_questions(), (0.8, 0.7, 0.9)) for method in study_methods()},
    own_patients={"f4": (132, 0.25), "ge_f3": (132, 0.45454), "ge_f2": (131, np.nan)},
    training_patients=266,
    scale_maximum_kpa=40.0,
    manifest="digest",
    pictures=("aa", "bb"),
    looks=(),
)


@pytest.fixture(scope="module")
def external():
    return scores(40).assign(cohort=VALIDATION)


def test_the_studys_own_row_has_its_patients_and_prevalence(external):
    table = external_table(external, STUDY, SETTINGS)
    blocks = side_by_side({"north": table}, STUDY, 0.95).blocks
    firsts = [row[:3] for block in blocks for row in block.rows]
    assert firsts == [
        ["The study's own", "132", "25.0 %"],
        ["north", "40", "25.0 %"],
        ["The study's own", "132", "45.5 %"],
        ["north", "40", "50.0 %"],
        ["The study's own", "131", "– %"],
        ["north", "40", "75.0 %"],
    ]


def test_the_report_counts_a_hospital_called_NA(external, tmp_path):
    paths = {field.name: tmp_path / field.name for field in fields(ExternalCohort)}
    for path in paths.values():
        path.write_text("")
    paths["enrolment"].write_text("hospital,patient,enrolled\nNA,P1,1\nX,P2,0\n")
    paths["counts"].write_text("hospital,files_found,images_stored,rejected,ignored\nNA,7,4,2,1\nX,1,1,0,0\n")
    printed = side_by_side({"north": external_table(external, STUDY, SETTINGS)}, STUDY, 0.95)
    write_validation_report(tmp_path / "report.html", {"north": ExternalCohort(**paths)}, STUDY, printed)
    page = (tmp_path / "report.html").read_text()
    assert "1 of 2 patients from 2 hospitals" in page
    assert "Of 8 files 5 pictures were stored" in page


def test_no_training_cohort_is_mentioned_where_none_is_shown(external):
    calibration = calibration_table(external, 0.95, ["dlre"], [VALIDATION])
    pages = [
        printed_calibration(calibration, 0.95, True, "Calibration").html(),
        printed_external_table(external_table(external, STUDY, SETTINGS), PRINT, "north", STUDY.title, True).html(),
    ]
    for page in pages:
        assert "T, training cohort" not in page
        assert ">Cohort<" not in page
    assert "chosen in the training cohort of “The frozen one” and frozen" in pages[1]
    both = printed_calibration(calibration_table(scores()), 0.95, True).html()
    assert "T, training cohort" in both
    assert ">Cohort<" in both


def test_frozen_cutoffs_keep_their_rule_whatever_this_study_would_do(external):
    chosen = PRINT | {"cutoff": STUDY.cutoff_choice}
    settings = replace(SETTINGS, cutoff=STUDY.cutoff_choice)
    table = external_table(external, STUDY, settings)
    assert set(table["cutoff"]) == {0.5}
    assert not table["notes"].str.contains("none was chosen").any()
    assert set(table["cutoff_choice"]) == {"sensitivity_90"}
    assert set(table["cutoff_cohort"]) == {"training"}
    page = printed_external_table(table, chosen, "north", STUDY.title, True).html()
    assert "sensitivity of 90 %, chosen in the training cohort of “The frozen one” and frozen" in page


def test_cutoffs_for_the_mean_of_pictures_are_not_put_to_their_maximum():
    same = {"images_per_patient": 1, "scale_maximum_kpa": 40.0}
    check_same_settings(STUDY, aggregate="mean", **same)
    with pytest.raises(ConfigurationError, match=r"statistics\.aggregate = max.*for the mean"):
        check_same_settings(STUDY, aggregate="max", **same)


def check_squares(study, rows, squares, path):
    write_rois(path, list(rows["image_id"]), squares)
    with open_rois(path) as store:
        check_never_seen(study, rows, store)


def test_patients_whom_the_study_had_cannot_validate_it(tmp_path):
    own, others = pictures(3), pictures(2, seed=1)
    study = replace(STUDY, looks=hashes_as_text(perceptual_hashes([own])))
    rows = pd.DataFrame(
        {
            "hospital": "X",
            "patient": ["P1", "P2"],
            "image_id": ["a", "b"],
            "pixel_digest": ["c", "d"],
        }
    )
    check_squares(study, rows, others, tmp_path / "others.h5")
    same = rows.assign(pixel_digest=["c", "bb"])
    with pytest.raises(PatientLeak, match=r"1 patients .* X/P2\."):
        check_squares(study, same, others, tmp_path / "same.h5")
    exported_again = np.stack([jpeg(own[2]), others[1]])
    with pytest.raises(PatientLeak, match=r"1 patients .* X/P1\."):
        check_squares(study, rows, exported_again, tmp_path / "again.h5")


def test_a_study_frozen_by_an_earlier_version_is_to_be_made_again(tmp_path, monkeypatch):
    monkeypatch.setattr("dlre_core.serving.frozen_study.manifest_digest", lambda folder: STUDY.manifest)
    path = tmp_path / "frozen_study.json"
    write_frozen_study(STUDY, path)
    content = json.loads(path.read_text())
    del content["looks"]
    path.write_text(json.dumps(content))
    with pytest.raises(StoreMismatch, match="made again: make study"):
        read_frozen_study(tmp_path)


def test_a_frozen_study_is_read_as_it_was_written(tmp_path, monkeypatch):
    monkeypatch.setattr("dlre_core.serving.frozen_study.manifest_digest", lambda folder: STUDY.manifest)
    write_frozen_study(STUDY, tmp_path / "frozen_study.json")
    found = read_frozen_study(tmp_path)
    assert found.own_patients["ge_f3"] == (132, 0.45454)
    assert np.isnan(found.own_patients["ge_f2"][1])
    assert found.own_validation == STUDY.own_validation


def test_two_cutoffs_and_recalibrations_are_frozen_and_may_be_missing(tmp_path, monkeypatch):
    monkeypatch.setattr("dlre_core.serving.frozen_study.manifest_digest", lambda folder: STUDY.manifest)
    maps = {"intercept": Recalibration("intercept", -0.7), "prior_shift": Recalibration("prior_shift", reason="few")}
    maps["isotonic"] = Recalibration("isotonic", probabilities=(0.1, 0.9), shares=(0.0, 1.0))
    path = tmp_path / "frozen_study.json"
    write_frozen_study(replace(STUDY, dual_cutoffs={"f4": (np.nan, 0.75)}, recalibrations={"f4": maps}), path)
    found = read_frozen_study(tmp_path)
    assert np.isnan(found.dual_cutoffs["f4"][0])
    assert found.dual_cutoffs["f4"][1] == 0.75
    assert found.recalibrations == {"f4": maps}
    # What an earlier version froze has neither.
    content = json.loads(path.read_text())
    del content["dual_cutoffs"], content["recalibrations"]
    path.write_text(json.dumps(content))
    earlier = read_frozen_study(tmp_path)
    assert (earlier.dual_cutoffs, earlier.recalibrations) == ({}, {})
    path.write_text(json.dumps(content | {"recalibrations": {"f4": {"intercept": {"what": 1}}}}))
    with pytest.raises(StoreMismatch, match="is no frozen study"):
        read_frozen_study(tmp_path)


def test_a_cutoff_that_everybody_is_above_is_none(tmp_path, monkeypatch, external):
    monkeypatch.setattr("dlre_core.serving.frozen_study.manifest_digest", lambda folder: STUDY.manifest)
    never, always = STUDY.cutoffs["apri"] | {"f4": np.inf}, STUDY.cutoffs["dlre"] | {"f4": -np.inf}
    study = replace(STUDY, cutoffs=STUDY.cutoffs | {"apri": never, "dlre": always})
    write_frozen_study(study, tmp_path / "frozen_study.json")
    found = read_frozen_study(tmp_path)
    assert np.isnan(found.cutoffs["dlre"]["f4"])
    assert np.isnan(found.cutoffs["apri"]["f4"])
    assert found.cutoffs["dlre"]["ge_f3"] == 0.5
    table = external_table(external, found, SETTINGS).set_index(["stage", "method"])
    assert table.loc[("f4", "dlre"), ["sensitivity", "specificity"]].isna().all()
    assert table.loc[("f4", "dlre"), "auc"] > 0
    assert "cut-off: none was chosen in training" in table.loc[("f4", "dlre"), "notes"]
    printed_external_table(table.reset_index(), PRINT, "north", STUDY.title, True).html()
