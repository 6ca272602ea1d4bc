"""Random views of training images: draw the parameters first, then apply them."""

import numba
import numpy as np
from numpy.typing import NDArray

from dlre_core.kernels import sample_images, sample_images_parallel

# Colours 0 to 255 become -0.5 to 0.5.
NORMALISED = (np.arange(256, dtype=np.float32) / np.float32(255) - np.float32(0.5)).astype(
    np.float32
)
PLAIN = np.arange(256, dtype=np.float32)


def draw_transforms(
    generator: np.random.Generator,
    n: int,
    *,
    shift_pixels: int = 0,
    rotation_degrees: float = 0.0,
    scale: float = 0.0,
    flip_horizontal: bool = False,
    flip_vertical: bool = False,
    side: int = 250,
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


def apply_transforms(
    rois: NDArray[np.uint8],
    indices: NDArray[np.int64],
    transforms: NDArray[np.float32],
    out: NDArray[np.float32],
    *,
    threads: int = 1,
    normalise: bool = True,
) -> None:
    """Sample images through transforms into ``out``.

    Parameters
    ----------
    rois : (m, side, side, 3) uint8
    indices : (n,) int64
        Which image each output is made from.
    transforms : (n, 2, 3) float32
        As `draw_transforms` makes them.
    out : (n, side, side, 3) float32
        Written whole: colours / 255 - 0.5, or 0 to 255 without ``normalise``.
    threads : int
        Does not change the result. More than one only where no other thread does the same.

    Raises
    ------
    IndexError
        If an index is outside ``rois``.
    ValueError
        If shapes or types do not fit.
    """
    if out.dtype != np.float32 or out.shape != (len(indices), *rois.shape[1:]):
        raise ValueError(
            f"out is {out.dtype} {out.shape}, not float32 {(len(indices), *rois.shape[1:])}"
        )
    if transforms.shape != (len(indices), 2, 3):
        raise ValueError(f"transforms have shape {transforms.shape}, not {(len(indices), 2, 3)}")
    if len(indices) and not (indices.min() >= 0 and indices.max() < len(rois)):
        raise IndexError(
            f"indices reach from {indices.min()} to {indices.max()} of {len(rois)} images"
        )
    table = NORMALISED if normalise else PLAIN
    if threads == 1:
        sample_images(rois, indices, transforms, table, out)
        return
    before = numba.get_num_threads()
    numba.set_num_threads(min(threads, numba.config.NUMBA_NUM_THREADS))
    try:
        sample_images_parallel(rois, indices, transforms, table, out)
    finally:
        numba.set_num_threads(before)
