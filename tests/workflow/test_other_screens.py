"""Three hospitals with three makers' screens, one of them sending PNG files with squares, run to a report."""

import numpy as np
import pytest

from dlre_core.foundation.csv_tables import read_table
from dlre_core.foundation.study_terms import KEYS
from tests.workflow.study import Study

SCREENS = {
    "A": {"layout": "side_by_side"},
    "B": {"layout": "single_bar_left"},
    "C": {"layout": "velocity", "files": "png", "squares": True},
}
ANY_SCALE = dict.fromkeys(SCREENS)
# Two studies may have to be made for the first test.
pytestmark = pytest.mark.timeout(1500)


@pytest.fixture(scope="module")
def studies(finished_study, tmp_path_factory) -> tuple[Study, Study]:
    """The tiny study on the 2019 scanner's screens, and the same patients on three makers' screens."""
    other = Study.create(tmp_path_factory.mktemp("makers") / "other")
    other.keep_arms("overall_5_images")
    other.configure(cohort={"screens": SCREENS}, ingestion={"scale_by_hospital": ANY_SCALE})
    other.run()
    return finished_study, other


def test_the_study_ends_in_a_report(studies):
    report = (studies[1].folder / "results/report.html").read_text(encoding="utf-8")
    assert "Pictures whose colour scale is unknown" in report
    assert "AUC (95 % CI)" in (studies[1].folder / "results/headline.txt").read_text(encoding="utf-8")


def test_every_hospitals_pictures_are_stored_by_its_screen(studies):
    stored = read_table(studies[1].folder / "results/store/acquisitions.csv")
    sources = {hospital: set(part["layout_source"]) for hospital, part in stored.groupby("hospital")}
    assert sources["A"] <= {"found"}
    assert sources["B"] <= {"found"}
    assert sources["C"] <= {"found", "hand"}
    units = stored.groupby("hospital")["scale_unit"].agg(set)
    assert "m/s" in units["B"]
    assert set(stored["scale_source"]) <= {"file", "label", "unknown"}


def test_the_same_patients_have_the_same_stages(studies):
    stages = [
        read_table(study.folder / "results/clinical/patients.csv").set_index(KEYS)["fibrosis_stage"]
        for study in studies
    ]
    assert stages[0].equals(stages[1])


def test_stiffness_is_that_of_the_stacked_screen(studies):
    means = []
    for study in studies:
        stored = read_table(study.folder / "results/store/acquisitions.csv")
        means.append(stored[stored["hospital"].isin(list(SCREENS))].groupby(KEYS)["q_box_mean_kpa"].mean())
    usual, other = (part.dropna() for part in means)
    both = usual.index.intersection(other.index)
    assert len(both) > 0.8 * len(usual)
    assert np.corrcoef(usual[both], other[both])[0, 1] > 0.95
