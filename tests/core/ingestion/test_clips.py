"""Of a clip of any maker's screen the frame counts whose box is the fullest."""

import numpy as np
import pytest

from dlre_core.dicom.file_search import FoundFile
from dlre_core.dicom.guarded_reader import GuardedReader
from dlre_core.elastography.square import Square
from dlre_core.ingestion.usable_picture import IngestionSettings, frames_of, usable_picture
from dlre_core.simulation.other_screens import DrawnScreen, example_screen
from tests.helpers import elastogram_files as files

SETTINGS = IngestionSettings(scale_by_hospital={"A": None}, hospital="A", minimum_fill=0.0)
SHARES = (0.0, 0.35, 0.2, 0.5, 0.97, 0.7, 0.85)
FULLEST = 1 + SHARES.index(max(SHARES))


def clip(drawn: DrawnScreen) -> np.ndarray:
    """Frames on which more or less of the box has colours."""
    frames = []
    for share in SHARES:
        frame, box = drawn.screen.copy(), drawn.box
        there = box.moved(drawn.twin.left - drawn.elastogram.left, drawn.twin.top - drawn.elastogram.top)
        width = round((1 - share) * box.width)
        box.cut(frame)[:, :width] = there.cut(drawn.screen)[:, :width]
        frames.append(frame)
    return np.stack(frames)


@pytest.fixture(scope="module")
def reader():
    with GuardedReader(SETTINGS.limits) as guarded:
        yield guarded


@pytest.fixture
def file(tmp_path):
    # Its elastogram lies where the 2019 scanner has the plain picture.
    frames = clip(example_screen("velocity_twin_above", 1))
    path = files.save(files.make_dataset(frames, regions=False), tmp_path / "clip.dcm")
    return FoundFile(path.name, path, None)


def test_frames_are_chosen_where_the_box_was_found(reader, file):
    assert FULLEST not in [image.frame for image in reader.images(file)][:4]
    images = frames_of(reader, file, SETTINGS)
    assert [image.frame for image in images] == [5, 7, 6, 4]
    assert usable_picture(images, SETTINGS).image.frame == FULLEST


def test_where_nothing_is_found_frames_are_chosen_in_the_square_by_hand(reader, tmp_path):
    drawn = example_screen("velocity_twin_above", 1)
    frames = clip(drawn)
    bar = drawn.colour_bar.grown(4)
    frames[:, bar.top : bar.bottom, bar.left : bar.right] = 0
    path = files.save(files.make_dataset(frames, regions=False), tmp_path / "clip.dcm")
    square = Square(drawn.box.top, drawn.box.left, min(drawn.box.width, drawn.box.height))
    images = frames_of(reader, FoundFile(path.name, path, None), SETTINGS, square)
    assert [image.frame for image in images] == [5, 7, 6, 4]
