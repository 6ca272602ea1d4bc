"""Two runs in two folders with different numbers of cores give the same bytes (make test-determinism)."""

import os

import pytest

from tests.workflow.study import Study


@pytest.mark.timeout(3600)
@pytest.mark.skipif("DLRE_DETERMINISM" not in os.environ, reason="make test-determinism")
def test_cores_and_folder_change_no_byte(tmp_path):
    studies = [Study.create(tmp_path / name) for name in ("one", "another/place")]
    for study, cores in zip(studies, ("1", "3"), strict=True):
        # Three networks side by side on three cores, one after another on one.
        study.snakemake("--cores", cores, "--set-threads", f"train={cores}")
    first, second = (study.tables() for study in studies)
    assert len(first) > 100
    assert sorted(first) == sorted(second)
    assert [name for name in first if first[name] != second[name]] == []
    print(f"{len(first)} CSV, HTML, LaTeX and SVG files are the same, byte for byte")
