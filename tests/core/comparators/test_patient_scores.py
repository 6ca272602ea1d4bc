"""Patient scores by hand, and the same numbers from pandas-free loops."""

import numpy as np
import pandas as pd
import pytest

from dlre_core.comparators.patient_scores import patient_scores
from dlre_core.comparators.registry import UpperLimit, comparator, comparator_scores
from dlre_core.foundation.design import score_columns
from dlre_core.foundation.errors import StoreMismatch


def tables():
    rows = [("A", "P1", 4, i, f"a{i}", 0.1 * i) for i in (1, 2, 3)]
    rows += [("B", "P2", 1, i, f"b{i}", 0.5) for i in (1, 2, 3)]
    predictions = pd.DataFrame(
        rows, columns=["hospital", "patient", "fibrosis_stage", "acquisition", "image_id", "f4"]
    ).assign(cohort="training", ge_f3=0.2, ge_f2=0.9)
    acquisitions = pd.DataFrame(
        {
            "image_id": ["a1", "a2", "a3", "b1", "b2", "b3", "b4"],
            "q_box_mean_kpa": [5.0, 50.0, 7.0, np.nan, 4.0, 6.0, 99.0],
        }
    )
    patients = pd.DataFrame(
        {
            "hospital": ["B", "A"],
            "patient": ["P2", "P1"],
            "inflammation_grade": [3, 1],
            "age_years": [50, 40],
            "ast_iu_l": [80.0, 60.0],
            "alt_iu_l": [64.0, np.nan],
            "platelets_10e9_l": [100.0, 150.0],
            "bmi_kg_m2": [22.0, 30.0],
        }
    )
    return predictions, acquisitions, patients


def test_by_hand():
    scores = patient_scores(*tables(), upper_limits={"ast_iu_l": UpperLimit(40, {"A": 30})})
    assert list(scores) == score_columns()
    first, second = scores.to_dict("records")
    assert first["dlre_f4"] == pytest.approx(0.2)
    assert first["lsm"] == 7.0
    assert first["apri"] == pytest.approx(60 / 30 * 100 / 150)
    assert np.isnan(first["fib4"])
    assert second["lsm"] == 5.0
    assert second["apri"] == pytest.approx(2.0)
    assert second["fib4"] == pytest.approx(5.0)
    assert (first["images"], second["inflammation_grade"]) == (3, 3)


def test_without_any_stiffness_lsm_is_missing_and_not_zero():
    predictions, acquisitions, patients = tables()
    acquisitions["q_box_mean_kpa"] = [np.nan, np.nan, np.nan, 3.0, 4.0, 6.0, 99.0]
    assert patient_scores(predictions, acquisitions, patients)["lsm"].isna().tolist() == [True, False]


@pytest.mark.parametrize(("aggregate", "value"), [("mean", 0.2), ("median", 0.2), ("max", 0.3)])
def test_aggregates(aggregate, value):
    assert patient_scores(*tables(), aggregate=aggregate).loc[0, "dlre_f4"] == pytest.approx(value)


def test_a_patient_without_a_row_in_the_clinical_table_stops():
    predictions, acquisitions, patients = tables()
    with pytest.raises(StoreMismatch, match="1 predicted patients are not in the clinical table"):
        patient_scores(predictions, acquisitions, patients[1:])


def test_unknown_images_stop():
    predictions, acquisitions, patients = tables()
    with pytest.raises(StoreMismatch, match="a1"):
        patient_scores(predictions, acquisitions[1:], patients)


def test_apri_and_fib4_are_those_of_the_registry():
    predictions, acquisitions, patients = tables()
    scores = patient_scores(predictions, acquisitions, patients, upper_limits={"ast_iu_l": UpperLimit(40, {"A": 30})})
    limits = {"ast_iu_l": UpperLimit(40, {"A": 30})}
    ordered = patients.sort_values(["hospital", "patient"], ignore_index=True)
    registry = comparator_scores(ordered, [comparator("apri"), comparator("fib4")], limits)
    pd.testing.assert_frame_equal(registry, scores[["apri", "fib4"]], check_exact=True)
