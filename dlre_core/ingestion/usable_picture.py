"""Decide whether a decoded picture can be used, and blank what the study does not need of it."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dlre_core.dicom.file_search import FoundFile
from dlre_core.dicom.guarded_reader import GuardedReader
from dlre_core.dicom.reader import ReadLimits, SweImage
from dlre_core.dicom.reject_reasons import Reason, Unusable
from dlre_core.elastography.colour_bar import bar_at
from dlre_core.elastography.elastogram import (
    BoxColours,
    BoxQuality,
    box_quality,
    read_box,
)
from dlre_core.elastography.scale import UNKNOWN_SCALE, Scale
from dlre_core.elastography.screen_layout import COLOUR_BAR, NATIVE_WIDTH, Rectangle, ScreenLayout, tagged_parts
from dlre_core.elastography.square import Square, find_square
from dlre_core.foundation.errors import MissingRegion, NeedsProfile, ProfileMismatch
from dlre_core.ingestion.blanking import blank_identity, kept_parts
from dlre_core.ingestion.square_by_hand import MADE_UP_FOR, check_square, place_of, read_square
from dlre_core.screens.finding import by_profile, find_screen
from dlre_core.screens.profiles import Device, ScreenProfile, profile_entries, profiles_of
from dlre_core.screens.scale_label import read_labels

SCALE_TOLERANCE_KPA = 0.5


@dataclass(frozen=True)
class IngestionSettings:
    """Limits of quality and reading; the meaning of each is in ``config.yaml``.

    ``scale_maximum_kpa`` is what to expect, of single hospitals ``scale_by_hospital``. ``profiles`` are those of the
    cohort that may claim pictures of ``hospital``.
    """

    images_per_patient: int = 5
    scale_maximum_kpa: float = 40.0
    minimum_fill: float = 0.5
    maximum_saturated: float = 0.9
    q_box_tolerance: float = 0.1
    trust_uids: bool = True
    maximum_days_from_elastography: int = 7
    limits: ReadLimits = field(default_factory=ReadLimits)
    scale_by_hospital: Mapping[str, float | None] = field(default_factory=dict)
    profiles: tuple[ScreenProfile, ...] = ()
    hospital: str = ""

    @property
    def expected_kpa(self) -> float | None:
        """Full scale that the hospital's pictures should have, kPa; None where any will do."""
        return self.scale_by_hospital.get(self.hospital, self.scale_maximum_kpa)

    def at(self, folder: str | Path, hospital: str) -> "IngestionSettings":
        """The same for a hospital of a cohort folder, with the profiles of its screens.

        Raises
        ------
        ConfigurationError
            If ``screens.yaml`` there is wrong.
        """
        return replace(self, profiles=profiles_of(profile_entries(folder, hospital)), hospital=hospital)


@dataclass(frozen=True)
class UsablePicture:
    """A picture that passed: ``screen`` without identity, ``pixel_digest`` of that screen.

    ``scale`` is unknown where nothing states it for sure, and where only a square drawn by hand is kept.
    """

    image: SweImage
    screen: NDArray[np.uint8]
    layout: ScreenLayout
    colours: BoxColours
    quality: BoxQuality
    scale: Scale
    pixel_digest: str


def frames_of(
    reader: GuardedReader, file: FoundFile, settings: IngestionSettings, hand_square: Square | None = None
) -> list[SweImage]:
    """The frames of a file to choose from: of a clip those that are fullest where its box is.

    Where neither tags nor the 2019 scanner's screen say where that is, the layout is found on a frame with many
    colours, or the square drawn by hand counts, and the clip is read once more.

    Raises
    ------
    Unusable
        If the file gives no picture.
    """
    images = reader.images(file)
    if images[0].frames == 1 or tagged_parts(images[0].regions) is not None:
        return images
    for image in reversed(images):
        try:
            layout = find_parts(image, settings)
        except MissingRegion:
            continue
        if layout.source not in ("found", "profile"):
            return images
        plain = [(place, -1) for place in (layout.elastogram, layout.twin) if place is not None]
        return reader.images(file, [(layout.box, 2), *plain])
    return images if hand_square is None else reader.images(file, [(place_of(hand_square), 1)])


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
    screen = blank_identity(image.pixels, parts, _named_places(image, settings))
    return UsablePicture(image, screen, layout, colours, quality, UNKNOWN_SCALE, pixel_digest(screen, parts))


def _found_picture(
    images: Sequence[SweImage], settings: IngestionSettings, hand_square: Square | None
) -> UsablePicture:
    """A picture whose box was found."""
    located: list[tuple[SweImage, ScreenLayout, BoxColours, BoxQuality]] = []
    refused: list[MissingRegion] = []
    for image in images:
        try:
            layout = find_parts(image, settings)
        except MissingRegion as error:
            refused.append(error)
            continue
        colours = read_box(image.pixels, layout, image.opacity)
        located.append((image, layout, colours, box_quality(image.pixels, colours, layout)))
    if not located:
        mismatch = next((error for error in refused if isinstance(error, ProfileMismatch)), None)
        if mismatch is not None:
            raise Unusable(Reason.PROFILE_DISAGREES, mismatch.message)
        needy = next((error for error in refused if isinstance(error, NeedsProfile)), None)
        raise Unusable(Reason.NO_ELASTOGRAM, needy.message if needy else "")
    # max takes the first of equals: the earlier frame.
    image, layout, colours, quality = max(located, key=lambda entry: entry[3].fill_fraction)
    shared = layout.box if hand_square is None else place_of(hand_square).common(layout.box)
    if not (shared.width and shared.height):
        # Who drew the square elsewhere knows better where the elastogram is.
        raise Unusable(Reason.NO_ELASTOGRAM)
    scale = read_scale(image, layout)
    _judge(quality, scale, settings)
    height, width = image.pixels.shape[:2]
    try:
        square = hand_square or find_square(layout.box, height, width)
    except ValueError:
        raise Unusable(Reason.BOX_OUTSIDE) from None
    parts = kept_parts(layout, height, width, [place_of(square)])
    screen = blank_identity(image.pixels, parts, _named_places(image, settings))
    return UsablePicture(image, screen, layout, colours, quality, scale, pixel_digest(screen, parts))


def pixel_digest(picture: NDArray[np.uint8], parts: Sequence[Rectangle] | None = None) -> str:
    """Digest of a picture's size and content, 32 hexadecimal digits; of ``parts`` where all else is black."""
    height, width = picture.shape[:2]
    parts = [Rectangle(0, 0, width, height)] if parts is None else parts
    # Processors have instructions for SHA-256: half the time of BLAKE2.
    digest = hashlib.sha256(f"{picture.shape} {parts}".encode())
    for part in parts:
        content = part.cut(picture)
        digest.update(np.ascontiguousarray(content).data)
    return digest.hexdigest()[:32]


def find_parts(image: SweImage, settings: IngestionSettings) -> ScreenLayout:
    """Where a picture's parts lie, by the first profile that claims it, else as found.

    Raises
    ------
    MissingRegion
        Where no elastogram is found.
    ProfileMismatch
        Where a profile claims the picture and does not fit, with its name and what is wrong.
    """
    profile = _profile_of(image, settings)
    if profile is None:
        return find_screen(image.pixels, image.regions)
    try:
        return by_profile(image.pixels, profile, image.regions)
    except MissingRegion as error:
        raise ProfileMismatch(f"Profile {profile.name}: {error.message}") from None


def _profile_of(image: SweImage, settings: IngestionSettings) -> ScreenProfile | None:
    """The first profile that claims a picture."""
    height, width = image.pixels.shape[:2]
    device = Device(image.manufacturer, image.model, image.software, width, height, settings.hospital)
    return next((profile for profile in settings.profiles if profile.claims(device)), None)


def _named_places(image: SweImage, settings: IngestionSettings) -> tuple[Rectangle, ...]:
    """Where the profile that claims a picture says that names are."""
    profile = _profile_of(image, settings)
    return () if profile is None else profile.identity


def read_scale(image: SweImage, layout: ScreenLayout) -> Scale:
    """What the colours of a picture stand for.

    Parameters
    ----------
    image : SweImage
    layout : ScreenLayout

    Returns
    -------
    Scale
        From the file's private block, which is sure, a profile or the labels beside the bar; unknown where there is
        none of them, or any doubt about the labels.
    """
    if image.scale is not None:
        return image.scale
    if layout.scale is not None:
        return layout.scale
    height, width = image.pixels.shape[:2]
    usual = layout.source in ("regions", "pixels")
    place = layout.colour_bar or (COLOUR_BAR.scaled(width / NATIVE_WIDTH).clamped(height, width) if usual else None)
    bar = None if place is None else bar_at(image.pixels, place)
    known = usual or (bar is not None and bar.is_known())
    labels = None if place is None else read_labels(image.pixels, place, may_lack_low_end=known)
    if labels is None or labels.stiff_first != (layout.stiff_end in ("top", "left")):
        return UNKNOWN_SCALE
    return labels.scale


def _judge(quality: BoxQuality, scale: Scale, settings: IngestionSettings) -> None:
    """Refuse what cannot be used."""
    if quality.fill_fraction < settings.minimum_fill:
        raise Unusable(Reason.LITTLE_SIGNAL)
    if quality.saturated_fraction > settings.maximum_saturated:
        raise Unusable(Reason.SATURATED)
    if quality.recoloured:
        raise Unusable(Reason.RECOLOURED)
    expected = settings.expected_kpa
    if scale.known and expected is not None and abs(scale.maximum_kpa - expected) > SCALE_TOLERANCE_KPA:
        raise Unusable(Reason.WRONG_SCALE)
