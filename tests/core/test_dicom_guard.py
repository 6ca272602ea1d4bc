"""Files that crash, stall or starve the decoding process cost one file, never the study."""

import io
import os
import struct
import time
import zipfile
import zlib

import numpy as np
import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import DeflatedExplicitVRLittleEndian, RLELossless

from dlre_core.dicom import ReadLimits, read_dicom, read_header
from dlre_core.dicom_guard import GuardedReader
from dlre_core.found_files import FoundFile
from dlre_core.rejects import Reason, Unusable
from tests.core import elastogram_files as files

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
        first = reader._process
        assert reader.header(found(files.write_elastogram(tmp_path / "y"))) is not None
        assert reader._process is first


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
    slow = files.save(dataset, tmp_path / "slow")
    quick = files.write_elastogram(tmp_path / "quick")
    with GuardedReader(ReadLimits(seconds_per_file=0.05)) as reader:
        started = time.monotonic()
        assert reason_of(reader, found(slow)) is Reason.TOO_SLOW
        assert time.monotonic() - started < 30
        assert reader.header(found(quick)) is not None


def test_a_crash_of_the_decoder_is_a_reason(tmp_path, monkeypatch):
    crash = "import os, sys\nsys.stdin.readline()\nos.abort()"
    monkeypatch.setattr("dlre_core.dicom_guard.START", crash)
    with GuardedReader(SMALL) as reader:
        assert reason_of(reader, found(tmp_path / "x")) is Reason.UNDECODABLE
        assert reason_of(reader, found(tmp_path / "x")) is Reason.UNDECODABLE


def test_an_endless_answer_is_no_answer(tmp_path, monkeypatch):
    babble = "import sys\nsys.stdin.readline()\nwhile True: sys.stdout.write('x' * 9999)"
    monkeypatch.setattr("dlre_core.dicom_guard.START", babble)
    monkeypatch.setattr("dlre_core.dicom_guard.LAST_BREATH_SECONDS", 0.1)
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
        process = reader._process
    assert process.poll() is not None
