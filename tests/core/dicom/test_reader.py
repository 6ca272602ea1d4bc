"""Every transfer syntax and colour space gives the picture that went in; damage gives a reason."""

import base64
import io
import shutil
import subprocess
import zlib

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.config import disable_value_validation
from pydicom.data import get_testdata_file
from pydicom.dataelem import DataElement
from pydicom.encaps import encapsulate, generate_frames
from pydicom.tag import Tag
from pydicom.uid import HTJ2K, HTJ2KLossless

from dlre_core.dicom.header_fields import moment
from dlre_core.dicom.reader import ReadLimits, read_dicom, read_header
from dlre_core.dicom.reject_reasons import Reason, Unusable
from dlre_core.elastography.screen_layout import Rectangle
from tests.helpers import elastogram_files as files

LIMITS = ReadLimits()
EXACT = [
    "plain",
    "planar",
    "implicit",
    "big_endian",
    "deflated",
    "rle",
    "jpeg_ls",
    "jpeg_2000",
    "jpeg_2000_rct",
    "palette_8",
    "palette_16",
    "monochrome2",
    "jpeg_baseline_rgb",
    "jpeg_baseline_unmarked_rgb",
    "jpeg_baseline_called_rgb",
    "jpeg_baseline_420",
    "jpeg_baseline_422",
    "jpeg_baseline_444",
]
NEAR = ["ybr_full", "ybr_full_422", "jpeg_2000_lossy"]
# imagecodecs 2026.3.6 (OpenJPH): htj2k_encode(picture, reversible=True), base64.
HIGH_THROUGHPUT = (
    "/0//UQAvQAAAAAAgAAAAGAAAAAAAAAAAAAAAIAAAABgAAAAAAAAAAAADBwEBBwEBBwEB/1AACAACAAAAA/9SAAwAAgAB"
    "AQUEBEAB/1wAEyBQWFhYWFhYWFhYWFhYUFBQ/2QAFwABT3BlbkpQSCBWZXIgMC4yNi4zLv+QAAoAAAAAAW8AAf+TwBKA"
    "7QAHdADAEoDGAQd0AMASgPEAx3QAoASgqgEHdADACWAEoCMBh3QAVQGHdADACWAEoCIBh3QAVQGHdACgBIDtCjMAwAmg"
    "BICRyAECdACqEjMAwAmgBIAQyAECdACqEjMAoAVILMuywAABvrYAwAqYAVTHcfygIjCCdgDZbDb7wBCBvrYAwAqYAVQI"
    "gvygIjCCdgDZbDb7wBCBvrYAoAVolIiIiP76cnv3yey4AMAKuAFoAGOMMcbninpwAncA61prrbX++gAAe/YAAey6AMAK"
    "uAFoAEIIIcTninpwAncA61prrbX++gAAe/YAAey6AKALWAgAAAAAAP7/cYEnv2Se/ZJ79knsvwDAFdAFsP9//3/5/qen"
    "p6enQnoAc2ZmZmZmZmb+/3GHJ798nv3ye/fJ7L8AwBXwBbC2bdu2/fn+p6enp6dCegBzZmZmZmZmZv7/cYcnv3ye/fJ7"
    "98nsvwD/2Q=="
)
# The same, htj2k_encode(picture, level=0.005, reversible=False), and what OpenJPH decodes from it: the
# difference to the picture, int8, by zlib.
HIGH_THROUGHPUT_LOSSY = (
    "/0//UQAvQAAAAAAgAAAAGAAAAAAAAAAAAAAAIAAAABgAAAAAAAAAAAADBwEBBwEBBwEB/1AACAACAAAAIf9SAAwAAgAB"
    "AQUEBEAA/1wAIyJpqWmLaYtpbmGZYZlhhlnLWctZ2lJCUkJSlkogSiBJ2P9kABcAAU9wZW5KUEggVmVyIDAuMjYuMy7/"
    "kAAKAAAAAAHfAAH/k8ACYPf+Aod0AMACYFj5Awd0AMACYAX+Agd0AMACaABKJP4CB3QAJAKHdADAAlgATMUCh3QAB/wC"
    "h3QAwAJoAEzA/gKHdAAX/QKHdADABUQATIOBxfIAgrQA0egAIjQAwAVMAEwQIJQo8QECtAAs+wACNADABUQATA8P3NwA"
    "wrQAOP4AAjQAwArIAV4qBQQK8EHn2AabdwBUaVFRMTIYjADk9zoxtwDACugBWnMiKOr/J1AAZ3/yWZcA09U0PZ/n+Tk9"
    "zzG2AMAK6AFaEKbJ7cLE/QHM+8qbdwD3932Px3H8OT3PMbYAwBUQBbaq+uep6eJ2AAQACliABRSwgAIWUMB6AAAKdMAA"
    "Kbta1Wo+AMAWjAFqAE2ku4p0V5HuXJX8lf4ri3kA/xCCCAERAiIExHclOnyU3TGM6gDAFoQBaoCaQeQMImcQWkr+Sv8V"
    "y3kA/2UVV06unFw5uXrkp0+Sm7616jsAwCqgFsAA8Pn+AKUpS+gAAABWVVVVf+YFe/de/de/deyzGMYxjOIBwC04BXDX"
    "dV3X9Xn+FP2n7T9p+0/YuR4A/3//cYfv3+/f79/svADAK2AVwAAAAPn+Kenp6eniegD/f/9xh+/f79/v3+y8AP/Z"
)
OPENJPH_MINUS_PICTURE = (
    "eNrVloEOgzAIRO/6/9/cG1A1VdG5rZqMXDSB5kFNLRCorEKTdqpiKInWTuFhCKqQUas7UeBGkRgmiEVOJQq9fk8kJKa1"
    "9tF+WRS6+BVPS2HZUnbCeW9f8fE5nz0f4/g44A/NYOh7+c9/n9v45Z/5HM1nyr/7/xrP55qPe/h8iP/A+dTRBX9+/eeh"
    "jH9eji52Bs5ua1mr86/LXeSk1W34Cr7tpETgd5WQt18z6/Xwd8usQf2xDQuebDo/JXY1l9CPAbNzmgk2C7IdNFuwsfIF"
    "hnfMHw=="
)
FROM_PYDICOM = [
    "SC_rgb_dcmtk_+eb+cr.dcm",
    "SC_rgb_dcmtk_+eb+cy+n1.dcm",
    "SC_rgb_dcmtk_+eb+cy+s4.dcm",
    "SC_rgb_jpeg_gdcm.dcm",
    "SC_rgb_jpeg_lossy_gdcm.dcm",
    "SC_rgb_jpeg_app14_dcmd.dcm",
    "SC_rgb_jls_lossy_line.dcm",
    "SC_rgb_rle_16bit.dcm",
    "SC_rgb_small_odd_big_endian.dcm",
    "SC_ybr_full_422_uncompressed.dcm",
    "SC_ybr_full_uncompressed.dcm",
    "examples_palette.dcm",
    "examples_ybr_color.dcm",
]


def reason_of(source) -> Reason:
    with pytest.raises(Unusable) as caught:
        read_dicom(source, LIMITS)
    return caught.value.reason


def in_memory(dataset) -> io.BytesIO:
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer


@pytest.mark.parametrize("kind", [*EXACT, *NEAR])
def test_colours_are_those_that_went_in(kind, tmp_path):
    dataset, expected = files.encode(files.draw_screen(), kind)
    (image,) = read_dicom(files.save(dataset, tmp_path / "x"), LIMITS)
    difference = np.abs(image.pixels.astype(int) - expected.astype(int)).max()
    assert difference <= (0 if kind in EXACT else 2)
    assert image.photometric_interpretation == dataset.PhotometricInterpretation
    assert image.transfer_syntax == dataset.file_meta.TransferSyntaxUID
    assert (image.frame, image.frames, image.complete) == (1, 1, True)


@pytest.mark.skipif(shutil.which("dcmj2pnm") is None, reason="Debian package dcmtk is not installed")
@pytest.mark.parametrize("name", FROM_PYDICOM)
def test_colours_agree_with_dcmtk(name, tmp_path):
    path = get_testdata_file(name)
    image = min(read_dicom(path, LIMITS), key=lambda image: image.frame)
    tool = "dcml2pnm" if "jls" in name else "dcmj2pnm"
    subprocess.run([tool, "--frame", str(image.frame), path, tmp_path / "x.ppm"], check=True, timeout=60)
    expected = np.asarray(Image.open(tmp_path / "x.ppm").convert("RGB"))
    assert np.abs(image.pixels.astype(int) - expected.astype(int)).max() <= 2


@pytest.mark.parametrize("syntax", [HTJ2KLossless, HTJ2K])
def test_high_throughput_jpeg_2000_is_read(syntax):
    rows, columns = np.mgrid[:24, :32]
    picture = np.stack([columns * 8, rows * 10, 255 - columns * 8], axis=-1).astype(np.uint8)
    lossy = syntax == HTJ2K
    dataset = files.make_dataset(picture, regions=False)
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.PhotometricInterpretation = "YBR_ICT" if lossy else "YBR_RCT"
    content = base64.b64decode(HIGH_THROUGHPUT_LOSSY if lossy else HIGH_THROUGHPUT)
    dataset.PixelData = encapsulate([content + bytes(len(content) % 2)])
    dataset["PixelData"].VR = "OB"
    (image,) = read_dicom(in_memory(dataset), LIMITS)
    expected = picture.astype(int)
    if lossy:
        openjph = zlib.decompress(base64.b64decode(OPENJPH_MINUS_PICTURE))
        expected += np.frombuffer(openjph, np.int8).reshape(picture.shape)
        assert (expected != picture).mean() > 0.1
    assert np.abs(image.pixels - expected).max() <= (2 if lossy else 0)


def test_regions_are_read_with_inclusive_ends_and_spacing(tmp_path):
    dataset = files.make_dataset(files.draw_screen())
    dataset.SequenceOfUltrasoundRegions[1].RegionLocationMaxX1 = 5000
    dataset.SequenceOfUltrasoundRegions[2].RegionLocationMinY0 = 9000
    (image,) = read_dicom(in_memory(dataset), LIMITS)
    top, box = image.regions
    assert top.rectangle == files.TOP
    assert top.pixel_spacing_mm == pytest.approx(0.2)
    assert box.rectangle == Rectangle(files.BOX.left, files.BOX.top, 5001, files.BOX.bottom)


def test_of_a_clip_the_fullest_frames_come_first():
    fills = [0.2, 0.9, 0.9, 0.5, 0.1]
    clip = np.stack([files.draw_screen(0, fill) for fill in fills])
    images = read_dicom(in_memory(files.make_dataset(clip)), LIMITS)
    # Of the two that are alike the first.
    assert [image.frame for image in images] == [2, 4, 1, 5]
    assert {image.frames for image in images} == {5}


@pytest.mark.parametrize("regions", [True, False])
def test_colours_beside_the_box_do_not_crowd_elastograms_out_of_a_clip(regions):
    sound = [files.draw_screen(1, fill) for fill in (0.8, 0.7)]
    doppler = [np.full_like(sound[0], (200, 20, number)) for number in range(6)]
    for number, screen in enumerate(doppler):
        screen[:, number:] = sound[0][:, number:] // 2
        screen[100:500, 200 : 300 + number] = (200, 20, 20)
    clip = np.stack([*doppler, *sound])
    images = read_dicom(in_memory(files.make_dataset(clip, regions=regions)), LIMITS)
    assert images[0].frame == 7


@pytest.mark.parametrize("regions", [True, False])
def test_frames_whose_upper_picture_is_coloured_all_over_do_not_hide_the_elastogram(regions):
    sound, doppler = files.draw_screen(1), files.draw_screen(2, fill=0.0)
    doppler[files.TOP.top : files.TOP.bottom, files.TOP.left : files.TOP.right] = (200, 30, 30)
    clip = np.stack([doppler, doppler, doppler, sound, sound])
    images = read_dicom(in_memory(files.make_dataset(clip, regions=regions)), LIMITS)
    assert 4 in [image.frame for image in images]


def test_a_clip_that_is_cut_off_gives_the_frames_it_has():
    encoded = [files.encode(files.draw_screen(i, 0.9 - 0.1 * i), "jpeg_baseline_444")[0] for i in range(3)]
    frames = [next(generate_frames(one.PixelData, number_of_frames=1)) for one in encoded]
    frames[2] = frames[2][: len(frames[2]) // 2]
    dataset = encoded[0]
    dataset.NumberOfFrames, dataset.PixelData = 3, encapsulate(frames)
    dataset["PixelData"].VR = "OB"
    images = read_dicom(in_memory(dataset), LIMITS)
    assert sorted(image.frame for image in images) == [1, 2]
    assert not images[0].complete


def test_header_is_read_without_preamble_and_meta_information():
    dataset = files.make_dataset(files.draw_screen(), patient_id="A0007 ", number=12)
    buffer = io.BytesIO()
    del dataset.file_meta
    dataset.save_as(buffer, implicit_vr=True, little_endian=True)
    header = read_header(buffer)
    assert (header.patient_id, header.instance_number) == ("A0007", 12)
    assert header.acquired_at.isoformat() == "2016-03-02T10:15:00"
    (image,) = read_dicom(buffer, LIMITS)
    np.testing.assert_array_equal(image.pixels, files.draw_screen())


def test_header_is_read_without_preamble_but_with_meta_information():
    dataset = files.make_dataset(files.draw_screen(), patient_id="A0007")
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    bare = io.BytesIO(buffer.getvalue()[132:])
    assert read_header(bare).patient_id == "A0007"
    (image,) = read_dicom(bare, LIMITS)
    np.testing.assert_array_equal(image.pixels, files.draw_screen())


@pytest.mark.parametrize("first", ["SpecificCharacterSet", "SOPClassUID", "AcquisitionDate"])
@pytest.mark.parametrize(("implicit_vr", "little_endian"), [(True, True), (False, True), (False, False)])
def test_a_data_set_may_begin_with_any_element_of_its_first_group(implicit_vr, little_endian, first):
    dataset = files.make_dataset(files.draw_screen(), patient_id="A0007")
    dataset.SpecificCharacterSet, dataset.AcquisitionDate = "ISO_IR 100", "20160302"
    for element in list(dataset):
        if element.tag < Tag(first):
            del dataset[element.tag]
    del dataset.file_meta
    buffer = io.BytesIO()
    dataset.save_as(buffer, implicit_vr=implicit_vr, little_endian=little_endian)
    assert read_header(buffer).patient_id == "A0007"


def test_people_with_one_patient_id_are_told_apart(tmp_path):
    def header(**elements):
        with disable_value_validation():
            dataset = pydicom.dcmread(get_testdata_file("CT_small.dcm"))
            for name, value in elements.items():
                setattr(dataset, name, value)
            dataset.save_as(tmp_path / "file.dcm")
        return read_header(tmp_path / "file.dcm")

    meier = header(PatientName="MEIER^ANNA", PatientBirthDate="19600101")
    assert meier.study_instance_uid.startswith("1.3.6")
    assert len(meier.person) == 16
    assert header(PatientName="Meier^Anna^^", PatientBirthDate="19600101").person == meier.person
    others = [
        header(PatientName="SCHULZ^OTTO", PatientBirthDate="19600101"),
        header(PatientName="MEIER^ANNA", PatientBirthDate="19600102"),
        header(PatientName="MEIER^ANNA", PatientBirthDate=""),
        header(PatientName="", PatientBirthDate=""),
    ]
    assert len({meier.person, *(other.person for other in others)}) == 5
    assert others[-1].person == ""


def test_an_odd_name_is_read_without_a_word(tmp_path, recwarn):
    with disable_value_validation():
        dataset = pydicom.dcmread(get_testdata_file("CT_small.dcm"))
        dataset.PatientName, dataset.PatientBirthDate = "Mustermann", "01.02.1960"
        dataset.save_as(tmp_path / "file.dcm")
    assert read_header(tmp_path / "file.dcm").person
    assert not [warning for warning in recwarn if "Muster" in str(warning.message)]


def test_half_characters_of_an_odd_character_set_are_no_text_that_cannot_be_written():
    dataset = files.make_dataset(files.draw_screen())
    dataset.SpecificCharacterSet = "utf_7"
    dataset["PatientID"] = DataElement("PatientID", "UN", b"+2AA-ABC")
    dataset["PatientID"].VR = "LO"
    buffer = in_memory(dataset)
    read_header(buffer).patient_id.encode("utf-8")


def test_jpeg_2000_with_its_own_transform_is_rgb_whatever_the_header_says():
    dataset, expected = files.encode(files.draw_screen(2), "jpeg_2000_rct")
    for photometric in ("YBR_RCT", "YBR_FULL", "YBR_FULL_422"):
        dataset.PhotometricInterpretation = photometric
        (image,) = read_dicom(in_memory(dataset), LIMITS)
        np.testing.assert_array_equal(image.pixels, expected)


@pytest.mark.parametrize("content", [b"", b"PK", b"%PDF-1.7", b"\x89PNG" + bytes(500), bytes(1000)])
def test_what_is_no_dicom_has_no_header(content):
    assert read_header(io.BytesIO(content)) is None


def test_missing_colour_facts_are_mended():
    dataset = files.make_dataset(files.draw_screen())
    del dataset.PlanarConfiguration, dataset.PhotometricInterpretation
    (image,) = read_dicom(in_memory(dataset), LIMITS)
    np.testing.assert_array_equal(image.pixels, files.draw_screen())
    assert image.photometric_interpretation == ""


@pytest.mark.parametrize(("code", "name"), [(b"RGB ", b"LI^X"), (b"1.2.840.10008.1.2.1", b"1.2.197.01231.1.2.1")])
def test_free_text_in_coded_elements_goes_nowhere(code, name):
    content = in_memory(files.make_dataset(files.draw_screen())).getvalue().replace(code, name)
    try:
        images = read_dicom(io.BytesIO(content), LIMITS)
        kept = f"{images[0].photometric_interpretation} {images[0].transfer_syntax}"
    except Unusable as unusable:
        kept = str(unusable)
    assert name.decode() not in kept


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"Rows": 60000, "Columns": 60000}, Reason.TOO_MANY_PIXELS),
        ({"NumberOfFrames": 4001}, Reason.TOO_MANY_PIXELS),
        ({"Rows": 0}, Reason.NO_PIXELS),
        ({"PixelData": None}, Reason.NO_PIXELS),
        ({"Rows": 2000}, Reason.UNDECODABLE),
        ({"BitsAllocated": 3}, Reason.UNDECODABLE),
    ],
)
def test_each_damage_has_its_reason(change, reason):
    dataset = files.make_dataset(files.draw_screen())
    for name, value in change.items():
        if value is None:
            delattr(dataset, name)
        else:
            setattr(dataset, name, value)
    assert reason_of(in_memory(dataset)) is reason


def test_an_unknown_compression_is_undecodable():
    dataset = files.make_dataset(files.draw_screen())
    dataset.PixelData = encapsulate([bytes(100)])
    dataset["PixelData"].VR = "OB"
    dataset.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.102"
    assert reason_of(in_memory(dataset)) is Reason.UNDECODABLE


@pytest.mark.parametrize(
    ("day", "clock", "expected"),
    [
        ("20160302", "101559.25", "2016-03-02T10:15:59.250000"),
        ("20160302", "10", "2016-03-02T10:00:00"),
        ("20160302", "101560", "2016-03-02T10:15:59"),
        ("20160302", "noon", None),
        ("00010101", "101500", None),
        ("20160231", "101500", None),
        ("", "", None),
    ],
)
def test_moments(day, clock, expected):
    found = moment(day, clock)
    assert (found.isoformat() if found else None) == expected


def without_number(dataset):
    del dataset.NumberOfFrames
    return in_memory(dataset)


@pytest.mark.parametrize(
    "kind", ["plain", "implicit", "big_endian", "deflated", "rle", "jpeg", "jpeg_fragments", "jpeg_2000"]
)
def test_a_clip_without_number_of_frames_is_read_by_its_length(kind):
    screens = [files.draw_screen(0, fill) for fill in (0.3, 0.95, 0.6)]
    dataset = files.make_dataset(np.stack(screens))
    if kind.startswith("jpeg") and kind != "jpeg_2000":
        encoded = []
        for screen in screens:
            buffer = io.BytesIO()
            Image.fromarray(screen).save(buffer, "JPEG", quality=95)
            encoded.append(buffer.getvalue())
        dataset.file_meta.TransferSyntaxUID = pydicom.uid.JPEGBaseline8Bit
        dataset.PhotometricInterpretation = "YBR_FULL_422"
        dataset.PixelData = encapsulate(encoded, has_bot=kind == "jpeg")
        dataset["PixelData"].VR = "OB"
    elif kind == "rle":
        dataset.compress(pydicom.uid.RLELossless, generate_instance_uid=False)
    elif kind == "jpeg_2000":
        dataset.compress(pydicom.uid.JPEG2000Lossless, generate_instance_uid=False)
    elif kind != "plain":
        dataset.file_meta.TransferSyntaxUID = {
            "implicit": pydicom.uid.ImplicitVRLittleEndian,
            "big_endian": pydicom.uid.ExplicitVRBigEndian,
            "deflated": pydicom.uid.DeflatedExplicitVRLittleEndian,
        }[kind]
    best, *others = read_dicom(without_number(dataset), LIMITS)
    assert (best.frame, best.frames, len(others), best.complete) == (2, 3, 2, True)
    if kind.startswith("jpeg") and kind != "jpeg_2000":
        assert np.abs(best.pixels.astype(int) - screens[1]).mean() < 3
    else:
        np.testing.assert_array_equal(best.pixels, screens[1])


@pytest.mark.parametrize(
    "kind", ["plain", "rle", "jpeg_baseline_422", "jpeg_2000", "ybr_full_422", "palette_8", "monochrome2"]
)
def test_a_still_without_number_of_frames_has_one(kind):
    dataset, _ = files.encode(files.draw_screen(), kind)
    (image,) = read_dicom(in_memory(dataset), LIMITS)
    assert image.frames == 1


def test_frames_beyond_the_limit_are_counted_without_their_number():
    dataset = files.make_dataset(np.stack([files.draw_screen()] * 3))
    with pytest.raises(Unusable) as caught:
        read_dicom(without_number(dataset), ReadLimits(frames_per_file=2))
    assert caught.value.reason is Reason.TOO_MANY_PIXELS
