"""The private stiffness block: what is written is read, and damage is survived."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from dlre_core.dicom.supersonic_block import BLOB, CREATOR, GROUP, read_ssi_block
from dlre_core.elastography.scale import Scale
from tests.helpers.supersonic import block


def kpa_from_0(high: float) -> Scale:
    return Scale(0.0, high, "kPa", "file")


def dataset(blob: bytes) -> Dataset:
    result = Dataset()
    private = result.private_block(GROUP, CREATOR, create=True)
    private.add_new(BLOB.element & 0xFF, "OB", blob)
    # The documented element is in block 13.
    result.add_new((GROUP, 0x0013), "LO", CREATOR)
    result.add_new(BLOB, "OB", blob)
    return result


def test_stiffness_opacity_and_scale_are_read():
    found = read_ssi_block(dataset(block()))
    np.testing.assert_array_equal(found.kpa, np.arange(12, dtype=np.float32).reshape(3, 4))
    assert found.opacity == pytest.approx(0.5)
    assert found.scale == Scale(0.0, 40.0, "kPa", "file")


def test_a_bar_in_m_s_is_read_in_m_s():
    found = read_ssi_block(dataset(block(scale=Scale(0.0, (40 / 3) ** 0.5, "m/s", "file"))))
    assert (found.scale.low, found.scale.unit) == (0.0, "m/s")
    assert found.scale.maximum_kpa == pytest.approx(40.0, rel=1e-6)


def test_another_unit_is_none():
    blob = bytearray(block())
    # The parameters follow a header of 20 and a region of 48 bytes; their second field is the unit.
    assert blob[72:76] == b"\x01\0\0\0"
    blob[72] = 2
    assert read_ssi_block(dataset(bytes(blob))) is None


@pytest.mark.parametrize(
    "blob",
    [
        b"",
        bytes(4000),
        b"\xff" * 4000,
        block()[:-60],
        block(np.full((3, 4), np.nan, dtype=np.float32)),
        block(scale=kpa_from_0(float("nan"))),
        block(scale=kpa_from_0(5000.0)),
        block(scale=kpa_from_0(0.0)),
        block(opacity=-0.5),
        block(opacity=500.0),
        block(opacity=float("inf")),
    ],
)
def test_damage_means_no_block(blob):
    assert read_ssi_block(dataset(blob)) is None


def test_no_block_is_no_block():
    assert read_ssi_block(Dataset()) is None


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(block()) - 1), st.binary(min_size=1, max_size=8), st.booleans())
def test_any_mutation_is_survived(place, content, cut):
    blob = block()
    mutated = blob[:place] if cut else blob[:place] + content + blob[place + len(content) :]
    found = read_ssi_block(dataset(mutated))
    assert found is None or np.isfinite(found.scale.maximum_kpa)
