"""Random views of training images: draw the parameters first, then apply them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dlre_core.augmentation.pixel_kernels import FRACTION_BITS
from dlre_core.augmentation.sampling_kernels import sample_images
from dlre_core.foundation.study_terms import SQUARE_SIDE

# Coordinates have 32 fractional bits of 64: beyond this they could leave them.
LARGEST_COEFFICIENT = 2.0**20
OUTPUTS = (np.float32, np.uint16, np.uint8)


@dataclass(frozen=True)
class Views:
    """Drawn parameters of n pictures.

    ``transforms`` (n, 2, 3), ``jitter`` (n, 2) or None, and ``stiffness`` (n,) or None, float32.
    """

    transforms: NDArray[np.float32]
    jitter: NDArray[np.float32] | None
    stiffness: NDArray[np.float32] | None

    def __getitem__(self, part: slice) -> "Views":
        """Some of them."""
        jitter, stiffness = (None if drawn is None else drawn[part] for drawn in (self.jitter, self.stiffness))
        return Views(self.transforms[part], jitter, stiffness)


def draw_views(
    generator: np.random.Generator,
    n: int,
    *,
    contrast: float = 0.0,
    brightness: float = 0.0,
    stiffness: float = 0.0,
    **geometry: float,
) -> Views:
    """Draw what ``training.augmentation`` says: `draw_transforms` of ``geometry``, `draw_jitter`, `draw_stiffness`.

    Jitter and stiffness that are off leave the generator as it is.
    """
    transforms = draw_transforms(generator, n, **geometry)
    jitter = draw_jitter(generator, n, contrast=contrast, brightness=brightness)
    return Views(transforms, jitter, draw_stiffness(generator, n, stiffness))


def draw_transforms(
    generator: np.random.Generator,
    n: int,
    *,
    shift_pixels: int = 0,
    rotation_degrees: float = 0.0,
    scale: float = 0.0,
    flip_horizontal: bool = False,
    flip_vertical: bool = False,
    side: int = SQUARE_SIDE,
) -> NDArray[np.float32]:
    """Draw affine transforms about the centre of a square picture.

    Without rotation and scaling every transform is a flip and a shift by whole pixels, which the
    kernel copies without interpolation.

    Parameters
    ----------
    generator : numpy Generator
    n : int
        Number of transforms.
    shift_pixels : int
        Shifts are drawn from -shift_pixels to shift_pixels, each way.
    rotation_degrees : float
        Rotations are drawn from -rotation_degrees to rotation_degrees.
    scale : float
        Magnifications are drawn from 1 - scale to 1 + scale.
    flip_horizontal, flip_vertical : bool
        Mirror half of the pictures.
    side : int
        Side of the picture, pixels.

    Returns
    -------
    (n, 2, 3) float32
        From output (x, y, 1) to source (x, y) in pixels.
    """
    shifts = generator.integers(-shift_pixels, shift_pixels, (n, 2), endpoint=True)
    flips = generator.random((n, 2)) < 0.5
    angles = np.deg2rad(generator.uniform(-rotation_degrees, rotation_degrees, n))
    zoom = generator.uniform(1 - scale, 1 + scale, n)
    mirror_x = np.where(flips[:, 0] & flip_horizontal, -1.0, 1.0)
    mirror_y = np.where(flips[:, 1] & flip_vertical, -1.0, 1.0)
    cosine, sine = np.cos(angles) / zoom, np.sin(angles) / zoom
    matrices = np.zeros((n, 2, 3))
    matrices[:, 0, 0], matrices[:, 0, 1] = cosine * mirror_x, -sine * mirror_y
    matrices[:, 1, 0], matrices[:, 1, 1] = sine * mirror_x, cosine * mirror_y
    centre = (side - 1) / 2
    turned = matrices[:, :, 0] * centre + matrices[:, :, 1] * centre
    matrices[:, :, 2] = centre - turned + shifts
    return matrices.astype(np.float32)


def draw_jitter(
    generator: np.random.Generator, n: int, *, contrast: float = 0.0, brightness: float = 0.0
) -> NDArray[np.float32] | None:
    """Draw intensity jitter, which the study leaves off: colour is stiffness.

    Parameters
    ----------
    generator : numpy Generator
        Not touched when both are 0.
    n : int
    contrast : float
        Distances from middle grey are multiplied by 1 - contrast to 1 + contrast.
    brightness : float
        Added is up to this share of full scale, either way.

    Returns
    -------
    (n, 2) float32 or None
        Gain and bias on colours 0 to 255; None when both are 0.
    """
    if contrast == 0 and brightness == 0:
        return None
    gain = generator.uniform(1 - contrast, 1 + contrast, n)
    bias = 127.5 * (1 - gain) + 255 * generator.uniform(-brightness, brightness, n)
    return np.stack([gain, bias], axis=1).astype(np.float32)


def draw_stiffness(generator: np.random.Generator, n: int, spread: float) -> NDArray[np.float32] | None:
    """Draw what stiffness is multiplied by (`dlre_core.augmentation.stiffness_views`).

    Parameters
    ----------
    generator : numpy Generator
        Not touched when ``spread`` is 0.
    n : int
    spread : float
        Standard deviation of the factors' logarithm.

    Returns
    -------
    (n,) float32 or None
    """
    if spread == 0:
        return None
    return np.exp(spread * generator.standard_normal(n)).astype(np.float32)


def fixed_point(transforms: NDArray[np.float32]) -> NDArray[np.int64]:
    """Transforms as integers with 32 fractional bits, as every kernel uses them.

    Raises
    ------
    ValueError
        If a coefficient is not finite or beyond a million pixels.
    """
    if not np.all(np.abs(transforms) <= LARGEST_COEFFICIENT):
        raise ValueError("transforms have coefficients that are not finite or beyond 2**20 pixels")
    return np.rint(transforms.astype(np.float64) * 2.0**FRACTION_BITS).astype(np.int64)


def tones(n: int, jitter: NDArray[np.float32] | None, *, normalise: bool) -> NDArray[np.float32]:
    """Gain, bias, low and high (n, 4) that turn colours 0 to 255 into output values."""
    scale, offset = (1 / 255, -0.5) if normalise else (1.0, 0.0)
    gain, bias = (1.0, 0.0) if jitter is None else jitter.astype(np.float64).T
    rows = np.empty((n, 4))
    rows[:, 0], rows[:, 1] = gain * np.float32(scale), bias * scale + offset
    rows[:, 2], rows[:, 3] = offset, 255 * scale + offset
    return rows.astype(np.float32)


def apply_transforms(
    pictures: NDArray[np.uint8],
    indices: NDArray[np.int64],
    transforms: NDArray[np.float32],
    out: NDArray,
    *,
    jitter: NDArray[np.float32] | None = None,
    normalise: bool = True,
) -> None:
    """Sample pictures through transforms into ``out``.

    Parameters
    ----------
    pictures : (m, height, width, 3) uint8
        Contiguous.
    indices : (n,) int64
        Which picture each output is made from.
    transforms : (n, 2, 3) float32
        As `draw_transforms` makes them.
    out : (n, rows, columns, 3)
        Contiguous, written whole: float32; uint16, the bits of bfloat16
        (``torch.from_numpy(out).view(torch.bfloat16)``); or uint8, rounded.
    jitter : (n, 2) float32, optional
        As `draw_jitter` makes it.
    normalise : bool
        Colours / 255 - 0.5, else 0 to 255, as uint8 always is.

    Raises
    ------
    IndexError
        If an index is outside ``pictures``.
    ValueError
        If shapes, types or coefficients do not fit.
    """
    n = len(indices)
    _check(pictures, indices, transforms, out)
    sample_images(
        pictures,
        np.asarray(indices, np.int64),
        fixed_point(transforms),
        tones(n, jitter, normalise=normalise and out.dtype != np.uint8),
        out.reshape(n, -1),
        (out.shape[1], out.shape[2]),
    )


def _check(pictures: NDArray, indices: NDArray, transforms: NDArray, out: NDArray) -> None:
    n = len(indices)
    if out.dtype not in OUTPUTS or out.ndim != 4 or len(out) != n or out.shape[3] != 3:
        raise ValueError(f"out is {out.dtype} {out.shape}: no batch of {n} pictures")
    if pictures.dtype != np.uint8 or pictures.ndim != 4 or pictures.shape[3] != 3:
        raise ValueError(f"pictures are {pictures.dtype} {pictures.shape}, not uint8 (m, h, w, 3)")
    if not (out.flags.c_contiguous and pictures.flags.c_contiguous):
        raise ValueError("pictures and out must be contiguous: use numpy.ascontiguousarray")
    if transforms.shape != (n, 2, 3):
        raise ValueError(f"transforms have shape {transforms.shape}, not {(n, 2, 3)}")
    if n and not (indices.min() >= 0 and indices.max() < len(pictures)):
        raise IndexError(f"indices reach from {indices.min()} to {indices.max()} of {len(pictures)} images")
