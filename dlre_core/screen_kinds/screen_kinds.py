"""Sort a folder's pictures into kinds of screens: maker, model, size, and the layout that was found on them."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from tqdm import tqdm

from dlre_core.dicom.file_search import FoundFile, find_files
from dlre_core.dicom.guarded_reader import GuardedReader
from dlre_core.dicom.reader import SweImage
from dlre_core.dicom.reject_reasons import Reason, Unusable
from dlre_core.elastography.elastogram import SMALLEST_BOX, coloured_pixels
from dlre_core.elastography.scale import Scale
from dlre_core.elastography.screen_layout import Rectangle, ScreenLayout
from dlre_core.foundation.errors import MissingRegion
from dlre_core.ingestion.usable_picture import IngestionSettings, find_parts, frames_of, read_scale, usable_picture
from dlre_core.screens.finding import BLOCK, blocks

EXAMPLES = 3
# Of a large folder so many pictures are looked at, evenly spread.
MOST_PICTURES = 2000
# Share of a block that must be coloured.
COLOURED_BLOCK = 0.4
NOT_FOUND, NO_COLOURS = "no elastogram found, though there are colours", "no colours"
NOT_READ = "not read"
SOURCES = {"file": "private block", "label": "labels", "profile": "profile"}


@dataclass(frozen=True)
class SeenPicture:
    """A picture and what was found on it.

    ``name`` is its path below the folder; ``layout`` None where no elastogram was found; ``reason`` why it cannot
    be used, None where it can, with a ``detail`` where there is more to say; ``scale`` both ends of the scale in words,
    empty without a layout.
    """

    name: str
    image: SweImage
    layout: ScreenLayout | None
    reason: Reason | None
    detail: str
    scale: str


@dataclass
class Kind:
    """Pictures of one maker, model, size and arrangement.

    ``number`` counts all, ``usable`` those that the study can use, ``reasons`` why not the others, each with its
    detail; ``scales`` counts scales in words; ``examples`` are a few of them.
    """

    manufacturer: str
    model: str
    columns: int
    rows: int
    arrangement: str
    number: int = 0
    usable: int = 0
    reasons: Counter[tuple[Reason, str]] = field(default_factory=Counter)
    scales: Counter[str] = field(default_factory=Counter)
    examples: list[SeenPicture] = field(default_factory=list)

    @property
    def needs_profile(self) -> bool:
        """Whether there are colours and nothing could be made of them, or hardly a scale was read."""
        return self.arrangement == NOT_FOUND or 2 * self.scales[NOT_READ] > self.number

    @property
    def title(self) -> str:
        """Maker, model and size in words."""
        maker = " ".join(part for part in (self.manufacturer, self.model) if part) or "unnamed maker"
        return f"{maker}, {self.columns} × {self.rows}"

    def add(self, seen: SeenPicture) -> None:
        """Count a picture; the first few are the examples."""
        self.number += 1
        self.usable += seen.reason is None
        if seen.reason is not None:
            self.reasons[seen.reason, seen.detail] += 1
        if seen.scale:
            self.scales[seen.scale] += 1
        if len(self.examples) < EXAMPLES:
            self.examples.append(seen)


@dataclass(frozen=True)
class SortedFolder:
    """Kinds of screens, most pictures first; files that gave no picture, by reason; files that are none; and how
    many files were not looked at."""

    kinds: list[Kind]
    unread: Counter[Reason]
    no_pictures: int
    left: int

    @property
    def number(self) -> int:
        """Pictures in all kinds."""
        return sum(kind.number for kind in self.kinds)


def sort_folder(folder: str | Path, settings: IngestionSettings, most_pictures: int = MOST_PICTURES) -> SortedFolder:
    """Look at a folder's pictures as ingestion would.

    Parameters
    ----------
    folder : path
        A cohort folder, whose ``dicom/`` is taken, or any folder of pictures; profiles are in its ``screens.yaml``.
    settings : IngestionSettings
    most_pictures : int
        Of more files, so many are looked at, evenly spread over their names.

    Raises
    ------
    ConfigurationError
        If ``screens.yaml`` is wrong.
    """
    folder = Path(folder)
    is_cohort = (folder / "dicom").is_dir()
    root = folder / "dicom" if is_cohort else folder
    files = list(find_files(root, settings.limits.bytes_per_file))
    chosen = np.unique(np.linspace(0, len(files) - 1, min(most_pictures, len(files))).astype(int))
    hospitals = {file.name.partition("/")[0] if is_cohort else "" for file in files}
    settings_at = {hospital: settings.at(folder, hospital) for hospital in hospitals}
    kinds: dict[tuple[str, str, int, int, str], Kind] = {}
    unread: Counter[Reason] = Counter()
    no_pictures = 0
    with GuardedReader(settings.limits) as reader:
        for file in tqdm([files[i] for i in chosen], desc="pictures", unit="picture", disable=None):
            try:
                seen = _seen(file, reader, settings_at[file.name.partition("/")[0] if is_cohort else ""])
            except Unusable as unusable:
                unread[unusable.reason] += 1
                continue
            if seen is None:
                no_pictures += 1
                continue
            image = seen.image
            rows, columns = image.pixels.shape[:2]
            key = (image.manufacturer, image.model, columns, rows, arrangement(seen))
            kinds.setdefault(key, Kind(*key)).add(seen)
    ordered = sorted(kinds.values(), key=lambda kind: (-kind.number, kind.title, kind.arrangement))
    return SortedFolder(ordered, unread, no_pictures, len(files) - len(chosen))


def _seen(file: FoundFile, reader: GuardedReader, settings: IngestionSettings) -> SeenPicture | None:
    """What is on a file's picture; None where the file is no picture."""
    if file.problem is not None:
        raise Unusable(file.problem)
    if reader.header(file) is None:
        return None
    images = frames_of(reader, file, settings)
    try:
        picture = usable_picture(images, settings)
    except Unusable as unusable:
        layout = _layout(images[0], settings)
        scale = "" if layout is None else _words(read_scale(images[0], layout))
        return SeenPicture(file.name, images[0], layout, unusable.reason, unusable.detail, scale)
    return SeenPicture(file.name, picture.image, picture.layout, None, "", _words(picture.scale))


def _layout(image: SweImage, settings: IngestionSettings) -> ScreenLayout | None:
    try:
        return find_parts(image, settings)
    except MissingRegion:
        return None


def _words(scale: Scale) -> str:
    return f"{scale.low:g} to {scale.high:g} {scale.unit} ({SOURCES[scale.source]})" if scale.known else NOT_READ


def arrangement(seen: SeenPicture) -> str:
    """Where twin and colour bar lie, in words, or which profile says so; or that no elastogram was found."""
    layout = seen.layout
    if layout is None:
        return NOT_FOUND if coloured_parts(seen.image.pixels) else NO_COLOURS
    if layout.source == "profile":
        return f"profile {layout.screen}"
    twin = "no B-mode twin" if layout.twin is None else f"B-mode {_side(layout.twin, layout.elastogram)}"
    if layout.colour_bar is None:
        return f"{twin}, no colour bar"
    return f"{twin}, colour bar {_side(layout.colour_bar, layout.elastogram)} with its {layout.stiff_end} end stiff"


def _side(part: Rectangle, of: Rectangle) -> str:
    """On which side of a picture another part lies, by the larger gap between them."""
    gaps = {
        "at the left": of.left - part.right,
        "at the right": part.left - of.right,
        "above": of.top - part.bottom,
        "below": part.top - of.bottom,
    }
    return max(gaps, key=lambda side: gaps[side])


def coloured_parts(screen: NDArray[np.uint8]) -> list[Rectangle]:
    """Coloured parts large enough for a box or a colour bar, the largest first.

    Parameters
    ----------
    screen : (height, width, 3) uint8
    """
    labels, _ = ndimage.label(blocks(coloured_pixels(screen)).mean(axis=(1, 3)) > COLOURED_BLOCK)
    places = [
        Rectangle(columns.start * BLOCK, rows.start * BLOCK, columns.stop * BLOCK, rows.stop * BLOCK)
        for rows, columns in ndimage.find_objects(labels)
    ]
    long_enough = [place for place in places if max(place.width, place.height) >= SMALLEST_BOX]
    return sorted(long_enough, key=lambda place: -place.width * place.height)
