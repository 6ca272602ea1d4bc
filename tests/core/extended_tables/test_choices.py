"""Averages over all choices of k pictures, against doing it by hand."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from dlre_core.extended_tables.choices import choices_table, printed_choices
from dlre_core.foundation.design import stage_labels
from dlre_core.statistics.roc import roc_analysis


@pytest.fixture
def study():
    generator = np.random.default_rng(2)
    patients = np.repeat(np.arange(20), 4)
    predictions = pd.DataFrame(
        {
            "hospital": "A",
            "patient": [f"P{i:02d}" for i in patients],
            "cohort": "validation",
            "fibrosis_stage": patients % 5,
            "acquisition": np.tile([1, 2, 3, 4], 20),
            "image_id": [f"i{k}" for k in range(80)],
        }
    )
    for stage in ("f4", "ge_f3", "ge_f2"):
        predictions[stage] = generator.uniform(size=80) + 0.1 * (patients % 5)
    acquisitions = pd.DataFrame({"image_id": predictions["image_id"], "q_box_mean_kpa": generator.uniform(4, 20, 80)})
    return predictions, acquisitions


def test_means_over_choices_by_hand(study):
    table = choices_table(*study)
    predictions = study[0]
    cell = table[(table["stage"] == "ge_f3") & (table["method"] == "dlre") & (table["images"] == 2)]
    by_number = predictions.pivot(index="patient", columns="acquisition", values="ge_f3")
    truth = stage_labels(predictions.groupby("patient")["fibrosis_stage"].first(), "ge_f3")
    aucs = [roc_analysis(truth, by_number[list(pair)].mean(axis=1)).auc for pair in combinations([1, 2, 3, 4], 2)]
    assert cell["choices"].item() == 6
    assert cell["auc"].item() == pytest.approx(np.mean(aucs))
    assert (cell["auc_lowest"].item(), cell["auc_highest"].item()) == (min(aucs), max(aucs))


def test_all_pictures_are_one_choice_with_delongs_interval(study):
    table = choices_table(*study)
    predictions, acquisitions = study
    medians = acquisitions["q_box_mean_kpa"].groupby(predictions["patient"]).median()
    truth = stage_labels(predictions.groupby("patient")["fibrosis_stage"].first(), "ge_f3")
    expected = roc_analysis(truth, medians)
    cell = table[(table["stage"] == "ge_f3") & (table["method"] == "lsm") & (table["images"] == 4)]
    assert cell["choices"].item() == 1
    assert cell[["auc", "auc_low", "auc_high"]].iloc[0].tolist() == pytest.approx(
        [expected.auc, *expected.auc_interval]
    )
    # Four patients have F4.
    few = table[table["stage"] == "f4"]
    assert few["auc"].notna().all()
    assert few[["auc_low", "auc_high"]].isna().all(axis=None)
    assert set(few["notes"]) == {"4 cases, fewer than 5"}


def test_the_printed_table_has_a_row_a_method_and_number(study):
    printed = printed_choices(choices_table(*study), 0.95, simulated=True)
    assert [row[:3] for row in printed.blocks[0].rows][:2] == [
        ["DLRE", "1", "4"],
        ["DLRE", "2", "6"],
    ]
    assert len(printed.blocks[0].rows) == 8
