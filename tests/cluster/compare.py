"""Run the tiny study locally and through SLURM, kill a job and Snakemake, and compare the tables."""

import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.workflow.study import Study

# One arm is enough to go through every rule; a job has a start-up time of seconds here.
ARM = "overall_5_images"
THROUGH_SLURM = (
    "--workflow-profile",
    "profiles/slurm",
    "--latency-wait",
    "20",
    "--seconds-between-status-checks",
    "2",
    "--slurm-init-seconds-before-status-checks",
    "1",
    "--set-threads",
    "train=1",
)
# Only where nothing is cancelled: with its first task an array loses all others.
ARRAYS = ("--slurm-array-jobs", "simulate_hospital,ingest_hospital,crop_rois")


def slurm_jobs(*arguments: str) -> list[str]:
    """Ids of the cluster's jobs."""
    command = ["squeue", "--noheader", "--array", "--format=%i", *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.split()


def wait_for(what: str, seconds: float, condition) -> None:
    """Poll until the condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            sys.exit(f"{what}: not within {seconds:g} s")
        time.sleep(0.2)


def disturb(study: Study) -> None:
    """Cancel one running job, then kill Snakemake while others run, and cancel these."""
    with study.start(*THROUGH_SLURM, output=subprocess.DEVNULL) as process:
        try:
            wait_for("a running job", 120, lambda: slurm_jobs("--states=RUNNING"))
            subprocess.run(["scancel", slurm_jobs("--states=RUNNING")[0]], check=True)
            stored = study.folder / "results/store"
            # Minutes where other work runs on the machine.
            wait_for("a stored hospital", 900, lambda: list(stored.glob("?_counts.csv")))
            wait_for("a running job", 120, lambda: slurm_jobs("--states=RUNNING"))
        finally:
            process.send_signal(signal.SIGKILL)
    # As docs/guide/cluster.md says: what a killed Snakemake submitted is still the cluster's.
    subprocess.run(["scancel", "--user=root"], check=True)
    wait_for("an empty queue", 60, lambda: not slurm_jobs())


def main(scratch: Path) -> None:
    """Exit with a message unless all tables are the same."""
    local = Study.create(scratch / "local")
    local.keep_arms(ARM)
    started = time.monotonic()
    local.run()
    seconds = [time.monotonic() - started]
    cluster = Study.create(scratch / "cluster")
    cluster.keep_arms(ARM)
    disturb(cluster)
    started = time.monotonic()
    cluster.snakemake(*THROUGH_SLURM, *ARRAYS)
    seconds.append(time.monotonic() - started)
    ours, theirs = local.tables(), cluster.tables()
    different = sorted(name for name in ours if ours[name] != theirs.get(name))
    missing = sorted(set(ours) ^ set(theirs))
    if different or missing:
        sys.exit(f"different: {different}; only in one: {missing}")
    print(
        f"{len(ours)} tables and figures are the same, byte for byte, locally ({seconds[0]:.0f} s) and "
        f"through SLURM ({seconds[1]:.0f} s after a cancelled job and a killed Snakemake)"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
