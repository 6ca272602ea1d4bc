"""A private block as Aixplorer scanners write it."""

import numpy as np

from dlre_core.dicom.supersonic_block import build_ssi_block
from dlre_core.elastography.scale import Scale


def block(kpa=None, **changes):
    kpa = np.arange(12, dtype=np.float32).reshape(3, 4) if kpa is None else kpa
    options = {
        "rectangle": (550, 250, 240, 200),
        "rectangle_mm": (0.0, 20.0, 40.0, 30.0),
        "opacity": 0.5,
        "scale": Scale(0.0, 40.0, "kPa", "file"),
        "table": np.zeros((256, 3), dtype=np.uint8),
    } | changes
    return build_ssi_block(kpa, np.ones_like(kpa), **options)
