"""Real ultrasound files in a hospital's folder: all read, none an elastogram, nothing else changed."""

import importlib.util
import os
import shutil

import pydicom
import pytest

from benchmarks.real_ultrasound import real_ultrasound
from dlre_core.foundation.csv_tables import read_table
from dlre_core.user_tables.data_contract import CLINICAL_COLUMNS
from tests.helpers import elastogram_files as files
from tests.workflow.study import Study

SYNTAXES = 8
# Some stand in both packages, or twice under one UID.
EXPECTED = {"no_elastogram", "duplicate"}


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> Study:
    """One hospital of one patient with two drawn elastograms."""
    if importlib.util.find_spec("data_store") is None:
        pytest.skip("the package pydicom-data is not installed")
    folder = tmp_path_factory.mktemp("real")
    cohort = folder / "cohort"
    names = [column.name for column in CLINICAL_COLUMNS]
    values = {"patient_id": "A0001", "hospital": "A", "fibrosis_stage": "2"}
    cohort.mkdir()
    (cohort / "clinical.csv").write_text(
        ",".join(names) + "\n" + ",".join(values.get(name, "") for name in names) + "\n"
    )
    for seed in range(2):
        files.write_elastogram(cohort / "dicom" / "A" / "A0001" / f"{seed}.dcm", seed, number=seed)
    study = Study.create(folder / "study", cohort={"source": "folder", "folder": str(cohort)})
    # The other arms train in hospitals that this cohort does not have.
    study.keep_arms("overall_5_images", "overall_3_images", "overall_1_image")
    return study


def store_of(study: Study) -> dict[str, bytes]:
    # What the Snakefile says at the end of a whole study is not asked here.
    study.snakemake("results/store/images.h5", "--cores", "2", check=False)
    folder = study.folder / "results" / "store"
    names = ("A.h5", "images.h5", "A_acquisitions.csv", "acquisitions.csv")
    return {name: (folder / name).read_bytes() for name in names}


def test_real_files_are_rejected_with_the_right_reason_and_change_nothing(study):
    before = store_of(study)
    paths = real_ultrasound()
    assert len(paths) >= 20
    syntaxes = {pydicom.dcmread(p, stop_before_pixels=True).file_meta.TransferSyntaxUID for p in paths}
    assert len(syntaxes) >= SYNTAXES
    target = study.folder.parent / "cohort" / "dicom" / "A" / "A0001" / "others"
    target.mkdir()
    for number, path in enumerate(paths):
        shutil.copyfile(path, target / f"{number:02d}")
    assert store_of(study) == before
    rejects = read_table(study.folder / "results" / "store" / "rejects.csv")
    counts = read_table(study.folder / "results" / "store" / "counts.csv").iloc[0]
    assert counts[["files_found", "images_stored", "rejected"]].tolist() == [
        len(paths) + 2,
        2,
        len(paths),
    ]
    assert set(rejects["code"]) <= EXPECTED
    assert (rejects["code"] == "no_elastogram").sum() >= 15
    private = study.folder / ".dlre" / "rejected_files" / "A.csv"
    assert os.stat(private).st_mode & 0o077 == 0
