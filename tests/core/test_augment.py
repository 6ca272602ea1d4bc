"""The sampling kernel against naive twins, compiled and interpreted, and by its properties."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dlre_core import kernels
from dlre_core.augment import NORMALISED, PLAIN, apply_transforms, draw_transforms
from dlre_core.augment_device import apply_transforms_on_device

IDENTITY = np.array([[[1, 0, 0], [0, 1, 0]]], np.float32)


def picture(side=12, n=1, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (n, side, side, 3), dtype=np.uint8)


def sample(images, matrices, **options):
    out = np.full((len(matrices), *images.shape[1:]), np.nan, np.float32)
    indices = np.arange(len(matrices)) % len(images)
    apply_transforms(images, indices, matrices, out, normalise=False, **options)
    assert np.isfinite(out).all()
    return out


def naive(image, matrix):
    """Bilinear sampling, one pixel and channel at a time, in float64."""
    side = image.shape[0]
    out = np.empty(image.shape)
    for row in range(side):
        for column in range(side):
            x, y = matrix.astype(np.float64) @ [column, row, 1.0]
            x, y = min(max(x, 0.0), side - 1.0), min(max(y, 0.0), side - 1.0)
            left, top = int(np.floor(x)), int(np.floor(y))
            right, bottom = min(left + 1, side - 1), min(top + 1, side - 1)
            a, b = x - left, y - top
            for c in range(3):
                upper = (1 - a) * image[top, left, c] + a * image[top, right, c]
                lower = (1 - a) * image[bottom, left, c] + a * image[bottom, right, c]
                out[row, column, c] = (1 - b) * upper + b * lower
    return out


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    shift=st.integers(0, 20),
    rotation=st.floats(0, 180),
    scale=st.floats(0, 0.5),
    flips=st.tuples(st.booleans(), st.booleans()),
)
def test_it_equals_the_naive_twin(seed, shift, rotation, scale, flips):
    images = picture(seed=seed % 100)
    matrices = draw_transforms(
        np.random.default_rng(seed), 2, shift_pixels=shift, rotation_degrees=rotation, scale=scale,
        flip_horizontal=flips[0], flip_vertical=flips[1], side=12,
    )  # fmt: skip
    result = sample(images, matrices)
    for k in range(2):
        np.testing.assert_allclose(result[k], naive(images[0], matrices[k]), atol=2e-3)


@pytest.mark.parametrize("kernel", [kernels.sample_images, kernels._sample_images])
def test_compiled_and_interpreted_agree(kernel):
    images = picture(side=6)
    matrices = np.concatenate(
        [IDENTITY, draw_transforms(np.random.default_rng(3), 2, shift_pixels=2, rotation_degrees=30, scale=0.2, side=6)]
    )  # fmt: skip
    expected, out = sample(images, matrices), np.empty((3, 6, 6, 3), np.float32)
    kernel(images, np.zeros(3, np.int64), matrices, PLAIN, out)
    np.testing.assert_allclose(out, expected, atol=1e-4)


def test_identity_is_a_copy_and_normalises():
    images = picture(250)
    assert np.array_equal(sample(images, IDENTITY), images)
    out = np.empty(images.shape, np.float32)
    apply_transforms(images, np.array([0]), IDENTITY, out)
    assert np.array_equal(out, NORMALISED[images])
    assert (NORMALISED[0], NORMALISED[255]) == (-0.5, 0.5)


def test_flips_and_shifts_are_exact():
    images = picture(250)
    flip_x = np.array([[[-1, 0, 249], [0, 1, 0]]], np.float32)
    flip_y = np.array([[[1, 0, 0], [0, -1, 249]]], np.float32)
    shift = np.array([[[1, 0, 5], [0, 1, -7]]], np.float32)
    assert np.array_equal(sample(images, flip_x)[0], images[0, :, ::-1])
    assert np.array_equal(sample(images, flip_y)[0], images[0, ::-1])
    padded = np.pad(images[0], ((7, 0), (0, 5), (0, 0)), mode="edge")
    assert np.array_equal(sample(images, shift)[0], padded[:250, 5:255])


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_quarter_turns_are_exact(turns):
    images = picture(12)
    quarter = np.array([[0, 1, 0], [-1, 0, 11], [0, 0, 1]], np.float64)
    matrix = np.linalg.matrix_power(quarter, turns)[None, :2].astype(np.float32)
    assert np.array_equal(sample(images, matrix)[0], np.rot90(images[0], -turns))


def test_a_wild_transform_repeats_the_border():
    far = np.array([[[1, 0, 1e6], [0, 1, -1e6]], [[1, 0, 1e6 + 0.5], [0, 1, -1e6]]], np.float32)
    images = picture(12)
    result = sample(images, far)
    assert (result == images[0, 0, -1]).all()


def test_threads_do_not_change_a_bit():
    images = picture(50, n=3)
    matrices = draw_transforms(np.random.default_rng(1), 9, shift_pixels=3, rotation_degrees=20, scale=0.1, side=50)  # fmt: skip
    assert np.array_equal(sample(images, matrices), sample(images, matrices, threads=2))


def test_the_training_default_draws_whole_pixels_only():
    matrices = draw_transforms(np.random.default_rng(0), 200, shift_pixels=8, flip_horizontal=True, flip_vertical=True)  # fmt: skip
    assert np.array_equal(matrices, np.round(matrices))
    assert {tuple(m) for m in matrices[:, [0, 1], [0, 1]]} == {(1, 1), (1, -1), (-1, 1), (-1, -1)}
    upright = matrices[(matrices[:, 0, 0] == 1) & (matrices[:, 1, 1] == 1)][:, :, 2]
    assert np.abs(upright).max() <= 8
    repeated = draw_transforms(np.random.default_rng(0), 200, shift_pixels=8, flip_horizontal=True, flip_vertical=True)  # fmt: skip
    assert np.array_equal(matrices, repeated)


def test_wrong_arguments_are_refused():
    images, out = picture(6), np.empty((1, 6, 6, 3), np.float32)
    with pytest.raises(IndexError, match="of 1 images"):
        apply_transforms(images, np.array([1]), IDENTITY, out)
    with pytest.raises(ValueError, match="float32"):
        apply_transforms(images, np.array([0]), IDENTITY, out.astype(np.float64))
    with pytest.raises(ValueError, match="transforms have shape"):
        apply_transforms(images, np.array([0]), IDENTITY[:, :, :2], out)


def test_the_accelerators_path_agrees():
    images = picture(50, n=3)
    indices = np.array([2, 0, 1, 1])
    matrices = draw_transforms(np.random.default_rng(4), 4, shift_pixels=5, rotation_degrees=25, scale=0.2, flip_horizontal=True, side=50)  # fmt: skip
    out = np.empty((4, 50, 50, 3), np.float32)
    apply_transforms(images, indices, matrices, out)
    device = apply_transforms_on_device(torch.from_numpy(images), indices, matrices)
    np.testing.assert_allclose(device.permute(0, 2, 3, 1).numpy(), out, atol=1e-4)
