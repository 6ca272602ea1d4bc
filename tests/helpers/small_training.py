"""Pictures that are easy to learn, and training that takes seconds."""

import numpy as np
import torch

from dlre_core.training.batches import BatchSource, Draws
from dlre_core.training.settings import TrainingSettings

AUGMENTATION = {
    "shift_pixels": 4,
    "rotation_degrees": 0,
    "scale": 0.0,
    "flip_horizontal": True,
    "flip_vertical": True,
}
QUICK = TrainingSettings(
    seed=7,
    device="cpu",
    batch_size=8,
    epochs=3,
    minimum_steps=9,
    maximum_steps=9,
    minimum_epochs=3,
    augmentation=AUGMENTATION,
)


def easy_images(n, generator):
    """Half of the images carry a fine checkerboard: a texture, with the same mean colour."""
    labels = np.arange(n) % 2
    images = generator.integers(100, 140, (n, 250, 250, 3))
    board = 40 * ((np.add.outer(np.arange(250), np.arange(250)) // 4) % 2) - 20
    images[labels == 1] += board[None, :, :, None]
    return images.astype(np.uint8), labels.astype(np.int64)


def same(first, second):
    return all(torch.equal(first[name], second[name]) for name in first)


def batch_source(images, labels, weights=None, augmentation=AUGMENTATION):
    weights = np.ones(len(images)) if weights is None else weights
    draws = Draws(labels, weights, seed=7, stream=0, batch_size=8, by_class=True, augmentation=augmentation)
    return BatchSource(draws, images)
