"""Pieces of the search for the Q-Box circle; whole screens are measured in test_elastogram."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from dlre_core.elastography.q_box import window_extremes


@given(arrays(np.uint8, st.tuples(st.integers(2, 12), st.integers(2, 12))))
def test_extremes_of_windows_are_scipys(light):
    for choose, filtered in (
        (np.minimum, ndimage.grey_erosion),
        (np.maximum, ndimage.grey_dilation),
    ):
        assert window_extremes(light, choose).tolist() == filtered(light, size=(5, 5)).tolist()
