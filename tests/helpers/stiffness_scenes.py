"""Pictures of a stiffness that is known at every pixel, in the scanner's colours."""

import numpy as np

from dlre_core.elastography.colour_map import colour_table


def blended(at, opacity, grey):
    """A picture of positions 0 to 1 on the map, blended with a grey one; no colour where NaN."""
    table = colour_table(1025).astype(np.float64)
    colours = table[np.rint(np.nan_to_num(at).clip(0, 1) * 1024).astype(int)]
    mixed = opacity * colours + (1 - opacity) * grey[..., None]
    mixed = np.where(np.isnan(at)[..., None], grey[..., None], mixed)
    return np.rint(mixed).astype(np.uint8)[None]


def scene(seed, side=60):
    """Smooth stiffness from the map's one end to the other, some of it without colour."""
    generator = np.random.default_rng(seed)
    rows, columns = np.mgrid[:side, :side] / side
    at = 0.03 + 0.6 * rows + 0.1 * np.sin(9 * columns)
    at[10:20, 10:20] = np.nan
    return at.clip(0.01, 0.99), generator.uniform(20, 160, (side, side))
