"""A rendered screen with a measurement box of one stiffness."""

from datetime import date

import numpy as np

from dlre_core.elastography.screen_layout import TOP_PICTURE
from dlre_core.simulation.bmode import Look, PictureGeometry, simulate_bmode
from dlre_core.simulation.screen import Captions, Placement, render
from dlre_core.simulation.texture import Nuisance, simulate_field

LOOK = Look(contrast=0.9, attenuation_db_mm=0.15, offset_db=30, gain=3.2)


def scene(seed=0, kpa=9.0, opacity=0.5, depth_mm=80.0, failed=False, top_mm=32.0, steering=0.02):
    generator = np.random.default_rng(seed)
    geometry = PictureGeometry(TOP_PICTURE.height, TOP_PICTURE.width, depth_mm)
    field = simulate_field(kpa, 0.8, Nuisance(0, 0, 22.8), failed, generator)
    grey = simulate_bmode(geometry, LOOK, 16.0, generator)
    captions = Captions("Simulated Hospital A", "A0001", "SIM^A0001", str(date(2015, 1, 1)), 1)
    rendered = render(field, grey, geometry, Placement(top_mm, steering, 1.0, -1.0), captions, opacity, 40.0)
    return rendered, geometry
