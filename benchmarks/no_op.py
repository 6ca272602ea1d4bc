"""How long ``snakemake -n`` takes on a large cohort: ``python benchmarks/no_op.py [patients]``.

Makes a cohort folder of 12 hospitals with five placeholder files a patient (40,000 patients, 200,000
files) and times dry runs: the first reads every file, the later ones only their times. Nothing has been
made yet, so each dry run also plans the whole study, which a no-op does not.
"""

import resource
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd

from dlre_core.simulation.cohort import write_clinical_csv
from tests.workflow.study import Study

IMAGES = 5


def cohort(folder: Path, patients: int) -> int:
    """Write the clinical table and placeholder pictures; number of patients in the table."""
    folder.mkdir(parents=True)
    write_clinical_csv(folder / "clinical.csv", round(patients * 398 / 654), 1)
    table = pd.read_csv(folder / "clinical.csv", dtype=str)
    for hospital, patient in zip(table["hospital"], table["patient_id"], strict=True):
        place = folder / "dicom" / hospital / patient
        place.mkdir(parents=True)
        for number in range(IMAGES):
            (place / f"IM{number}.dcm").write_text(f"{patient} {number}")
    return len(table)


def main() -> None:
    """Print seconds of dry runs."""
    patients = int(sys.argv[1]) if len(sys.argv) > 1 else 40_000
    with tempfile.TemporaryDirectory() as scratch:
        study = Study.create(Path(scratch) / "study")
        written = cohort(study.folder / "cohort", patients)
        study.configure(cohort={"source": "folder", "folder": "cohort"})
        print(f"{written} patients, {written * IMAGES} files", flush=True)
        for name in ("first", "second", "third"):
            started, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
            study.snakemake("--dry-run", "--quiet", "rules")
            used = resource.getrusage(resource.RUSAGE_CHILDREN)
            cpu = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
            seconds = time.perf_counter() - started
            print(f"{name} dry run: {seconds:.1f} s, of which {cpu:.1f} s of a core", flush=True)


if __name__ == "__main__":
    main()
