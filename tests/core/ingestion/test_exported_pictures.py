"""A hospital that sends PNG, JPEG, BMP and TIFF files: whose they are, in which order, and what leaves of them."""

import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw
from PIL.PngImagePlugin import PngInfo

from dlre_core.foundation.picture_store import open_images
from dlre_core.ingestion.hospital import natural_order
from tests.helpers import elastogram_files as files
from tests.helpers.hospital import Hospital
from tests.helpers.planted_identity import (
    BIRTH,
    EXAMINATION,
    NAMES,
    NEEDLES,
    PATIENT_ID,
    everything_written,
    identities_in,
)

ROI = "file,row,column,size\n"
MEASURED = "hospital,patient_id,file,q_box_mean_kpa,acquisition_number\n"


def write(path: Path, screen: np.ndarray, **options: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(screen).save(path, **options)
    return path


@pytest.fixture
def hospital(tmp_path):
    return Hospital(tmp_path)


def tables(hospital: Hospital, **content: str) -> None:
    for name, text in content.items():
        hospital.tables[name] = hospital.root / f"{name}.csv"
        hospital.tables[name].write_text(text)


def flags(hospital: Hospital) -> list[list[str]]:
    """Of every stored picture, but for that of its labels."""
    found = hospital.table("acquisitions")["flags"].str.split(";")
    return [[flag for flag in names if flag not in ("", "scale_unknown")] for names in found]


def test_pictures_belong_to_their_folder_and_have_no_date(hospital):
    root = hospital.pictures
    for seed, name in enumerate(["1.png", "2.jpg", "3.bmp", "4.tif", "no suffix"]):
        options = {"quality": 95} if name.endswith("jpg") else {"format": "PNG"} if "." not in name else {}
        write(root / "A0001" / "visit" / name, files.draw_screen(seed), **options)
    write(root / "stranger.png", files.draw_screen(7))
    (root / "A0001" / "clip.avi").write_bytes(b"RIFF\0\0\0\0AVI LIST" + bytes(500))
    (root / "A0001" / "5.png").write_text("Wang was here")
    (root / "A0001" / "notes.txt").write_text("notes")
    (root / "A0001" / "Thumbs.db").write_bytes(b"\xd0\xcf\x11\xe0" + bytes(600))
    (root / "A0001" / "half.png").write_bytes((root / "A0001" / "visit" / "1.png").read_bytes()[:20_000])
    with zipfile.ZipFile(root / "A0002.zip", "w") as archive:
        archive.write(write(hospital.root / "IM1.bmp", files.draw_screen(8)), "x/IM1.bmp")
    assert hospital.ingest().rejected() == {
        "stranger.png": "no_patient",
        "A0001/clip.avi": "film",
        "A0001/5.png": "not_what_it_says",
        "A0001/half.png": "undecodable",
    }
    assert sorted(patient for patient, _ in hospital.stored()) == ["A0001"] * 5 + ["A0002"]
    table = hospital.table("acquisitions")
    assert flags(hospital) == [["no_time"]] * 6
    assert set(table["acquired_on"]) == {""}
    assert set(table["transfer_syntax"]) == {"PNG", "JPEG", "BMP", "TIFF"}
    assert hospital.table("counts")["ignored"][0] == 2


def test_order_is_that_of_names_as_people_count_unless_the_table_says_otherwise(hospital):
    order = {"9.png": 1, "10.png": 2, "b.png": 3}
    for name, seed in order.items():
        write(hospital.pictures / "A0001" / name, files.draw_screen(seed))

    def stored() -> list[int]:
        hospital.ingest()
        with open_images(hospital.out / "A.h5") as store:
            boxes = [store.screen(index)[130:220, 280:390] for index in range(len(store))]
        drawn = {seed: files.draw_screen(seed)[130:220, 280:390] for seed in order.values()}
        return [seed for box in boxes for seed, expected in drawn.items() if np.array_equal(box, expected)]

    assert stored() == [1, 2, 3]
    rows = [f"A,A0001,A/A0001/{name},,{4 - seed}" for name, seed in order.items()]
    tables(hospital, measurements=MEASURED + "\n".join(rows) + "\n")
    assert stored() == [3, 2, 1]


def test_names_of_any_length_have_an_order():
    names = ["1" * 5000, "2" * 4999, "", "a", "01", "1", "1a", "a1b02", "a1b2", "a1b10"]
    assert sorted(sorted(names), key=natural_order) == sorted(reversed(names), key=natural_order)
    assert sorted(["a1b10", "a1b2"], key=natural_order) == ["a1b2", "a1b10"]


def test_of_a_picture_and_its_dicom_the_dicom_counts_and_copies_count_once(hospital):
    root = hospital.pictures / "A0001"
    files.write_elastogram(root / "z.dcm", 1)
    write(root / "a.jpg", files.draw_screen(1), quality=85)
    write(root / "b.png", files.draw_screen(2))
    write(root / "c.bmp", files.draw_screen(2))
    assert hospital.ingest().rejected() == {"A0001/a.jpg": "same_acquisition", "A0001/c.bmp": "duplicate"}
    assert sorted(hospital.table("acquisitions")["transfer_syntax"]) == ["1.2.840.10008.1.2.1", "PNG"]


def test_a_picture_without_a_date_counts_beside_dated_ones(hospital):
    files.write_elastogram(hospital.pictures / "A0001" / "1.dcm", 1)
    write(hospital.pictures / "A0001" / "2.png", files.draw_screen(2))
    clinical = hospital.root / "clinical.csv"
    lines = clinical.read_text().splitlines()
    cells = dict(zip(lines[0].split(","), lines[1].split(","), strict=True)) | {"elastography_date": "2016-03-02"}
    clinical.write_text("\n".join([lines[0], ",".join(cells.values()), *lines[2:]]) + "\n")
    assert hospital.ingest().rejected() == {}
    assert sorted(flags(hospital)) == [[], ["no_time"]]


def test_nothing_of_names_text_chunks_and_exif_is_written(hospital, capfd):
    root = hospital.pictures
    clinical = hospital.root / "clinical.csv"
    clinical.write_text(clinical.read_text().replace("A0001", PATIENT_ID))
    folder = root / PATIENT_ID / f"{NAMES[0]}_{BIRTH}"
    text, exif = PngInfo(), Image.Exif()
    for number, needle in enumerate(NEEDLES):
        text.add_itxt(f"key{number}", needle)
        text.add_text(f"Comment{number}", needle.encode("utf-8").decode("latin-1"))
    exif[0x010E], exif[0x013B], exif[0x9286] = NAMES[0], PATIENT_ID, f"{NAMES[2]} {EXAMINATION}"
    screens = []
    for seed in range(3):
        picture = Image.fromarray(files.draw_screen(seed))
        for place in ((8, 5), (300, 25), (8, 120), (160, 525), (550, 300)):
            ImageDraw.Draw(picture).text(place, f"{NAMES[0]} {PATIENT_ID}", fill=(255, 255, 255))
        screens.append(np.asarray(picture))
    write(folder / f"{NAMES[1]} {EXAMINATION}.png", screens[0], pnginfo=text, exif=exif)
    write(folder / f"{NAMES[2]}.jpg", screens[1], quality=95, exif=exif, comment=f"{NAMES[0]} {BIRTH}")
    write(folder / f"{NAMES[3]}.tiff", screens[2], description=f"{NAMES[0]} {PATIENT_ID}", artist=NAMES[0])
    # No layout is found here, and only the square leaves.
    plain = np.full((480, 640, 3), 30, np.uint8)
    plain[200:400, 200:400] = files.draw_screen(9)[125:225, 275:375].repeat(2, axis=0).repeat(2, axis=1)
    drawn = Image.fromarray(plain)
    for place in ((8, 5), (8, 180), (420, 300), (200, 405)):
        ImageDraw.Draw(drawn).text(place, f"{NAMES[0]} {PATIENT_ID}", fill=(255, 255, 255))
    name = f"{NAMES[0]}-single.png"
    write(folder / name, np.asarray(drawn), pnginfo=text)
    tables(hospital, roi=f"{ROI}A/{PATIENT_ID}/{folder.name}/{name},200,200,200\n")
    hospital.ingest()
    assert hospital.table("counts").loc[0, ["images_stored", "rejected"]].tolist() == [4, 0]
    said = "".join(capfd.readouterr()).encode()
    written = [*everything_written(hospital.out), ("terminal", said)]
    assert identities_in(written, hospital.root) == set()
    with open_images(hospital.out / "A.h5") as store:
        kept = [store.screen(index) for index in range(len(store))]
    (square,) = [screen for screen in kept if screen.shape[:2] == (480, 640)]
    np.testing.assert_array_equal(square[200:400, 200:400], plain[200:400, 200:400])
    square[200:400, 200:400] = 0
    assert not square.any()
