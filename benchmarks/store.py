"""Choose the store's chunks and compression: size, write, reading in order, and crops at random.

    PYTHONPATH=. python benchmarks/store.py [pictures]

Pictures are blanked screens with speckle, as `benchmarks/ingestion.py` draws them. Every row writes the
kept parts of all pictures, reads all pictures in order, then reads one 250 x 250 crop of each in random
order; files are in the page cache. Rows with hdf5plugin appear where that package is installed.
"""

import contextlib
import sys
import tempfile
import time
from pathlib import Path

import h5py
import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from ingestion import BAR, BOTTOM, BOX, TOP, draw_screen

CHUNKS = {
    "whole picture": (1, 1080, 1440, 3),
    "540 x 720": (1, 540, 720, 3),
    "216 x 288": (1, 216, 288, 3),
    "108 x 144": (1, 108, 144, 3),
}
CODECS: dict[str, dict] = {
    "none": {},
    "lzf": {"compression": "lzf"},
    "gzip 1": {"compression": "gzip", "compression_opts": 1},
    "gzip 4": {"compression": "gzip", "compression_opts": 4},
}
with contextlib.suppress(ImportError):
    import hdf5plugin

    CODECS |= {
        "blosc lz4": dict(hdf5plugin.Blosc(cname="lz4", clevel=1, shuffle=0)),
        "zstd 1": dict(hdf5plugin.Zstd(clevel=1)),
    }


def time_layout(path: Path, screens: np.ndarray, chunk: tuple, codec: dict) -> list[float]:
    """MB per image, and images/s of writing, reading in order and crops at random."""
    n = len(screens)
    begun = time.perf_counter()
    with h5py.File(path, "w", libver="latest") as file:
        data = file.create_dataset("screens", screens.shape, "u1", chunks=chunk, **codec)
        for index, screen in enumerate(screens):
            for place in (TOP, BOTTOM, BAR) if chunk[1] < 1080 else (None,):
                where = (
                    (slice(place.top, place.bottom), slice(place.left, place.right))
                    if place
                    else (slice(None), slice(None))
                )
                data[(index, *where)] = screen[where]
    written = time.perf_counter()
    order = np.random.default_rng(0).permutation(n)
    with h5py.File(path) as file:
        for index in range(n):
            file["screens"][index]
        in_order = time.perf_counter()
        for index in order:
            file["screens"][index, BOX.top : BOX.top + 250, BOX.left : BOX.left + 250]
    crops = time.perf_counter()
    seconds = (written - begun, in_order - written, crops - in_order)
    return [path.stat().st_size / n / 1e6, *(n / s for s in seconds)]


def main(pictures: int = 40) -> None:
    """Print a Markdown table."""
    generator = np.random.default_rng(1)
    screens = np.stack([draw_screen(generator) for _ in range(pictures)])
    kept = np.zeros_like(screens)
    for place in (TOP, BOTTOM, BAR):
        where = np.s_[:, place.top : place.bottom, place.left : place.right]
        kept[where] = screens[where]
    print("| chunk | compression | MB per image | written/s | read in order/s | crops/s |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as scratch:
        for name, chunk in CHUNKS.items():
            for codec, options in CODECS.items():
                row = time_layout(Path(scratch) / "x.h5", kept, chunk, options)
                numbers = " | ".join(f"{value:.3g}" for value in row)
                print(f"| {name} | {codec} | {numbers} |")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
