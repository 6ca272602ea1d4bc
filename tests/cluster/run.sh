#!/usr/bin/env bash
# The tiny study through SLURM on this machine: same tables as the local run, byte for byte.
# Use: tests/cluster/run.sh    (as root, with slurm-wlm and munge; `make test-cluster` calls it)
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
for tool in slurmctld slurmd munged; do
  command -v "$tool" >/dev/null || {
    echo "$tool is missing. Run: apt-get install --no-install-recommends slurm-wlm munge" >&2
    exit 1
  }
done
scratch=$(mktemp -d)
chmod 755 "$scratch"
trap '"$root/tests/cluster/slurm.sh" down "$scratch/slurm"; rm -rf "$scratch"' EXIT
"$root/tests/cluster/slurm.sh" up "$scratch/slurm"
cd "$root"
python - "$scratch" <<'PYTHON'
import sys
from pathlib import Path

from tests.workflow.study import Study

scratch = Path(sys.argv[1])
# One arm is enough to go through every rule; a job has a start-up time of seconds here.
local = Study.create(scratch / "local")
local.keep_arms("overall_5_images")
local.run()
cluster = Study.create(scratch / "cluster")
cluster.keep_arms("overall_5_images")
cluster.snakemake(
    "--workflow-profile", "profiles/slurm", "--jobs", "4",
    "--latency-wait", "20", "--seconds-between-status-checks", "2",
    "--slurm-init-seconds-before-status-checks", "1",
    "--set-threads", "train=1",
)  # fmt: skip
ours, theirs = local.tables(), cluster.tables()
different = sorted(name for name in ours if ours[name] != theirs.get(name))
missing = sorted(set(ours) ^ set(theirs))
if different or missing:
    sys.exit(f"different: {different}; only in one: {missing}")
print(f"{len(ours)} tables and figures are the same, byte for byte, locally and through SLURM")
PYTHON
