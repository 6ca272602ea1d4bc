"""Labels beside a colour bar are read where they are clear, and never misread."""

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from benchmarks.scale_labels import drawn_labels, reads
from dlre_core.elastography.screen_layout import COLOUR_BAR, Rectangle
from dlre_core.screens.scale_label import HIGH_ENDS, LabelledScale, read_labels
from dlre_core.simulation.screen import empty_screen


def labelled(*texts: tuple[str, tuple[int, int]], size: int = 18) -> np.ndarray:
    picture = Image.new("RGB", (1440, 1080))
    for text, place in texts:
        ImageDraw.Draw(picture).text(place, text, fill=(220, 220, 220), font=ImageFont.load_default(size))
    return np.asarray(picture)


def jpeg(screen: np.ndarray) -> np.ndarray:
    buffer = io.BytesIO()
    Image.fromarray(screen).save(buffer, "JPEG", quality=75)
    return np.asarray(Image.open(buffer))


def over(text: str) -> tuple[str, tuple[int, int]]:
    return text, (1340, 112)


@pytest.mark.parametrize("kpa", HIGH_ENDS["kPa"])
def test_a_label_over_a_known_bar_is_read(kpa):
    wanted = LabelledScale(0.0, float(kpa), "kPa", stiff_first=True)
    screen = labelled(over(f"{kpa} kPa"))
    assert read_labels(screen, COLOUR_BAR, may_lack_low_end=True) == wanted
    assert read_labels(jpeg(screen), COLOUR_BAR, may_lack_low_end=True) in (wanted, None)


def test_one_end_says_nothing_of_a_bar_that_nobody_knows():
    assert read_labels(labelled(over("40 kPa")), COLOUR_BAR) is None


@pytest.mark.parametrize("kpa", [30, 40, 60, 150])
def test_the_simulators_screen_is_read(kpa):
    screen = empty_screen("Hospital", 0.5, float(kpa), 80.0)
    for seen in (screen, jpeg(screen)):
        assert read_labels(seen, COLOUR_BAR) == LabelledScale(0.0, float(kpa), "kPa", stiff_first=True)


def test_a_bar_in_m_s_whose_stiff_end_is_below():
    texts = (("0.5", (1382, 118)), ("6.5  m/s", (1372, 364)))
    found = read_labels(labelled(*texts), COLOUR_BAR)
    assert found == LabelledScale(0.5, 6.5, "m/s", stiff_first=False)


@pytest.mark.parametrize("text", ["", "40", "kPa", "17 kPa", "400 kPa", "40 cm/s", "Name 40 kPa", "4x kPa", "130 kPa"])
def test_what_is_no_clear_label_is_not_read(text):
    assert read_labels(labelled(over(text)), COLOUR_BAR, may_lack_low_end=True) is None


def test_two_units_are_none():
    texts = (over("40 kPa"), ("0 m/s", (1372, 364)))
    assert read_labels(labelled(*texts), COLOUR_BAR, may_lack_low_end=True) is None


def test_small_and_blank_screens_have_no_label():
    for shape, value in (((1080, 1440, 3), 0), ((20, 20, 3), 200), ((540, 720, 3), 0)):
        assert read_labels(np.full(shape, value, np.uint8), Rectangle(5, 5, 9, 15)) is None


def test_labels_in_fonts_that_the_reader_does_not_know_are_never_misread():
    read = [reads(drawn_labels(seed, of_machine=False)) for seed in range(60)]
    assert "misread" not in read
    assert read.count("read") > 4
