"""Files that crash, stall or starve the decoding process cost one file, never the study."""

import io
import os
import struct
import subprocess
import sys
import time
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import DeflatedExplicitVRLittleEndian, RLELossless

from dlre_core.dicom.file_search import FoundFile
from dlre_core.dicom.guarded_reader import START, GuardedReader
from dlre_core.dicom.reader import ReadLimits, read_dicom, read_header
from dlre_core.dicom.reject_reasons import Reason, Unusable
from dlre_core.foundation.errors import DecoderUnavailable, StorageError
from tests.helpers import elastogram_files as files

ROOT = Path(__file__).parents[3]
READY = "print('ready', flush=True)\n"
SMALL = ReadLimits(pixels_per_frame=2_000_000, frames_per_file=100, bytes_per_file=10_000_000)


@pytest.fixture(scope="module")
def reader():
    with GuardedReader(SMALL) as guarded:
        yield guarded


def reason_of(reader, file: FoundFile) -> Reason:
    with pytest.raises(Unusable) as caught:
        reader.images(file)
    return caught.value.reason


def found(path, member=None) -> FoundFile:
    return FoundFile(path.name, path, member)


def test_answers_are_those_of_reading_here(reader, tmp_path):
    clip = np.stack([files.draw_screen(0, fill) for fill in (0.3, 0.8)])
    # RLE keeps channels apart.
    apart = files.make_dataset(files.draw_screen(4))
    apart.compress(RLELossless, generate_instance_uid=False)
    still, clip = files.make_dataset(files.draw_screen(3)), files.make_dataset(clip, regions=False)
    for number, dataset in enumerate((still, clip, apart)):
        path = files.save(dataset, tmp_path / f"{number}")
        assert reader.header(found(path)) == read_header(path)
        for far, near in zip(reader.images(found(path)), read_dicom(path, SMALL), strict=True):
            np.testing.assert_array_equal(far.pixels, near.pixels)
            assert far.regions == near.regions
            assert (far.frame, far.frames) == (near.frame, near.frames)


def test_members_of_archives_are_read(reader, tmp_path):
    path = files.write_elastogram(tmp_path / "x.dcm", 5)
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("readme.txt", "hello")
        archive.write(path, "deep/x.dcm")
    assert reader.header(found(tmp_path / "a.zip", 0)) is None
    (image,) = reader.images(found(tmp_path / "a.zip", 1))
    np.testing.assert_array_equal(image.pixels, files.draw_screen(5))


def test_a_damaged_member_is_a_bad_archive(reader, tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x", os.urandom(5000))
    content = bytearray(path.read_bytes())
    content[2000:2100] = bytes(100)
    path.write_bytes(content)
    assert reason_of(reader, found(path, 0)) is Reason.BAD_ARCHIVE
    assert reason_of(reader, found(path, 7)) is Reason.BAD_ARCHIVE


def test_a_length_beyond_the_end_costs_no_memory(tmp_path):
    content = bytearray(files.write_elastogram(tmp_path / "x").read_bytes())
    place = content.index(b"RGB ") - 4
    assert content[place - 4 : place] == b"\x28\0\x04\0"
    # An element of 3.9 GB in a file of 1.2 MB.
    content[place : place + 4] = b"UN\0\0"
    content[place + 4 : place + 4] = struct.pack("<I", 3_900_000_000)
    (tmp_path / "x").write_bytes(content)
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(tmp_path / "x", "x")
    with GuardedReader(SMALL) as reader:
        for file in (found(tmp_path / "x"), found(tmp_path / "x.zip", 0)):
            assert reason_of(reader, file) is Reason.NO_PIXELS
        first = reader.process
        assert reader.header(found(files.write_elastogram(tmp_path / "y"))) is not None
        assert reader.process is first


def test_a_pipe_does_not_block_and_a_link_is_not_followed(reader, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    os.symlink(files.write_elastogram(tmp_path / "x.dcm"), tmp_path / "link")
    for name in ("pipe", "link", "missing"):
        with pytest.raises(Unusable):
            reader.images(found(tmp_path / name))


def test_a_deflate_bomb_ends_as_too_much_memory(reader, tmp_path):
    dataset = files.make_dataset(files.draw_screen(), regions=False)
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    bomb = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    start = buffer.getvalue().index(b"1.2.840.10008.1.2.1.99") + 22
    # The group length of the meta information says where the deflated part begins.
    (length,) = struct.unpack("<I", buffer.getvalue()[140:144])
    assert start < 144 + length
    path = tmp_path / "bomb"
    with open(path, "wb") as file:
        file.write(buffer.getvalue()[: 144 + length])
        # After a full flush blocks do not refer to each other.
        file.write((bomb.compress(bytes(1 << 20)) + bomb.flush(zlib.Z_FULL_FLUSH)) * 1300)
    assert path.stat().st_size < SMALL.bytes_per_file
    assert reason_of(reader, found(path)) in (Reason.OVER_MEMORY, Reason.UNDECODABLE)
    assert reader.images(found(files.write_elastogram(tmp_path / "next")))


def test_a_jpeg_that_claims_to_be_huge_is_undecodable(reader, tmp_path):
    dataset, _ = files.encode(files.draw_screen(), "jpeg_baseline_444")
    place = dataset.PixelData.index(b"\xff\xc0") + 5
    content = bytearray(dataset.PixelData)
    content[place : place + 4] = struct.pack(">HH", 65000, 65000)
    dataset.PixelData = bytes(content)
    dataset["PixelData"].VR = "OB"
    path = files.save(dataset, tmp_path / "x")
    assert reason_of(reader, found(path)) in (Reason.UNDECODABLE, Reason.OVER_MEMORY)


def test_a_run_length_bomb_gives_no_more_pixels_than_the_header_says(reader, tmp_path):
    dataset, _ = files.encode(files.draw_screen(), "rle")
    header = struct.pack("<16I", 3, 64, 2_000_000, 4_000_000, *[0] * 12)
    dataset.PixelData = encapsulate([header + b"\x81\xff" * 3_000_000])
    dataset["PixelData"].VR = "OB"
    (image,) = reader.images(found(files.save(dataset, tmp_path / "x")))
    assert image.pixels.shape == (files.HEIGHT, files.WIDTH, 3)


def test_time_runs_out_and_the_next_file_is_read(tmp_path):
    clip = np.stack([files.draw_screen(seed) for seed in range(2)])
    dataset = files.make_dataset(clip)
    dataset.PixelData, dataset.NumberOfFrames = dataset.PixelData * 50, 100
    dataset.PhotometricInterpretation = "YBR_FULL"
    slow = files.save(dataset, tmp_path / "slow")
    quick = files.write_elastogram(tmp_path / "quick")
    with GuardedReader(ReadLimits(seconds_per_file=0.05)) as reader:
        started = time.monotonic()
        assert reason_of(reader, found(slow)) is Reason.TOO_SLOW
        assert time.monotonic() - started < 30
        assert reader.header(found(quick)) is not None


@pytest.mark.parametrize("start", ["raise SystemExit(1)", "print('hello', flush=True)", ""])
def test_a_decoder_that_does_not_start_is_no_fault_of_files(tmp_path, monkeypatch, start):
    monkeypatch.setattr("dlre_core.dicom.guarded_reader.START", start)
    with GuardedReader(SMALL) as reader, pytest.raises(DecoderUnavailable, match="ulimit"):
        reader.header(found(tmp_path / "x"))


def test_a_decoder_works_within_a_limit_of_memory_that_is_set_already(tmp_path):
    path = files.write_elastogram(tmp_path / "x")
    script = (
        "import resource, sys\n"
        "resource.setrlimit(resource.RLIMIT_AS, (2_400_000_000, 2_400_000_000))\n"
        "from dlre_core.dicom.reader import ReadLimits\n"
        "from dlre_core.dicom.guarded_reader import GuardedReader\n"
        "from dlre_core.dicom.file_search import FoundFile\n"
        "from pathlib import Path\n"
        "path = Path(sys.argv[1])\n"
        "with GuardedReader(ReadLimits()) as reader:\n"
        "    print(len(reader.images(FoundFile(path.name, path))))\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", script, str(path)],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert said.strip() == "1"


def test_a_full_disk_of_temporary_files_is_no_fault_of_archives(tmp_path, monkeypatch):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(files.write_elastogram(tmp_path / "x"), "x")
    full = "import errno, tempfile\ndef fail(): raise OSError(errno.ENOSPC, 'full')\ntempfile.TemporaryFile = fail\n"
    monkeypatch.setattr("dlre_core.dicom.guarded_reader.START", full + START)
    with GuardedReader(SMALL) as reader, pytest.raises(StorageError, match="TMPDIR"):
        reader.header(FoundFile("a.zip/x", path, 0))


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_members_that_do_not_unpack_are_bad_archives(reader, tmp_path, method):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.write(files.write_elastogram(tmp_path / "x"), "x")
        archive.writestr("y", b"y" * 100)
    content = bytearray(path.read_bytes())
    content[200:4000] = b"\xa5" * 3800
    path.write_bytes(content)
    assert reason_of(reader, FoundFile("a.zip/x", path, 0)) is Reason.BAD_ARCHIVE


def test_members_of_several_archives_in_turn(reader, tmp_path):
    for name in "ab":
        with zipfile.ZipFile(tmp_path / f"{name}.zip", "w") as archive:
            for number in range(2):
                path = files.write_elastogram(tmp_path / f"{name}{number}", patient_id=f"{name}{number}")
                archive.write(path, str(number))
    for name, number in ("a0", "b1", "a1", "b0", "b1"):
        header = reader.header(FoundFile(name, tmp_path / f"{name}.zip", int(number)))
        assert header.patient_id == name + number


def test_a_crash_of_the_decoder_is_a_reason(tmp_path, monkeypatch):
    crash = READY + "import os, sys\nsys.stdin.readline()\nos.abort()"
    monkeypatch.setattr("dlre_core.dicom.guarded_reader.START", crash)
    with GuardedReader(SMALL) as reader:
        assert reason_of(reader, found(tmp_path / "x")) is Reason.UNDECODABLE
        assert reason_of(reader, found(tmp_path / "x")) is Reason.UNDECODABLE


def test_an_endless_answer_is_no_answer(tmp_path, monkeypatch):
    babble = READY + "import sys\nsys.stdin.readline()\nwhile True: sys.stdout.write('x' * 9999)"
    monkeypatch.setattr("dlre_core.dicom.guarded_reader.START", babble)
    monkeypatch.setattr("dlre_core.dicom.guarded_reader.LAST_BREATH_SECONDS", 0.1)
    with GuardedReader(SMALL) as reader:
        assert reason_of(reader, found(tmp_path / "x")) is Reason.UNDECODABLE


def test_an_id_as_long_as_a_picture_is_none(reader, tmp_path):
    dataset = files.make_dataset(files.draw_screen())
    dataset.add_new("PatientID", "UT", "x" * 3_000_000)
    header = reader.header(found(files.save(dataset, tmp_path / "x")))
    assert header.patient_id == ""


def test_the_process_ends_with_its_reader(tmp_path):
    path = files.write_elastogram(tmp_path / "x")
    with GuardedReader(SMALL) as reader:
        reader.header(found(path))
        process = reader.process
    assert process.poll() is not None
