"""The sampling kernel against naive twins, compiled and interpreted, and by its properties."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dlre_core.augmentation import sampling_kernels
from dlre_core.augmentation.views import (
    apply_transforms,
    draw_jitter,
    draw_transforms,
    draw_views,
    fixed_point,
    tones,
)

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
    """Bilinear sampling at the nearest 1/128 pixel, one pixel and channel at a time, in float64."""
    side = image.shape[0]
    out = np.empty(image.shape)
    for row in range(side):
        for column in range(side):
            x, y = matrix.astype(np.float64) @ [column, row, 1.0]
            x, y = np.floor(x * 128 + 0.5) / 128, np.floor(y * 128 + 0.5) / 128
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
    side=st.sampled_from([1, 2, 12, 16, 21, 40]),
    shift=st.integers(0, 20),
    rotation=st.floats(0, 180),
    scale=st.floats(0, 0.5),
    flips=st.tuples(st.booleans(), st.booleans()),
)
def test_it_equals_the_naive_twin(seed, side, shift, rotation, scale, flips):
    """Sides below sixteen take the loop over single pixels, the others vectors."""
    images = picture(side, seed=seed % 100)
    matrices = draw_transforms(
        np.random.default_rng(seed),
        2,
        shift_pixels=shift,
        rotation_degrees=rotation,
        scale=scale,
        flip_horizontal=flips[0],
        flip_vertical=flips[1],
        side=side,
    )
    result = sample(images, matrices)
    for k in range(2):
        np.testing.assert_allclose(result[k], naive(images[0], matrices[k]), atol=1e-4)


@pytest.mark.parametrize("kind", [np.float32, np.uint16, np.uint8])
def test_compiled_and_interpreted_give_the_same_bits(kind):
    """The interpreter runs the same source with NUMBA_DISABLE_JIT=1, in a process of its own."""
    code = f"""
import numpy as np
from dlre_core.augmentation.views import apply_transforms, draw_jitter, draw_transforms
generator = np.random.default_rng(3)
images = generator.integers(0, 256, (2, 9, 11, 3), dtype=np.uint8)
matrices = np.concatenate([draw_transforms(generator, 6, shift_pixels=3, rotation_degrees=40, scale=0.3, side=9),
                           draw_transforms(generator, 6, shift_pixels=9, flip_horizontal=True,
                                           flip_vertical=True, side=9)])
out = np.zeros((12, 9, 11, 3), np.{kind.__name__})
jitter = draw_jitter(generator, 12, contrast=0.5, brightness=0.5)
apply_transforms(images, np.arange(12) % 2, matrices, out, jitter=jitter)
import hashlib
print(hashlib.sha256(out.tobytes()).hexdigest())
"""
    digests = {
        subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"NUMBA_DISABLE_JIT": off},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for off in ("0", "1")
    }
    assert len(digests) == 1


@settings(max_examples=300, deadline=None)
@given(
    start=st.integers(-60, 60),
    step=st.integers(-9, 9),
    low=st.integers(-20, 20),
    length=st.integers(0, 30),
    n=st.integers(0, 20),
)
def test_the_inner_span_is_exactly_what_lies_inside(start, step, low, length, n):
    inside = [k for k in range(n) if low <= start + k * step < low + length]
    first, past = sampling_kernels.inner_span(start, step, low, low + length, n)
    assert list(range(first, past)) == inside


def test_nothing_outside_the_buffers_is_read_or_written():
    """Guards around both buffers: read, they would show in the output; written, they would change."""
    side, n = 10, 300
    generator = np.random.default_rng(8)
    matrices = draw_transforms(
        generator, n, shift_pixels=4, rotation_degrees=180, scale=0.4, flip_horizontal=True, side=side
    )
    size = side * side * 3
    for k in range(n):
        room, guarded = np.full(size + 128, 255, np.uint8), np.full(size + 128, -9.0, np.float32)
        image = room[64:-64].reshape(1, side, side, 3)
        image[:] = generator.integers(0, 100, image.shape)
        out = guarded[64:-64].reshape(1, side, side, 3)
        apply_transforms(image, np.array([0]), matrices[k : k + 1], out, normalise=False)
        assert out.max() < 100
        assert out.min() >= 0
        assert (guarded[:64] == -9).all()
        assert (guarded[-64:] == -9).all()


def test_every_form_of_output_holds_the_same_values():
    images = picture(30, n=2)
    matrices = draw_transforms(np.random.default_rng(5), 4, shift_pixels=3, rotation_degrees=20, side=30)
    matrices = np.concatenate([matrices, draw_transforms(np.random.default_rng(5), 4, shift_pixels=3, side=30)])
    plain = sample(images, matrices)
    indices = np.arange(8) % 2
    for kind in (np.float32, np.uint16, np.uint8):
        out = np.zeros((8, 30, 30, 3), kind)
        apply_transforms(images, indices, matrices, out, normalise=False)
        expected = plain
        if kind is np.uint16:
            expected = torch.from_numpy(plain).bfloat16().view(torch.uint16).numpy()
        if kind is np.uint8:
            expected = np.floor(plain + np.float32(0.5)).astype(np.uint8)
        assert np.array_equal(out, expected)


def test_jitter_is_off_by_default_and_stays_in_range():
    generator = np.random.default_rng(0)
    assert draw_jitter(generator, 5) is None
    assert generator.random() == np.random.default_rng(0).random()
    jitter = draw_jitter(generator, 5, contrast=0.4, brightness=0.2)
    images, out = picture(20, n=5), np.empty((5, 20, 20, 3), np.float32)
    apply_transforms(images, np.arange(5), np.repeat(IDENTITY, 5, axis=0), out, jitter=jitter)
    gain, bias = jitter.T[:, :, None, None, None]
    expected = np.clip(images * gain + bias, 0, 255) / 255 - 0.5
    np.testing.assert_allclose(out, expected, atol=1e-6)


def test_views_without_jitter_draw_what_transforms_draw():
    geometry = {"shift_pixels": 3, "rotation_degrees": 5.0, "scale": 0.1, "flip_vertical": True}
    first, second, third = (np.random.default_rng(1) for _ in range(3))
    transforms = draw_transforms(first, 6, **geometry)
    views = draw_views(second, 6, **geometry)
    assert views.jitter is None
    assert views[1:2].jitter is None
    assert np.array_equal(views.transforms, transforms)
    assert first.random() == second.random()
    jittered = draw_views(third, 6, **geometry, contrast=0.2, brightness=0.1)
    assert np.array_equal(jittered.transforms, transforms)
    assert np.array_equal(jittered[2:4].jitter, jittered.jitter[2:4])


def test_identity_is_a_copy_and_normalises():
    images = picture(250)
    assert np.array_equal(sample(images, IDENTITY), images)
    out = np.empty(images.shape, np.float32)
    apply_transforms(images, np.array([0]), IDENTITY, out)
    np.testing.assert_allclose(out, images / 255 - 0.5, atol=1e-7)
    low, high = tones(1, None, normalise=True)[0, 2:]
    assert (low, high) == (-0.5, 0.5)
    assert (out.min(), out.max()) == (-0.5, 0.5)


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


def test_networks_that_train_side_by_side_get_the_same_views_as_one():
    images = picture(50, n=3)
    matrices = draw_transforms(np.random.default_rng(1), 9, shift_pixels=3, rotation_degrees=20, scale=0.1, side=50)
    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(lambda _: sample(images, matrices), range(2))
    assert np.array_equal(one, sample(images, matrices))
    assert np.array_equal(other, one)


def test_the_training_default_draws_whole_pixels_only():
    matrices = draw_transforms(np.random.default_rng(0), 200, shift_pixels=8, flip_horizontal=True, flip_vertical=True)
    assert np.array_equal(matrices, np.round(matrices))
    assert {tuple(m) for m in matrices[:, [0, 1], [0, 1]]} == {(1, 1), (1, -1), (-1, 1), (-1, -1)}
    upright = matrices[(matrices[:, 0, 0] == 1) & (matrices[:, 1, 1] == 1)][:, :, 2]
    assert np.abs(upright).max() <= 8
    repeated = draw_transforms(np.random.default_rng(0), 200, shift_pixels=8, flip_horizontal=True, flip_vertical=True)
    assert np.array_equal(matrices, repeated)


def test_wrong_arguments_are_refused():
    images, out = picture(6), np.empty((1, 6, 6, 3), np.float32)
    with pytest.raises(IndexError, match="of 1 images"):
        apply_transforms(images, np.array([1]), IDENTITY, out)
    with pytest.raises(ValueError, match="float64"):
        apply_transforms(images, np.array([0]), IDENTITY, out.astype(np.float64))
    with pytest.raises(ValueError, match="contiguous"):
        apply_transforms(images[:, ::-1], np.array([0]), IDENTITY, out)
    for wild in (np.nan, 2.0**21):
        with pytest.raises(ValueError, match="not finite or beyond"):
            fixed_point(IDENTITY * np.float32(wild))
    with pytest.raises(ValueError, match="transforms have shape"):
        apply_transforms(images, np.array([0]), IDENTITY[:, :, :2], out)
