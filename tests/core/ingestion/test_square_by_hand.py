"""A row of roi.csv makes a picture usable whatever the screen."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from dlre_core.comparators.radiomics import FEATURES, measure_hospital, read_features
from dlre_core.elastography.network_square import crop_hospital
from dlre_core.figures.figure_1_case import choose_case, figure_1, read_case
from dlre_core.foundation.csv_tables import read_table
from dlre_core.foundation.picture_store import open_images, open_rois
from tests.helpers import elastogram_files as files
from tests.helpers.hospital import Hospital

MEASURED = "hospital,patient_id,file,q_box_mean_kpa\n"


@pytest.fixture
def hospital(tmp_path):
    return Hospital(tmp_path)


def unknown_screen(seed: int, colours: bool = True) -> np.ndarray:
    """One picture of 640 x 480 pixels, without bar and without twin, with a box of 200 x 200 in colours or grey."""
    generator = np.random.default_rng(seed)
    screen = np.full((480, 640, 3), 30, np.uint8)
    screen[40:460, 60:600] = generator.integers(20, 110, (420, 540, 1), dtype=np.uint8)
    part = files.draw_screen(seed)[125:225, 275:375].repeat(2, axis=0).repeat(2, axis=1)
    screen[200:400, 200:400] = part if colours else part.mean(axis=2, keepdims=True)
    return screen


def add(hospital: Hospital, name: str, screen: np.ndarray, square: str = "", kpa: str = "") -> None:
    path = hospital.pictures / name
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(screen).save(path)
    for table, header, row in (
        ("roi", "file,row,column,size\n", square and f"A/{name},{square}\n"),
        ("measurements", MEASURED, kpa and f"A,{name.split('/')[0]},A/{name},{kpa}\n"),
    ):
        if row:
            path = hospital.tables.setdefault(table, hospital.root / f"{table}.csv")
            path.write_text((path.read_text() if path.exists() else header) + row)


def test_a_square_on_an_unknown_screen_is_kept_alone_with_the_hospitals_stiffness(hospital):
    screen = unknown_screen(1)
    add(hospital, "A0001/1.png", screen, "200,200,200", "12.5")
    add(hospital, "A0001/2.png", unknown_screen(2), "200,200,200")
    add(hospital, "A0001/3.png", unknown_screen(3))
    assert hospital.ingest().rejected() == {"A0001/3.png": "no_elastogram"}
    first, second = hospital.table("acquisitions").to_dict("records")
    for row in (first, second):
        assert row["flags"] == "no_time;square_by_hand_only;scale_unknown"
        assert (row["layout_source"], row["scale_source"]) == ("hand", "unknown")
        assert [row[f"box_{side}"] for side in ("left", "top", "right", "bottom")] == [200, 200, 400, 400]
        assert pd.isna([row["scale_maximum_kpa"], row["opacity"], row["saturated_fraction"], row["twin_left"]]).all()
        assert row["fill_fraction"] > 0.9
    assert (first["q_box_mean_kpa"], first["q_box_source"]) == (12.5, "given")
    assert pd.isna(second["q_box_mean_kpa"])
    with open_images(hospital.out / "A.h5") as store:
        kept = store.screen(0)
    np.testing.assert_array_equal(kept[200:400, 200:400], screen[200:400, 200:400])
    kept[200:400, 200:400] = 0
    assert not kept.any()


def test_without_colour_the_quality_is_unknown_and_said(hospital):
    add(hospital, "A0001/1.png", unknown_screen(1, colours=False), "200,200,200", "9")
    assert hospital.ingest().rejected() == {}
    (row,) = hospital.table("acquisitions").to_dict("records")
    assert row["flags"] == "no_time;square_by_hand_only;quality_unknown;scale_unknown"
    assert pd.isna(row["fill_fraction"])


@pytest.mark.parametrize("square", ["300,200,200", "200,500,200", "200,200,31", "700,700,100"])
def test_a_square_beyond_the_picture_or_too_small_is_refused(hospital, square):
    add(hospital, "A0001/1.png", unknown_screen(1), square)
    add(hospital, "A0001/2.png", unknown_screen(2), "280,440,200")
    assert hospital.ingest().rejected() == {"A0001/1.png": "square_outside"}


def test_a_square_beside_what_was_found_wins_and_one_on_it_keeps_what_was_found(hospital):
    add(hospital, "A0001/1.png", files.draw_screen(1), "100,260,140")
    add(hospital, "A0001/2.png", files.draw_screen(2), "300,300,200")
    assert hospital.ingest().rejected() == {}
    found, elsewhere = hospital.table("acquisitions").to_dict("records")
    assert found["layout_source"] == "pixels"
    assert "square_by_hand_only" not in found["flags"]
    assert elsewhere["layout_source"] == "hand"


def test_other_colours_and_another_scale_need_no_reading_where_a_square_is_drawn(hospital):
    screen = files.draw_screen(1)
    screen[screen.max(axis=2) == 0] = (60, 76, 54)
    add(hospital, "A0001/1.png", screen)
    assert hospital.ingest().rejected() == {"A0001/1.png": "recoloured"}
    add(hospital, "A0001/1.png", screen, "100,260,140")
    assert hospital.ingest().rejected() == {}
    assert list(hospital.table("acquisitions")["layout_source"]) == ["hand"]


def test_a_failed_acquisition_stays_one(hospital):
    files.save(files.make_dataset(files.draw_screen(1, fill=0.2)), hospital.pictures / "A0001" / "1.dcm")
    hospital.tables["roi"] = hospital.root / "roi.csv"
    hospital.tables["roi"].write_text("file,row,column,size\nA/A0001/1.dcm,100,260,140\n")
    assert hospital.ingest().rejected() == {"A0001/1.dcm": "little_signal"}


def test_copies_of_a_square_count_once(hospital):
    screen = unknown_screen(1)
    add(hospital, "A0001/1.png", screen, "200,200,200")
    add(hospital, "A0001/2.bmp", screen, "200,200,200")
    Image.fromarray(screen).save(hospital.pictures / "A0001" / "3.jpg", quality=80)
    hospital.tables["roi"].write_text(hospital.tables["roi"].read_text() + "A/A0001/3.jpg,200,200,200\n")
    assert hospital.ingest().rejected() == {"A0001/2.bmp": "duplicate", "A0001/3.jpg": "same_acquisition"}


def test_what_follows_lives_with_a_square_alone(hospital, tmp_path):
    """Square, texture and Figure 1 of a study that has no other pictures."""
    screen = unknown_screen(1)
    add(hospital, "A0001/1.png", screen, "200,200,200", "12.5")
    hospital.ingest()
    shard, acquisitions = hospital.out / "A.h5", hospital.out / "A_acquisitions.csv"
    crop_hospital(shard, acquisitions, tmp_path / "rois.h5", tmp_path / "rois.csv")
    rois = read_table(tmp_path / "rois.csv")
    assert rois[["source", "flags", "q_box_mean_kpa"]].fillna("").to_numpy().tolist() == [["hand", "", 12.5]]
    with open_rois(tmp_path / "rois.h5") as store:
        (crop,) = store.read(np.arange(1))
    expected = np.asarray(Image.fromarray(screen[200:400, 200:400]).resize((250, 250), Image.Resampling.BILINEAR))
    assert np.abs(crop.astype(int) - expected).mean() < 3
    measure_hospital(shard, acquisitions, tmp_path / "features.csv")
    features = read_features([tmp_path / "features.csv"], read_table(acquisitions))
    assert features["measured_fraction"][0] == 0
    assert features[list(FEATURES[:-1])].isna().all(None)
    table = read_table(acquisitions)
    split = table[["hospital", "patient"]].assign(fibrosis_stage=2, cohort="training")
    case = read_case(choose_case(table, rois, split), shard)
    assert case.q_box is None
    assert np.isnan(case.kpa).all()
    titles = [axis.get_title(loc="left") for axis in figure_1(case, simulated=False).axes]
    assert any("unknown" in title for title in titles)
