"""Whose picture, of which examination, and whether it counts twice."""

import io
import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from dlre_core.dicom.reader import header_facts, header_of, read_header
from dlre_core.foundation.csv_tables import read_table
from dlre_core.foundation.picture_store import open_images
from dlre_core.user_tables.data_contract import CLINICAL_COLUMNS
from tests.helpers import elastogram_files as files
from tests.helpers.hospital import PSEUDONYMISER, Hospital


@pytest.fixture
def hospital(tmp_path) -> Hospital:
    """Files made by `elastogram_files` are of 2 March 2016, the day of A0001 and A0002; that of A0003 is unknown."""
    result = Hospital(tmp_path)
    rows = [
        {"patient_id": f"A000{n}", "hospital": "A", "fibrosis_stage": 2, "elastography_date": day}
        for n, day in enumerate(("2016-03-02", "2016-03-02", ""), start=1)
    ]
    columns = [column.name for column in CLINICAL_COLUMNS]
    pd.DataFrame(rows, columns=columns).to_csv(tmp_path / "clinical.csv", index=False)
    return result


def write(hospital: Hospital, name: str, screen: np.ndarray, **elements: object) -> None:
    """A file of the patient whose folder begins ``name``; the UID is of the name."""
    options = {key: elements.pop(key) for key in ("regions", "clock") if key in elements}
    uid = "1.2." + ".".join(str(ord(letter)) for letter in name)[-50:].strip(".")
    dataset = files.make_dataset(screen, patient_id=name[:5], uid=uid, **options)
    for keyword, value in elements.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    files.save(dataset, hospital.pictures / name)


def lossy(screen: np.ndarray, quality: int = 75) -> np.ndarray:
    buffer = io.BytesIO()
    Image.fromarray(screen).save(buffer, "JPEG", quality=quality, subsampling="4:2:0")
    return np.asarray(Image.open(buffer))


def smaller(screen: np.ndarray, width: int = 600) -> np.ndarray:
    height = width * screen.shape[0] // screen.shape[1]
    return np.asarray(Image.fromarray(screen).resize((width, height), Image.Resampling.BICUBIC))


def natural(seed: int, q_box: bool = True) -> np.ndarray:
    """A screen with structures as large as a liver's: those of `elastogram_files` are of single pixels."""
    generator = np.random.default_rng([77, seed])
    plain = files.draw_screen(seed)
    grey = _smooth(generator, files.TOP.height, files.TOP.width, 12) * 60 + 50
    place = _smooth(generator, files.BOX.height, files.BOX.width, 20) * 0.1 + 0.4
    for part in (files.TOP, files.BOTTOM):
        plain[part.top : part.bottom, part.left : part.right] = grey[..., None]
    box = plain[files.BOX.top : files.BOX.bottom, files.BOX.left : files.BOX.right]
    colours = files.colour_table()[np.rint(place.clip(0, 1) * 255).astype(int)]
    box[:] = (0.6 * colours + 0.4 * box).astype(np.uint8)
    if q_box:
        rows, columns = np.indices(box.shape[:2])
        box[np.abs(np.hypot(rows - 49.5, columns - 59.5) - 47) < 0.8] = 255
    return plain


def _smooth(generator: np.random.Generator, height: int, width: int, size: int) -> np.ndarray:
    coarse = generator.normal(size=(height // size + 2, width // size + 2)).clip(-1, 1)
    picture = Image.fromarray(coarse.astype(np.float32)).resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(picture)


def test_only_the_examination_of_the_clinical_row_counts(hospital):
    for number in range(3):
        write(hospital, f"A0001/{number}.dcm", files.draw_screen(number), clock=f"10150{number}")
    for number, day in ((3, "20170302"), (4, "20160310"), (5, "20160224"), (6, "20160309")):
        write(hospital, f"A0001/{number}.dcm", files.draw_screen(number), AcquisitionDate=day)
    assert hospital.ingest().rejected() == {
        "A0001/3.dcm": "other_examination",
        "A0001/4.dcm": "other_examination",
    }
    # Seven days either way are one examination.
    assert hospital.stored() == [("A0001", n + 1) for n in range(5)]


def test_pictures_of_a_year_later_take_no_place(hospital):
    for number, day in enumerate(("20150302", "20160302", "20160302", "20160302")):
        write(hospital, f"A0001/{number}.dcm", files.draw_screen(number), AcquisitionDate=day)
    rejected = hospital.ingest(images_per_patient=2).rejected()
    assert rejected == {"A0001/0.dcm": "other_examination", "A0001/3.dcm": "surplus"}


def test_what_no_picture_is_of_another_day_keeps_its_reason(hospital):
    write(hospital, "A0001/0.dcm", files.draw_screen(0, fill=0.1), AcquisitionDate="20150101")
    assert hospital.ingest().rejected() == {"A0001/0.dcm": "little_signal"}


def test_without_a_date_in_the_table_several_examinations_count_as_none(hospital):
    for number, day in enumerate(("20160302", "20160302", "20170302")):
        write(hospital, f"A0003/{number}.dcm", files.draw_screen(number), AcquisitionDate=day)
    write(hospital, "A0003/grey.dcm", np.full((540, 720, 3), 90, np.uint8), regions=False)
    write(hospital, "A0003/undated.dcm", files.draw_screen(9), AcquisitionDate=None)
    rejected = hospital.ingest().rejected()
    assert rejected.pop("A0003/grey.dcm") == "no_elastogram"
    assert rejected == {f"A0003/{n}.dcm": "several_examinations" for n in range(3)}
    (row,) = hospital.table("acquisitions").itertuples()
    assert row.flags == "no_time"


def test_without_a_date_in_the_table_one_examination_counts(hospital):
    for number, day in enumerate(("20160302", "20160309", "20160305")):
        write(hospital, f"A0003/{number}.dcm", files.draw_screen(number), AcquisitionDate=day)
    # No elastogram, so it says nothing about when.
    grey = np.full((540, 720, 3), 90, np.uint8)
    write(hospital, "A0003/grey.dcm", grey, regions=False, AcquisitionDate="20100101")
    assert hospital.ingest().rejected() == {"A0003/grey.dcm": "no_elastogram"}
    assert len(hospital.stored()) == 3


def test_a_picture_without_a_date_is_kept_with_a_flag(hospital):
    write(hospital, "A0001/0.dcm", files.draw_screen(0), AcquisitionDate=None)
    hospital.ingest()
    assert list(hospital.table("acquisitions")["flags"]) == ["no_time"]


def test_a_screenshot_is_of_the_day_of_its_study(hospital):
    write(
        hospital,
        "A0001/0.dcm",
        files.draw_screen(0),
        AcquisitionDate=None,
        ContentDate="20180101",
        StudyDate="20160302",
    )
    assert hospital.ingest().rejected() == {}


COPIES = {
    "lossy copy": lambda n: lossy(natural(n)),
    "screenshot": lambda n: smaller(natural(n)),
    "lossy screenshot": lambda n: lossy(smaller(natural(n)), 85),
    "before the Q-Box": lambda n: natural(n, q_box=False),
}


@pytest.mark.parametrize("kind", COPIES)
def test_one_acquisition_saved_twice_counts_once_and_the_pair_is_named(hospital, kind):
    tags = "screenshot" not in kind
    for number in range(3):
        write(hospital, f"A0001/{number}.dcm", natural(number), clock=f"10150{number}")
        copy = COPIES[kind](number)
        # The copy lies before its original by time.
        marks = {"clock": f"09150{number}", "regions": tags}
        if kind == "lossy copy":
            marks["LossyImageCompression"] = "01"
        write(hospital, f"A0001/copy {number}.dcm", copy, **marks)
    rejected = hospital.ingest().rejected()
    assert rejected == {f"A0001/copy {n}.dcm": "same_acquisition" for n in range(3)}
    names = [PSEUDONYMISER.file("A", f"A0001/{n}.dcm") for n in range(3)]
    told = set(hospital.table("rejects")["reason"].str.extract(r"Counted instead: (.+)\.$")[0])
    assert told == set(names)
    private = read_table(hospital.root / "private" / "A.csv")
    assert set(private["reason"].str[-12:]) == {f"A0001/{n}.dcm." for n in range(3)}


def test_different_acquisitions_of_a_patient_all_count(hospital):
    for number in range(5):
        write(hospital, f"A0001/{number}.dcm", natural(number), clock=f"10150{number}")
    assert hospital.ingest().rejected() == {}


def test_the_picture_with_the_q_box_counts_although_it_is_the_copy(hospital):
    write(hospital, "A0001/bare.dcm", natural(1, q_box=False), clock="080000")
    write(hospital, "A0001/measured.dcm", lossy(natural(1)), clock="090000", ImageType=["DERIVED", "SECONDARY"])
    assert hospital.ingest().rejected() == {"A0001/bare.dcm": "same_acquisition"}


def test_the_picture_that_the_hospital_measured_counts(hospital):
    write(hospital, "A0001/1.dcm", natural(1, q_box=False))
    write(hospital, "A0001/2.dcm", natural(1, q_box=False))
    measurements = hospital.root / "measurements.csv"
    measurements.write_text("hospital,patient_id,file,q_box_mean_kpa\nA,A0001,A/A0001/2.dcm,11.5\n")
    hospital.tables["measurements"] = measurements
    assert hospital.ingest().rejected() == {"A0001/1.dcm": "duplicate"}
    assert list(hospital.table("acquisitions")["q_box_mean_kpa"]) == [11.5]


def test_of_a_copied_file_the_one_that_the_hospital_measured_counts(hospital):
    path = hospital.pictures / "A0001"
    files.write_elastogram(path / "1.dcm", 1)
    files.write_elastogram(path / "2.dcm", 1)
    measurements = hospital.root / "measurements.csv"
    measurements.write_text("hospital,patient_id,file,q_box_mean_kpa\nA,A0001,A/A0001/2.dcm,11.5\n")
    hospital.tables["measurements"] = measurements
    assert hospital.ingest().rejected() == {"A0001/1.dcm": "duplicate"}
    assert list(hospital.table("acquisitions")["q_box_mean_kpa"]) == [11.5]


@pytest.mark.parametrize("marks", [{"ImageType": ["DERIVED", "PRIMARY"]}, {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7"}])
def test_what_calls_itself_derived_gives_way_to_the_original(hospital, marks):
    write(hospital, "A0001/1.dcm", lossy(natural(1), 95), clock="080000", **marks)
    write(hospital, "A0001/2.dcm", natural(1), clock="090000")
    assert hospital.ingest().rejected() == {"A0001/1.dcm": "same_acquisition"}


def test_a_picture_that_no_secondary_capture_made_is_none(tmp_path):
    for number, (changes, derived) in enumerate(
        (
            ({"ImageType": ["ORIGINAL", "PRIMARY"]}, False),
            ({"ImageType": "DERIVED"}, True),
            ({}, False),
            ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.77.1.1"}, False),
            ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7.4"}, True),
        )
    ):
        dataset = files.make_dataset(files.draw_screen())
        for keyword, value in changes.items():
            setattr(dataset, keyword, value)
        assert read_header(files.save(dataset, tmp_path / f"{number}.dcm")).derived is derived


def test_a_copy_beyond_the_number_that_counts_can_still_be_the_one_that_counts(hospital):
    write(hospital, "A0001/1.dcm", natural(1, q_box=False), clock="080000")
    write(hospital, "A0001/2.dcm", natural(2), clock="080100")
    write(hospital, "A0001/3.dcm", natural(1), clock="080200")
    write(hospital, "A0001/4.dcm", natural(4), clock="080300")
    rejected = hospital.ingest(images_per_patient=2).rejected()
    assert rejected == {"A0001/1.dcm": "same_acquisition", "A0001/4.dcm": "surplus"}
    table = hospital.table("acquisitions")
    assert list(table["acquisition"]) == [1, 2]
    with open_images(hospital.out / "A.h5") as store:
        box = (slice(files.BOX.top, files.BOX.bottom), slice(files.BOX.left, files.BOX.right))
        for index, seed in enumerate((1, 2)):
            np.testing.assert_array_equal(store.screen(index)[box], natural(seed)[box])


def test_a_repeat_run_from_memory_gives_the_same_bytes(hospital):
    write(hospital, "A0001/1.dcm", natural(1, q_box=False), clock="080000")
    write(hospital, "A0001/2.dcm", natural(2), clock="080100")
    memory = hospital.root / "private" / "memory"
    hospital.ingest("first", images_per_patient=2, memory=memory)
    # Better than the first: what was stored is to be left out, what is new comes first.
    write(hospital, "A0001/3.dcm", natural(1), clock="080200")
    write(hospital, "A0001/4.dcm", natural(4), clock="080300")
    for out in ("second", "third"):
        hospital.ingest(out, images_per_patient=2, memory=memory)
    # Room for all: what was left out has to be seen again.
    hospital.ingest("at once", images_per_patient=2)
    for name in ("A.h5", "A_acquisitions.csv", "A_rejects.csv", "A_counts.csv"):
        once = (hospital.root / "at once" / name).read_bytes()
        assert (hospital.root / "second" / name).read_bytes() == once
        assert (hospital.root / "third" / name).read_bytes() == once


@pytest.mark.parametrize("first", ["A0001", "A0002"])
def test_a_picture_that_another_patient_has_to_spare_is_flagged(hospital, first):
    second = {"A0001": "A0002", "A0002": "A0001"}[first]
    for number in range(3):
        write(hospital, f"{first}/{number}.dcm", files.draw_screen(number), clock=f"10150{number}")
    write(hospital, f"{second}/x.dcm", files.draw_screen(2))
    rejected = hospital.ingest(images_per_patient=2).rejected()
    table = hospital.table("acquisitions")
    pseudonym = PSEUDONYMISER.patient("A", second)
    flags = table.loc[table["patient"] == pseudonym, "flags"]
    assert list(flags) == ["also_sent_for_another_patient"]
    assert (table.loc[table["patient"] != pseudonym, "flags"] == "").all()
    assert set(rejected) == {f"{first}/2.dcm"}
    assert rejected[f"{first}/2.dcm"] in ("surplus", "two_patients")


def test_one_uid_in_a_whole_export_names_the_anonymiser(hospital):
    for number in range(4):
        patient = f"A000{1 + number % 2}"
        write(
            hospital,
            f"{patient}/{number}.dcm",
            files.draw_screen(number),
            SOPInstanceUID="1.2.3",
            clock=f"10150{number}",
        )
    rejected = hospital.ingest().rejected()
    assert set(rejected.values()) == {"constant_uid"}
    (remedy,) = set(hospital.table("rejects")["remedy"])
    assert "trust_uids: false" in remedy
    assert hospital.ingest("again", trust_uids=False).rejected() == {}
    assert sorted(hospital.stored()) == [("A0001", 1), ("A0001", 2), ("A0002", 1), ("A0002", 2)]
    assert hospital.table("acquisitions")["image_id"].is_unique


def test_untrusted_uids_still_keep_copies_apart(hospital):
    for name in ("A0001/1.dcm", "A0001/2.dcm", "A0002/1.dcm"):
        write(hospital, name, files.draw_screen(1), SOPInstanceUID="1.2.3")
    rejected = hospital.ingest(trust_uids=False).rejected()
    assert list(rejected.values()) == ["two_patients", "two_patients"]
    assert list(hospital.table("acquisitions")["flags"]) == ["also_sent_for_another_patient"]


def test_q_boxes_of_different_size_do_not_hide_a_repeat(hospital):
    write(hospital, "A0001/1.dcm", natural(1))
    write(hospital, "A0001/2.dcm", np.where(files.screen_with_q_box(1) == 255, 255, natural(1)).astype(np.uint8))
    assert set(hospital.ingest().rejected().values()) <= {"same_acquisition", "duplicate"}
    assert len(hospital.stored()) == 1


def test_headers_come_back_from_memory_as_they_were(hospital):
    write(hospital, "A0001/1.dcm", natural(1), ImageType=["DERIVED", "PRIMARY"])
    path = hospital.pictures / "A0001" / "1.dcm"
    header = read_header(path)
    assert header.examined_on.isoformat() == "2016-03-02"
    assert header.derived
    assert header_of(json.loads(json.dumps(header_facts(header)))) == header
