"""Where a split names an external cohort, tables and figures have its rows, and the other rows are as without it."""

import numpy as np
import pandas as pd
import pytest

from dlre_core.audit.audit import audit_published_tables
from dlre_core.clinical_decisions.paired_accuracy_table import paired_accuracy_table
from dlre_core.extended_tables.counts import counts_table, events_table, printed_counts
from dlre_core.extended_tables.differences import bootstrap_differences, differences_table, printed_differences
from dlre_core.extended_tables.probabilities import calibration_table, decision_table, printed_calibration
from dlre_core.extended_tables.published_form import published_form
from dlre_core.extended_tables.stages import ordinal_tables, printed_stages
from dlre_core.figures.captions import calibration_caption, figure_3_caption, figure_5_caption
from dlre_core.figures.extended import calibration_figure
from dlre_core.figures.figure_2_flow import figure_2, hospital_grid
from dlre_core.figures.figures_3_to_5_roc import figure_3, figure_4, figure_5
from dlre_core.figures.style import save_figure
from dlre_core.report.headline import HeadlineTables, headline_text
from dlre_core.report.methods_text import study_counts
from dlre_core.report.sentences import headline
from dlre_core.statistics.comparisons import holm
from dlre_core.statistics.roc import roc_analysis
from dlre_core.tables.accuracy_print import printed_table_2, printed_table_4
from dlre_core.tables.table_1_baseline import printed_table_1, table_1
from dlre_core.tables.table_2_accuracy import table_2
from dlre_core.tables.table_3_pictures import table_3
from dlre_core.tables.table_4_hospitals import compare_combinations, table_4
from tests.helpers.score_table import PRINT, SETTINGS, scores

THREE = ["training", "validation", "external"]


def with_external(**options) -> pd.DataFrame:
    """Scores of which the last third, validation patients elsewhere, are external; hospital C has no others."""
    data = scores(180, **options)
    external = np.arange(180) >= 150
    return data.assign(cohort=data["cohort"].mask(external, "external"), hospital=data["hospital"].mask(external, "C"))


@pytest.fixture(scope="module")
def data():
    return with_external()


@pytest.fixture(scope="module")
def accuracy(data):
    return table_2(data, SETTINGS)


def test_table_2_has_external_rows_and_the_others_as_without_them(data, accuracy):
    assert list(accuracy["cohort"].unique()) == THREE
    others = accuracy[accuracy["cohort"] != "external"].reset_index(drop=True)
    pd.testing.assert_frame_equal(others, table_2(data[data["cohort"] != "external"], SETTINGS))
    external = accuracy[accuracy["cohort"] == "external"]
    assert set(external["n"]) == {30}
    assert set(external["cutoff_cohort"]) == {"training"}
    part = data[data["cohort"] == "external"]
    row = external.set_index(["stage", "method"]).loc[("ge_f3", "lsm")]
    assert row["auc"] == roc_analysis(part["fibrosis_stage"] >= 3, part["lsm"].to_numpy()).auc
    np.testing.assert_array_equal(external["p_holm"], holm(external["p_value"]))
    assert (external["p_holm"] >= external["p_value"]).sum() == external["p_value"].notna().sum() == 9
    assert set(external.loc[external["p_value"] < 0.05, "stars"]) <= {"*", "**", "***"}
    printed = printed_table_2(accuracy, PRINT, True)
    assert [row[1] for row in printed.blocks[0].rows[:3]] == ["T", "V", "E"]
    notes = " ".join(printed.footnotes)
    assert "E, external cohort, which neither trained nor validated" in notes
    assert "In the validation and external cohorts AUCs were compared" in notes
    assert "training, validation and external cohorts" in printed.caption
    alone = printed_table_2(others, PRINT, True)
    assert "external" not in " ".join([*alone.footnotes, alone.caption])


def test_every_table_of_cohorts_has_the_external_one(data, accuracy):
    predictions = data.rename(columns={f"dlre_{name}": name for name in ("f4", "ge_f3", "ge_f2")})
    confusion, measures = ordinal_tables(data, accuracy, predictions, replicates=20, seed=1)
    differences = differences_table(accuracy, bootstrap_differences(data, replicates=20, seed=1))
    calibration, events = calibration_table(data), events_table({"main": data})
    paired, decisions = paired_accuracy_table(data, accuracy), decision_table(data)
    for table in (confusion, measures, differences, calibration, events, paired, decisions):
        assert list(table["cohort"].unique()) == THREE
    assert paired.loc[paired["cohort"] == "external", "sensitivity_mid_p_holm"].notna().any()
    assert paired.loc[paired["cohort"] == "training", "sensitivity_mid_p_holm"].isna().all()
    for printed in (printed_calibration(calibration, 0.95, True), printed_differences(differences, 20, 0.95, True)):
        assert "E, external cohort" in printed.footnotes[0]
    notes = " ".join(printed_stages(confusion, measures, 0.95, True).footnotes)
    assert "The training cohort and the external cohort are in the CSV" in notes
    assert "external cohort 13 of 30 patients" in notes
    assert "external cohort’s" in printed_counts(counts_table({2: accuracy}), True).footnotes[0]


def test_tables_1_3_and_4_have_it_and_the_audit_agrees(data, accuracy):
    # Only one of the combinations has an external cohort.
    arms = {"combination_1": data, "combination_2": scores(seed=6)}
    pairs = compare_combinations(arms)
    assert set(pairs["cohort"]) == {"training", "validation"}
    combined = table_4(arms, pairs, SETTINGS)
    assert list(combined[combined["arm"] == "combination_1"]["cohort"].unique()) == THREE
    assert list(combined[combined["arm"] == "combination_2"]["cohort"].unique()) == THREE[:2]
    assert "validation and external cohorts" in " ".join(printed_table_4(combined, PRINT, True, {}).footnotes)
    both = {"combination_1": data, "combination_2": with_external(seed=6)}
    assert set(compare_combinations(both)["cohort"]) == set(THREE)
    patients = data[["hospital", "patient", "fibrosis_stage", "inflammation_grade"]].assign(
        age_years=np.random.default_rng(3).normal(40, 10, 180), sex=np.resize(["M", "F", "M"], 180)
    )
    patients["hbeag_positive"], patients["chronic_infection"] = np.resize([1, 0, 0, 1, 0], 180), np.resize([1, 0], 180)
    first = table_1(patients, data, ["fibrosis_stage", "sex"])
    sizes = {"all": 180, "training": 120, "validation": 30, "external": 30}
    printed = printed_table_1(first, sizes, True)
    assert "External cohort (n=30, 16.7 %)" in printed.columns
    assert "Sex and Fibrosis stages are not tested: the split is stratified by them." in printed.footnotes
    third = table_3({5: data, 3: with_external(seed=2), 1: with_external(seed=3)}, SETTINGS)
    assert list(third["cohort"].unique()) == THREE
    report = audit_published_tables(published_form({1: first, 2: accuracy, 3: third, 4: combined}))
    assert report.clean, report.to_text()


def test_figures_have_a_row_of_panels_more(data, accuracy, tmp_path):
    def drawn(figure):
        save_figure(figure, "Caption.", tmp_path / "f.svg", tmp_path / "f.png", tmp_path / "f.txt")
        return (tmp_path / "f.svg").read_text()

    arms = {"combination_1": data, "combination_2": scores(seed=6)}
    images = {1: data, 3: with_external(seed=2)}
    for figure in (
        figure_3(data, accuracy, simulated=True),
        figure_4(images, table_3(images, SETTINGS), simulated=True),
        figure_5(arms, table_4(arms, compare_combinations(arms), SETTINGS), simulated=True),
        calibration_figure(data, calibration_table(data), simulated=True),
    ):
        text = drawn(figure)
        assert "External cohort" in text
        assert ">I  " in text or ">I " in text
    for caption in (figure_3_caption(data, PRINT, True), calibration_caption(data, 0.95, True)):
        assert "(A, D, G) F0-F3 versus F4" in caption
        assert "validation cohort (D-F, n=30) and external cohort (G-I, n=30)" in caption
    assert "in training (A-C), validation (D-F) and external cohorts (G-I)" in figure_5_caption({}, PRINT, True, True)
    enrolment = data[["hospital", "patient", "images"]].assign(enrolled=1, first_reason="", elastography_failed=0)
    flow = pd.DataFrame({"sentence": ["Young"], "hospital": ["A"], "excluded_first": [0], "excluded_any": [0]})
    assert hospital_grid(enrolment, flow, data).loc["External cohort"].to_dict() == {"A": 0, "B": 0, "C": 30, "All": 30}
    assert "30 external cohort" in drawn(figure_2(enrolment, flow, data, simulated=True))


def test_words_tell_of_it(data, accuracy):
    sentences = headline(accuracy)
    assert sum("In the external cohort of 30 patients" in sentence for sentence in sentences) == 1
    enrolment = pd.DataFrame({"hospital": "A", "enrolled": [1] * 180, "first_reason": ""})
    assert study_counts(enrolment, data).external == 30
    counts = pd.DataFrame({"images_stored": [900], "rejected": [0]})
    nothing = pd.DataFrame({"row": [], "effect": [], "code": [], "severity": []})
    tables = HeadlineTables(accuracy, enrolment, counts, nothing, nothing)
    text = headline_text(tables, notes=[], title="Study", simulated=True, report="report.html")
    assert "The external cohort, 30 patients, is in Table 2." in text
