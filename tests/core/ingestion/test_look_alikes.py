"""Pictures that were recompressed, resized or brightened are found across a split; others are not."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from dlre_core.foundation.errors import PatientLeak
from dlre_core.foundation.picture_store import write_rois
from dlre_core.ingestion.look_alikes import (
    MOST_DIFFERENT_BITS,
    alike,
    check_split,
    hashes_as_text,
    hashes_from_text,
    perceptual_hashes,
)
from tests.helpers.pictures import jpeg, pictures


def halved(picture):
    image = Image.fromarray(picture)
    return np.asarray(image.resize((125, 125)).resize((250, 250)))


def brighter(picture):
    return np.clip(picture * 1.1 + 6, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("change", [jpeg, halved, brighter])
def test_twins_are_alike_and_others_are_not(change):
    originals = pictures(30)
    hashes = perceptual_hashes([originals[:20], originals[20:]])
    twins = perceptual_hashes([np.stack([change(picture) for picture in originals])])
    assert [(i, j) for i, j, _ in alike(hashes, twins)] == [(i, i) for i in range(30)]


@pytest.mark.parametrize("n", [0, 1, 3])
def test_hashes_are_read_as_they_were_written(n):
    hashes = np.random.default_rng(n).random((n, 255)) < 0.5
    texts = hashes_as_text(hashes)
    assert [len(text) for text in texts] == [64] * n
    assert np.array_equal(hashes_from_text(texts), hashes)


def test_different_bits_are_counted():
    first = np.zeros((2, 255), dtype=bool)
    second = first.copy()
    second[0, : MOST_DIFFERENT_BITS + 1] = True
    second[1, :MOST_DIFFERENT_BITS] = True
    assert alike(first[:1], second) == [(0, 1, MOST_DIFFERENT_BITS)]


def test_a_look_alike_across_the_split_stops_and_is_named(tmp_path):
    squares = pictures(4)
    split = pd.DataFrame({"hospital": "A", "patient": ["P0", "P1"], "cohort": ["training", "validation"]})
    table = pd.DataFrame({"hospital": "A", "patient": ["P0", "P0", "P1", "P1"], "image_id": ["a", "b", "c", "d"]})
    stored = table.assign(pixel_digest=["1", "2", "3", "4"])
    write_rois(tmp_path / "clean.h5", list(table["image_id"]), squares)
    counts = check_split(split, stored, table, tmp_path / "clean.h5").iloc[0]
    assert (counts["training_pictures"], counts["shared_look_alikes"]) == (2, 0)
    # Twins within a cohort are nobody's leak.
    squares[1] = jpeg(squares[0])
    write_rois(tmp_path / "within.h5", list(table["image_id"]), squares)
    check_split(split, stored, table, tmp_path / "within.h5")
    squares[3] = jpeg(squares[0])
    write_rois(tmp_path / "leak.h5", list(table["image_id"]), squares)
    with pytest.raises(PatientLeak, match="A/P0/a ~ A/P1/d"):
        check_split(split, stored, table, tmp_path / "leak.h5")
    for cohorts in (["external", "validation"], ["external", "training"]):
        with pytest.raises(PatientLeak, match=f"stands in {cohorts[1]} and in external"):
            check_split(split.assign(cohort=cohorts), stored, table, tmp_path / "leak.h5")


def test_pairs_are_the_same_however_many_rows_are_compared_at_once(monkeypatch):
    generator = np.random.default_rng(11)
    first, second = (generator.random((n, 16)) < 0.5 for n in (10, 7))
    expected = [
        (i, j, int((first[i] != second[j]).sum()))
        for i in range(10)
        for j in range(7)
        if (first[i] != second[j]).sum() <= 6
    ]
    assert len(expected) > 5
    for rows in (3, 10, 512):
        monkeypatch.setattr("dlre_core.ingestion.look_alikes.ROWS_AT_ONCE", rows)
        assert alike(first, second, most=6) == expected
