"""Write a cohort: ``python -m dlre_core.simulation [--cohort international] --size demo|N --seed S --out DIR``."""

import argparse
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pandas as pd
import yaml
from tqdm import tqdm

from dlre_core.patients.cohort_folder import SIMULATED_HOSPITALS
from dlre_core.simulation.cohort import HospitalScreens, join_measurements
from dlre_core.simulation.international import INTERNATIONAL, write_embedded_hospital, write_embedded_table
from dlre_core.simulation.presets import optional_tables


def main() -> None:
    """Parse the command line and write the cohort, hospitals side by side."""
    parser = argparse.ArgumentParser(description="Write a simulated cohort (no real patients).")
    parser.add_argument("--cohort", choices=list(SIMULATED_HOSPITALS), default="gut_2019")
    parser.add_argument("--size", default="demo", help="demo, paper, or a number of enrolled")
    parser.add_argument("--seed", type=int, default=2019)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--processes", type=int, default=None)
    parser.add_argument("--texture-signal", type=float, default=1.0)
    parser.add_argument("--truth", type=Path, default=None, help="where to write the truth files")
    parser.add_argument(
        "--screens", type=yaml.safe_load, default={}, help="as cohort.screens: '{B: {layout: velocity, files: png}}'"
    )
    options = parser.parse_args()
    if options.cohort == INTERNATIONAL and options.screens:
        parser.error("the centres of the international cohort have screens of their own; leave --screens out")
    write_embedded_table(options.cohort, options.out / "clinical.csv", options.size, options.seed)
    parts: list[pd.DataFrame] = []
    with ProcessPoolExecutor(options.processes) as pool:
        common = {"texture_signal": options.texture_signal, "truth_folder": options.truth}
        jobs = [
            pool.submit(
                write_embedded_hospital,
                *(options.cohort, options.out, hospital, options.size, options.seed),
                **common,
                screens=HospitalScreens(**options.screens.get(hospital, {})),
            )
            for hospital in SIMULATED_HOSPITALS[options.cohort]
        ]
        for job in tqdm(jobs, desc="hospitals", unit="hospital", disable=None):
            parts.append(job.result())
    tables = {name: options.out / f"{name}.csv" for name in optional_tables(options.screens)}
    join_measurements(parts, **tables)


if __name__ == "__main__":
    main()
