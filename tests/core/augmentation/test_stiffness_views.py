"""Views of another stiffness: against simulated fields rendered at that stiffness, and by their properties."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlre_core.augmentation.stiffness_views import (
    locate_stiffness,
    stiffness_changes,
    with_stiffness,
)
from dlre_core.augmentation.views import draw_stiffness, draw_views
from dlre_core.elastography.colour_map import colour_table
from tests.helpers.stiffness_scenes import blended, scene

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("opacity", [0.4, 0.6, 1.0])
@pytest.mark.parametrize("factor", [0.7, 1.0, 1.3])
def test_a_changed_picture_is_what_that_stiffness_would_look_like(opacity, factor):
    at, grey = scene(1)
    picture = blended(at, opacity, grey)
    located = locate_stiffness(picture)
    assert located.opacity[0] == pytest.approx(opacity, abs=0.01)
    changed = with_stiffness(picture, located, np.array([0]), np.array([factor], np.float32))
    wanted = blended(np.minimum(at * factor, 1), opacity, grey)
    error = np.abs(changed.astype(int) - wanted).max(axis=3)
    assert np.median(error) <= 2
    # At the ends of the map a position is told by purity alone.
    assert np.percentile(error, 95) <= 12
    assert (error[0][np.isnan(at)] == 0).all()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**31))
def test_a_factor_of_one_and_pictures_without_colour_are_left_alone(seed):
    generator = np.random.default_rng(seed)
    pictures = generator.integers(0, 256, (2, 9, 11, 3), dtype=np.uint8)
    pictures[1] = pictures[1, :, :, :1]
    located = locate_stiffness(pictures)
    assert (located.positions[1] == 0).all()
    same = with_stiffness(pictures, located, np.array([1, 0]), np.ones(2, np.float32))
    assert np.array_equal(same, pictures[[1, 0]])
    factors = np.array([2.5], np.float32)
    assert np.array_equal(with_stiffness(pictures, located, np.array([1]), factors)[0], pictures[1])


def test_compiled_and_interpreted_give_the_same_bytes():
    """The interpreter runs the same source with NUMBA_DISABLE_JIT=1, in a process of its own."""
    code = """
import hashlib
import numpy as np
from dlre_core.augmentation.stiffness_views import locate_stiffness, with_stiffness
from tests.helpers.stiffness_scenes import blended, scene
at, grey = scene(4, side=30)
noise = np.random.default_rng(5).integers(0, 256, (1, 30, 30, 3), dtype=np.uint8)
pictures = np.concatenate([blended(at, 0.6, grey), noise])
located = locate_stiffness(pictures)
changed = with_stiffness(pictures, located, np.array([1, 0]), np.array([0.7, 1.4], np.float32))
print(hashlib.sha256(located.positions.tobytes() + located.opacity.tobytes() + changed.tobytes()).hexdigest())
"""
    digests = {
        subprocess.run(
            [sys.executable, "-W", "error", "-c", code],
            env=os.environ | {"NUMBA_DISABLE_JIT": off},
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
        ).stdout
        for off in ("0", "1")
    }
    assert len(digests) == 1


def test_positions_rise_with_stiffness_over_the_whole_map():
    at = np.linspace(0, 1, 255)[None, :]
    located = locate_stiffness(blended(at, 0.7, np.full(at.shape, 80.0)))
    found = located.positions[0, 0].astype(int)
    assert (np.diff(found) >= 0).all()
    assert np.abs(found - 1 - at[0] * 254).max() <= 4


def test_changes_by_position_are_those_of_the_map():
    changes = stiffness_changes(np.array([0.5], np.float32), np.array([2.0], np.float32))[0]
    table = colour_table(255).astype(int)
    assert (changes[0] == 0).all()
    # Position 1 + 50 becomes 1 + 100; what leaves the map stays at its end.
    assert np.abs(changes[51] - 0.5 * (table[100] - table[50])).max() <= 0.5
    assert np.abs(changes[255]).max() == 0


def test_what_is_off_leaves_the_generator_alone():
    first, second = (np.random.default_rng(3) for _ in range(2))
    assert draw_stiffness(first, 5, 0.0) is None
    assert first.random() == second.random()
    views = draw_views(np.random.default_rng(1), 4000, stiffness=0.3)
    assert np.log(views.stiffness).std() == pytest.approx(0.3, rel=0.05)
    assert np.array_equal(views[2:4].stiffness, views.stiffness[2:4])
