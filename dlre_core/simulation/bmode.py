"""B-mode pictures of a liver under a convex probe; the same model for every stage."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import fft

ROWS, BEAMS = 640, 448
HALF_ANGLE = np.deg2rad(33)
ARRAY_RADIUS_MM = 60.0
BANK_SEED = 20150101


@dataclass(frozen=True)
class Look:
    """How a hospital's scanner shows grey: contrast, attenuation, offset and gain."""

    contrast: float
    attenuation_db_mm: float
    offset_db: float
    gain: float


@dataclass(frozen=True)
class PictureGeometry:
    """Where the picture's pixels lie: ``height`` x ``width`` pixels showing ``depth_mm``."""

    height: int
    width: int
    depth_mm: float

    @property
    def pixel_mm(self) -> float:
        """Size of a pixel, mm."""
        return self.depth_mm / self.height

    def polar(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Depth below the probe (mm) and beam angle (rad) of every pixel, (height, width)."""
        return _polar(self.height, self.width, self.depth_mm)


@lru_cache(maxsize=4)
def _polar(height: int, width: int, depth_mm: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    pixel = depth_mm / height
    x = (np.arange(width, dtype=np.float32) - (width - 1) / 2) * pixel
    y = np.arange(height, dtype=np.float32)[:, None] * pixel + ARRAY_RADIUS_MM
    radius = np.hypot(x[None, :], y)
    return (radius - ARRAY_RADIUS_MM).astype(np.float32), np.arctan2(x[None, :], y).astype(np.float32)


@lru_cache(maxsize=4)
def _gather(height: int, width: int, depth_mm: float) -> NDArray[np.int32]:
    """Index into the flat polar picture for every pixel; the last entry is black."""
    depth, angle = _polar(height, width, depth_mm)
    row = np.floor(depth / depth_mm * ROWS).astype(np.int32)
    beam = np.floor((angle / HALF_ANGLE + 1) / 2 * BEAMS).astype(np.int32)
    inside = (row >= 0) & (row < ROWS) & (beam >= 0) & (beam < BEAMS)
    return np.where(inside, row * BEAMS + beam, ROWS * BEAMS).astype(np.int32)


@lru_cache(maxsize=1)
def _speckle_bank() -> NDArray[np.float32]:
    """Decibels of fully developed speckle, made once a process from a fixed seed."""
    generator = np.random.default_rng(BANK_SEED)
    shape = (1280, 1024)
    white = generator.standard_normal(shape) + 1j * generator.standard_normal(shape)
    ky, kx = fft.fftfreq(shape[0])[:, None], fft.fftfreq(shape[1])[None, :]
    spread = np.exp(-2 * np.pi**2 * ((1.5 * ky) ** 2 + (1.7 * kx) ** 2))
    amplitude = np.abs(fft.ifft2(fft.fft2(white) * spread))
    amplitude /= np.sqrt((amplitude**2).mean())
    return np.maximum(20 * np.log10(amplitude), -45).astype(np.float32)


def simulate_bmode(
    geometry: PictureGeometry, look: Look, skin_mm: float, generator: np.random.Generator
) -> NDArray[np.uint8]:
    """One B-mode picture.

    Parameters
    ----------
    geometry : PictureGeometry
    look : Look
    skin_mm : float
        From skin to liver capsule, mm.
    generator : numpy Generator

    Returns
    -------
    (height, width) uint8
        Grey levels; 0 outside the sector.
    """
    bank = _speckle_bank()
    top, left = (
        generator.integers(0, bank.shape[0] - ROWS),
        generator.integers(0, bank.shape[1] - BEAMS),
    )
    speckle = bank[top : top + ROWS, left : left + BEAMS]
    if generator.random() < 0.5:
        speckle = speckle[:, ::-1]
    depth = (np.arange(ROWS, dtype=np.float32) + 0.5) / ROWS * geometry.depth_mm
    nodes = generator.normal(0, 1.5, (18, 14)).astype(np.float32)
    down, across = _enlarging(18, ROWS), _enlarging(14, BEAMS)
    regional = down @ nodes @ across.T
    decibels = look.contrast * speckle + regional + _layers(depth, skin_mm, look, generator)
    _structures(decibels, depth, geometry.depth_mm, skin_mm, generator)
    grey = np.clip((decibels + look.offset_db) * look.gain, 2, 255).astype(np.uint8)
    flat = np.append(grey.ravel(), np.uint8(0))
    return flat[_gather(geometry.height, geometry.width, geometry.depth_mm)]


@lru_cache(maxsize=2)
def _enlarging(n: int, size: int) -> NDArray[np.float32]:
    """Matrix (size, n) that enlarges ``n`` cells to ``size`` pixels, bilinear, clamped at the border."""
    position = np.clip((np.arange(size) + 0.5) * n / size - 0.5, 0, n - 1)
    left = np.minimum(np.floor(position).astype(int), n - 2)
    weights = np.zeros((size, n), dtype=np.float32)
    weights[np.arange(size), left] = 1 - (position - left)
    weights[np.arange(size), left + 1] = position - left
    return weights


def _layers(
    depth: NDArray[np.float32], skin_mm: float, look: Look, generator: np.random.Generator
) -> NDArray[np.float32]:
    """Skin, fat, fascia, muscle and capsule, and attenuation with depth: (rows, beams) dB."""
    profile = np.zeros(ROWS, dtype=np.float32)
    fat = 0.45 * skin_mm
    profile[depth < 1.6] += 12
    profile[(depth >= 1.6) & (depth < fat)] -= 7
    profile[np.abs(depth - fat) < 0.5] += 5
    muscle = (depth >= fat) & (depth < skin_mm)
    phase = generator.uniform(0, 2 * np.pi)
    profile[muscle] += 3.5 * np.sin(2 * np.pi * depth[muscle] / 2.3 + phase) - 1.5
    profile -= look.attenuation_db_mm * np.maximum(depth - 45, 0)
    beam = np.linspace(-1, 1, BEAMS, dtype=np.float32)
    wave = 0.9 * np.sin(generator.uniform(2, 5) * beam + generator.uniform(0, 6))
    capsule = 11 * np.exp(-0.5 * ((depth[:, None] - skin_mm - wave[None, :]) / 0.55) ** 2)
    return profile[:, None] + capsule.astype(np.float32)


def _structures(
    decibels: NDArray[np.float32],
    depth: NDArray[np.float32],
    depth_mm: float,
    skin_mm: float,
    generator: np.random.Generator,
) -> None:
    """Add vessels and, at times, the diaphragm (mutates ``decibels``)."""
    angle = np.linspace(-HALF_ANGLE, HALF_ANGLE, BEAMS, dtype=np.float32)
    for _ in range(generator.integers(2, 5)):
        at_depth = generator.uniform(skin_mm + 8, depth_mm - 8)
        at_angle = generator.choice([-1, 1]) * generator.uniform(0.24, 0.5)
        size, wall = generator.uniform(1.5, 4.0), generator.random() < 0.5
        rows = np.abs(depth - at_depth) < size + 2
        arc = (depth[rows, None] + ARRAY_RADIUS_MM) * (angle[None, :] - at_angle)
        distance = np.hypot((depth[rows, None] - at_depth) * 1.3, arc) / size
        decibels[rows] -= np.where(distance < 1, 17, 0).astype(np.float32)
        if wall:
            decibels[rows] += np.where((distance >= 1) & (distance < 1.25), 5, 0).astype(np.float32)
    place, present = generator.uniform(0.87, 0.96) * depth_mm, generator.random() < 0.35
    if present:
        arc = place - 40 * (angle - generator.uniform(-0.1, 0.1)) ** 2
        line = 14 * np.exp(-0.5 * ((depth[:, None] - arc[None, :]) / 0.9) ** 2)
        decibels += line.astype(np.float32)
