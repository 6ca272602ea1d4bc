"""Stiffness fields: Gaussian random fields whose septal network follows a texture severity."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft

# Work grid of 0.5 mm, periodic; the crop covers every box (40 x 30 mm and some).
CELL_MM = 0.5
GRID = (96, 128)
CROP = (70, 90)
HALF_HEIGHT_MM, HALF_WIDTH_MM = CROP[0] * CELL_MM / 2, CROP[1] * CELL_MM / 2
_KY = fft.fftfreq(GRID[0], CELL_MM)[:, None]
_KX = fft.rfftfreq(GRID[1], CELL_MM)[None, :]
_Y = ((np.arange(CROP[0]) + 0.5) * CELL_MM - HALF_HEIGHT_MM)[:, None]
_X = ((np.arange(CROP[1]) + 0.5) * CELL_MM - HALF_WIDTH_MM)[None, :]


@dataclass(frozen=True)
class Nuisance:
    """What varies between patients and acquisitions, whatever the stage."""

    heterogeneity: float
    graininess: float
    bmi_kg_m2: float


@dataclass(frozen=True)
class Field:
    """One acquisition: ``kpa`` and ``signal`` (70, 90) float; colour is shown where signal > 0.

    ``vessel`` is centre x, y, semi-axes and angle in mm and rad, or None.
    """

    kpa: NDArray[np.float64]
    signal: NDArray[np.float64]
    vessel: tuple[float, float, float, float, float] | None
    severity: float


def simulate_field(
    stiffness_kpa: float,
    severity: float,
    nuisance: Nuisance,
    failed: bool,
    generator: np.random.Generator,
) -> Field:
    """Draw the stiffness field of one acquisition.

    Smooth regional variation and fine noise are the same for every stage. With rising severity a
    network of stiff septa with a finer mesh takes over; the total variance stays nearly the same,
    so that a standard deviation alone does not tell the stage.

    Parameters
    ----------
    stiffness_kpa : float
        Mean of the field, kPa.
    severity : float
        Texture severity of this acquisition: about 0 (F0-1) to 1.75 (F4).
    nuisance : Nuisance
    failed : bool
        Little or no signal.
    generator : numpy Generator

    Returns
    -------
    Field
    """
    total = 0.17 * np.exp(0.30 * nuisance.heterogeneity + 0.25 * generator.standard_normal())
    noise = 0.05 * np.exp(0.30 * nuisance.graininess + 0.25 * generator.standard_normal())
    amplitude = min(0.050 * np.exp(0.75 * severity), 0.24) * np.sqrt(total / 0.17)
    smooth = np.sqrt(max(total**2 - amplitude**2, 0.06**2))
    mesh = (12 - 4 * np.clip(severity, -0.5, 1.7)) * np.exp(0.10 * generator.standard_normal())
    log_kpa = (
        smooth * _crop(_gaussian_field(generator, generator.uniform(3, 5)))
        + amplitude * _septa(generator, mesh)
        + noise * (1 + 0.35 * _Y / 17.5) * _crop(_gaussian_field(generator, generator.uniform(0.75, 1.1)))
    )
    log_kpa = log_kpa + _artefacts(generator)
    kpa = np.exp(log_kpa)
    kpa = np.clip(kpa * (stiffness_kpa / kpa.mean()), 0.3, 60)
    return Field(kpa, _signal(nuisance, failed, generator), _vessel(generator), severity)


def _gaussian_field(generator: np.random.Generator, sigma_mm: float) -> NDArray[np.float64]:
    return _filtered(generator, np.exp(-2 * np.pi**2 * sigma_mm**2 * (_KX**2 + _KY**2)))


def _filtered(generator: np.random.Generator, response: NDArray[np.float64]) -> NDArray[np.float64]:
    """White noise through a filter, scaled to unit variance."""
    spectrum = fft.rfft2(generator.standard_normal(GRID))
    # The half spectrum counts twice but for its first and last column.
    power = 2 * (response**2).sum() - (response[:, 0] ** 2).sum() - (response[:, -1] ** 2).sum()
    scale = np.sqrt(power / (GRID[0] * GRID[1]))
    return fft.irfft2(spectrum * response, s=GRID) / scale


def _septa(generator: np.random.Generator, mesh_mm: float) -> NDArray[np.float64]:
    """Ridges around nodules: the zero set of a ring-filtered field, blurred as by the scanner."""
    angle, anisotropy = generator.uniform(0, np.pi), generator.uniform(1, 1.7)
    along = (_KX * np.cos(angle) + _KY * np.sin(angle)) * np.sqrt(anisotropy)
    across = (-_KX * np.sin(angle) + _KY * np.cos(angle)) / np.sqrt(anisotropy)
    radius = np.hypot(along, across)
    ring = np.exp(-0.5 * ((radius - 1 / mesh_mm) * mesh_mm / 0.22) ** 2)
    ridges = np.exp(-((_filtered(generator, ring) / 0.45) ** 2))
    point_spread = np.exp(-2 * np.pi**2 * 0.70**2 * (_KX**2 + _KY**2))
    ridges = _crop(fft.irfft2(fft.rfft2(ridges) * point_spread, s=GRID))
    return (ridges - ridges.mean()) / ridges.std()


def _artefacts(generator: np.random.Generator) -> NDArray[np.float64]:
    """Capsular reverberation, a lateral edge and a motion stripe, in log stiffness."""
    draws = generator.random(3)
    values = np.zeros(CROP)
    strength, decay = generator.uniform(0.10, 0.35), generator.uniform(1.5, 3)
    if draws[0] < 0.35:
        values += strength * np.minimum(np.exp(-(_Y + 15) / decay), 1.5)
    strength, decay = generator.uniform(0.15, 0.5), generator.uniform(1, 2.5)
    side = 1 if generator.random() < 0.5 else -1
    if draws[1] < 0.25:
        values += strength * np.exp(-np.maximum(19 - side * _X, 0) / decay)
    strength, place = generator.uniform(0.1, 0.3), generator.uniform(-15, 15)
    if draws[2] < 0.06:
        values += side * strength * np.exp(-(((_X - place) / 2) ** 2))
    return values


def _signal(nuisance: Nuisance, failed: bool, generator: np.random.Generator) -> NDArray[np.float64]:
    quality = 2.3 - 0.06 * (nuisance.bmi_kg_m2 - 22.8) + 0.39 * generator.standard_normal()
    quality = max(quality, 1.5)
    if failed:
        quality = generator.uniform(-2.2, -1.0)
    patchy = _crop(_gaussian_field(generator, generator.uniform(1.6, 2.6)))
    depth = 0.55 * np.maximum(_Y, -5) / 17.5
    edge = 0.25 * (np.maximum(np.abs(_X) - 16, 0) / 4) ** 2
    return quality + 0.75 * patchy - depth - edge


def _vessel(generator: np.random.Generator) -> tuple[float, float, float, float, float] | None:
    present = generator.random() < 0.15
    distance = generator.uniform(12, 18) * (1 if generator.random() < 0.5 else -1)
    shape = (generator.uniform(1.6, 2.8), generator.uniform(1.3, 2.2), generator.uniform(0, np.pi))
    height = generator.uniform(-8, 8)
    return (distance, height, *shape) if present else None


def _crop(grid: NDArray[np.float64]) -> NDArray[np.float64]:
    top, left = (GRID[0] - CROP[0]) // 2, (GRID[1] - CROP[1]) // 2
    return grid[top : top + CROP[0], left : left + CROP[1]]
