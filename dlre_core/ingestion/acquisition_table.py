"""The table of stored pictures: its columns, and what the hospital's own tables say of a picture."""

import csv
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from dlre_core.dicom.makers import known_maker, known_model
from dlre_core.elastography.elastogram import stiffness_map
from dlre_core.elastography.q_box import measure_q_box
from dlre_core.elastography.screen_layout import Rectangle
from dlre_core.elastography.square import Square
from dlre_core.foundation.atomic_files import written_whole
from dlre_core.foundation.picture_store import StoredScreen
from dlre_core.foundation.study_terms import Q_BOX_COLUMNS
from dlre_core.ingestion.repeated_acquisitions import fingerprint
from dlre_core.ingestion.square_by_hand import SOURCE
from dlre_core.ingestion.usable_picture import UsablePicture

# Above this share of the scale parts of a Q-Box may be masked as saturated.
NEAR_FULL_SCALE = 0.95
ACQUISITION_COLUMNS = [
    "image_id",
    "hospital",
    "patient",
    "acquisition",
    "acquired_on",
    "height",
    "width",
    "frame",
    "frames",
    *(
        f"{part}_{side}"
        for part in ("elastogram", "box", "twin", "colour_bar")
        for side in ("left", "top", "right", "bottom")
    ),
    "pixel_spacing_mm",
    "layout_source",
    "screen",
    "stiff_end",
    "manufacturer",
    "model",
    "scale_minimum_kpa",
    "scale_maximum_kpa",
    "scale_unit",
    "scale_source",
    "opacity",
    "transfer_syntax",
    "photometric_interpretation",
    "fill_fraction",
    "saturated_fraction",
    "flags",
    "pixel_digest",
    *Q_BOX_COLUMNS,
    "q_box_source",
    "roi_row",
    "roi_column",
    "roi_size",
]


def picture_columns(picture: UsablePicture) -> dict[str, object]:
    """What was read and measured on a stored picture, by column."""
    image, layout = picture.image, picture.layout
    return {
        "height": picture.screen.shape[0],
        "width": picture.screen.shape[1],
        "frame": image.frame,
        "frames": image.frames,
        **_sides("elastogram", layout.elastogram),
        **_sides("box", layout.box),
        **_sides("twin", layout.twin),
        **_sides("colour_bar", layout.colour_bar),
        "pixel_spacing_mm": layout.pixel_spacing_mm,
        "layout_source": layout.source,
        "screen": layout.screen,
        "stiff_end": layout.stiff_end if layout.colour_bar else "",
        "manufacturer": known_maker(image.manufacturer),
        "model": known_model(image.model),
        **picture.scale.columns(),
        "opacity": image.opacity,
        "transfer_syntax": image.transfer_syntax,
        "photometric_interpretation": image.photometric_interpretation,
        "fill_fraction": round(picture.quality.fill_fraction, 6),
        "saturated_fraction": round(picture.quality.saturated_fraction, 6),
        "pixel_digest": picture.pixel_digest,
    }


@dataclass(frozen=True)
class MeasuredPicture:
    """A usable picture as it is stored, and its parts of the row: read, measured, and given.

    ``screen`` is None where nobody needs the pixels; ``fingerprint`` is the text of
    `dlre_core.ingestion.repeated_acquisitions.Fingerprint`.
    """

    screen: NDArray[np.uint8] | StoredScreen | None
    columns: Mapping[str, object]
    measured: Mapping[str, object]
    complete: bool
    fingerprint: str
    given: Mapping[str, object]

    @property
    def digest(self) -> str:
        """Of the stored pixels."""
        return str(self.columns["pixel_digest"])


def measured_facts(picture: UsablePicture) -> dict[str, object]:
    """What `MeasuredPicture` needs of a picture beside its pixels and the hospital's tables, fit for JSON."""
    return {
        "columns": picture_columns(picture),
        "measured": measured_columns(picture),
        "complete": picture.image.complete,
        "fingerprint": fingerprint(picture.image.pixels, picture.layout, picture.colours).as_text(),
    }


class AcquisitionTable:
    """Context manager: ``acquisitions.csv`` of a hospital, row by row on the disk and never all in memory.

    Parameters
    ----------
    path : path
        Of the table, which appears when `finish` is called.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        self._rows = self._path.with_name(self._path.name + ".rows")
        self._flags: dict[int, str] = {}
        self.scale_sources: Counter[str] = Counter()

    def __enter__(self) -> Self:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = open(self._rows, "w", encoding="utf-8", newline="")
        self._writer = csv.writer(self._file, lineterminator="\n")
        self._writer.writerow(ACQUISITION_COLUMNS)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()
        self._rows.unlink(missing_ok=True)

    def __len__(self) -> int:
        return self.scale_sources.total()

    def add(self, row: Mapping[str, object]) -> None:
        """Write the next row; missing values are None or NaN."""
        values = [row[column] for column in ACQUISITION_COLUMNS]
        # NaN alone is unlike itself.
        self._writer.writerow(["" if value is None or value != value else value for value in values])
        self.scale_sources[str(row["scale_source"])] += 1

    def flag(self, number: int, flag: str) -> None:
        """Add a flag to row ``number`` (0-based), once."""
        self._flags[number] = flag

    def finish(self) -> None:
        """Write the table, by rename."""
        self._file.close()
        at = ACQUISITION_COLUMNS.index("flags")
        with (
            written_whole(self._path) as unfinished,
            open(self._rows, encoding="utf-8", newline="") as rows,
            open(unfinished, "w", encoding="utf-8", newline="") as file,
        ):
            writer = csv.writer(file, lineterminator="\n")
            for number, row in enumerate(csv.reader(rows), start=-1):
                if number in self._flags:
                    row[at] = ";".join(filter(None, [row[at], self._flags[number]]))
                writer.writerow(row)


def given_columns(measurement: Mapping[str, float], square: Mapping[str, float]) -> dict[str, float | str | None]:
    """Q-Box values and hand-drawn square as the hospital gave them, None where it did not."""
    return {
        **{column: measurement.get(column) for column in Q_BOX_COLUMNS},
        "q_box_source": "given" if "q_box_mean_kpa" in measurement else "",
        **{f"roi_{side}": square.get(side) for side in ("row", "column", "size")},
    }


def measured_columns(picture: UsablePicture) -> dict[str, float | str]:
    """Q-Box values measured in the picture; empty where no circle with signal is found, or no scale is known."""
    if picture.layout.source == SOURCE:
        return {}
    kpa = stiffness_map(picture.colours, picture.scale)
    q_box = measure_q_box(picture.image.pixels, picture.layout, kpa)
    if q_box is None or np.isnan(q_box.mean_kpa):
        return {}
    values = {name: round(getattr(q_box, name.removeprefix("q_box_")), 2) for name in Q_BOX_COLUMNS}
    return {**values, "q_box_source": "recomputed"}


def q_box_columns(given: Mapping[str, object], measured: Mapping[str, object]) -> Mapping[str, object]:
    """The values that the study uses: the hospital's, or where it gave none the picture's."""
    return given if given["q_box_source"] else {**given, **measured}


def q_box_disagrees(
    given: Mapping[str, object],
    measured: Mapping[str, object],
    tolerance: float,
    scale_maximum_kpa: float,
) -> bool:
    """Whether the Q-Box mean that the hospital gave is not what the picture shows.

    Where stiffness in the circle may exceed the scale it is masked, so that the measured mean is a
    lower bound: only a given mean below it contradicts it.

    Parameters
    ----------
    given, measured : mapping
        As `given_columns` and `measured_columns` return them.
    tolerance : float
        Largest difference that is none, as a share of the measured mean.
    scale_maximum_kpa : float
        Of the picture.

    Returns
    -------
    bool
        False also where either is missing.
    """
    if not given["q_box_source"] or not measured:
        return False
    difference = float(given["q_box_mean_kpa"]) - float(measured["q_box_mean_kpa"])
    exceeds = float(measured["q_box_max_kpa"]) >= NEAR_FULL_SCALE * scale_maximum_kpa
    least = tolerance * float(measured["q_box_mean_kpa"])
    return -difference > least if exceeds else abs(difference) > least


def hand_square(square: Mapping[str, float]) -> Square | None:
    """The square drawn by hand, where the picture has a row in ``roi.csv``."""
    if not square:
        return None
    return Square(int(square["row"]), int(square["column"]), int(square["size"]))


def _sides(name: str, rectangle: Rectangle | None) -> dict[str, int | None]:
    sides = ("left", "top", "right", "bottom")
    return {f"{name}_{side}": getattr(rectangle, side, None) for side in sides}
