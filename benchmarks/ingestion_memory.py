"""Memory of ingesting one large hospital: how it grows with the number of pictures.

    PYTHONPATH=. python benchmarks/ingestion_memory.py [--pictures 2000 20000] [--folder /tmp]

Small screens (720 x 540, JPEG, about 0.1 MB each) of made-up patients, five pictures each, no two alike, are
written and ingested as the workflow does it, every number in a process of its own. The table holds the
peak resident memory of the job and of its decoding process, and the seconds of processor time a picture.
"""

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.ingestion import BOTTOM, BOX, TOP, draw_screen, run_ours, write_file
from dlre_core.elastography.screen_layout import Rectangle
from dlre_core.user_tables.data_contract import template

HOSPITAL = "A"
HALF = [Rectangle(place.left // 2, place.top // 2, place.right // 2, place.bottom // 2) for place in (TOP, BOX, BOTTOM)]


def make_hospital(folder: Path, pictures: int) -> None:
    """A hospital's folder and its clinical table."""
    generator = np.random.default_rng(1)
    screen = draw_screen(generator)[::2, ::2].copy()
    box = screen[BOX.top // 2 : BOX.bottom // 2, BOX.left // 2 : BOX.right // 2]
    original = box.copy()
    columns = template().strip().split(",")
    rows = [template()]
    for number in tqdm(range(pictures), desc="writing", disable=None):
        patient = f"A{number // 5:05d}"
        if number % 5 == 0:
            values = {"patient_id": patient, "hospital": HOSPITAL, "fibrosis_stage": "2"}
            rows.append(",".join(values.get(name, "") for name in columns) + "\n")
        # Another map in every picture: rolled by the number and then mirrored, so that no two are alike.
        turned = original[::-1] if number >= box.shape[0] * box.shape[1] else original
        box[:] = np.roll(turned, (number // box.shape[1], number), axis=(0, 1))
        path = folder / "dicom" / HOSPITAL / patient / f"{number}.dcm"
        write_file(path, screen, "JPEG", patient, number % 60, HALF)
    (folder / "clinical.csv").write_text("".join(rows))


def ingest(folder: Path) -> None:
    """Ingest, then print pictures stored, peaks in MB and processor seconds as JSON."""
    out = folder / "out"
    out.mkdir()
    begun = time.process_time()
    run_ours(folder, HOSPITAL, out, memory=out / "memory.sqlite")
    own, children = (resource.getrusage(kind) for kind in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    stored = int((out / f"{HOSPITAL}_c.csv").read_text().splitlines()[1].split(",")[2])
    used = time.process_time() - begun + children.ru_utime + children.ru_stime
    sys.stdout.write(json.dumps([stored, own.ru_maxrss / 1024, children.ru_maxrss / 1024, used]))


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=int, nargs="+", default=[2000, 20000])
    parser.add_argument("--folder", type=Path, default=None, help="for the files; 0.2 MB per picture")
    parser.add_argument("--ingest", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.ingest is not None:
        ingest(given.ingest)
        return
    print("| pictures stored | peak of the job, MB | of the decoder, MB | processor ms a picture |")
    print("|---|---|---|---|", flush=True)
    for pictures in given.pictures:
        folder = Path(tempfile.mkdtemp(dir=given.folder))
        try:
            make_hospital(folder, pictures)
            # A process of its own: peaks are of a process's whole life.
            command = [sys.executable, __file__, "--ingest", str(folder)]
            answer = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
            stored, own, decoder, seconds = json.loads(answer)
            print(f"| {stored} | {own:.0f} | {decoder:.0f} | {1000 * seconds / pictures:.1f} |", flush=True)
        finally:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
