"""What the paper's network learns from the simulated cohort: whole studies at the paper's size.

For every seed: simulation, ingestion, training of the arms with 5, 3 and 1 images, served prediction,
Table 3. The seed is the cohort's, the split's and the training's. About 15 minutes a seed on 2 cores.

    PYTHONPATH=. python benchmarks/learnability.py FOLDER [--size paper] [--signal 1.0] [seeds ...]

``--signal 0`` takes the stage out of the texture: DLRE must then fall to liver stiffness.
``--arms overall_5_images`` trains that arm alone, a third of the time.
"""

import argparse
import subprocess
import sys
from pathlib import Path

import pandas as pd
import yaml

from dlre_core.foundation.design import method_labels, study_questions
from dlre_core.statistics.estimates import Estimate
from dlre_core.tables.formatting import format_interval, images_name
from dlre_core.workflow.study_design import read_configuration
from tests.workflow.study import Study

ARMS = ("overall_5_images", "overall_3_images", "overall_1_image")


def study(folder, size, signal, seed, arms):
    """Run one study in a copy of the project and return its Table 3, or 2 where there is one arm."""
    Study.at_full_size(folder)
    config = read_configuration(folder / "config.yaml")
    config["cohort"] |= {"size": size, "seed": seed, "texture_signal": signal}
    config["splits"] = {"overall": config["splits"]["overall"] | {"seed": seed}}
    config["training"]["seed"] = seed
    config["arms"] = {arm: config["arms"][arm] for arm in arms}
    (folder / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    table = "results/tables/table_3.csv" if len(arms) > 1 else "results/tables/table_2.csv"
    with open(folder / "log.txt", "w") as log:
        subprocess.run(
            [sys.executable, "-m", "snakemake", "--cores", "all", table],
            cwd=folder,
            check=True,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    images = config["arms"][arms[0]]["images"]
    return pd.read_csv(folder / table).assign(images=lambda rows: rows.get("images", images))


def main():
    """Print a Markdown table: validation AUCs by method, images, seed and question."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--size", default="paper")
    parser.add_argument("--signal", type=float, default=1.0)
    parser.add_argument("--arms", type=lambda text: text.split(","), default=list(ARMS))
    parser.add_argument("seeds", nargs="*", type=int, default=[2019, 2020, 2021])
    given = parser.parse_intermixed_args()
    print("| seed | method | F4 | >=F3 | >=F2 |\n|---|---|---|---|---|")
    for seed in given.seeds or [2019, 2020, 2021]:
        table = study(given.folder / str(seed), given.size, given.signal, seed, given.arms)
        validation = table[table["cohort"] == "validation"]
        for (method, images), part in validation.groupby(["method", "images"], sort=False):
            by = part.set_index("stage")
            cells = [
                format_interval(Estimate(*by.loc[stage, ["auc", "auc_low", "auc_high"]]), 3)
                for stage in study_questions()
            ]
            name = f"{method_labels()[method]}, {images_name(images, method)}"
            print(f"| {seed} | {name} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
