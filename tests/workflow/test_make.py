"""Make targets with a SIZE hand Snakemake a command that it understands."""

import shlex
import subprocess

import pytest

from tests.workflow.study import ROOT, Study


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return Study.create(tmp_path_factory.mktemp("make") / "study")


@pytest.mark.parametrize(("target", "rule"), [("negative-control", "robustness"), ("compare-paper", "compare_paper")])
def test_a_size_is_not_taken_for_a_file(study, target, rule):
    said = subprocess.run(
        ["make", "--dry-run", target, "SIZE=24"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    (command,) = (line for line in said.splitlines() if line.startswith("snakemake "))
    planned = study.snakemake("--dry-run", "--quiet", "rules", *shlex.split(command)[1:]).stdout
    assert f"\n{rule} " in planned
