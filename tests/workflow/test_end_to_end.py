"""The whole chain on a tiny simulated cohort, as a user runs it."""

import json
import re
import shutil

import pandas as pd
import pytest

from benchmarks.real_ultrasound import real_ultrasound
from dlre_core.report import exhibits
from dlre_core.statistics.cutoffs import youden_cutoff


def read(study, path):
    return pd.read_csv(study.folder / "results" / path)


def test_everything_is_there_and_nothing_is_left_to_do(finished_study):
    assert (finished_study.folder / "results/report.html").stat().st_size > 50_000
    assert finished_study.pending() == set()


def test_counts_close(finished_study):
    enrolment = read(finished_study, "enrolment/enrolment.csv")
    assert len(enrolment) == 24 + round(256 * 24 / 398)
    assert enrolment["enrolled"].sum() == 24
    flow = read(finished_study, "enrolment/flow.csv")
    assert flow["excluded_first"].sum() == (enrolment["enrolled"] == 0).sum()
    for path in sorted((finished_study.folder / "results/store").glob("?_counts.csv")):
        counts = pd.read_csv(path).iloc[0]
        assert counts["files_found"] == counts["images_stored"] + counts["rejected"] + counts["ignored"]


def test_probabilities_come_from_the_server_for_every_patient_and_arm(finished_study):
    for arm, images in (("overall_5_images", 5), ("overall_1_image", 1), ("combination_2", 5)):
        predictions = read(finished_study, f"predictions/{arm}.csv")
        assert len(predictions) == 24 * images
        assert predictions[["f4", "ge_f3", "ge_f2"]].to_numpy().min() >= 0
        assert predictions[["f4", "ge_f3", "ge_f2"]].to_numpy().max() <= 1
        assert predictions["f4"].nunique() > 20
    server = (finished_study.folder / "results/logs/predict_server.log").read_text()
    assert "Started GRPCInferenceService" in server


def test_table_2_has_every_row(finished_study):
    table = read(finished_study, "tables/table_2.csv")
    assert len(table) == 3 * 4 * 2
    assert table.groupby(["stage", "method", "cohort"]).size().eq(1).all()


def test_every_table_and_figure_is_a_target_of_its_own(finished_study):
    results = finished_study.folder / "results"
    tables = {path.stem for path in (results / "tables").glob("*.html")}
    assert tables == set(exhibits.TABLES) - exhibits.OPTIONAL
    assert {path.stem for path in (results / "tables").glob("*.tex")} == tables
    assert {path.stem for path in (results / "tables").glob("*.csv")} >= tables
    figures = {path.stem for path in (results / "figures").glob("*.svg")}
    assert figures == set(exhibits.FIGURES) - exhibits.RASTERS - exhibits.OPTIONAL
    assert {path.stem for path in (results / "figures").glob("*.png")} == figures
    assert {path.stem for path in (results / "figures").glob("*.jpg")} == exhibits.RASTERS
    assert {path.stem for path in (results / "figures").glob("*.txt")} == set(exhibits.FIGURES) - exhibits.OPTIONAL


@pytest.mark.timeout(1200)
def test_cutoffs_are_chosen_on_patients_that_a_fold_held_back(finished_study, tmp_path):
    study = finished_study.copy(tmp_path / "copy")
    study.configure(statistics={"cutoff_from": "out_of_fold"})
    study.run()
    assert study.pending() == set()
    scores = read(study, "scores/overall_5_images.csv")
    training = set(scores.loc[scores["cohort"] == "training", "patient"])
    folds = [read(study, f"robustness/fold_{k}_of_3/scores.csv") for k in (1, 2, 3)]
    held_back = [set(fold.loc[fold["cohort"] == "validation", "patient"]) for fold in folds]
    assert set().union(*held_back) == training
    assert sum(map(len, held_back)) == len(training)
    table = read(study, "tables/table_2.csv").set_index(["stage", "method", "cohort"])
    predicted = pd.concat([fold[fold["cohort"] == "validation"] for fold in folds])
    for stage, least in (("f4", 4), ("ge_f3", 3), ("ge_f2", 2)):
        row = table.loc[(stage, "dlre", "validation")]
        assert row["cutoff_predictions"] == "out of fold"
        chosen = youden_cutoff((predicted["fibrosis_stage"] >= least).astype(int), predicted[f"dlre_{stage}"])
        assert row["cutoff"] == pytest.approx(chosen.threshold, rel=1e-12)
    frozen = json.loads((study.folder / "results/serving/frozen_study.json").read_text())["cutoffs"]
    assert frozen["dlre"]["f4"] == pytest.approx(table.loc[("f4", "dlre", "training"), "cutoff"])
    # The other arms have no folds of their own.
    third = read(study, "tables/table_3.csv")
    kinds = third[third["method"] == "dlre"].groupby("images")["cutoff_predictions"].unique()
    assert [list(kinds[n]) for n in (1, 3, 5)] == [["apparent"], ["apparent"], ["out of fold"]]


def test_simulated_is_said_everywhere(finished_study):
    results = finished_study.folder / "results"
    assert "simulated" in (results / "report.html").read_text().lower()
    for path in sorted((results / "figures").glob("*.svg")):
        assert "Simulated data" in path.read_text(), path.name
        assert "imulated data" in path.with_suffix(".txt").read_text(), path.name
    for path in sorted((results / "tables").glob("*.html")):
        # The checklist holds no data.
        assert ("simulated data" in path.read_text()) == (path.stem != "checklist"), path.name


def test_every_link_within_the_report_leads_somewhere(finished_study):
    page = (finished_study.folder / "results/report.html").read_text()
    linked, there = set(re.findall(r'href="#([^"]+)"', page)), re.findall(r'\bid="([^"]+)"', page)
    assert {"table-table_2", "figure-figure_2", "leak-check", "configuration"} <= linked
    assert linked <= {*there, "content"}
    assert len(there) == len(set(there))


def test_the_studys_own_tables_are_clean(finished_study):
    assert len(read(finished_study, "audit/study_tables.csv")) == 24 + 36 + 18
    assert len(read(finished_study, "audit/study_findings.csv")) == 0


def test_the_study_stands_beside_the_paper(finished_study, tmp_path):
    study = finished_study.copy(tmp_path / "copy")
    study.run("--", "results/comparison/paper.html")
    table = read(study, "comparison/paper.csv")
    assert set(table["table"]) == {1, 2, 3, 4}
    page = (study.folder / "results/comparison/paper.html").read_text()
    assert "SIMULATED DATA" in page


def test_real_ultrasound_in_a_hospitals_folder_changes_no_table(finished_study, tmp_path):
    study = finished_study.copy(tmp_path / "copy")
    before = study.tables()
    folder = study.folder / "results/simulated_cohort/dicom/A/others"
    folder.mkdir()
    paths = real_ultrasound()
    for number, path in enumerate(paths):
        shutil.copyfile(path, folder / f"{number:02d}")
    study.run()
    after = study.tables()
    changed = {name for name in before if before[name] != after[name]}
    # Only what counts and lists files may change.
    assert changed <= {
        "store/A_counts.csv",
        "store/A_rejects.csv",
        "store/counts.csv",
        "store/rejects.csv",
    }
    rejects = read(study, "store/A_rejects.csv")
    assert len(rejects) - len(read(finished_study, "store/A_rejects.csv")) == len(paths) >= 20
    assert study.pending() == set()
