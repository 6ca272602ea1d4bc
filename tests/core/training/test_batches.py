"""Which images are drawn, and how often."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlre_core.training.batches import draw_images, drawing_weights
from tests.helpers.small_training import batch_source


@given(
    st.lists(st.floats(0, 5), min_size=1, max_size=30).filter(lambda w: sum(w) > 0.1),
    st.integers(1, 200),
    st.integers(0, 1000),
)
def test_every_image_is_drawn_as_often_as_its_weight_says(weights, n, seed):
    weights = np.array(weights)
    drawn = draw_images(np.random.default_rng(seed), weights, n)
    counts = np.bincount(drawn, minlength=len(weights))
    expected = n * weights / weights.sum()
    assert counts.sum() == n
    assert (np.abs(counts - expected) < 1 + 1e-6).all()
    assert (counts[weights == 0] == 0).all()


def test_the_order_is_random_and_the_seed_decides():
    draws = [draw_images(np.random.default_rng(seed), np.ones(50), 50) for seed in (1, 1, 2)]
    assert sorted(draws[0]) == list(range(50))
    assert (draws[0] == draws[1]).all()
    assert (draws[0] != draws[2]).any()
    assert (draws[0] != np.arange(50)).any()


def cohort(n=4000):
    generator = np.random.default_rng(8)
    labels = (np.arange(n) % 3 == 0).astype(np.int64)
    return labels, np.exp(2 + 0.4 * labels + 0.35 * generator.standard_normal(n))


def log_difference(labels, stiffness, weights):
    mean = [np.average(np.log(stiffness[labels == label]), weights=weights[labels == label]) for label in (0, 1)]
    return mean[1] - mean[0]


def test_full_strength_gives_both_classes_the_same_mean_stiffness():
    labels, stiffness = cohort()
    assert log_difference(labels, stiffness, np.ones(len(labels))) > 0.35
    whole = drawing_weights(labels, stiffness, 1.0)
    half = drawing_weights(labels, stiffness, 0.5)
    # The property of overlap weights (Li 2018), but for the limit of the surest patients.
    assert abs(log_difference(labels, stiffness, whole)) < 0.02
    assert 0.1 < log_difference(labels, stiffness, half) < 0.25
    for weights in (whole, half):
        for label in (0, 1):
            assert weights[labels == label].mean() == pytest.approx(1)
    # Soft livers with the stage and stiff ones without it are drawn more often.
    assert np.corrcoef(half[labels == 1], stiffness[labels == 1])[0, 1] < -0.8
    assert np.corrcoef(half[labels == 0], stiffness[labels == 0])[0, 1] > 0.8


def test_without_strength_or_stiffness_all_are_drawn_alike():
    labels, stiffness = cohort(30)
    assert (drawing_weights(labels, stiffness, 0.0) == 1).all()
    assert (drawing_weights(labels, np.full(30, np.nan), 0.5) == 1).all()
    some = np.where(np.arange(30) < 6, np.nan, stiffness)
    weights = drawing_weights(labels, some, 0.5)
    np.testing.assert_allclose(weights[:6], 1)
    assert weights[6:].std() > 0.1


def test_both_classes_are_drawn_in_turn_and_nobody_of_weight_zero():
    labels = np.r_[np.ones(6), np.zeros(30)].astype(np.int64)
    images = np.zeros((36, 250, 250, 3), dtype=np.uint8)
    images[:, :, :, 0] = np.arange(36)[:, None, None]
    source = batch_source(images, labels, np.where(np.arange(36) % 6 == 0, 0.0, 1.0))
    for shown, targets, _ in source.batches(0, 5):
        assert targets.mean() == 0.5
        numbers = ((shown[:, 0, 100, 100] + 0.5) * 255).round().int()
        assert (numbers % 6 != 0).all()
        assert ((numbers < 6) == (targets == 1)).all()
