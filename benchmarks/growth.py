"""Processor time and peak memory of every rule, per image, in finished studies of several sizes.

    PYTHONPATH=. python benchmarks/growth.py [--size 90 398 1600 ...] FOLDER

runs a study of each size in FOLDER/<size> (one arm, a fixed number of training steps, so that what grows is the
data and not the training), or takes the one that is there, and prints a Markdown table: seconds of a core
per 1,000 images, and peak memory of the largest job. The last column is the largest size against the
smallest: 1.0 means that an image costs the same. Pictures are deleted once they are stored.
"""

import argparse
import subprocess
import sys
from pathlib import Path

import pandas as pd

from tests.workflow.study import Study

STEPS = 60
ARM = "overall_5_images"


def run(folder: Path, size: int) -> Path:
    """A finished study of this size, and where its results are."""
    results = folder / str(size) / "results"
    if not results.exists():
        study = Study.create(folder / str(size))
        study.keep_arms(ARM)
        study.configure(
            cohort={"size": size},
            training={"epochs": 2, "minimum_steps": STEPS, "maximum_steps": STEPS},
            statistics={"bootstrap_replicates": 2000},
        )
        command = [sys.executable, "-m", "snakemake", "--cores", "all", "--quiet", "progress"]
        subprocess.run(command, cwd=study.folder, check=True)
    return results


def costs(results: Path) -> pd.DataFrame:
    """A row a rule: seconds of a core of all its jobs, and the largest job's peak memory in MB."""
    rows = []
    for path in (results / "benchmarks").rglob("*.tsv"):
        rule = path.relative_to(results / "benchmarks").parts[0].removesuffix(".tsv")
        for row in pd.read_csv(path, sep="\t").itertuples():
            rows.append({"rule": rule, "seconds": row.cpu_time, "megabytes": row.max_rss})
    return pd.DataFrame(rows).groupby("rule").agg({"seconds": "sum", "megabytes": "max"})


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--size", type=int, nargs="+", default=[90, 398, 1600])
    given = parser.parse_args()
    tables = {}
    for size in sorted(given.size):
        results = run(given.folder, size)
        images = len(pd.read_csv(results / "roi/rois.csv", usecols=["image_id"]))
        table = costs(results)
        table["seconds"] *= 1000 / images
        tables[f"{size} ({images} images)"] = table
    joined = pd.concat(tables, axis=1).swaplevel(axis=1)
    seconds, megabytes = joined["seconds"], joined["megabytes"]
    shown = seconds.max(axis=1) > 0.1
    print(
        "| rule | "
        + " | ".join(f"{name}: s per 1,000 images, peak MB" for name in tables)
        + " | largest / smallest: time, memory |"
    )
    print("|" + "---|" * (len(tables) + 2))
    for rule in seconds[shown].iloc[:, -1].sort_values(ascending=False).index:
        cells = [f"{seconds.loc[rule, n]:.1f}, {megabytes.loc[rule, n]:.0f}" for n in tables]
        ratios = [part.loc[rule].iloc[-1] / part.loc[rule].iloc[0] for part in (seconds, megabytes)]
        print(f"| {rule} | " + " | ".join(cells) + f" | {ratios[0]:.2f}, {ratios[1]:.2f} |")


if __name__ == "__main__":
    main()
