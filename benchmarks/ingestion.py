"""Ingestion of one hospital against the plain way: pydicom's pixel_array and h5py with gzip.

    python benchmarks/ingestion.py [pictures] [rounds] [input ...]

Every round runs all ways one after the other, each in new processes, so that they meet the same
machine; the table gives medians over rounds, and ratios within rounds. Imports (1 to 2 s) are not
timed, the start of the decoding process is. The plain way only decodes and stores; ours also matches patients, finds
and judges the box, blanks the identity, and decodes in a process that may be killed.

On a machine where others work too, processor time says more than seconds: it is that of all processes,
with the start of the decoding ones.
"""

import io
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np
import pydicom
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import ExplicitVRLittleEndian, JPEG2000Lossless, JPEGBaseline8Bit, RLELossless
from scipy import ndimage

sys.path.insert(0, str(Path(__file__).parent.parent))

from dlre_core.elastography.colour_map import colour_table
from dlre_core.elastography.screen_layout import Rectangle
from dlre_core.foundation.processes import KEEP_MEMORY
from dlre_core.ingestion.hospital import HospitalFolder, IngestedFiles, ingest_hospital
from dlre_core.ingestion.usable_picture import IngestionSettings
from dlre_core.patients.pseudonyms import Pseudonymiser, simulation_key
from dlre_core.user_tables.data_contract import template

PROCESSES = 2
TOP, BOTTOM = Rectangle(311, 139, 1088, 580), Rectangle(311, 591, 1088, 1031)
BOX, BAR = Rectangle(550, 250, 790, 450), Rectangle(1385, 141, 1404, 360)
SYNTAXES = {
    "uncompressed": ExplicitVRLittleEndian,
    "RLE": RLELossless,
    "JPEG": JPEGBaseline8Bit,
    "JPEG 2000": JPEG2000Lossless,
}


def draw_screen(generator: np.random.Generator) -> np.ndarray:
    """A native screen with speckle, a stiffness map and a header, (1080, 1440, 3) uint8."""
    screen = np.zeros((1080, 1440, 3), dtype=np.uint8)
    speckle = ndimage.gaussian_filter(generator.gamma(2, 20, (440, 777)), 1.2)
    for place in (TOP, BOTTOM):
        grey = speckle[: place.height, : place.width, None].clip(0, 255)
        screen[place.top : place.top + len(grey), place.left : place.right] = grey
    field = ndimage.gaussian_filter(generator.normal(0, 1, (BOX.height, BOX.width)), 12)
    index = np.interp(field, (field.min(), field.max()), (10, 200)).astype(int)
    box = screen[BOX.top : BOX.bottom, BOX.left : BOX.right]
    box[:] = (0.5 * colour_table()[index] + 0.5 * box).astype(np.uint8)
    bar = colour_table()[::-1][np.linspace(0, 255, BAR.height).astype(int)]
    screen[BAR.top : BAR.bottom, BAR.left : BAR.right] = bar[:, None]
    screen[20:60, ::3] = 180
    return screen


def region(place: Rectangle) -> Dataset:
    """A region tag, as SSI stills have three."""
    item = Dataset()
    item.RegionSpatialFormat, item.RegionDataType, item.RegionFlags = 1, 1, 0
    item.RegionLocationMinX0, item.RegionLocationMinY0 = place.left, place.top
    item.RegionLocationMaxX1, item.RegionLocationMaxY1 = place.right - 1, place.bottom - 1
    item.PhysicalUnitsXDirection = item.PhysicalUnitsYDirection = 3
    item.PhysicalDeltaX = item.PhysicalDeltaY = 0.01
    return item


def write_file(
    path: Path,
    screen: np.ndarray,
    syntax: str,
    patient: str,
    number: int,
    places: Sequence[Rectangle] = (TOP, BOX, BOTTOM),
) -> None:
    """One DICOM still with region tags."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = SYNTAXES[syntax]
    dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.6.1"
    dataset.SOPInstanceUID = f"1.2.3.{patient[1:].lstrip('0') or 0}.{number}"
    dataset.PatientID, dataset.InstanceNumber = patient, number
    dataset.AcquisitionDate, dataset.AcquisitionTime = "20160302", f"1015{number:02d}"
    dataset.Rows, dataset.Columns, dataset.SamplesPerPixel = *screen.shape[:2], 3
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 8, 8, 7
    dataset.PixelRepresentation = dataset.PlanarConfiguration = 0
    dataset.PhotometricInterpretation, dataset.PixelData = "RGB", screen.tobytes()
    if syntax == "RLE":
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dataset.compress(RLELossless, generate_instance_uid=False)
    elif syntax != "uncompressed":
        lossy = syntax == "JPEG"
        options = (
            {"format": "JPEG", "quality": 90, "subsampling": "4:2:2"}
            if lossy
            else {"format": "JPEG2000", "irreversible": False, "mct": 1, "no_jp2": True}
        )
        buffer = io.BytesIO()
        Image.fromarray(screen).save(buffer, **options)
        dataset.PhotometricInterpretation = "YBR_FULL_422" if lossy else "YBR_RCT"
        dataset.PixelData = encapsulate([buffer.getvalue()])
        dataset["PixelData"].VR = "OB"
    dataset.SequenceOfUltrasoundRegions = [region(place) for place in places]
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.save_as(path, enforce_file_format=True)


def make_cohort(folder: Path, syntax: str, pictures: int) -> None:
    """Two hospitals with half of the pictures each, five a patient."""
    generator = np.random.default_rng(1)
    rows = [template()]
    columns = template().strip().split(",")
    for number in range(pictures):
        hospital = "AB"[number % 2]
        patient = f"{hospital}{number // 10:04d}"
        if number % 10 < 2:
            values = {"patient_id": patient, "hospital": hospital, "fibrosis_stage": "2"}
            rows.append(",".join(values.get(name, "") for name in columns) + "\n")
        path = folder / "dicom" / hospital / patient / f"{number}.dcm"
        write_file(path, draw_screen(generator), syntax, patient, number % 60)
    (folder / "clinical.csv").write_text("".join(rows))


def run_plain(folder: Path, hospitals: str, out: Path) -> None:
    """What one writes first: all files, one process."""
    paths = sorted(path for code in hospitals for path in (folder / "dicom" / code).rglob("*.dcm"))
    with h5py.File(out / "plain.h5", "w") as file:
        data = file.create_dataset(
            "screens",
            (len(paths), 1080, 1440, 3),
            "u1",
            chunks=(1, 1080, 1440, 3),
            compression="gzip",
        )
        for index, path in enumerate(paths):
            data[index] = pydicom.dcmread(path).pixel_array


def run_ours(folder: Path, hospitals: str, out: Path, memory: Path | None = None) -> None:
    """The workflow's own call, a hospital at a time; ``memory`` knows files again in a later run."""
    for code in hospitals:
        ingest_hospital(
            HospitalFolder(code, folder / "dicom" / code, clinical_csv=folder / "clinical.csv"),
            IngestedFiles(
                shard=out / f"{code}.h5",
                acquisitions_csv=out / f"{code}_a.csv",
                rejects_csv=out / f"{code}_r.csv",
                counts_csv=out / f"{code}_c.csv",
                private_map_csv=out / f"{code}_p.csv",
            ),
            Pseudonymiser(simulation_key(1), 365),
            IngestionSettings(),
            memory=memory,
        )


def start(way: str, folder: Path, hospitals: str, out: Path) -> subprocess.Popen:
    """A process of this file that runs one way and prints its peak memory."""
    command = [sys.executable, __file__, "--way", way, str(folder), hospitals, str(out)]
    environment = dict(os.environ) | (KEEP_MEMORY if way == "ours" else {})
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment)


def time_way(way: str, folder: Path, out: Path, parts: list[str]) -> tuple[float, float, float]:
    """Seconds of the slowest part, all at once, the sum of their peaks, MB, and processor seconds."""
    jobs = [start(way, folder, part, out) for part in parts]
    answers = [json.loads(job.communicate()[0]) for job in jobs]
    seconds, peaks, processor = zip(*answers, strict=True)
    return max(seconds), sum(peaks), sum(processor)


def child(way: str, folder: str, hospitals: str, out: str) -> None:
    """Run one way here and print seconds, peak memory with that of its processes, MB, processor time."""
    warnings.simplefilter("ignore")
    begun, before = time.perf_counter(), time.process_time()
    {"plain": run_plain, "ours": run_ours}[way](Path(folder), hospitals, Path(out))
    seconds = time.perf_counter() - begun
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    peak = sum(resource.getrusage(kind).ru_maxrss for kind in kinds) / 1024
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = time.process_time() - before + children.ru_utime + children.ru_stime
    sys.stdout.write(json.dumps([seconds, peak, processor]))


def main(pictures: int = 120, rounds: int = 3, *inputs: str) -> None:
    """Print a Markdown table."""
    ways = {
        "plain, 1 process": ("plain", ["AB"]),
        "DLRE, 1 hospital at a time": ("ours", ["AB"]),
        f"DLRE, {PROCESSES} hospitals at once": ("ours", ["A", "B"]),
    }
    lines = [
        "| input | way | images/s | x plain | processor ms per image | peak MB | MB per image on disk |",
        "|---|---|---|---|---|---|---|",
    ]
    for syntax in inputs or SYNTAXES:
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            make_cohort(folder, syntax, pictures)
            results: dict[str, list[tuple[float, float, float]]] = {name: [] for name in ways}
            for _ in range(rounds):
                for name, (way, parts) in ways.items():
                    results[name].append(time_way(way, folder, folder, parts))
            plain = [entry[0] for entry in results["plain, 1 process"]]
            size = {"plain": (folder / "plain.h5").stat().st_size}
            size["ours"] = sum((folder / f"{code}.h5").stat().st_size for code in "AB")
            for name, (way, _) in ways.items():
                seconds, peaks, processor = zip(*results[name], strict=True)
                ratio = statistics.median(p / s for p, s in zip(plain, seconds, strict=True))
                peak, used = statistics.median(peaks), statistics.median(processor)
                lines.append(
                    f"| {syntax} | {name} | {pictures / statistics.median(seconds):.1f} | {ratio:.2f} "
                    f"| {1000 * used / pictures:.1f} | {peak:.0f} | {size[way] / pictures / 1e6:.2f} |"
                )
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--way"]:
        child(*sys.argv[2:])
    else:
        main(*map(int, sys.argv[1:3]), *sys.argv[3:])
