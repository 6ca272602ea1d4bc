"""Every file of a hospital is stored, rejected with its reason, or ignored; the counts close."""

import os
import stat
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageDraw, ImageFont

from dlre_core.dicom.guarded_reader import GuardedReader
from dlre_core.dicom.reject_reasons import Reason, documentation
from dlre_core.elastography.scale import Scale
from dlre_core.elastography.screen_layout import Rectangle
from dlre_core.foundation.csv_tables import read_table
from dlre_core.foundation.picture_store import open_images
from dlre_core.ingestion.acquisition_table import q_box_disagrees
from tests.helpers import elastogram_files as files
from tests.helpers.hospital import PSEUDONYMISER, Hospital
from tests.helpers.supersonic import block


@pytest.fixture
def hospital(tmp_path) -> Hospital:
    return Hospital(tmp_path)


@pytest.mark.parametrize(
    ("label", "codes", "sources"),
    [
        ("60 kPa", {"x": "wrong_scale"}, []),
        ("40 kPa", {}, ["label"]),
        ("", {}, ["unknown"]),
    ],
)
def test_a_label_with_another_range_than_the_studys_is_a_wrong_scale(hospital, label, codes, sources):
    screen = Image.fromarray(np.kron(files.draw_screen(labelled=False), np.ones((2, 2, 1), np.uint8)))
    font = ImageFont.load_default(18)
    ImageDraw.Draw(screen).text((1345, 112), label, fill=(220, 220, 220), font=font)
    dataset = files.make_dataset(np.asarray(screen), regions=False)
    files.save(dataset, hospital.pictures / "A0001" / "x")
    assert hospital.ingest().rejected() == {f"A0001/{name}": code for name, code in codes.items()}
    assert list(hospital.table("acquisitions")["scale_source"]) == sources


@pytest.mark.parametrize("centimetres", [1e-300, 1e-12, 1e-4, 1e9, 1e300])
def test_an_absurd_pixel_size_is_none_and_stops_nothing(hospital, centimetres):
    dataset = files.make_dataset(files.draw_screen())
    for region in dataset.SequenceOfUltrasoundRegions:
        region.PhysicalDeltaX = centimetres
    files.save(dataset, hospital.pictures / "A0001" / "x.dcm")
    (row,) = hospital.ingest().table("acquisitions").to_dict("records")
    assert row["layout_source"] == "regions"
    assert np.isnan(row["pixel_spacing_mm"])


def test_a_stored_picture_has_its_row(hospital):
    files.write_elastogram(hospital.pictures / "A0001" / "x.dcm")
    (row,) = hospital.ingest().table("acquisitions").to_dict("records")
    assert row["patient"] == PSEUDONYMISER.patient("A", "A0001")
    assert (row["acquisition"], row["height"], row["width"]) == (1, 540, 720)
    assert (row["box_left"], row["box_top"], row["box_right"], row["box_bottom"]) == (
        files.BOX.left,
        files.BOX.top,
        files.BOX.right,
        files.BOX.bottom,
    )
    assert row["pixel_spacing_mm"] == pytest.approx(0.2)
    assert row["layout_source"] == "regions"
    assert row["fill_fraction"] > 0.95
    assert row["q_box_source"] == row["flags"] == ""
    with open_images(hospital.out / "A.h5") as store:
        assert store.image_ids == [row["image_id"]]
        box = (slice(files.BOX.top, files.BOX.bottom), slice(files.BOX.left, files.BOX.right))
        np.testing.assert_array_equal(store.screen(0)[box], files.draw_screen()[box])


def test_every_kind_of_file_ends_where_it_belongs(hospital):
    root = hospital.pictures
    files.write_elastogram(root / "A0001" / "sound.dcm", 1)
    files.write_elastogram(root / "anything" / "by_tag.dcm", 2, patient_id="A0002")
    files.write_elastogram(root / "A0003" / "d" / "by_folder.dcm", 3, patient_id="")
    files.write_elastogram(root / "stranger.dcm", 4, patient_id="Z9")
    files.write_elastogram(root / "A0002" / "contradiction.dcm", 5, patient_id="A0001")
    (root / "A0001" / "notes.txt").write_text("not DICOM")
    (root / "A0001" / "half.dcm").write_bytes(
        (root / "A0001" / "sound.dcm").read_bytes()[:200_000].replace(b".498.2", b".498.9")
    )
    for name, screen in {
        "empty": files.draw_screen(6, fill=0.2),
        "grey": np.full((540, 720, 3), 90, dtype=np.uint8),
        "recoloured": np.maximum(files.draw_screen(8), np.array([60, 76, 54], dtype=np.uint8)),
    }.items():
        uid = f"1.2.3.{len(name)}.{ord(name[0])}"
        dataset = files.make_dataset(screen, uid=uid, regions=name != "grey")
        files.save(dataset, root / "A0001" / f"{name}.dcm")
    os.mkfifo(root / "pipe")
    os.symlink(root, root / "loop")
    assert hospital.ingest().rejected() == {
        "stranger.dcm": "no_patient",
        "A0002/contradiction.dcm": "two_patients",
        "A0001/half.dcm": "undecodable",
        "A0001/empty.dcm": "little_signal",
        "A0001/grey.dcm": "no_elastogram",
        "A0001/recoloured.dcm": "recoloured",
        "pipe": "not_a_file",
        "loop": "linked_folder",
    }
    assert sorted(hospital.stored()) == [("A0001", 1), ("A0002", 1), ("A0003", 1)]
    assert hospital.table("counts").to_dict("records") == [
        {"hospital": "A", "files_found": 12, "images_stored": 3, "rejected": 8, "ignored": 1}
    ]


def test_rejects_carry_sentence_remedy_and_pseudonym(hospital):
    files.save(files.make_dataset(files.draw_screen(0, fill=0.0)), hospital.pictures / "A0001" / "x.dcm")
    (row,) = hospital.ingest().table("rejects").to_dict("records")
    reason = Reason[row["code"].upper()]
    assert row["reason"] == reason.sentence
    assert row["remedy"] == reason.remedy
    assert row["patient"] == PSEUDONYMISER.patient("A", "A0001")
    assert row["file"] == PSEUDONYMISER.file("A", "A0001/x.dcm")
    private = hospital.root / "private" / "A.csv"
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    (name,) = read_table(private).to_dict("records")
    assert name == {
        "label": row["file"],
        "file": "A0001/x.dcm",
        "patient_id": "A0001",
        "code": row["code"],
        "reason": reason.sentence,
        "remedy": reason.remedy,
    }


def test_the_first_valid_in_time_are_used_and_the_others_are_surplus(hospital):
    root = hospital.pictures / "A0001"
    for number in range(4):
        files.write_elastogram(root / f"{9 - number}.dcm", number, clock=f"10150{number}")
    files.save(
        files.make_dataset(files.draw_screen(0, fill=0.1), uid="1.2.9", clock="090000"),
        root / "0.dcm",
    )
    hospital.ingest(images_per_patient=3)
    assert hospital.rejected() == {"A0001/0.dcm": "little_signal", "A0001/6.dcm": "surplus"}
    table = hospital.table("acquisitions")
    # The day is moved, and the time of day is not kept.
    assert table["acquired_on"].str.fullmatch(r"20\d\d-\d\d-\d\d").all()
    assert table["acquired_on"].nunique() == 1
    names = [PSEUDONYMISER.image("A", f"1.2.826.0.1.3680043.8.498.{k + 1}", 1) for k in range(3)]
    assert list(table["image_id"]) == names


def test_instance_number_then_name_order_pictures_of_one_second(hospital):
    root = hospital.pictures / "A0001"
    for seed, (name, number) in enumerate([("a", 2), ("c", 1), ("b", 1)]):
        files.write_elastogram(root / name, seed, number=number)
    hospital.ingest(images_per_patient=2)
    assert hospital.rejected() == {"A0001/a": "surplus"}


def test_duplicates_are_kept_once_and_reported(hospital):
    root = hospital.pictures
    files.write_elastogram(root / "A0001" / "1.dcm", 1)
    files.write_elastogram(root / "A0001" / "copy" / "1.dcm", 1)
    files.write_elastogram(root / "A0001" / "2.dcm", 1, uid="1.2.7", number=2)
    assert hospital.ingest().rejected() == {
        "A0001/copy/1.dcm": "duplicate",
        "A0001/2.dcm": "duplicate",
    }
    assert hospital.stored() == [("A0001", 1)]


def test_one_uid_with_two_pictures_is_a_conflict(hospital):
    root = hospital.pictures
    files.write_elastogram(root / "A0001" / "1.dcm", 1, uid="1.2.3")
    files.write_elastogram(root / "A0001" / "2.dcm", 2, uid="1.2.3")
    (root / "A0001" / "cut.dcm").write_bytes((root / "A0001" / "1.dcm").read_bytes()[:-100_000])
    assert hospital.ingest().rejected() == {
        "A0001/1.dcm": "conflict",
        "A0001/2.dcm": "conflict",
        "A0001/cut.dcm": "undecodable",
    }


def test_one_picture_of_two_patients_is_reported_and_flagged(hospital):
    root = hospital.pictures
    files.write_elastogram(root / "A0001" / "1.dcm", 1, patient_id="", uid="1.2.3")
    files.write_elastogram(root / "A0002" / "1.dcm", 1, patient_id="", uid="1.2.4")
    files.write_elastogram(root / "A0001" / "2.dcm", 2, patient_id="", uid="1.2.5")
    files.write_elastogram(root / "A0002" / "2.dcm", 2, patient_id="", uid="1.2.5")
    rejected = hospital.ingest().rejected()
    assert sorted(rejected.values()) == ["two_patients"] * 3
    assert rejected["A0001/2.dcm"] == rejected["A0002/2.dcm"] == "two_patients"
    assert list(hospital.table("acquisitions")["flags"]) == ["also_sent_for_another_patient"]


def test_a_stranger_does_not_make_a_patients_picture_a_duplicate(hospital):
    files.write_elastogram(hospital.pictures / "0.dcm", 1, patient_id="Z9", uid="1.2.3")
    files.write_elastogram(hospital.pictures / "A0001" / "1.dcm", 1, uid="1.2.4")
    assert hospital.ingest().rejected() == {"0.dcm": "no_patient"}


def test_a_clip_gives_its_fullest_frame(hospital):
    clip = np.stack([files.draw_screen(0, fill) for fill in (0.3, 0.95, 0.6)])
    files.save(files.make_dataset(clip), hospital.pictures / "A0001" / "clip.dcm")
    (row,) = hospital.ingest().table("acquisitions").to_dict("records")
    assert (row["frame"], row["frames"]) == (2, 3)


def test_pictures_without_region_tags_are_found_in_the_pixels(hospital):
    files.write_elastogram(hospital.pictures / "A0001" / "x.dcm", regions=False)
    (row,) = hospital.ingest().table("acquisitions").to_dict("records")
    assert row["layout_source"] == "pixels"
    assert abs(row["box_left"] - files.BOX.left) <= 2
    assert abs(row["box_bottom"] - files.BOX.bottom) <= 2


def test_archives_and_media_are_read(hospital):
    path = files.write_elastogram(hospital.root / "x.dcm", 1, patient_id="")
    with zipfile.ZipFile(hospital.pictures / "A0002.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(path, "IMAGES/IM1")
        archive.writestr("../outside.dcm", path.read_bytes())
    directory = files.make_dataset(files.draw_screen())
    directory.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.1.3.10"
    del directory.PixelData
    directory.SOPClassUID = "1.2.840.10008.1.3.10"
    files.save(directory, hospital.pictures / "DICOMDIR")
    assert hospital.ingest().rejected() == {"A0002.zip/../outside.dcm": "bad_archive"}
    assert hospital.stored() == [("A0002", 1)]
    assert hospital.table("counts")["ignored"][0] == 1
    assert not (hospital.root / "dicom" / "outside.dcm").exists()


def test_measurements_and_hand_drawn_squares_are_joined_by_file(hospital):
    files.write_elastogram(hospital.pictures / "A0001" / "1.dcm", 1)
    files.write_elastogram(hospital.pictures / "A0001" / "2.dcm", 2, number=2)
    hospital.tables = {name: hospital.root / f"{name}.csv" for name in ("measurements", "roi")}
    hospital.tables["measurements"].write_text(
        "hospital,patient_id,file,q_box_mean_kpa,q_box_min_kpa,note\n"
        "A,A0001,A/A0001/2.dcm,11.5,,Mr Smith\nB,B1,B/A0001/1.dcm,99,,\n"
    )
    hospital.tables["roi"].write_text("file,row,column,size\nA/A0001/1.dcm,100,260,125\n")
    table = hospital.ingest().table("acquisitions")
    assert list(table["q_box_source"]) == ["", "given"]
    assert table["q_box_mean_kpa"][1] == 11.5
    assert pd.isna(table["q_box_min_kpa"][1])
    assert table[["roi_row", "roi_column", "roi_size"]].values.tolist()[0] == [100, 260, 125]


def test_a_given_q_box_mean_that_the_picture_contradicts_is_flagged(hospital):
    lines = ["hospital,patient_id,file,q_box_mean_kpa"]
    for number, given in enumerate(("", "19", "21.5", "25", "15"), start=1):
        screen, uid = files.screen_with_q_box(number), f"1.2.3.{number}"
        path = hospital.pictures / "A0001" / f"{number}.dcm"
        files.save(files.make_dataset(screen, uid=uid, number=number), path)
        lines.append(f"A,A0001,A/A0001/{number}.dcm,{given}")
    hospital.tables["measurements"] = hospital.root / "measurements.csv"
    hospital.tables["measurements"].write_text("\n".join(lines) + "\n")
    table = hospital.ingest().table("acquisitions")
    assert list(table["flags"]) == ["", "", "", "q_box_disagrees", "q_box_disagrees"]
    assert list(table["q_box_source"]) == ["recomputed", *["given"] * 4]
    assert table["q_box_mean_kpa"][0] == pytest.approx(20, rel=0.02)
    assert list(table["q_box_mean_kpa"][1:]) == [19, 21.5, 25, 15]
    assert not (hospital.ingest(q_box_tolerance=0.3).table("acquisitions")["flags"] != "").any()


@pytest.mark.parametrize(("given", "flag"), [(30.0, False), (22.1, False), (17.0, True)])
def test_above_the_scale_only_a_lower_given_mean_disagrees(given, flag):
    # What exceeds the scale is masked: the true mean may be anything above 20.
    measured = {"q_box_mean_kpa": 20.0, "q_box_max_kpa": 39.0}
    told = {"q_box_source": "given", "q_box_mean_kpa": given}
    assert q_box_disagrees(told, measured, 0.1, 40.0) is flag
    assert not q_box_disagrees(told, {}, 0.1, 40.0)
    assert q_box_disagrees(told, {**measured, "q_box_max_kpa": 30.0}, 0.1, 40.0)


def test_a_stated_scale_other_than_the_studys_is_rejected(hospital):
    for number, scale in enumerate((40.0, 150.0)):
        dataset = files.make_dataset(files.draw_screen(number), uid=f"1.2.{number}", number=number)
        dataset.add_new((0x8FF1, 0x0013), "LO", "SSI Rich Quantification Group")
        dataset.add_new((0x8FF1, 0x1301), "OB", block(scale=Scale(0.0, scale, "kPa", "file")))
        files.save(dataset, hospital.pictures / "A0001" / f"{number}.dcm")
    assert hospital.ingest().rejected() == {"A0001/1.dcm": "wrong_scale"}
    assert hospital.table("acquisitions")["opacity"][0] == 0.5
    assert list(hospital.table("acquisitions")["scale_source"]) == ["file"]


def test_a_hospital_without_files_has_empty_tables(hospital):
    hospital.ingest()
    assert len(hospital.table("acquisitions")) == len(hospital.table("rejects")) == 0
    with open_images(hospital.out / "A.h5") as store:
        assert len(store) == 0


def test_the_same_folder_gives_the_same_bytes(hospital):
    for number in range(3):
        files.write_elastogram(hospital.pictures / "A0001" / f"{number}.dcm", number)
    hospital.ingest("first")
    hospital.ingest("second")
    for name in ("A.h5", "A_acquisitions.csv", "A_rejects.csv", "A_counts.csv"):
        first, second = ((hospital.root / out / name).read_bytes() for out in ("first", "second"))
        assert first == second


def test_all_reasons_are_documented():
    page = Path(__file__).parents[3] / "docs" / "reference" / "rejects.md"
    assert documentation() in page.read_text(encoding="utf-8")


def test_only_a_new_file_is_read_and_the_bytes_are_those_of_all_at_once(hospital, monkeypatch):
    root, memory = hospital.pictures, hospital.root / "private" / "memory"
    for number in range(3):
        files.write_elastogram(root / "A0001" / f"{number}.dcm", number, number=number)
    files.write_elastogram(root / "A0002" / "clear.dcm", 5, patient_id="A0002")
    (root / "A0001" / "half.dcm").write_bytes((root / "A0001" / "1.dcm").read_bytes()[:99_000])
    (root / "notes.txt").write_text("not DICOM")
    hospital.ingest("first", memory=memory)
    large = np.kron(files.draw_screen(7), np.ones((2, 2, 1), dtype=np.uint8))
    dataset = files.make_dataset(large, uid="1.2.77", clock="090000", regions=False)
    files.save(dataset, root / "A0001" / "new.dcm")
    asked: list[str] = []
    ask = GuardedReader.ask
    monkeypatch.setattr(
        GuardedReader,
        "ask",
        lambda self, what, file, *judged: (asked.append(f"{what} {file.name}"), ask(self, what, file, *judged))[1],
    )
    hospital.ingest("second", memory=memory)
    assert asked == ["header A0001/new.dcm", "images A0001/new.dcm"]
    hospital.ingest("at_once")
    for name in ("A.h5", "A_acquisitions.csv", "A_rejects.csv", "A_counts.csv"):
        second, whole = ((hospital.root / out / name).read_bytes() for out in ("second", "at_once"))
        assert second == whole, name
    assert stat.S_IMODE(memory.with_suffix(".sqlite").stat().st_mode) == 0o600
    # A damaged memory is none.
    for damaged in (".h5", ".sqlite"):
        asked.clear()
        memory.with_suffix(damaged).write_bytes(b"no memory")
        hospital.ingest(f"without_{damaged[1:]}", memory=memory)
        assert len(asked) > 10


def test_files_whose_names_are_no_utf_8_are_remembered(hospital, monkeypatch):
    memory, folder = hospital.root / "private" / "memory", hospital.pictures / "A0001"
    path = files.write_elastogram(folder / "1.dcm", 1)
    os.rename(os.fsencode(path), os.path.join(os.fsencode(folder), b"Bild_\xe4.dcm"))
    hospital.ingest("first", memory=memory)
    monkeypatch.setattr(GuardedReader, "ask", None)
    hospital.ingest("second", memory=memory)
    assert len(hospital.table("acquisitions")) == 1


def test_what_was_ignored_stands_in_the_list_that_stays_with_the_hospital(hospital):
    files.write_elastogram(hospital.pictures / "A0001" / "1.dcm")
    (hospital.pictures / "A0001" / "Wang notes.txt").write_text("not a picture")
    hospital.ingest()
    assert hospital.rejected() == {}
    rows = read_table(hospital.root / "private" / "A.csv")
    assert rows[["file", "code"]].to_numpy().tolist() == [["A0001/Wang notes.txt", "ignored"]]


def test_tags_that_pixels_deny_are_not_believed(hospital):
    """An archive put a banner above and left the tags; tags reach into the header; a red frame under tags."""
    root = hospital.pictures / "A0001"
    screen = files.draw_screen(1)
    moved = np.zeros((580, 720, 3), np.uint8)
    moved[40:] = files.draw_screen(4)
    files.save(files.make_dataset(moved, uid="1.2.1"), root / "banner.dcm")
    red = np.full_like(screen, (220, 10, 10))
    files.save(files.make_dataset(red, uid="1.2.2"), root / "red.dcm")
    lying = files.make_dataset(screen, uid="1.2.3")
    lying.SequenceOfUltrasoundRegions = [
        files.region(Rectangle(156, 0, 544, 290)),
        files.region(Rectangle(275, 0, 395, 225)),
        files.region(files.BOTTOM),
    ]
    files.save(lying, root / "lying.dcm")
    hospital.ingest()
    assert hospital.rejected() == {"A0001/red.dcm": "no_elastogram"}
    banner, row = hospital.table("acquisitions").itertuples()
    assert (banner.layout_source, row.layout_source) == ("found", "pixels")
    assert abs(banner.box_top - files.BOX.top - 40) <= 3
    assert abs(row.box_top - files.BOX.top) <= 3
