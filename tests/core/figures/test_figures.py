"""Figures on made-up data: what is written in them, the same bytes twice, and gaps that do not break them."""

import numpy as np
import pandas as pd
import pytest

from dlre_core.extended_tables.hospitals import hospital_table
from dlre_core.extended_tables.probabilities import calibration_table, decision_table
from dlre_core.figures.captions import (
    calibration_caption,
    figure_2_caption,
    figure_4_caption,
    roc_band_caption,
    subgroup_caption,
    training_caption,
)
from dlre_core.figures.extended import calibration_figure, decision_figure, forest_figure, roc_band_figure
from dlre_core.figures.figure_2_flow import figure_2, hospital_grid
from dlre_core.figures.figures_3_to_5_roc import figure_3, figure_4, figure_5, subgroup_figure
from dlre_core.figures.style import save_figure
from dlre_core.figures.training import training_figure
from dlre_core.tables.supplement_subgroups import subgroupings
from dlre_core.tables.table_2_accuracy import AccuracySettings, table_2
from dlre_core.tables.table_3_pictures import table_3
from dlre_core.tables.table_4_hospitals import compare_combinations, table_4
from tests.helpers.score_table import PRINT, scores

SETTINGS = AccuracySettings(bootstrap_replicates=50)


@pytest.fixture(scope="module")
def data():
    return scores()


def svg(figure, folder, name="f"):
    save_figure(figure, "Caption.", folder / f"{name}.svg", folder / f"{name}.png", folder / f"{name}.txt")
    assert (folder / f"{name}.png").stat().st_size > 5000
    assert (folder / f"{name}.txt").read_text() == "Caption.\n"
    return (folder / f"{name}.svg").read_text()


def test_figure_3_has_six_panels_intervals_and_the_same_bytes(data, tmp_path):
    table = table_2(data, SETTINGS)
    first = svg(figure_3(data, table, simulated=True), tmp_path, "a")
    second = svg(figure_3(data, table, simulated=True), tmp_path, "b")
    assert first == second
    row = table[(table["stage"] == "f4") & (table["method"] == "lsm") & (table["cohort"] == "validation")].iloc[0]
    assert f"2D-SWE {row['auc']:.2f} ({row['auc_low']:.2f} to {row['auc_high']:.2f})" in first
    assert all(f">{letter}  " in first or f">{letter} " in first for letter in "ABCDEF")
    assert "Simulated data" in first
    assert "Simulated data" not in svg(figure_3(data, table, simulated=False), tmp_path, "c")


def test_a_panel_without_cases_says_so(data, tmp_path):
    without = data[~((data["cohort"] == "validation") & (data["fibrosis_stage"] == 4))]
    figure = figure_3(without, table_2(without, SETTINGS), simulated=True)
    assert "DLRE: no cases" in svg(figure, tmp_path)


def test_figures_4_and_5_name_their_curves(data, tmp_path):
    arms = {1: data, 3: scores(seed=2), 5: scores(seed=3)}
    text = svg(figure_4(arms, table_3(arms, SETTINGS), simulated=True), tmp_path, "four")
    assert "DLRE, 1 image " in text
    assert "2D-SWE, 5 measurements " in text
    combinations = {"combination_1": data, "combination_2": scores(seed=4)}
    table = table_4(combinations, compare_combinations(combinations), SETTINGS)
    assert "Combination 2 " in svg(figure_5(combinations, table, simulated=True), tmp_path, "five")
    assert "1, 3 and 5 images" in figure_4_caption(arms, PRINT, True)


def test_subgroup_figures_stand_empty_groups(data, tmp_path):
    grouping = subgroupings([40, 80], 25)[3]
    nobody = data[data["inflammation_grade"] < 3]
    text = svg(subgroup_figure(nobody, grouping, simulated=True, cohort="validation"), tmp_path)
    assert "A3: no patients" in text
    assert "apparent" in subgroup_caption(4, grouping, data, None, True)
    assert "40 patients of the validation cohort" in subgroup_caption(4, grouping, data, "validation", True)


def test_few_patients_get_a_sentence_and_no_curve(data):
    few = data[~((data["cohort"] == "validation") & (data["fibrosis_stage"] == 4)) | (data.index % 4 == 3)]
    last_cases = few[(few["cohort"] == "validation") & (few["fibrosis_stage"] == 4)].index[:4]
    few = pd.concat([few[(few["cohort"] == "training") | (few["fibrosis_stage"] < 4)], few.loc[last_cases]])
    figure = figure_3(few, table_2(few, SETTINGS), simulated=True)
    panel = figure.axes[3]
    words = [text.get_text() for text in panel.get_legend().get_texts()]
    assert words[0] == "DLRE: 4 cases, fewer than 5"
    # The diagonal is all that is drawn; the panel beside has all four curves.
    assert [len(line.get_xdata()) for line in panel.get_lines() if len(line.get_xdata())] == [2]
    assert sum(len(line.get_xdata()) > 2 for line in figure.axes[4].get_lines()) == 4


def test_legends_stand_below_their_panels(data):
    figure = figure_3(data, table_2(data, SETTINGS), simulated=True)
    figure.draw_without_rendering()
    for axis in figure.axes:
        assert axis.get_legend().get_window_extent().y1 < axis.get_window_extent().y0


def test_a_cutoff_of_a_score_that_does_not_separate_is_an_open_marker(data):
    table = table_2(data, SETTINGS)
    table.loc[(table["method"] == "fib4") & (table["stage"] == "f4") & (table["cohort"] == "training"), "auc"] = 0.45
    figure = figure_3(data, table, simulated=True)
    markers = [line for line in figure.axes[3].get_lines() if line.get_marker() not in ("None", None)]
    assert [line.get_markerfacecolor() == "white" for line in markers] == [False, False, False, True]


def test_the_forest_pools_hospitals_and_says_where_nothing_is_to_pool():
    many = scores(2400, hospitals="ABCD")
    table = hospital_table(many.assign(hospital=np.random.default_rng(1).choice(list("ABCD"), len(many))), SETTINGS)
    row = table[(table["stage"] == "f4") & (table["method"] == "dlre") & (table["hospital"] == "Pooled hospitals")]
    assert row["prediction_low"].item() < row["auc_low"].item() < row["auc"].item() < row["auc_high"].item()
    figure = forest_figure(table, simulated=True)
    assert len(figure.axes[0].patches) == 2
    few = hospital_table(scores(24, hospitals="AB"), SETTINGS)
    assert "0 hospitals with an interval: nothing to pool" in set(few["notes"])
    assert not forest_figure(few, simulated=True).axes[0].patches


def test_the_flow_chart_counts_every_hospital(tmp_path):
    enrolment = pd.DataFrame({"hospital": list("AABBB"), "enrolled": [1, 0, 1, 1, 0], "images": [5, 0, 5, 5, 2]})
    enrolment["elastography_failed"] = 0
    flow = pd.DataFrame(
        {
            "criterion": ["x", "x", "y", "y"],
            "sentence": ["Too young"] * 2 + ["Nobody"] * 2,
            "hospital": list("ABAB"),
            "excluded_first": [1, 1, 0, 0],
        }
    )
    split = pd.DataFrame({"hospital": list("ABB"), "cohort": ["training", "training", "validation"]})
    grid = hospital_grid(enrolment, flow, split)
    assert list(grid.index) == [
        "Potentially eligible",
        "– Too young",
        "Enrolled",
        "Training cohort",
        "Validation cohort",
    ]
    assert grid.loc["Enrolled"].tolist() == [1, 2, 3]
    assert grid.loc["Validation cohort"].tolist() == [0, 1, 1]
    text = svg(figure_2(enrolment, flow, split, simulated=True), tmp_path)
    assert "5 potentially eligible patients" in text
    assert "15 pictures" in text
    assert "rejected" not in text
    assert "Elastography failed" not in text
    failed = enrolment.assign(elastography_failed=[0, 0, 0, 0, 1])
    text = svg(figure_2(failed, flow, split, simulated=True), tmp_path, "f")
    assert "Elastography failed in 1 of 4 whom all else admits (25.0 %)" in text
    assert figure_2_caption(enrolment, 0, True).startswith("Figure 2. Enrolment: 3 of 5 patients")
    text = svg(figure_2(enrolment, flow, split, rejected_rows=2, simulated=True), tmp_path, "r")
    assert "2 more rows of the clinical table rejected" in text
    assert "Not counted: 2 rows of the clinical table" in figure_2_caption(enrolment, 2, True)


def test_many_hospitals_leave_out_the_grid(tmp_path):
    codes = [f"H{i}" for i in range(30)]
    enrolment = pd.DataFrame({"hospital": codes, "enrolled": 1, "images": 5, "elastography_failed": 0})
    flow = pd.DataFrame({"criterion": "x", "sentence": "s", "hospital": codes, "excluded_first": 0})
    split = pd.DataFrame({"hospital": codes, "cohort": "training"})
    text = svg(figure_2(enrolment, flow, split, simulated=False), tmp_path)
    assert "30 hospitals" in text
    assert "H29" not in text


def test_training_curves_show_the_epoch_kept(tmp_path):
    history = pd.DataFrame(
        [
            {
                "stage": stage,
                "epoch": epoch,
                "loss": 1 / epoch,
                "stopping_loss": 0.5,
                "auc": 0.8,
                "chosen": int(epoch == 3),
            }
            for stage in ("f4", "ge_f3", "ge_f2")
            for epoch in range(1, 6)
        ]
    )
    text = svg(training_figure({"overall": history}, minimum_epochs=2, simulated=True), tmp_path)
    assert "epoch 3 kept" in text
    settings = {"minimum_epochs": 2, "epochs": 18, "patience_epochs": 4, "stopping_fraction": 0.2}
    assert "From epoch 2 on" in training_caption(settings, "overall", True)
    assert "all 18 epochs; of epochs 16 to 18 the one" in training_caption(
        settings | {"minimum_epochs": 16, "patience_epochs": 4}, "overall", True
    )


def test_extended_figures_stand_a_missing_class(tmp_path):
    data = scores(hospitals="ABC")
    without = data[~((data["cohort"] == "validation") & (data["fibrosis_stage"] == 4))]
    for number, part in enumerate((data, without)):
        calibrated = calibration_figure(part, calibration_table(part), simulated=True)
        assert "Brier score" in svg(calibrated, tmp_path, f"c{number}")
        assert "Everybody" in svg(decision_figure(decision_table(part), simulated=True), tmp_path, f"d{number}")
        forest = svg(forest_figure(hospital_table(part, SETTINGS), simulated=True), tmp_path, f"h{number}")
        assert ("no cases" in forest) == bool(number)
    assert "n=80" in calibration_caption(data, 0.95, True)
    assert np.isfinite(decision_table(data)["net_benefit"]).all()


def few_cases(data):
    """The validation cohort keeps four patients with F4."""
    last = data[(data["cohort"] == "validation") & (data["fibrosis_stage"] == 4)].index[4:]
    return data.drop(index=last)


def test_extended_figures_say_where_patients_are_too_few(data, tmp_path):
    few = few_cases(data)
    bands = roc_band_figure(few, simulated=True)
    assert [text.get_text() for text in bands.axes[0].texts][-1] == "No curves: 4 cases, fewer than 5"
    assert bands.axes[0].get_legend() is None
    assert [len(axis.collections) for axis in bands.axes] == [0, 2, 2]
    assert "n=" in roc_band_caption(few, 0.95, True)
    decisions = decision_figure(decision_table(few), simulated=True)
    assert [text.get_text() for text in decisions.axes[0].texts] == ["No curves: 4 cases, fewer than 5"]
    # Everybody and nobody stay, as do all curves of the panels beside.
    drawn = [sum(len(line.get_xdata()) > 0 for line in axis.get_lines()) for axis in decisions.axes]
    assert drawn == [2, 6, 6]
    table = calibration_table(few)
    row = table[(table["stage"] == "f4") & (table["method"] == "lsm") & (table["cohort"] == "validation")].iloc[0]
    assert np.isfinite(row[["slope", "in_the_large", "brier", "observed_expected_low"]].astype(float)).all()
    assert row[["slope_low", "intercept_high", "in_the_large_low", "brier_low"]].isna().all()
    assert "no interval: 4 cases, fewer than 5" in row["notes"]
    words = svg(calibration_figure(few, table, simulated=True), tmp_path)
    assert "No curve: 4 cases, fewer than 5; Brier score" in words


def test_a_band_surrounds_its_curve_and_words_stand_on_white(data):
    figure = roc_band_figure(data, simulated=True)
    for axis in figure.axes:
        low, high, curve = (line.get_ydata() for line in axis.get_lines()[1:4])
        assert (low <= high).all()
        assert np.interp(0.5, axis.get_lines()[3].get_xdata()[::-1], curve[::-1]) <= high[200] + 1e-9
    forest = forest_figure(hospital_table(few_cases(data).assign(hospital="A"), SETTINGS), simulated=True)
    assert all(
        text.get_bbox_patch() for axis in forest.axes for text in axis.texts if "nothing to pool" in text.get_text()
    )


def test_a_panel_without_any_curve_says_so_in_its_middle(data):
    few = few_cases(data)
    figure = figure_3(few, table_2(few, SETTINGS), simulated=True)
    assert [text.get_text() for text in figure.axes[3].texts] == ["No curves: too few patients"]
    assert not figure.axes[4].texts


def test_a_tick_for_each_of_many_patients_does_not_fill_the_report(tmp_path):
    many = scores(2000)
    table = calibration_table(many, methods=["dlre"])
    assert len(svg(calibration_figure(many, table, simulated=True), tmp_path)) < 300_000
