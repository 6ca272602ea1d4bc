"""The private block of SuperSonic Imagine stills, which holds stiffness as numbers.

The layout was gathered from public code; nobody here could try it on a real file. It is used where
it is there and sound, and never needed.
"""

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from dlre_core.elastography.scale import KPA, METRES_PER_SECOND, Scale
from dlre_core.foundation.study_terms import KPA_PER_SQUARED_SPEED

CREATOR = "SSI Rich Quantification Group"
GROUP = 0x8FF1
BLOB = Tag(GROUP, 0x1301)
LARGEST_SIDE = 4096
# Of the colour bar; values are in kPa whatever it shows.
UNITS = {0: METRES_PER_SECOND, 1: KPA}


@dataclass(frozen=True)
class SsiBlock:
    """Stiffness of one box: ``kpa`` (lines, samples) float32, its opacity (0 to 1) and the colour bar's scale."""

    kpa: NDArray[np.float32]
    opacity: float
    scale: Scale


def read_ssi_block(dataset: Dataset) -> SsiBlock | None:
    """Parse the block; None where it is missing or damaged.

    Parameters
    ----------
    dataset : pydicom Dataset

    Returns
    -------
    SsiBlock or None
    """
    creator = dataset.get(Tag(GROUP, 0x0013))
    element = dataset.get(BLOB)
    if creator is None or str(creator.value).strip() != CREATOR or element is None:
        return None
    blob = element.value
    if not isinstance(blob, bytes) or len(blob) < 200:
        return None
    try:
        return _parse(blob)
    except struct.error:
        return None


def _parse(blob: bytes) -> SsiBlock | None:
    revision, header_size = struct.unpack_from("<2i", blob, 0)
    if not 5 <= revision <= 6 or not 20 <= header_size <= 256:
        return None
    region = header_size
    (region_size,) = struct.unpack_from("<i", blob, region)
    _data_type, samples, lines = struct.unpack_from("<3i", blob, region + 20)
    if not (0 < samples <= LARGEST_SIDE and 0 < lines <= LARGEST_SIDE and 0 < region_size <= 256):
        return None
    parameters = region + region_size
    (parameter_size,) = struct.unpack_from("<i", blob, parameters)
    (unit,) = struct.unpack_from("<i", blob, parameters + 4)
    opacity, range_m_s, range_kpa = struct.unpack_from("<3f", blob, parameters + 40)
    data = parameters + parameter_size
    (data_size,) = struct.unpack_from("<i", blob, data)
    count = samples * lines
    if unit not in UNITS or data_size < 4 * count or len(blob) < data + 4 + 4 * count:
        return None
    kpa = np.frombuffer(blob, dtype="<f4", count=count, offset=data + 4).reshape(lines, samples)
    # Comparisons with NaN are false.
    full = range_kpa if UNITS[unit] == KPA else range_m_s
    scale = Scale(0.0, float(full), UNITS[unit], "file")
    if not (0 < scale.maximum_kpa <= 1000 and 0 < opacity <= 100 and np.isfinite(kpa).any()):
        return None
    opacity = opacity / 100 if opacity > 1 else opacity
    return SsiBlock(kpa=kpa, opacity=float(opacity), scale=scale)


def build_ssi_block(
    kpa: NDArray[np.float32],
    quality: NDArray[np.float32],
    *,
    rectangle: tuple[int, int, int, int],
    rectangle_mm: tuple[float, float, float, float],
    opacity: float,
    scale: Scale,
    table: NDArray[np.uint8],
    screen: tuple[int, int] = (1440, 1080),
) -> bytes:
    """Write a block that `read_ssi_block` reads: for the simulator and tests.

    Parameters
    ----------
    kpa, quality : (lines, samples) float32
        Samples are the fastest axis.
    rectangle : left, top, width, height in pixels
    rectangle_mm : the same in mm
    opacity : float, 0 to 1
    scale : Scale
        From 0; its unit is the colour bar's.
    table : (256, 3) uint8
        Colour map.
    screen : width, height in pixels
    """
    lines, samples = kpa.shape
    header = struct.pack("<5i", 6, 20, 1, *screen)
    region = struct.pack("<8i4f", 48, *rectangle, 0, samples, lines, *rectangle_mm)
    region = struct.pack("<i", len(region)) + region[4:]
    unit = next(code for code, name in UNITS.items() if name == scale.unit)
    body = struct.pack("<2if6i", 0, unit, 2.0, 1, 0, 0, 50, 0, 0)
    body += struct.pack(
        "<i3f4fi",
        0,
        opacity,
        (scale.maximum_kpa / KPA_PER_SQUARED_SPEED) ** 0.5,
        scale.maximum_kpa,
        0.8,
        0.2,
        0.2,
        0.2,
        1,
    )
    body += table.astype(np.uint8).tobytes()
    parameters = struct.pack("<i", len(body)) + body[4:]
    values = kpa.astype("<f4").tobytes() + quality.astype("<f4").tobytes()
    return header + region + parameters + struct.pack("<i", len(values)) + values
