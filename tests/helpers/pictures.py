"""Random pictures, and what a JPEG makes of one."""

import io

import numpy as np
from PIL import Image
from scipy import ndimage


def pictures(n, seed=0):
    """Smooth random pictures with a common frame, as squares of one scanner have."""
    generator = np.random.default_rng(seed)
    fields = ndimage.gaussian_filter(generator.standard_normal((n, 250, 250)), (0, 6, 6))
    grey = 128 + 40 * fields / fields.std()
    grey[:, :30] = 20
    return np.repeat(np.clip(grey, 0, 255).astype(np.uint8)[..., None], 3, axis=3)


def jpeg(picture):
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=60)
    return np.asarray(Image.open(buffer))
