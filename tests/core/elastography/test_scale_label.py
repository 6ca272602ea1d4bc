"""The label above the colour bar is read where it is clear, and never misread."""

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from dlre_core.elastography.scale_label import FULL_SCALES_KPA, read_scale_label
from dlre_core.simulation.screen import empty_screen


def labelled(text: str, size: int = 18) -> np.ndarray:
    picture = Image.new("RGB", (1440, 1080))
    font = ImageFont.load_default(size)
    ImageDraw.Draw(picture).text((1335, 104), text, fill=(220, 220, 220), font=font)
    return np.asarray(picture)


def jpeg(screen: np.ndarray) -> np.ndarray:
    buffer = io.BytesIO()
    Image.fromarray(screen).save(buffer, "JPEG", quality=75)
    return np.asarray(Image.open(buffer))


@pytest.mark.parametrize("kpa", sorted(FULL_SCALES_KPA))
def test_labels_are_read_with_and_without_a_sign(kpa):
    for text in (f"{kpa} kPa", f"≥{kpa} kPa"):
        assert read_scale_label(labelled(text)) == kpa
        assert read_scale_label(jpeg(labelled(text))) in (kpa, None)


@pytest.mark.parametrize("kpa", [30, 40, 60, 150])
def test_the_simulators_screen_is_read(kpa):
    assert read_scale_label(jpeg(empty_screen("Hospital", 0.5, float(kpa), 80.0))) == kpa


@pytest.mark.parametrize("text", ["", "40", "kPa", "17 kPa", "400 kPa", "40 cm/s", "Name 40 kPa", "4x kPa"])
def test_what_is_no_clear_label_is_not_read(text):
    assert read_scale_label(labelled(text)) is None


def test_small_and_blank_screens_have_no_label():
    assert read_scale_label(np.zeros((1080, 1440, 3), np.uint8)) is None
    assert read_scale_label(np.full((20, 20, 3), 200, np.uint8)) is None
    assert read_scale_label(np.zeros((540, 720, 3), np.uint8)) is None
