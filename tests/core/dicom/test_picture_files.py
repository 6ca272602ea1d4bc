"""PNG, JPEG, BMP and TIFF: told by content, decoded as they are meant to be seen, or refused by name."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from dlre_core.dicom.file_search import FoundFile
from dlre_core.dicom.guarded_reader import GuardedReader
from dlre_core.dicom.picture_files import file_header, file_images
from dlre_core.dicom.reader import ReadLimits
from dlre_core.dicom.reject_reasons import Reason, Unusable
from tests.helpers import elastogram_files as files

SMALL = ReadLimits(pixels_per_frame=500_000, frames_per_file=20, bytes_per_file=5_000_000)
SCREEN = files.draw_screen(3)
ORIENTATION, NEW_SUBFILE_TYPE = 274, 254


def content(picture: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def png_16_bits(grey: np.ndarray, colours: int) -> bytes:
    """A PNG of 16 bits a channel, which Pillow reads and does not write: colour type 2 is RGB, 0 grey."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    height, width = grey.shape[:2]
    rows = np.concatenate([np.zeros((height, 1), np.uint8), grey.astype(">u2").reshape(height, -1).view(np.uint8)], 1)
    header = struct.pack(">IIBBBBB", width, height, 16, colours, 0, 0, 0)
    data = zlib.compress(rows.tobytes())
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def pixels(data: bytes, limits: ReadLimits = SMALL) -> np.ndarray:
    (image,) = file_images(io.BytesIO(data), limits)
    assert (image.frame, image.frames, image.regions, image.complete) == (1, 1, (), True)
    return image.pixels


def reason(data: bytes) -> Reason:
    with pytest.raises(Unusable) as caught:
        file_images(io.BytesIO(data), SMALL)
    return caught.value.reason


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF"])
def test_what_is_kept_without_loss_comes_back_as_it_was(kind):
    data = content(Image.fromarray(SCREEN), kind)
    np.testing.assert_array_equal(pixels(data), SCREEN)
    header = file_header(io.BytesIO(data))
    assert (header.patient_id, header.sop_instance_uid, header.acquired_at, header.examined_on) == ("", "", None, None)
    assert (header.derived, header.lossy) == (True, False)
    (image,) = file_images(io.BytesIO(data), SMALL)
    assert image.transfer_syntax == kind


def test_jpeg_is_lossy_and_as_libjpeg_gives_it():
    data = content(Image.fromarray(SCREEN), "JPEG", quality=90)
    np.testing.assert_array_equal(pixels(data), np.asarray(Image.open(io.BytesIO(data))))
    assert file_header(io.BytesIO(data)).lossy


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_deflate", "packbits"])
def test_compressed_tiff(compression):
    np.testing.assert_array_equal(pixels(content(Image.fromarray(SCREEN), "TIFF", compression=compression)), SCREEN)


def test_alpha_lies_on_black_and_opaque_alpha_changes_nothing():
    alpha = np.full(SCREEN.shape[:2], 255, np.uint8)
    opaque = Image.fromarray(np.dstack([SCREEN, alpha]))
    np.testing.assert_array_equal(pixels(content(opaque, "PNG")), SCREEN)
    alpha[:100] = 0
    shown = pixels(content(Image.fromarray(np.dstack([SCREEN, alpha])), "PNG"))
    assert not shown[:100].any()
    np.testing.assert_array_equal(shown[100:], SCREEN[100:])


def test_palettes_and_grey():
    indexed = Image.fromarray(SCREEN).quantize(200)
    np.testing.assert_array_equal(pixels(content(indexed, "PNG")), np.asarray(indexed.convert("RGB")))
    np.testing.assert_array_equal(pixels(content(indexed, "BMP")), np.asarray(indexed.convert("RGB")))
    grey = pixels(content(Image.fromarray(SCREEN[..., 0]), "PNG"))
    np.testing.assert_array_equal(grey, np.repeat(SCREEN[..., :1], 3, axis=2))


def test_of_16_bits_the_upper_8_count():
    deep = SCREEN.astype(np.uint16) << 8 | 0x7F
    np.testing.assert_array_equal(pixels(png_16_bits(deep, 2)), SCREEN)
    np.testing.assert_array_equal(pixels(png_16_bits(deep[..., :1], 0)), np.repeat(SCREEN[..., :1], 3, axis=2))
    tiff = content(Image.fromarray(deep[..., 0]), "TIFF")
    np.testing.assert_array_equal(pixels(tiff), np.repeat(SCREEN[..., :1], 3, axis=2))


@pytest.mark.parametrize("kind", ["JPEG", "TIFF", "PNG"])
@pytest.mark.parametrize("way", [3, 6])
def test_a_turned_picture_is_turned_back(kind, way):
    grey = np.kron(np.arange(12, dtype=np.uint8).reshape(3, 4) * 20, np.ones((40, 40), np.uint8))
    exif = Image.Exif()
    exif[ORIENTATION] = way
    data = content(Image.fromarray(grey).convert("RGB"), kind, exif=exif)
    upright = np.rot90(grey, 2) if way == 3 else np.rot90(grey, -1)
    shown = pixels(data)
    assert shown.shape == (*upright.shape, 3)
    np.testing.assert_allclose(shown[..., 1].astype(int), upright, atol=8)


@pytest.mark.parametrize(("mode", "kind"), [("CMYK", "JPEG"), ("CMYK", "TIFF"), ("LAB", "TIFF"), ("F", "TIFF")])
def test_colours_that_would_change_are_refused(mode, kind):
    source = Image.fromarray(SCREEN[..., 0]) if mode == "F" else Image.fromarray(SCREEN)
    picture = Image.new("LAB", (300, 300)) if mode == "LAB" else source.convert(mode)
    assert reason(content(picture, kind)) is Reason.ODD_COLOURS


def test_pages_and_moving_pictures_are_refused_and_previews_do_not_count():
    first, second = Image.fromarray(SCREEN), Image.fromarray(files.draw_screen(4))
    assert reason(content(first, "TIFF", save_all=True, append_images=[second])) is Reason.SEVERAL_PAGES
    assert reason(content(first, "PNG", save_all=True, append_images=[second])) is Reason.SEVERAL_PAGES
    preview = first.reduce(8)
    preview.encoderinfo = {"tiffinfo": ImageFileDirectory_v2()}
    preview.encoderinfo["tiffinfo"][NEW_SUBFILE_TYPE] = 1
    np.testing.assert_array_equal(pixels(content(first, "TIFF", save_all=True, append_images=[preview])), SCREEN)


def test_a_bomb_and_a_picture_above_the_limit_are_refused_before_they_are_decoded():
    assert reason(content(Image.new("1", (20_000, 20_000)), "PNG")) is Reason.TOO_MANY_PIXELS
    assert reason(content(Image.new("L", (1000, 501)), "PNG")) is Reason.TOO_MANY_PIXELS
    assert pixels(content(Image.new("L", (1000, 500)), "PNG")).shape == (500, 1000, 3)
    pages = [Image.new("1", (20, 20))] * 20
    assert reason(content(pages[0], "TIFF", save_all=True, append_images=pages)) is Reason.TOO_MANY_PIXELS


def test_our_limit_may_be_larger_than_pillows(tmp_path, monkeypatch):
    path = tmp_path / "large.png"
    path.write_bytes(content(Image.new("1", (14_000, 14_000)), "PNG"))
    with GuardedReader(ReadLimits(pixels_per_frame=200_000_000)) as reader:
        (image,) = reader.images(FoundFile("large.png", path))
    assert image.pixels.shape == (14_000, 14_000, 3)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "TIFF"])
def test_a_picture_that_is_cut_off_is_undecodable(kind):
    data = content(Image.fromarray(SCREEN), kind)
    for share in (0.001, 0.3, 0.9):
        assert reason(data[: max(round(share * len(data)), 20)]) is Reason.UNDECODABLE


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        (b"RIFF\x10\0\0\0AVI LIST", Reason.FILM),
        (b"\0\0\0\x20ftypisom", Reason.FILM),
        (b"\0\0\0\x14ftypqt  ", Reason.FILM),
        (b"\x1aE\xdf\xa3", Reason.FILM),
        (b"\0\0\1\xba", Reason.FILM),
        (b"RIFF\x10\0\0\0WEBPVP8 ", Reason.OTHER_PICTURE),
        (b"\0\0\0\x18ftypheic", Reason.OTHER_PICTURE),
        (b"\0\0\0\x18ftypavif", Reason.OTHER_PICTURE),
        (b"GIF89a", Reason.OTHER_PICTURE),
        (b"\0\0\0\x0cjP  \r\n", Reason.OTHER_PICTURE),
    ],
)
def test_films_and_other_pictures_are_refused_with_a_remedy(start, expected):
    with pytest.raises(Unusable) as caught:
        file_header(io.BytesIO(start + bytes(300)))
    assert caught.value.reason is expected
    assert "PNG" in expected.remedy


def test_dicom_whose_preamble_is_a_tiffs_is_dicom():
    buffer = io.BytesIO()
    files.make_dataset(SCREEN).save_as(buffer, enforce_file_format=True)
    data = b"II*\0".ljust(128, b"\0") + buffer.getvalue()[128:]
    assert file_header(io.BytesIO(data)).patient_id == "A0001"
    (image,) = file_images(io.BytesIO(data), SMALL)
    assert len(image.regions) == 3
    np.testing.assert_array_equal(image.pixels, SCREEN)


def test_the_name_alone_makes_no_picture(tmp_path):
    (tmp_path / "notes.txt").write_text("BMI of patients: 24")
    (tmp_path / "Thumbs.db").write_bytes(b"\xd0\xcf\x11\xe0" + bytes(600))
    (tmp_path / "._IM1.png").write_bytes(b"\0\5\x16\7" + bytes(100))
    (tmp_path / "IM1.PNG").write_text("no picture")
    (tmp_path / "IM2.png").write_bytes(content(Image.fromarray(SCREEN), "JPEG"))
    with GuardedReader(SMALL) as reader:
        for name in ("notes.txt", "Thumbs.db", "._IM1.png"):
            assert reader.header(FoundFile(name, tmp_path / name)) is None
        assert reader.header(FoundFile("IM2.png", tmp_path / "IM2.png")).lossy
        with pytest.raises(Unusable) as caught:
            reader.header(FoundFile("A/IM1.PNG", tmp_path / "IM1.PNG"))
    assert caught.value.reason is Reason.NOT_WHAT_IT_SAYS


def test_text_in_a_picture_is_not_among_what_is_read(tmp_path):
    text, exif = PngInfo(), Image.Exif()
    text.add_text("Patient", "Szczepanska", zip=True)
    text.add_itxt("XML:com.adobe.xmp", "Szczepanska")
    exif[0x010E] = exif[0x013B] = "Szczepanska"
    path = tmp_path / "x.png"
    path.write_bytes(content(Image.fromarray(SCREEN), "PNG", pnginfo=text, exif=exif))
    with GuardedReader(SMALL) as reader:
        told = repr([reader.ask(what, FoundFile("x.png", path)) for what in ("header", "images")])
    assert "Szczepanska" not in told
    assert "Szczepanska" not in repr(file_header(path)) + repr(file_images(path, SMALL))
