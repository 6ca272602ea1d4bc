"""The fused score is fitted on out-of-fold training predictions and on nothing else."""

import numpy as np
import pandas as pd
import pytest

from dlre_core.comparators.fusion import fused_scores
from dlre_core.foundation.design import stage_labels, study_questions
from dlre_core.foundation.errors import StoreMismatch
from dlre_core.statistics.roc import roc_analysis


def scores(n, cohort, generator, prefix):
    stage = np.arange(n) % 5
    table = pd.DataFrame({"hospital": "A", "patient": [f"{prefix}{i:03d}" for i in range(n)]})
    table["cohort"], table["fibrosis_stage"] = cohort, stage
    for name in study_questions():
        table[f"dlre_{name}"] = 1 / (1 + np.exp(2 - stage + generator.standard_normal(n)))
    table["lsm"] = np.exp(0.3 * stage + 0.5 * generator.standard_normal(n)) * 5
    table["apri"], table["fib4"] = generator.uniform(0.2, 2, (2, n))
    return table


@pytest.fixture
def study():
    generator = np.random.default_rng(1)
    training = scores(200, "training", generator, "T")
    validation = scores(200, "validation", generator, "V")
    # What a network says of patients it was trained on: too good to learn from.
    sure = training.copy()
    for stage in study_questions():
        sure[f"dlre_{stage}"] = stage_labels(training["fibrosis_stage"], stage).astype(float)
    folds = [training.assign(cohort=np.where(np.arange(200) % 3 == k, "validation", "training")) for k in range(3)]
    return pd.concat([sure, validation], ignore_index=True), folds


def test_two_sources_are_better_than_each(study):
    given, folds = study
    fused = fused_scores(given, folds)
    part = fused[fused["cohort"] == "validation"]
    labels = stage_labels(part["fibrosis_stage"], "ge_f3")
    auc = {name: roc_analysis(labels, part[name]).auc for name in ("dlre_fusion_ge_f3", "dlre_ge_f3", "lsm")}
    assert auc["dlre_fusion_ge_f3"] > max(auc["dlre_ge_f3"], auc["lsm"]) + 0.005


def test_only_out_of_fold_scores_of_training_patients_count(study):
    given, folds = study
    fused = fused_scores(given, folds)
    training = fused[fused["cohort"] == "training"]
    assert not training["dlre_f4"].isin([0.0, 1.0]).any()
    changed = given.copy()
    is_training = changed["cohort"] == "training"
    changed.loc[is_training, "dlre_f4"] = 0.5
    pd.testing.assert_frame_equal(fused, fused_scores(changed, folds))
    # One validation patient's stage changes no score at all.
    changed.loc[changed["patient"] == "V000", "fibrosis_stage"] = 4
    again = fused_scores(changed, folds)
    assert again["dlre_fusion_f4"].equals(fused["dlre_fusion_f4"])


def test_a_missing_value_gives_no_score_and_missing_patients_are_refused(study):
    given, folds = study
    given.loc[given["patient"] == "V003", "apri"] = np.nan
    fused = fused_scores(given, folds).set_index("patient")
    assert fused["dlre_fusion_f4"].isna().sum() == 1
    assert np.isnan(fused.loc["V003", "dlre_fusion_f4"])
    with pytest.raises(StoreMismatch, match="folds"):
        fused_scores(given, folds[:2])
