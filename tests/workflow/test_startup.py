"""What a machine lacks stops a run before its first job, and a dry run not at all."""

import pytest

from tests.workflow.study import Study


@pytest.fixture
def too_large(tmp_path):
    """A study that no disk here holds: more than 2 TB."""
    return Study.create(tmp_path / "study", cohort={"size": 100_000})


def test_a_disk_that_is_too_small_is_said_before_anything_is_made(too_large):
    said = too_large.snakemake("--cores", "1", check=False)
    assert said.returncode != 0
    assert "(disk) has" in said.stdout
    assert "Nothing was run." in said.stdout
    assert "Traceback" not in said.stdout
    assert not (too_large.folder / "results/simulated_cohort").exists()


def test_a_dry_run_needs_no_disk(too_large):
    assert "(disk) has" not in too_large.snakemake("--dry-run", "--quiet", "rules").stdout
