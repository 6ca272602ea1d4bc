"""Processor time of ingestion against the plain way, for machines on which others work too.

    PYTHONPATH=. python benchmarks/ingestion_processor.py [pictures]

Seconds on a busy machine say little; processor time of all processes changes less. The start of the
decoding process, once a hospital, stands in a line of its own. Two jobs on two free cores take half of an
image's processor time, the plain way in one process all of it: that is the last column.
"""

import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from ingestion import make_cohort, run_ours, run_plain

from dlre_core.dicom.file_search import FoundFile
from dlre_core.dicom.guarded_reader import GuardedReader
from dlre_core.dicom.reader import ReadLimits


def processor_seconds(call: Callable[[], object]) -> float:
    """Of this process and its ended children."""

    def used() -> float:
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        return time.process_time() + children.ru_utime + children.ru_stime

    before = used()
    call()
    return used() - before


def read_one(path: Path) -> None:
    """Start the decoding process for one picture."""
    with GuardedReader(ReadLimits()) as reader:
        reader.images(FoundFile(path.name, path))


def main(pictures: int = 40) -> None:
    """Print a Markdown table."""
    print("| input | plain, ms an image | ours, ms an image | ratio for two jobs |")
    print("|---|---|---|---|")
    with tempfile.TemporaryDirectory() as scratch:
        for syntax in ("uncompressed", "RLE"):
            folder = Path(scratch) / syntax
            make_cohort(folder, syntax, pictures)
            first = next(folder.rglob("*.dcm"))
            # Compile and import before the clock runs.
            run_ours(folder, "B", folder)
            start = processor_seconds(lambda path=first: read_one(path))
            plain = processor_seconds(lambda place=folder: run_plain(place, "A", place))
            ours = processor_seconds(lambda place=folder: run_ours(place, "A", place)) - start
            share = 1000 / ((pictures + 1) // 2)
            print(
                f"| {syntax} | {share * plain:.1f} | {share * ours:.1f} | {2 * plain / ours:.1f} |",
                flush=True,
            )
    print(f"\nStart of the decoding process: {start:.2f} s a hospital.")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
