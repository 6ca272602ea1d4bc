"""Texture features by hand, by Haralick's own example and by plain loops; the model learns in training only."""

import math

import numpy as np
import pandas as pd
import pytest

from dlre_core.comparators.radiomics import (
    FEATURES,
    measure_hospital,
    radiomics_scores,
    read_features,
    texture_features,
)
from dlre_core.foundation.csv_tables import read_table, write_table
from dlre_core.foundation.design import study_questions
from dlre_core.foundation.errors import StoreMismatch
from dlre_core.foundation.picture_store import write_shard
from tests.helpers import elastogram_files as files

SCALE = 40.0
# Haralick, Shanmugam, Dinstein 1973, figure 3: an image and its four matrices of co-occurrence.
HARALICK = np.array([[0, 0, 1, 1], [0, 0, 1, 1], [0, 2, 2, 2], [2, 2, 3, 3]])
MATRICES = (
    [[4, 2, 1, 0], [2, 4, 0, 0], [1, 0, 6, 1], [0, 0, 1, 2]],
    [[6, 0, 2, 0], [0, 4, 2, 0], [2, 2, 2, 2], [0, 0, 2, 0]],
    [[2, 1, 3, 0], [1, 2, 1, 0], [3, 1, 0, 2], [0, 0, 2, 0]],
    [[4, 1, 0, 0], [1, 2, 2, 0], [0, 2, 4, 1], [0, 0, 1, 0]],
)


def kpa_of(levels):
    """A map in the middle of the 32 bins of the scale; negative levels carry no stiffness."""
    kpa = (np.asarray(levels, dtype=np.float32) + 0.5) * np.float32(SCALE / 32)
    return np.where(np.asarray(levels) < 0, np.float32(np.nan), kpa)


def defined(matrix):
    """The properties of one matrix, from their definitions."""
    p = np.asarray(matrix, dtype=float) / np.sum(matrix)
    cells = [(i, j, p[i, j]) for i in range(len(p)) for j in range(len(p)) if p[i, j] > 0]
    mean = sum(i * x for i, _, x in cells)
    variance = sum((i - mean) ** 2 * x for i, _, x in cells)
    return {
        "glcm_contrast": sum((i - j) ** 2 * x for i, j, x in cells),
        "glcm_dissimilarity": sum(abs(i - j) * x for i, j, x in cells),
        "glcm_homogeneity": sum(x / (1 + (i - j) ** 2) for i, j, x in cells),
        "glcm_asm": sum(x * x for _, _, x in cells),
        "glcm_correlation": sum((i - mean) * (j - mean) * x for i, j, x in cells) / variance,
        "glcm_entropy": -sum(x * math.log(x) for _, _, x in cells),
    }


def mean_of(matrices):
    each = [defined(matrix) for matrix in matrices]
    return {name: np.mean([one[name] for one in each]) for name in each[0]}


def test_co_occurrence_is_haralicks():
    found = texture_features(kpa_of(HARALICK), SCALE, 1)
    for name, value in mean_of(MATRICES).items():
        assert found[name] == pytest.approx(value, rel=1e-9), name


def test_pairs_without_stiffness_do_not_count():
    levels = np.random.default_rng(0).integers(-2, 6, (13, 17))
    matrices = []
    # Lines up from the first pixel, as scikit-image and Haralick have the angles.
    for down, right in ((0, 2), (1, 1), (2, 0), (1, -1)):
        matrix = np.zeros((6, 6))
        for row in range(13):
            for column in range(17):
                r, c = row + down, column + right
                if r < 13 and 0 <= c < 17 and levels[row, column] >= 0 and levels[r, c] >= 0:
                    matrix[levels[row, column], levels[r, c]] += 1
                    matrix[levels[r, c], levels[row, column]] += 1
        matrices.append(matrix)
    found = texture_features(kpa_of(np.maximum(levels, -1)), SCALE, 2)
    for name, value in mean_of(matrices).items():
        assert found[name] == pytest.approx(value, rel=1e-9), name


def test_first_order_by_hand():
    # Mean 10; moments of -5, -5, 0, 10 about it: m2 = 37.5, m3 = 187.5, m4 = 2812.5.
    found = texture_features(np.array([[5, 5, 10, 20]], dtype=np.float32), SCALE, 1)
    assert (found["mean_kpa"], found["median_kpa"]) == (10, 7.5)
    assert found["sd_kpa"] == pytest.approx(math.sqrt(37.5))
    assert (found["p10_kpa"], found["p90_kpa"]) == pytest.approx((5, 17))
    assert found["skewness"] == pytest.approx(187.5 / 37.5**1.5)
    assert found["kurtosis"] == pytest.approx(2812.5 / 37.5**2)
    # Shares of a half and two quarters: 0.5 + 0.5 + 0.5 bits.
    assert found["entropy_bits"] == pytest.approx(1.5)


def test_nothing_is_made_up_where_nothing_is_known():
    empty = texture_features(np.full((5, 5), np.nan, dtype=np.float32), SCALE, 1)
    assert np.isnan(list(empty.values())).all()
    lonely = texture_features(kpa_of([[3, -1, 5]]), SCALE, 1)
    assert lonely["mean_kpa"] == 5.625
    assert np.isnan(lonely["glcm_contrast"])


def test_a_hospitals_pictures_are_measured_in_their_boxes(tmp_path):
    sides = {
        f"{name}_{side}": getattr(place, side)
        for name, place in (
            ("elastogram", files.TOP),
            ("box", files.BOX),
            ("twin", files.BOTTOM),
            ("colour_bar", files.BAR),
        )
        for side in ("left", "top", "right", "bottom")
    }
    row = {
        "hospital": "01",
        "patient": "p",
        "acquisition": 1,
        "opacity": 0.6,
        **sides,
        "pixel_spacing_mm": 0.2,
        "scale_minimum_kpa": 0.0,
        "scale_maximum_kpa": SCALE,
        "scale_unit": "kPa",
        "scale_source": "label",
        "stiff_end": "top",
        "screen": "found",
        "layout_source": "regions",
    }
    screens = [
        files.draw_screen(1),
        files.draw_screen(2, position=0.25),
        files.draw_screen(3, fill=0.05),
    ]
    write_shard(tmp_path / "s.h5", [(f"{k:016x}", screen) for k, screen in enumerate(screens)])
    write_table(pd.DataFrame([{"image_id": f"{k:016x}", **row} for k in range(3)]), tmp_path / "a.csv")
    measure_hospital(tmp_path / "s.h5", tmp_path / "a.csv", tmp_path / "f.csv")
    table = read_table(tmp_path / "f.csv")
    write_table(table[:0], tmp_path / "empty.csv")
    acquisitions = table[["image_id"]].assign(flags="")
    parts = [tmp_path / "empty.csv", tmp_path / "f.csv"]
    assert read_features(parts, acquisitions).equals(table)
    # A box that readers call wrong tells no texture.
    acquisitions["flags"] = ["", "no_time;box_wrong", "no_time"]
    known = read_features(parts, acquisitions)[list(FEATURES)].notna().any(axis=1)
    assert list(known) == [True, False, True]
    assert list(table["hospital"]) == ["01"] * 3
    # A ramp from 0.1 to 0.8 of the scale under noise of 0 to 0.1, and a constant quarter of it.
    assert table["mean_kpa"][0] == pytest.approx(20, rel=0.02)
    assert table["sd_kpa"][0] == pytest.approx(SCALE * math.hypot(0.7, 0.1) / math.sqrt(12), rel=0.05)
    assert table["mean_kpa"][1] == pytest.approx(10, rel=0.02)
    assert table["glcm_contrast"][1] < 0.5 < table["glcm_contrast"][0]
    assert table["measured_fraction"][2] < 0.1
    assert np.isnan(table["mean_kpa"][2])
    write_table(pd.DataFrame([{"image_id": f"{9:016x}", **row}]), tmp_path / "a.csv")
    with pytest.raises(StoreMismatch, match="different pictures"):
        measure_hospital(tmp_path / "s.h5", tmp_path / "a.csv", tmp_path / "f.csv")


@pytest.fixture
def study():
    """Scores, predictions (two pictures per patient) and features; sd_kpa alone tells the stage."""
    generator = np.random.default_rng(4)
    n = 160
    scores = pd.DataFrame({"hospital": "A", "patient": [f"p{k:03d}" for k in range(n)]})
    scores["cohort"] = np.where(np.arange(n) % 2, "validation", "training")
    scores["fibrosis_stage"] = np.arange(n) // 2 % 5
    predictions = scores.loc[scores.index.repeat(2), ["hospital", "patient"]].reset_index(drop=True)
    predictions["image_id"] = [f"{k:016x}" for k in range(2 * n)]
    features = predictions[["image_id"]].copy()
    for name in FEATURES:
        features[name] = generator.standard_normal(2 * n)
    features["sd_kpa"] += 3 * scores["fibrosis_stage"].repeat(2).to_numpy()
    # A third picture that the arm does not use.
    extra = features.iloc[:1].assign(image_id=f"{999:016x}", sd_kpa=1e6)
    return scores, predictions, pd.concat([features, extra], ignore_index=True)


def test_the_model_is_fitted_in_training_and_works_in_validation(study):
    scores, predictions, features = study
    found = radiomics_scores(scores, predictions, features)
    part = found[found["cohort"] == "validation"]
    for stage, least in zip(study_questions(), (4, 3, 2), strict=True):
        cases = part["fibrosis_stage"] >= least
        score = part[f"radiomics_{stage}"]
        assert (score[cases].to_numpy()[:, None] > score[~cases].to_numpy()).mean() > 0.95
    changed = scores.copy()
    changed.loc[changed["cohort"] == "validation", "fibrosis_stage"] = 0
    again = radiomics_scores(changed, predictions, features)
    for stage in study_questions():
        assert again[f"radiomics_{stage}"].equals(found[f"radiomics_{stage}"])


def test_patients_are_means_of_their_usable_pictures(study):
    scores, predictions, features = study
    # One picture of the first patient unusable: its other one counts alone. Both of the fourth's.
    features.loc[0, "skewness"] = np.nan
    features.loc[[6, 7], "mean_kpa"] = np.nan
    found = radiomics_scores(scores, predictions, features)
    assert found["radiomics_f4"].isna().to_numpy().nonzero()[0].tolist() == [3]
    alone = features.copy()
    alone.loc[0, list(FEATURES)] = alone.loc[1, list(FEATURES)].to_numpy()
    expected = radiomics_scores(scores, predictions, alone)
    assert np.allclose(found["radiomics_f4"], expected["radiomics_f4"], equal_nan=True)
    with pytest.raises(StoreMismatch, match="no radiomics"):
        radiomics_scores(scores, predictions, features.iloc[2:])
