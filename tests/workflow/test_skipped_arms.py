"""Without one end of the scale nothing can be learned about it: arms are skipped, the rest of the study stands."""

import shutil
import subprocess
import sys

import pandas as pd
import pytest

from tests.workflow.study import ROOT, Study

ARMS = {"overall_5_images", "overall_3_images", "overall_1_image", "combination_1", "combination_2", "combination_3"}


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cohort ü")
    command = [sys.executable, "-m", "dlre_core.simulation", "--size", "24", "--seed", "4"]
    subprocess.run([*command, "--out", str(folder), "--processes", "2"], cwd=ROOT, check=True)
    return folder


def without_low_stages(cohort, hospitals):
    """The same cohort, in which nobody of these hospitals has F0 or F1."""
    path = cohort / "clinical.csv"
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    here = table["hospital"].isin(list(hospitals)) & table["fibrosis_stage"].isin(["0", "1"])
    table.loc[here, "fibrosis_stage"] = "2"
    table.to_csv(path, index=False)


@pytest.fixture
def study(cohort, tmp_path):
    kept = (cohort / "clinical.csv").read_bytes()
    yield Study.create(tmp_path / "a study", cohort={"source": "folder", "folder": str(cohort)})
    (cohort / "clinical.csv").write_bytes(kept)


def test_only_the_arms_that_lack_them_are_skipped(cohort, study):
    # Of so few patients, the hospitals A, G and K have none.
    assert skipped(study.snakemake("--dry-run", "--quiet", "all").stdout) == {"combination_3"}
    without_low_stages(cohort, "ACK")
    said = study.snakemake("--dry-run", "--cores", "2").stdout
    assert "Skipped: combination_2. Nobody of the training hospitals A, C, K who" in said
    trained = {name for name in ARMS if f"results/models/{name}/history.csv" in said}
    assert trained == ARMS - {"combination_2", "combination_3"}
    assert "rule report:" in said


def skipped(said):
    return {line.split()[1].rstrip(".") for line in said.splitlines() if line.startswith("Skipped")}


@pytest.mark.timeout(1200)
def test_without_any_the_study_ends_before_training(cohort, tmp_path):
    few = tmp_path / "few"
    for hospital in "EJ":
        shutil.copytree(cohort / "dicom" / hospital, few / "dicom" / hospital)
    shutil.copy(cohort / "clinical.csv", few)
    without_low_stages(few, "ABCDEFGHIJKL")
    study = Study.create(tmp_path / "a study", cohort={"source": "folder", "folder": str(few)})
    study.keep_arms("overall_5_images", "overall_1_image")
    study.keep_splits("overall")
    said = study.run()
    assert skipped(said) == {"overall_5_images", "overall_1_image"}
    assert "has F0 or F1" in said
    results = study.folder / "results"
    assert pd.read_csv(results / "enrolment/enrolment.csv")["enrolled"].sum() > 2
    for name in ("tables/table_1.html", "figures/figure_2.svg", "store/rejects.csv", "roi/rois.h5"):
        assert (results / name).exists(), name
    assert not (results / "models").exists()
    assert study.pending() == set()
