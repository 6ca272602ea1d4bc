"""Planted names, ids and dates are in no byte of what ingestion writes, logs included."""

import logging

import numpy as np
import pytest
from PIL import Image, ImageDraw
from pydicom.dataset import Dataset

from dlre_core.elastography.screen_layout import ScreenLayout
from dlre_core.foundation.errors import DlreError
from dlre_core.foundation.job_log import job_log
from dlre_core.foundation.picture_store import open_images
from dlre_core.ingestion.blanking import blank_identity, kept_parts
from tests.helpers import elastogram_files as files
from tests.helpers.hospital import Hospital
from tests.helpers.planted_identity import (
    BIRTH,
    ENCODINGS,
    EXAMINATION,
    NAMES,
    NEEDLES,
    PATIENT_ID,
    UID_ROOT,
    everything_written,
    identities_in,
    plant_identity,
)


def burn(screen: np.ndarray, *, over_picture: bool = False) -> np.ndarray:
    """Write names where scanners do (header, left column, soft keys), or as an archive does."""
    picture = Image.fromarray(screen)
    draw = ImageDraw.Draw(picture)
    places = [(8, 5), (300, 25), (160, 485), (200, 525), (8, 120), (8, 400), (550, 300)]
    if over_picture:
        places = [(160, 72), (430, 72), (160, 270), (430, 270), (160, 485)]
    for column, row in places:
        beside = column in (8, 550) and row > 60
        text = PATIENT_ID if beside else f"{NAMES[0]} {PATIENT_ID}"
        draw.text((column, row), text, fill=(255, 255, 255))
    return np.asarray(picture)


def planted(seed: int, screen: np.ndarray, **options: object) -> Dataset:
    """A file with identities in standard, private and nested elements."""
    dataset = files.make_dataset(screen, patient_id=PATIENT_ID, uid=f"{UID_ROOT}.{seed}", number=seed, **options)
    plant_identity(dataset, seed, PATIENT_ID)
    return dataset


@pytest.fixture
def hospital(tmp_path) -> Hospital:
    result = Hospital(tmp_path)
    clinical = tmp_path / "clinical.csv"
    clinical.write_text(clinical.read_text().replace("A0001", PATIENT_ID))
    folder = result.pictures / f"{NAMES[3]}_{NAMES[0]}_{BIRTH}"
    for seed in range(3):
        name = f"{NAMES[2]}-{EXAMINATION}-{seed}.dcm"
        files.save(planted(seed, burn(files.draw_screen(seed))), folder / name)
    files.save(planted(7, burn(files.draw_screen(7)), regions=False), folder / "7.dcm")
    stranger = planted(8, burn(files.draw_screen(8)))
    stranger.PatientID = f"{PATIENT_ID}-B"
    files.save(stranger, folder / f"{NAMES[0]}.dcm")
    files.save(planted(9, files.draw_screen(9, fill=0.0)), folder / f"{NAMES[1]}.dcm")
    broken = files.save(planted(10, files.draw_screen(10)), folder / f"{NAMES[0]}-b.dcm")
    broken.write_bytes(broken.read_bytes()[:100_000])
    (folder / f"{NAMES[1]}.zip").write_bytes(b"PK\x03\x04" + NAMES[1].encode("gb18030") * 50)
    return result


@pytest.fixture
def restored_logging():
    root = logging.getLogger()
    before = root.handlers[:], root.level
    yield
    root.handlers, root.level = before
    logging.captureWarnings(False)


@pytest.mark.usefixtures("restored_logging")
def test_no_planted_identity_is_written(hospital, capfd):
    with job_log(hospital.root / "out" / "ingest.log"):
        hospital.ingest()
    assert hospital.table("counts").loc[0, ["images_stored", "rejected"]].tolist() == [4, 4]
    said = "".join(capfd.readouterr()).encode()
    assert b"4 pictures stored, 4 rejected" in said
    written = [*everything_written(hospital.root / "out"), ("terminal", said)]
    assert identities_in(written, hospital.root) == set()


def test_the_search_would_find_what_it_looks_for(hospital):
    sent = dict(everything_written(hospital.root / "dicom"))
    missing = {
        needle
        for needle in NEEDLES
        if not any(
            needle.encode(encoding, "ignore") in content + place.encode()
            for encoding in ENCODINGS
            for place, content in sent.items()
        )
    }
    # Dates with hyphens are only another spelling.
    assert missing == {"1953-12-07", "2016-03-02"}


def test_burned_in_text_changes_no_stored_pixel(hospital):
    hospital.ingest()
    with open_images(hospital.out / "A.h5") as store:
        stored = [store.screen(index) for index in range(len(store))]
    layout = ScreenLayout(files.TOP, files.BOX, files.BOTTOM, files.BAR, 0.2, "regions")
    for seed in range(3):
        assert (burn(files.draw_screen(seed)) != files.draw_screen(seed)).sum() > 2000
        screen = files.draw_screen(seed)
        clean = blank_identity(screen, kept_parts(layout, *screen.shape[:2]))
        assert any(np.array_equal(picture, clean) for picture in stored)


def test_an_archives_overlay_on_the_pictures_goes_where_tags_are_missing(tmp_path):
    hospital = Hospital(tmp_path)
    for name, screen in {
        "clean": files.draw_screen(1),
        "burned": burn(files.draw_screen(1), over_picture=True),
    }.items():
        path = hospital.pictures / "A0001" / "x.dcm"
        files.save(files.make_dataset(screen, regions=False), path)
        hospital.ingest(name)
    clean, burned = ((tmp_path / name / "A.h5").read_bytes() for name in ("clean", "burned"))
    assert clean == burned


def test_errors_name_no_patient(hospital):
    hospital.tables["measurements"] = hospital.root / "measurements.csv"
    hospital.tables["measurements"].write_text(f"hospital,patient_id\nA,{PATIENT_ID}\n")
    with pytest.raises(DlreError) as caught:
        hospital.ingest()
    assert PATIENT_ID not in str(caught.value)
