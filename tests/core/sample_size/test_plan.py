"""The plan: patients for every aim, by pictures, and what a wrong assumption is told."""

from pathlib import Path

import pandas as pd
import pytest

from dlre_core.figures.plan import plan_figure
from dlre_core.foundation.errors import ConfigurationError
from dlre_core.report.plan_page import answers, printed, printed_pictures
from dlre_core.sample_size.plan import curves, patients_by_pictures, patients_needed, read_assumptions
from dlre_core.workflow.study_design import read_configuration

PLAN = read_configuration(Path(__file__).parents[3] / "config.yaml")["plan"]


@pytest.fixture(scope="module")
def assumptions():
    return read_assumptions(PLAN, 0.95)


def test_patients_are_cases_and_controls_at_the_prevalence(assumptions):
    table = patients_needed(assumptions)
    assert (table["cases"] + table["controls"] == table["patients"]).all()
    assert (table["asked"] >= table["patients"] / PLAN["enrolled_share"]).all()
    # 20.4 cases for .97 against .86 with three controls each: pROC's call of test_auc_precision.py with kappa=3.
    row = table[(table["question"] == "f4") & (table["aim"] == "difference")].iloc[0]
    assert (row["cases"], row["patients"]) == (21, 82)


def test_curves_cross_what_the_tables_say(assumptions):
    table, needed = curves(assumptions), patients_needed(assumptions)
    for question in ("f4", "ge_f2"):
        curve = table[table["question"] == question]
        aims = needed[needed["question"] == question].set_index("aim")["patients"]
        assert curve.loc[curve["power"] >= PLAN["power"], "patients"].min() == pytest.approx(
            aims["difference"], rel=0.1
        )
        first = curve.loc[curve["width"] <= PLAN["interval_width"], "patients"].min()
        assert first == pytest.approx(aims["width"], rel=0.1)


def test_the_largest_number_of_pictures_has_the_auc_that_was_given(assumptions):
    table = patients_by_pictures(assumptions)
    most = table[table["images"] == 5].set_index("question")
    for name, given in PLAN["questions"].items():
        assert most.loc[name, "auc"] == pytest.approx(given["auc"])
    assert (table.groupby("question")["patients"].diff().dropna() < 0).all()


def test_one_picture_may_find_nothing():
    plan = PLAN | {"questions": {"f4": {"prevalence": 0.2, "auc": 0.85, "compared_auc": 0.84}}, "reliability": 0.1}
    assumptions = read_assumptions(plan, 0.95)
    table = patients_by_pictures(assumptions)
    assert pd.isna(table.loc[0, "patients"])
    assert printed_pictures(assumptions, table).blocks[0].rows[0][2] == "–"


def test_the_page_answers_in_a_sentence_for_each_question(assumptions):
    needed = patients_needed(assumptions)
    said = answers(assumptions, needed)
    assert said[0].startswith("Cirrhosis (F4): 82 patients (21 cases) find an AUC of 0.97 against 0.86")
    assert [block.heading for block in printed(assumptions, needed).blocks][2] == "Significant fibrosis (≥F2)"


def test_the_figure_has_a_curve_per_question_and_what_is_asked_for(assumptions):
    figure = plan_figure(curves(assumptions), assumptions)
    for axis, wanted in zip(figure.axes, (PLAN["interval_width"], PLAN["power"]), strict=True):
        *lines, asked_for = axis.get_lines()
        assert len(lines) == 3
        assert asked_for.get_ydata()[0] == wanted


def test_equal_aucs_are_refused_with_the_key():
    wrong = PLAN | {"questions": {"f4": {"prevalence": 0.2, "auc": 0.8, "compared_auc": 0.8}}}
    with pytest.raises(ConfigurationError, match=r"plan\.questions\.f4"):
        read_assumptions(wrong, 0.95)
