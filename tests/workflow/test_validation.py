"""A finished study's networks and cut-offs in other cohorts: nothing is trained or chosen."""

import io
import os
import re
import shutil

import pandas as pd
import pydicom
import pytest
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.uid import JPEGBaseline8Bit
from sklearn.metrics import roc_auc_score

from tests.workflow.study import Study, write_cohorts

REPORT = "results/validation/report.html"
THRESHOLDS = {"f4": 4, "ge_f3": 3, "ge_f2": 2}


@pytest.fixture(scope="module")
def validated(finished_study, tmp_path_factory):
    """A project that has no networks of its own, after one cohort and then both."""
    folder = tmp_path_factory.mktemp("validation")
    cohorts = write_cohorts(folder / "cohorts")
    model = folder / "model"
    model.symlink_to(finished_study.folder / "results/serving")
    before = {path: path.read_bytes() for path in model.rglob("*") if path.is_file()}
    study = Study.create(folder / "tiny")
    pages = []
    for names in (["north"], ["north", "south"]):
        chosen = {name: cohorts[name] for name in names}
        study.configure(validation={"cohorts": chosen, "model": str(model)})
        study.run("--", REPORT)
        pages.append((study.folder / REPORT).read_text())
    after = {p: p.read_bytes() for p in before}
    assert after == before
    return study.folder / "results", pages


def test_nothing_is_trained_and_no_cutoff_is_chosen(validated, finished_study):
    results, _ = validated
    assert not (results / "models").exists()
    own = pd.read_csv(finished_study.folder / "results/tables/table_2.csv")
    frozen = own[own["cohort"] == "training"].set_index(["stage", "method"])["cutoff"].sort_index()
    for name in ("north", "south"):
        table = pd.read_csv(results / f"validation/{name}/table_2.csv")
        found = table.set_index(["stage", "method"])["cutoff"].sort_index()
        pd.testing.assert_series_equal(found, frozen)


@pytest.mark.parametrize("name", ["north", "south"])
def test_each_cohort_has_its_own_table_2_and_figures(validated, name):
    folder = validated[0] / "validation" / name
    enrolled = pd.read_csv(folder / "enrolment.csv")["enrolled"].sum()
    table = pd.read_csv(folder / "table_2.csv")
    ours = table[table["method"] == "dlre"].set_index("stage")
    assert enrolled > 0
    assert (ours["n"] == enrolled).all()
    images = pd.read_csv(folder / "predictions.csv")
    patients = images.groupby("patient")[["fibrosis_stage", *THRESHOLDS]].mean()
    for stage, least in THRESHOLDS.items():
        auc = roc_auc_score(patients["fibrosis_stage"] >= least, patients[stage])
        assert ours.loc[stage, "auc"] == pytest.approx(auc)
    for figure in ("roc.svg", "calibration.svg"):
        assert "Simulated data: no real patients" in (folder / figure).read_text()


def test_the_report_shows_one_cohort_or_both(validated):
    one, both = validated[1]
    assert ">north</h2>" in one
    assert "south" not in one
    for page in (one, both):
        assert "RESEARCH USE ONLY" in page
    assert all(f">{name}</h2>" in both for name in ("north", "south"))
    for page, names in ((one, ["north"]), (both, ["north", "south"])):
        tables = [f"{name}{part}.csv" for name in names for part in ("", "_calibration", "_recalibration")]
        assert re.findall(r'download="([^"]*)"', page) == tables
    assert both.count("data:image/") == 2 * one.count("data:image/") > 0


def test_cohorts_share_no_private_file_though_their_hospitals_have_one_name(validated):
    private = validated[0].parent / ".dlre"
    for folder, ending in (("rejected_files", "csv"), ("ingested", "sqlite")):
        found = set((private / folder).rglob(f"*.{ending}"))
        own = {private / folder / f"validation/{name}/X.{ending}" for name in ("north", "south")}
        assert found == own


def test_a_model_put_in_the_place_of_another_is_asked_though_its_files_are_as_old(validated):
    study = Study(validated[0].parent)
    link = study.folder.parent / "model"
    first, second = link.resolve(), study.folder.parent / "second"
    shutil.copytree(first, second, copy_function=shutil.copy2)
    path = second / "frozen_study.json"
    times = os.stat(path)
    path.write_text(path.read_text().replace('"title": "', '"title": "Another: '))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert study.pending(REPORT) == set()
    link.unlink()
    link.symlink_to(second)
    uses_it = {"predict_external", "external_exhibits", "validation_report"}
    assert study.pending(REPORT) == uses_it | {"external_scores"}
    link.unlink()
    link.symlink_to(first)
    assert study.pending(REPORT) == set()


def test_a_corrected_table_with_an_old_time_is_read(validated):
    study = Study(validated[0].parent)
    path = study.folder.parent / "cohorts/north/clinical.csv"
    content, yesterday = path.read_text(), path.stat().st_mtime - 86400
    columns = content.splitlines()[0].split(",")
    cells = content.splitlines()[1].split(",")
    cells[columns.index("ast_iu_l")] = "77"
    path.write_text(content.replace(content.splitlines()[1], ",".join(cells)))
    os.utime(path, (yesterday, yesterday))
    pending = study.pending(REPORT)
    assert {"external_clinical_table", "external_scores", "validation_report"} <= pending
    assert "ingest_external" not in pending
    cells[columns.index("patient_id")] = "NEW"
    path.write_text(content + ",".join(cells) + "\n")
    os.utime(path, (yesterday, yesterday))
    assert {"external_clinical_table", "ingest_external"} <= study.pending(REPORT)


def export_again(path, target):
    """Write a picture as JPEG, as another archive may have kept it."""
    dataset, buffer = pydicom.dcmread(path), io.BytesIO()
    Image.fromarray(dataset.pixel_array).save(buffer, "JPEG", quality=90, subsampling="4:2:2")
    dataset.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    dataset.PhotometricInterpretation, dataset.PixelData = (
        "YBR_FULL_422",
        encapsulate([buffer.getvalue()]),
    )
    target.parent.mkdir(parents=True, exist_ok=True)
    dataset.save_as(target)


def test_the_studys_own_patients_do_not_validate_it_exported_again(finished_study, tmp_path):
    simulated, cohort = finished_study.folder / "results/simulated_cohort", tmp_path / "again"
    for path in (simulated / "dicom/A").rglob("*.dcm"):
        dataset = pydicom.dcmread(path)
        # Clips and palettes need more than this.
        if dataset.PhotometricInterpretation == "RGB" and "NumberOfFrames" not in dataset:
            export_again(path, cohort / "dicom/A" / path.relative_to(simulated / "dicom/A"))
    clinical = pd.read_csv(simulated / "clinical.csv", dtype=str)
    clinical[clinical["hospital"] == "A"].to_csv(cohort / "clinical.csv", index=False)
    model = finished_study.folder / "results/serving"
    study = Study.create(tmp_path / "tiny", validation={"cohorts": {"again": str(cohort)}, "model": str(model)})
    stopped = study.snakemake("--cores", "2", "--", REPORT, check=False)
    assert stopped.returncode != 0
    own = pd.read_csv(finished_study.folder / "results/store/A_acquisitions.csv")
    again = pd.read_csv(study.folder / "results/validation/again/acquisitions.csv")
    assert len(again)
    assert not set(own["pixel_digest"]) & set(again["pixel_digest"])
    said = (study.folder / "results/logs/predict_external/again.log").read_text()
    for patient in set(again["patient"]):
        assert f"A/{patient}" in said
