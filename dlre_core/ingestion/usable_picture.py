"""Decide whether a decoded picture can be used, and blank what the study does not need of it."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dlre_core.dicom.reader import ReadLimits, SweImage
from dlre_core.dicom.reject_reasons import Reason, Unusable
from dlre_core.elastography.elastogram import (
    BoxColours,
    BoxQuality,
    box_quality,
    find_layout,
    read_box,
)
from dlre_core.elastography.network_square import Square, find_square
from dlre_core.elastography.scale_label import read_scale_label
from dlre_core.elastography.screen_layout import Rectangle, ScreenLayout
from dlre_core.foundation.errors import MissingRegion
from dlre_core.ingestion.blanking import blank_identity, kept_parts
from dlre_core.ingestion.square_by_hand import MADE_UP_FOR, check_square, place_of, read_square

SCALE_TOLERANCE_KPA = 0.5
# Source of the full scale of a picture of which only a square drawn by hand is kept.
UNKNOWN = "unknown"


@dataclass(frozen=True)
class IngestionSettings:
    """Limits of quality and reading; the meaning of each is in ``config.yaml``."""

    images_per_patient: int = 5
    scale_maximum_kpa: float = 40.0
    minimum_fill: float = 0.5
    maximum_saturated: float = 0.9
    q_box_tolerance: float = 0.1
    trust_uids: bool = True
    maximum_days_from_elastography: int = 7
    limits: ReadLimits = field(default_factory=ReadLimits)


@dataclass(frozen=True)
class UsablePicture:
    """A picture that passed: ``screen`` without identity, ``pixel_digest`` of that screen.

    ``scale_source`` says what states its full scale: the ``file``'s private block, the ``label`` above the colour
    bar, or, where neither is sure, what is ``configured``; ``unknown`` where only a square drawn by hand is kept.
    """

    image: SweImage
    screen: NDArray[np.uint8]
    layout: ScreenLayout
    colours: BoxColours
    quality: BoxQuality
    scale_source: str
    pixel_digest: str


def usable_picture(
    images: Sequence[SweImage], settings: IngestionSettings, hand_square: Square | None = None
) -> UsablePicture:
    """Take the frame with the best filled box and judge it.

    Parameters
    ----------
    images : sequence of SweImage
        Candidate frames of one file.
    settings : IngestionSettings
    hand_square : Square, optional
        Drawn by hand for this file. It makes the picture usable whatever the screen: where no box is found there, or
        its colours or scale cannot be read, only the square is kept (`dlre_core.ingestion.square_by_hand`).

    Returns
    -------
    UsablePicture

    Raises
    ------
    Unusable
        With the first reason that applies, in the order of `dlre_core.dicom.reject_reasons.Reason`.
    """
    for image in images if hand_square else ():
        check_square(hand_square, *image.pixels.shape[:2])
    try:
        return _found_picture(images, settings, hand_square)
    except Unusable as unusable:
        if hand_square is None or unusable.reason not in MADE_UP_FOR:
            raise
    image, layout, colours, quality = read_square(images, hand_square)
    parts = [layout.box]
    screen = blank_identity(image.pixels, parts)
    return UsablePicture(image, screen, layout, colours, quality, UNKNOWN, pixel_digest(screen, parts))


def _found_picture(
    images: Sequence[SweImage], settings: IngestionSettings, hand_square: Square | None
) -> UsablePicture:
    """A picture whose box was found."""
    found = [_located(image) for image in images]
    located = [entry for entry in found if entry is not None]
    if not located:
        raise Unusable(Reason.NO_ELASTOGRAM)
    # max takes the first of equals: the earlier frame.
    image, layout, colours, quality = max(located, key=lambda entry: entry[3].fill_fraction)
    shared = layout.box if hand_square is None else place_of(hand_square).common(layout.box)
    if not (shared.width and shared.height):
        # Who drew the square elsewhere knows better where the elastogram is.
        raise Unusable(Reason.NO_ELASTOGRAM)
    scale_source = _judge(image, quality, settings)
    height, width = image.pixels.shape[:2]
    try:
        square = hand_square or find_square(layout.box, height, width)
    except ValueError:
        raise Unusable(Reason.BOX_OUTSIDE) from None
    parts = kept_parts(layout, height, width, [place_of(square)])
    screen = blank_identity(image.pixels, parts)
    return UsablePicture(image, screen, layout, colours, quality, scale_source, pixel_digest(screen, parts))


def pixel_digest(picture: NDArray[np.uint8], parts: Sequence[Rectangle] | None = None) -> str:
    """Digest of a picture's size and content, 32 hexadecimal digits; of ``parts`` where all else is black."""
    height, width = picture.shape[:2]
    parts = [Rectangle(0, 0, width, height)] if parts is None else parts
    # Processors have instructions for SHA-256: half the time of BLAKE2.
    digest = hashlib.sha256(f"{picture.shape} {parts}".encode())
    for part in parts:
        content = picture[part.top : part.bottom, part.left : part.right]
        digest.update(np.ascontiguousarray(content).data)
    return digest.hexdigest()[:32]


def _located(
    image: SweImage,
) -> tuple[SweImage, ScreenLayout, BoxColours, BoxQuality] | None:
    try:
        layout = find_layout(image.pixels, image.regions)
    except MissingRegion:
        return None
    colours = read_box(image.pixels, layout, image.opacity)
    return image, layout, colours, box_quality(image.pixels, colours)


def _judge(image: SweImage, quality: BoxQuality, settings: IngestionSettings) -> str:
    """Refuse what cannot be used; return where the full scale comes from."""
    if quality.fill_fraction < settings.minimum_fill:
        raise Unusable(Reason.LITTLE_SIGNAL)
    if quality.saturated_fraction > settings.maximum_saturated:
        raise Unusable(Reason.SATURATED)
    if quality.recoloured:
        raise Unusable(Reason.RECOLOURED)
    # The private block of a file is sure; the label above the colour bar is read only where it is clear.
    source, stated = "file", image.scale_maximum_kpa
    if stated is None:
        source, stated = "label", read_scale_label(image.pixels)
    if stated is None:
        return "configured"
    if abs(stated - settings.scale_maximum_kpa) > SCALE_TOLERANCE_KPA:
        raise Unusable(Reason.WRONG_SCALE)
    return source
