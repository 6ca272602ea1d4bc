"""Files of the simulator: padded to the byte in every syntax, whatever the pictures hold."""

from datetime import datetime

import numpy as np
import pydicom
import pytest

from dlre_core.elastography.screen_layout import Rectangle
from dlre_core.simulation.export import PADDING, SYNTAXES, Export, Instance, Patient, make_uid, write_dicom

PATIENT = Patient("A", "A0001", "M", 40, 171.0, 68.0)
BOX = Rectangle(600, 300, 800, 460)


def written(path, syntax, frame, block=None):
    write_dicom(
        path,
        [frame],
        Instance(PATIENT, datetime(2015, 3, 1, 9, 30), 1, make_uid("test")),
        Export(syntax, True, block),
        BOX,
        0.18,
    )
    return path


@pytest.mark.parametrize("block", [None, b"\1" * 1234])
@pytest.mark.parametrize("syntax", SYNTAXES)
def test_padding_ends_with_the_file_and_on_a_whole_block(tmp_path, syntax, block):
    frame = np.random.default_rng(1).integers(0, 256, (108, 144, 3), dtype=np.uint8)
    path = written(tmp_path / "a.dcm", syntax, frame, block)
    assert path.stat().st_size % PADDING == 0
    with path.open("rb") as file:
        dataset = pydicom.dcmread(file)
        assert file.read() == b""
    assert dataset.file_meta.TransferSyntaxUID == SYNTAXES[syntax]
    padding = dataset["DataSetTrailingPadding"]
    assert padding.VR == "OB"
    assert len(padding.value) % 2 == 0
    assert not any(padding.value)
    assert dataset.pixel_array.shape == frame.shape


def test_a_size_does_not_follow_the_picture(tmp_path):
    flat = np.zeros((108, 144, 3), dtype=np.uint8)
    busy = np.random.default_rng(1).integers(0, 256, flat.shape, dtype=np.uint8)
    for syntax in SYNTAXES:
        sizes = {
            written(tmp_path / f"{syntax}_{n}.dcm", syntax, frame).stat().st_size
            for n, frame in enumerate((flat, busy))
        }
        assert len(sizes) == 1
