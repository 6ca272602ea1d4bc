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

CREATOR = "SSI Rich Quantification Group"
GROUP = 0x8FF1
BLOB = Tag(GROUP, 0x1301)
LARGEST_SIDE = 4096


@dataclass(frozen=True)
class SsiBlock:
    """Stiffness of one box: ``kpa`` (lines, samples) float32, its opacity (0 to 1) and full scale."""

    kpa: NDArray[np.float32]
    opacity: float
    scale_maximum_kpa: float


def read_ssi_block(dataset: Dataset) -> SsiBlock | None:
    """Parse the block; None where it is missing, damaged, or not in kPa.

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
    opacity, _, range_kpa = struct.unpack_from("<3f", blob, parameters + 40)
    data = parameters + parameter_size
    (data_size,) = struct.unpack_from("<i", blob, data)
    count = samples * lines
    if unit != 1 or data_size < 4 * count or len(blob) < data + 4 + 4 * count:
        return None
    kpa = np.frombuffer(blob, dtype="<f4", count=count, offset=data + 4).reshape(lines, samples)
    # Comparisons with NaN are false.
    if not (0 < range_kpa <= 1000 and 0 < opacity <= 100 and np.isfinite(kpa).any()):
        return None
    opacity = opacity / 100 if opacity > 1 else opacity
    return SsiBlock(kpa=kpa, opacity=float(opacity), scale_maximum_kpa=float(range_kpa))


def build_ssi_block(
    kpa: NDArray[np.float32],
    quality: NDArray[np.float32],
    *,
    rectangle: tuple[int, int, int, int],
    rectangle_mm: tuple[float, float, float, float],
    opacity: float,
    scale_maximum_kpa: float,
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
    scale_maximum_kpa : float
    table : (256, 3) uint8
        Colour map.
    screen : width, height in pixels
    """
    lines, samples = kpa.shape
    header = struct.pack("<5i", 6, 20, 1, *screen)
    region = struct.pack("<8i4f", 48, *rectangle, 0, samples, lines, *rectangle_mm)
    region = struct.pack("<i", len(region)) + region[4:]
    body = struct.pack("<2if6i", 0, 1, 2.0, 1, 0, 0, 50, 0, 0)
    body += struct.pack(
        "<i3f4fi",
        0,
        opacity,
        (scale_maximum_kpa / 3) ** 0.5,
        scale_maximum_kpa,
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
