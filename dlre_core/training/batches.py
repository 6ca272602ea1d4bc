"""Batches for training: which images a network sees, how often, and turned and moved how."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor

from dlre_core.augmentation.stiffness_views import Located, locate_for_views, with_stiffness
from dlre_core.augmentation.views import Views, apply_transforms, draw_views
from dlre_core.foundation.picture_store import StoredSquares
from dlre_core.foundation.study_terms import SQUARE_SHAPE

# Of the propensities: no patient is drawn more than a few times as often as another.
SUREST = 0.95


def drawing_weights(
    labels: NDArray[np.int64], stiffness_kpa: NDArray[np.float64], strength: float
) -> NDArray[np.float64]:
    """How often each image is to be drawn, so that stiffness alone tells the classes less well apart.

    A network that sees one picture at a time leans on its colour, which is stiffness. How far a
    patient's stiffness is from what the stage would have is the same in all of a patient's pictures, so
    averaging them does not help; how well texture is read differs between them, so there it does.
    Patients whose stiffness is unlike their class are therefore drawn more often: by a power of the
    overlap weights, 1 - p for a patient with the stage and p for one without, p being the
    probability of the stage by stiffness alone (logistic regression on its logarithm, balanced classes). At
    power 1 both classes would have the same mean stiffness.

    Parameters
    ----------
    labels : (n,) int64, 0 or 1
        Of the images trained on.
    stiffness_kpa : (n,) float64
        Of each image's patient, kPa; NaN where unknown, which weighs as the class's mean.
    strength : float
        The power; 0 draws all alike.

    Returns
    -------
    (n,) float64
        With mean 1 in each class.

    References
    ----------
    Li F, Morgan KL, Zaslavsky AM. J Am Stat Assoc 2018;113:390-400. doi:10.1080/01621459.2016.1260466
    """
    weights = np.ones(len(labels))
    with np.errstate(invalid="ignore", divide="ignore"):
        log_stiffness = np.log(np.asarray(stiffness_kpa, dtype=np.float64))
    known = np.isfinite(log_stiffness)
    if strength > 0 and len(np.unique(labels[known])) == 2:
        model = make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced"))
        model.fit(log_stiffness[known, None], labels[known])
        likely = model.predict_proba(log_stiffness[known, None])[:, 1]
        likely = likely.clip(1 - SUREST, SUREST)
        weights[known] = np.where(labels[known] == 1, 1 - likely, likely) ** strength
    for label in (0, 1):
        own = labels == label
        if (own & known).any():
            mean = weights[own & known].mean()
            weights[own & known] /= mean
    return weights


def draw_images(generator: np.random.Generator, weights: NDArray[np.float64], n: int) -> NDArray[np.int64]:
    """Draw ``n`` images in random order, each as often as its weight says, to a whole number.

    Parameters
    ----------
    generator : numpy Generator
    weights : (m,) float64, 0 or more
    n : int

    Returns
    -------
    (n,) int64
        Positions in ``weights``. Systematic sampling: an image's number is its expectation rounded down or up.
    """
    # In random order, or neighbours would never be both the rounded-up ones.
    order = generator.permutation(len(weights))
    edges = np.cumsum(weights[order])
    at = (np.arange(n) + generator.random()) * (edges[-1] / n)
    drawn = order[np.searchsorted(edges, at, side="right").clip(max=len(order) - 1)]
    return generator.permutation(drawn)


@dataclass(frozen=True)
class Draws:
    """Which images a network sees and as which views: a pure function of seed, stream and epoch.

    Attributes
    ----------
    labels : (m,) int64, 0 or 1
    weights : (m,) float64
        How often each image is drawn among those of its class; 0 never.
    seed, stream : int
    batch_size : int
    by_class : bool
        Both classes in turn, so that they are drawn alike often; else as often as there are images.
    augmentation : mapping
        As `dlre_core.augmentation.views.draw_views` takes it.
    """

    labels: NDArray[np.int64]
    weights: NDArray[np.float64]
    seed: int
    stream: int
    batch_size: int
    by_class: bool
    augmentation: Mapping[str, Any]

    def of_epoch(self, epoch: int, steps: int) -> tuple[NDArray[np.int64], Views]:
        """Positions of the images of ``steps`` batches, one batch after another, and their views."""
        generator = np.random.default_rng([self.seed, self.stream, epoch])
        n = steps * self.batch_size
        return self._images(generator, n), draw_views(generator, n, **self.augmentation)

    def _images(self, generator: np.random.Generator, n: int) -> NDArray[np.int64]:
        if not self.by_class:
            return draw_images(generator, self.weights, n)
        drawn = np.empty(n, dtype=np.int64)
        for first, label in ((0, 1), (1, 0)):
            own = np.flatnonzero(self.labels == label)
            places = drawn[first::2]
            places[:] = own[draw_images(generator, self.weights[own], len(places))]
        return drawn


class BatchSource:
    """Batches for the processor; on an accelerator they are made there (`dlre_core.training.recorded_steps`).

    Parameters
    ----------
    draws : Draws
    rois : array (m, 250, 250, 3) uint8, or StoredSquares
        Stored squares are read a batch at a time.
    located : Located, optional
        `locate_stiffness` of ``rois``, where views of another stiffness are drawn.
    stiffness_kpa : (m,) float64, optional
        Of the pictures, for a network that takes it.
    """

    def __init__(
        self,
        draws: Draws,
        rois: NDArray[np.uint8] | StoredSquares,
        located: Located | None = None,
        stiffness_kpa: NDArray[np.float64] | None = None,
    ) -> None:
        self.draws, self.rois, self.stiffness_kpa = draws, rois, stiffness_kpa
        if located is None and isinstance(rois, np.ndarray):
            located = locate_for_views(rois, draws.augmentation)
        self.located = located

    def batches(self, epoch: int, steps: int) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Yield ``steps`` batches of images, labels and stiffness (NaN unless given); one is made while one is used."""
        indices, views = self.draws.of_epoch(epoch, steps)
        size = self.draws.batch_size
        parts = [slice(start, start + size) for start in range(0, steps * size, size)]
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(self._batch, indices[parts[0]], views[parts[0]])
            for part in [*parts[1:], None]:
                batch = waiting.result()
                if part is not None:
                    waiting = pool.submit(self._batch, indices[part], views[part])
                yield batch

    def _batch(self, indices: NDArray[np.int64], views: Views) -> tuple[Tensor, Tensor, Tensor]:
        targets = torch.from_numpy(self.draws.labels[indices]).float()
        # Measured, also where the view shows another stiffness: texture is what the picture is for.
        known = np.full(len(indices), np.nan) if self.stiffness_kpa is None else self.stiffness_kpa[indices]
        stiffness_kpa = torch.from_numpy(known).float()
        pictures, located = self.rois, self.located
        if isinstance(pictures, StoredSquares):
            pictures, indices = pictures[indices], np.arange(len(indices))
            located = locate_for_views(pictures, self.draws.augmentation)
        if views.stiffness is not None:
            pictures = with_stiffness(pictures, located, indices, views.stiffness)
            indices = np.arange(len(indices))
        # bfloat16, as the first convolution takes it: the same bits as casting float32 there, one pass less.
        images = []
        for first in range(0, pictures.shape[3], SQUARE_SHAPE[2]):
            part = np.ascontiguousarray(pictures[..., first : first + SQUARE_SHAPE[2]])
            images.append(np.empty((len(indices), *part.shape[1:]), dtype=np.uint16))
            apply_transforms(part, indices, views.transforms, images[-1], jitter=views.jitter)
        together = images[0] if len(images) == 1 else np.concatenate(images, axis=3)
        return torch.from_numpy(together).view(torch.bfloat16).permute(0, 3, 1, 2), targets, stiffness_kpa
