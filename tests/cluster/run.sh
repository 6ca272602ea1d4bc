#!/usr/bin/env bash
# The tiny study through SLURM on this machine: same tables as the local run, byte for byte, also after
# a job and Snakemake itself were killed.
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
python -m tests.cluster.compare "$scratch"
