"""Seeded mutations of real and drawn files: each ends as stored, rejected or ignored.

``make fuzz`` is the long version: 100,000, or ``MUTATIONS=`` any number.
"""

import concurrent.futures
import contextlib
import io
import multiprocessing
import os
import resource
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom.data import get_testdata_file

from dlre_core.dicom.decoder_process import BASE_BYTES, BYTES_PER_PIXEL
from dlre_core.dicom.picture_files import file_header, file_images
from dlre_core.dicom.reader import ReadLimits, read_dicom, read_header
from dlre_core.dicom.reject_reasons import Unusable
from tests.helpers import elastogram_files as files
from tests.helpers.hospital import Hospital

MUTATIONS = int(os.environ.get("DLRE_FUZZ_MUTATIONS", "5000"))
BATCH = 500
UID = b"1.2.826.0.1.3680043.8.498.1"
LIMITS = ReadLimits(pixels_per_frame=2_000_000, frames_per_file=50, bytes_per_file=5_000_000, seconds_per_file=5)
REAL = [
    "examples_ybr_color.dcm",
    "examples_palette.dcm",
    "examples_rgb_color.dcm",
    "SC_rgb_jls_lossy_line.dcm",
    "SC_rgb_jpeg_gdcm.dcm",
    "SC_rgb_rle_2frame.dcm",
    "SC_rgb_gdcm_KY.dcm",
    "rtplan.dcm",
    "reportsi.dcm",
    "DICOMDIR",
]
# Kind, and how it is written.
PICTURES = [
    ("PNG", {}),
    ("PNG", {"bits": 8}),
    ("JPEG", {"quality": 80}),
    ("JPEG", {"progressive": True}),
    ("BMP", {}),
    ("TIFF", {}),
    ("TIFF", {"compression": "tiff_lzw"}),
    ("TIFF", {"compression": "jpeg"}),
]
DRAWN = ["plain", "rle", "jpeg_baseline_422", "jpeg_2000", "palette_16", "implicit", "deflated"]


def seeds() -> list[bytes]:
    """Small real files, and drawn elastograms in several transfer syntaxes and as pictures."""
    contents = []
    for name in REAL:
        path = get_testdata_file(name, download=False)
        if path is not None and os.path.getsize(path) < 1_500_000:
            with open(path, "rb") as file:
                contents.append(file.read())
    for kind in DRAWN:
        dataset, _ = files.encode(files.draw_screen(), kind)
        buffer = io.BytesIO()
        dataset.save_as(buffer, enforce_file_format=True)
        contents.append(buffer.getvalue())
    return contents + [picture_file(files.draw_screen(), kind, options) for kind, options in PICTURES]


def picture_file(screen: np.ndarray, kind: str, options: dict[str, object]) -> bytes:
    """With an orientation, a text and a preview's tag, as far as the kind has them."""
    picture, exif, buffer = Image.fromarray(screen), Image.Exif(), io.BytesIO()
    exif[274], exif[270] = 1, "text"
    picture = picture.quantize(200) if "bits" in options else picture
    picture.save(buffer, kind, exif=exif, **options)
    return buffer.getvalue()


def mutate(content: bytes, generator: np.random.Generator) -> bytes:
    """One to four damages, most of them in the first 2 kB, where the structure is."""
    data = bytearray(content)
    for _ in range(generator.integers(1, 5)):
        reach = len(data) if generator.random() < 0.3 else min(len(data), 2048)
        at = int(generator.integers(0, max(reach, 1)))
        length = int(generator.integers(1, 64))
        kind = generator.integers(0, 7)
        if kind == 0:
            data[at : at + length] = generator.bytes(length)
        elif kind == 1:
            data[at : at + 4] = [b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", bytes(4)][generator.integers(0, 3)]
        elif kind == 2:
            del data[at:]
        elif kind == 3:
            data[at:at] = data[at : at + length] * int(generator.integers(1, 200))
        elif kind == 4:
            del data[at : at + length]
        elif kind == 5:
            # A sequence without end, or one item within the other.
            data[at:at] = b"\x18\x00\x11\x60SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff" * 40
        elif data:
            data[at % len(data)] ^= 1 << int(generator.integers(0, 8))
    return bytes(data)


def ingest_mutations(folder: Path) -> int:
    """Ingest all mutations, a batch per hospital; the largest memory, in bytes, of any decoding process.

    Run in a process of its own: the peak of a child counts what its parent held when it was forked.
    """
    generator = np.random.default_rng(2019)
    originals = seeds()
    for start in range(0, MUTATIONS, BATCH):
        hospital = Hospital(folder / f"{start}")
        patient = hospital.pictures / "A0001"
        patient.mkdir()
        number = min(BATCH, MUTATIONS - start)
        for index in range(number):
            content = originals[generator.integers(0, len(originals))]
            # One UID each, or they would be rejected as conflicts of each other.
            content = content.replace(UID, b"1.2.826.0.1.36800%010d" % index)
            # Names tell nothing, but for what they promise.
            name = f"{index:04d}{'.png' * (index % 2)}"
            (patient / name).write_bytes(mutate(content, generator))
        files.write_elastogram(patient / "sound", 99)
        hospital.ingest(limits=LIMITS, images_per_patient=number)
        counts = hospital.table("counts").iloc[0]
        assert counts["files_found"] == number + 1
        assert counts["images_stored"] >= 1
        shutil.rmtree(hospital.root)
    return 1024 * resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss


@pytest.mark.timeout(24 * 3600)
def test_every_mutation_ends_as_stored_rejected_or_ignored(tmp_path):
    fresh = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=fresh) as process:
        peak_bytes = process.submit(ingest_mutations, tmp_path).result()
    assert 0 < peak_bytes < BASE_BYTES + BYTES_PER_PIXEL * LIMITS.pixels_per_frame


def test_a_file_cut_at_every_offset_is_read_or_unusable():
    picture = np.arange(12 * 16 * 3, dtype=np.uint8).reshape(12, 16, 3)
    for regions in (True, False):
        buffer = io.BytesIO()
        files.make_dataset(picture, regions=regions).save_as(buffer, enforce_file_format=True)
        content = buffer.getvalue()
        assert len(content) < 4000
        for length in range(len(content)):
            cut = io.BytesIO(content[:length])
            for read in (read_header, lambda source: read_dicom(source, LIMITS)):
                with contextlib.suppress(Unusable):
                    read(cut)


@pytest.mark.parametrize(("kind", "options"), PICTURES)
def test_a_picture_file_cut_at_every_offset_is_read_or_unusable(kind, options):
    content = picture_file(np.arange(12 * 16 * 3, dtype=np.uint8).reshape(12, 16, 3), kind, options)
    assert len(content) < 6000
    for length in range(len(content)):
        cut = io.BytesIO(content[:length])
        for read in (file_header, lambda source: file_images(source, LIMITS)):
            with contextlib.suppress(Unusable):
                read(cut)


def test_nothing_of_a_cut_file_passes_as_whole():
    buffer = io.BytesIO()
    files.make_dataset(files.draw_screen()).save_as(buffer, enforce_file_format=True)
    with pytest.raises(Unusable):
        read_dicom(io.BytesIO(buffer.getvalue()[:-2]), LIMITS)
