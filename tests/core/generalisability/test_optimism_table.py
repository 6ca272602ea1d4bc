"""Extended table 20: which models it has, and that its numbers are the function's."""

import numpy as np
import pytest

from dlre_core.bias.optimism import bootstrap_632_plus
from dlre_core.comparators.fusion import fusion_features
from dlre_core.generalisability.optimism_table import optimism_table, printed_optimism
from tests.helpers.score_table import scores

HOW = {"replicates": 40, "seed": 3, "confidence": 0.95}


def test_models_are_each_comparator_the_biomarkers_and_with_folds_the_fusion():
    data = scores()
    training = data[data["cohort"] == "training"]
    without = optimism_table(data, None, **HOW)
    assert list(without["model"].unique()) == ["lsm", "apri", "fib4", "biomarkers"]
    table = optimism_table(data, training, **HOW).set_index(["question", "model"])
    assert len(table) == 3 * 5
    features, labels = fusion_features(training, "ge_f3"), (training["fibrosis_stage"] >= 3).astype(int)
    for model, columns in (("lsm", [1]), ("biomarkers", [2, 3]), ("dlre_fusion", [0, 1, 2, 3])):
        found, row = bootstrap_632_plus(labels, features[:, columns], **HOW), table.loc[("ge_f3", model)]
        assert [row["apparent"], row["out_of_bag"]] == [found.apparent, found.out_of_bag]
        ours = row[["corrected", "corrected_low", "corrected_high"]].tolist()
        assert ours == [found.corrected.value, found.corrected.low, found.corrected.high]
    printed = printed_optimism(table.reset_index(), 40, 0.95, simulated=True)
    assert [row[0] for row in printed.blocks[0].rows] == [
        "2D-SWE",
        "APRI",
        "FIB-4",
        "Biomarkers together",
        "DLRE fusion",
    ]


def test_missing_values_take_patients_out_of_their_models_only():
    data = scores()
    data.loc[:9, "apri"] = np.nan
    table = optimism_table(data, None, **HOW).set_index(["question", "model"])["n"]
    assert table["f4"].to_dict() == {"lsm": 80, "apri": 70, "fib4": 80, "biomarkers": 70}


def test_a_question_without_cases_says_so():
    data = scores()
    data["fibrosis_stage"] = data["fibrosis_stage"].clip(upper=3)
    table = optimism_table(data, None, **HOW)
    assert table.loc[table["question"] == "f4", "corrected"].isna().all()
    note = "Cirrhosis (F4), 2D-SWE: 0 cases, fewer than 5"
    assert any(note in words for words in printed_optimism(table, 40, 0.95, simulated=False).footnotes)
    assert table.loc[table["question"] == "ge_f3", "corrected"].between(0, 1).all()
    assert pytest.approx(0) == table["apparent"].isna().mean() - 1 / 3
