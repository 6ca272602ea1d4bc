"""Variants of a split: who trains, who validates, and what stays the same."""

import math

import numpy as np
import pandas as pd
import pytest

from dlre_core.comparators.out_of_fold import out_of_fold_scores
from dlre_core.extended_tables.robustness import printed_robustness, robustness_table
from dlre_core.foundation.errors import ConfigurationError, StoreMismatch, TrainingError
from dlre_core.ingestion.look_alikes import check_leaks
from dlre_core.patients.resplits import resplit
from dlre_core.patients.splits import make_split
from dlre_core.statistics.roc import roc_analysis
from dlre_core.tables.table_2_accuracy import AccuracySettings

RULE = {"method": "random", "training_fraction": 0.666667}


@pytest.fixture
def split():
    patients = pd.DataFrame(
        {
            "hospital": ["A", "B", "C"] * 20,
            "patient": [f"P{i:02d}" for i in range(60)],
            "fibrosis_stage": [1, 2, 3, 4] * 15,
        }
    )
    return make_split(patients, RULE, seed=1)


def joined(split, other):
    return split.merge(other, on="patient", suffixes=("", "_new"))


def test_permutations_move_stages_and_differ(split):
    first, second = (resplit(split, f"permuted_{n}", RULE, 1) for n in (1, 2))
    for made in (first, second):
        assert sorted(made["fibrosis_stage"]) == sorted(split["fibrosis_stage"])
        both = joined(split, made)
        assert (both["fibrosis_stage"] != both["fibrosis_stage_new"]).mean() > 0.5
        # Validation patients are permuted too, not the training labels alone.
        both = both[both["cohort_new"] == "validation"]
        assert (both["fibrosis_stage"] != both["fibrosis_stage_new"]).any()
    assert not first["fibrosis_stage"].equals(second["fibrosis_stage"])


def test_repeated_splits_keep_stages_and_differ(split):
    made = resplit(split, "seed_1", RULE, 1)
    both = joined(split, made)
    assert (both["fibrosis_stage"] == both["fibrosis_stage_new"]).all()
    assert (both["cohort"] != both["cohort_new"]).any()
    pd.testing.assert_frame_equal(made, resplit(split[::-1], "seed_1", RULE, 1))


def test_a_division_by_hospital_cannot_be_repeated(split):
    with pytest.raises(ConfigurationError, match="divides by hospital"):
        resplit(split, "seed_1", {"method": "hospitals", "training": ["A"]}, 1)


def test_the_hospital_left_out_validates(split):
    made = resplit(split, "without_B", RULE, 1)
    assert set(made.loc[made["cohort"] == "validation", "hospital"]) == {"B"}
    assert set(made.loc[made["cohort"] == "training", "hospital"]) == {"A", "C"}
    renamed = split.assign(hospital=split["hospital"].replace({"B": "St_Mary-2"}))
    made = resplit(renamed, "without_St_Mary-2", RULE, 1)
    assert set(made.loc[made["cohort"] == "validation", "hospital"]) == {"St_Mary-2"}


def test_the_only_hospital_cannot_be_left_out(split):
    with pytest.raises(TrainingError, match="Hospital B cannot be left out: no other has enrolled"):
        resplit(split[split["hospital"] == "B"], "without_B", RULE, 1)


def test_a_hospital_without_enrolled_patients_does_not_stop_the_study(split, caplog):
    made = resplit(split[split["hospital"] != "B"].reset_index(drop=True), "without_B", RULE, 1)
    assert set(made["cohort"]) == {"training"}
    assert "Hospital B has no enrolled patients" in caplog.text
    pictures = made.assign(image_id=made["patient"], pixel_digest=made["patient"])
    counts = check_leaks(made, pictures.drop(columns="cohort"))
    assert counts[["training_patients", "validation_patients"]].to_numpy().tolist() == [[len(made), 0]]
    nobody = scores([0.1, 0.2, 0.3, 0.4] * 5).assign(cohort="training")
    given = {"without_A": scores([0.1, 0.2, 0.3, 0.4] * 5), "without_B": nobody}
    table = robustness_table(given, "hospitals_left_out", AccuracySettings())
    printed = printed_robustness(table, "hospitals_left_out", AccuracySettings(), simulated=True)
    assert [row[:3] for row in printed.blocks[0].rows] == [
        ["without A", "4", "16"],
        ["without B", "20", "0"],
        ["mean", "", ""],
    ]
    assert "without B: no" in " ".join(printed.footnotes)
    mean = table[(table["variant"] == "mean") & (table["method"] == "dlre")]
    alone = table[(table["variant"] == "without_A") & (table["method"] == "dlre")]
    assert mean["auc"].to_list() == alone["auc"].to_list()


def test_a_fraction_keeps_validation_and_its_strata(split):
    made = resplit(split, "fraction_50", RULE, 1)
    by = made.groupby("cohort")["patient"].agg(set)
    assert by["validation"] == set(split.loc[split["cohort"] == "validation", "patient"])
    training = made[made["cohort"] == "training"]
    assert len(training) == 20
    assert training["fibrosis_stage"].value_counts().eq(5).all()
    assert len(resplit(split, "fraction_100", RULE, 1)) == len(split)


def test_folds_divide_the_training_patients(split):
    folds = [resplit(split, f"fold_{k}_of_3", RULE, 1) for k in (1, 2, 3)]
    training = set(split.loc[split["cohort"] == "training", "patient"])
    held = [set(fold.loc[fold["cohort"] == "validation", "patient"]) for fold in folds]
    assert set().union(*held) == training
    assert sum(map(len, held)) == len(training)
    assert all(set(fold["patient"]) == training for fold in folds)


def test_folds_have_their_share_of_every_stage_and_hospital(split):
    folds = [resplit(split, f"fold_{k}_of_2", RULE, 1) for k in (1, 2)]
    held = [fold[fold["cohort"] == "validation"] for fold in folds]
    for columns in (["fibrosis_stage"], ["fibrosis_stage", "hospital"]):
        first, second = (part.groupby(columns).size() for part in held)
        assert first.sub(second, fill_value=0).abs().max() <= 1, columns
    assert resplit(split, "fold_1_of_2_of_combination_1", RULE, 1).equals(folds[0])


def test_the_only_patient_of_a_stage_trains_in_every_fold(split):
    training = split["cohort"] == "training"
    stages = split["fibrosis_stage"].where(~training | (split["fibrosis_stage"] < 4), 3)
    first = split.index[training][0]
    lonely = split.assign(fibrosis_stage=stages.mask(split.index == first, 4))
    folds = [resplit(lonely, f"fold_{k}_of_3", RULE, 1) for k in (1, 2, 3)]
    patient = split.loc[first, "patient"]
    assert all((fold.set_index("patient").loc[patient, "cohort"]) == "training" for fold in folds)
    scored = [fold.assign(dlre_f4=0.5, dlre_ge_f3=0.5, dlre_ge_f2=0.5, lsm=1.0) for fold in (*folds, lonely)]
    found = out_of_fold_scores(scored[-1], scored[:-1])
    assert len(found) == training.sum()
    assert found.set_index("patient")["dlre_f4"].isna().sum() == 1
    with pytest.raises(StoreMismatch, match="folds do not divide"):
        out_of_fold_scores(scored[-1], scored[:2])


def test_an_unknown_variant_says_what_there_is(split):
    with pytest.raises(ConfigurationError, match="without_A"):
        resplit(split, "jackknife_1", RULE, 1)


def scores(values):
    stages = [1, 2, 3, 4] * 5
    return pd.DataFrame(
        {
            "cohort": ["training"] * 4 + ["validation"] * 16,
            "fibrosis_stage": stages,
            "dlre_f4": values,
            "dlre_ge_f3": values,
            "dlre_ge_f2": values,
            "lsm": stages,
        }
    )


def test_the_table_has_every_variant_and_their_mean():
    settings = AccuracySettings()
    values = [0.1, 0.2, 0.3, 0.4] * 3 + [0.4, 0.3, 0.2, 0.1] * 2
    given = {"seed_1": scores(values), "seed_2": scores(values[::-1])}
    table = robustness_table(given, "repeated_splits", settings)
    part = table[(table["stage"] == "f4") & (table["method"] == "dlre")].set_index("variant")
    expected = [roc_analysis([0, 0, 0, 1] * 4, s["dlre_f4"][4:]).auc for s in given.values()]
    assert part.loc[["seed_1", "seed_2"], "auc"].tolist() == expected
    assert part.loc["mean", "auc"] == pytest.approx(sum(expected) / 2)
    # Student's t with one degree of freedom, 12.706, and Nadeau and Bengio's 1/2 + 16/4; limits are cut to 0 and 1.
    half = 12.706 * abs(expected[0] - expected[1]) / math.sqrt(2) * math.sqrt(1 / 2 + 16 / 4)
    mean = sum(expected) / 2
    assert part.loc["mean", "auc_low"] == pytest.approx(max(mean - half, 0), rel=1e-3)
    assert part.loc["mean", "auc_high"] == pytest.approx(min(mean + half, 1), rel=1e-3)
    printed = printed_robustness(table, "repeated_splits", settings, simulated=True)
    assert [row[0] for row in printed.blocks[0].rows] == ["seed 1", "seed 2", "mean"]
    words = " ".join(printed.footnotes)
    assert "Nadeau and Bengio's variance" in words
    assert "Student's interval" not in words
    differences = table[table["method"] == "difference"].set_index("stage")
    swe = [roc_analysis([0, 0, 0, 1] * 4, s["lsm"][4:]).auc for s in given.values()]
    assert differences.loc["f4", "auc"] == pytest.approx(np.mean(expected) - np.mean(swe))
    assert "Mean difference, DLRE minus 2D-SWE, by the same variance: Cirrhosis (F4) " in words


def test_a_learning_curve_has_no_mean_and_undefined_cells_say_why():
    settings = AccuracySettings()
    one_class = scores([0.1, 0.2, 0.3, 0.4] * 5)
    one_class.loc[one_class["cohort"] == "validation", "fibrosis_stage"] = 1
    given = {"fraction_50": scores([0.1, 0.2, 0.3, 0.4] * 5), "fraction_100": one_class}
    table = robustness_table(given, "learning_curve", settings)
    assert set(table["variant"]) == set(given)
    notes = " ".join(printed_robustness(table, "learning_curve", settings, simulated=True).footnotes)
    assert "fraction 100: no cases" in notes
    assert "mean" not in notes
    # 2D-SWE is the same in every variant: an interval without width would be a false one.
    same = robustness_table({"a": given["fraction_50"], "b": given["fraction_50"]}, "repeated_splits", settings)
    assert same.loc[same["variant"] == "mean", "auc_low"].isna().all()


def test_patients_of_an_external_cohort_are_in_no_variant():
    patients = pd.DataFrame(
        {
            "hospital": ["A", "B", "C"] * 40,
            "patient": [f"P{i:03d}" for i in range(120)],
            "fibrosis_stage": [1, 2, 3, 4] * 30,
            "country": ["CN", "ES", "JP", "CN", "CN"] * 24,
        }
    )
    rule = RULE | {"external": {"hospital": ["C"]}, "stratify_by": ["fibrosis_stage", "country"]}
    split = make_split(patients, rule, seed=1)
    inside = sorted(split.loc[split["cohort"] != "external", "patient"])
    for variant in ("permuted_1", "seed_1", "without_A", "fraction_100", "part_1_of_3"):
        made = resplit(split, variant, rule, 1)
        assert sorted(made["patient"]) == inside, variant
        assert set(made["cohort"]) == {"training", "validation"}
    first, second = resplit(split, "seed_1", rule, 1), resplit(split, "seed_2", rule, 1)
    assert not first["cohort"].equals(second["cohort"])
    for _, part in first.groupby(["fibrosis_stage", "country"]):
        if len(part) >= 5:
            assert abs((part["cohort"] == "training").sum() - len(part) * RULE["training_fraction"]) < 1
