"""The Kubernetes profile plans the whole study; no cluster is asked."""

import re

from tests.workflow.study import Study


def test_the_kubernetes_profile_plans_every_job(tmp_path):
    study = Study.create(tmp_path / "study")
    profile = (
        "--workflow-profile",
        "profiles/kubernetes",
        "--default-storage-prefix",
        f"{tmp_path}/volume",
    )
    planned = study.snakemake(*profile, "--dry-run", "--quiet", "rules").stdout
    local = study.snakemake("--dry-run", "--quiet", "rules").stdout
    jobs = [dict(re.findall(r"^(\w+) +(\d+)$", text, re.MULTILINE)) for text in (planned, local)]
    assert jobs[0] == jobs[1]
    assert int(jobs[0]["train"]) == 6
