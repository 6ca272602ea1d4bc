"""``python -m dlre_core.simulation --size demo|paper|N --seed S --out DIR``: write a cohort."""

import argparse
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from dlre_core.foundation.csv_tables import write_table
from dlre_core.simulation.cohort import write_clinical_csv, write_hospital
from dlre_core.simulation.presets import HOSPITAL_SIZES


def main() -> None:
    """Parse the command line and write the cohort, hospitals side by side."""
    parser = argparse.ArgumentParser(description="Write a simulated cohort (no real patients).")
    parser.add_argument("--size", default="demo", help="demo, paper, or a number of enrolled")
    parser.add_argument("--seed", type=int, default=2019)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--processes", type=int, default=None)
    parser.add_argument("--texture-signal", type=float, default=1.0)
    parser.add_argument("--truth", type=Path, default=None, help="where to write the truth files")
    options = parser.parse_args()
    write_clinical_csv(options.out / "clinical.csv", options.size, options.seed)
    parts: list[pd.DataFrame] = []
    with ProcessPoolExecutor(options.processes) as pool:
        jobs = [
            pool.submit(
                write_hospital,
                options.out,
                hospital,
                options.size,
                options.seed,
                texture_signal=options.texture_signal,
                truth_folder=options.truth,
            )
            for hospital in HOSPITAL_SIZES
        ]
        for job in tqdm(jobs, desc="hospitals", unit="hospital", disable=None):
            parts.append(job.result())
    measurements = pd.concat([part for part in parts if len(part)], ignore_index=True)
    write_table(measurements, options.out / "measurements.csv")


if __name__ == "__main__":
    main()
