"""What tells pictures apart: the digest."""

import numpy as np

from dlre_core.elastography.screen_layout import Rectangle
from dlre_core.ingestion.usable_picture import pixel_digest

PARTS = [Rectangle(2, 1, 9, 6), Rectangle(12, 0, 14, 10)]


def picture():
    out = np.zeros((10, 16, 3), dtype=np.uint8)
    for part in PARTS:
        size = (part.height, part.width, 3)
        out[part.top : part.bottom, part.left : part.right] = np.random.default_rng(1).integers(1, 256, size)
    return out


def test_every_pixel_of_every_part_counts():
    first = picture()
    digests = {pixel_digest(first, PARTS)}
    for row, column in zip(*np.nonzero(first[..., 0]), strict=True):
        other = first.copy()
        other[row, column, 2] ^= 1
        digests.add(pixel_digest(other, PARTS))
    assert len(digests) == 1 + sum(part.width * part.height for part in PARTS)
    assert pixel_digest(first.copy(), PARTS) in digests
    assert pixel_digest(first) == pixel_digest(first.copy()) != pixel_digest(first, PARTS)


def test_size_and_place_count():
    first = picture()
    wider = np.pad(first, ((0, 0), (0, 1), (0, 0)))
    moved = [Rectangle(p.left + 1, p.top, p.right + 1, p.bottom) for p in PARTS]
    digests = [
        pixel_digest(first, PARTS),
        pixel_digest(wider, PARTS),
        pixel_digest(np.roll(first, 1, axis=1), moved),
        pixel_digest(first.reshape(16, 10, 3)),
        pixel_digest(first),
    ]
    assert len(set(digests)) == len(digests)
