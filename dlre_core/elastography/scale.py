"""The scale of a colour bar: what its ends stand for, in kPa or m/s."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlre_core.foundation.study_terms import KPA_PER_SQUARED_SPEED, UNKNOWN_SCALE_SOURCE

KPA, METRES_PER_SECOND = "kPa", "m/s"


@dataclass(frozen=True)
class Scale:
    """Both ends of a colour bar in ``unit``, in which its colours are evenly spread.

    ``source`` says what states it: the ``file``'s private block, the ``label`` beside the bar, a ``profile`` of the
    screen, or nothing (unknown; both ends are NaN).

    Examples
    --------
    >>> speed = Scale(0.5, 10.0, "m/s", "label")
    >>> speed.minimum_kpa, speed.maximum_kpa
    (0.75, 300.0)
    """

    low: float
    high: float
    unit: str
    source: str

    def kpa(self, position: NDArray[np.float32]) -> NDArray[np.float32]:
        """Stiffness at places on the bar, 0 (soft end) to 1, value by value; NaN on an unknown scale."""
        value = np.float32(self.low) + position * np.float32(self.high - self.low)
        return np.float32(KPA_PER_SQUARED_SPEED) * value**2 if self.unit == METRES_PER_SECOND else value

    @property
    def minimum_kpa(self) -> float:
        """Of the soft end."""
        return KPA_PER_SQUARED_SPEED * self.low**2 if self.unit == METRES_PER_SECOND else self.low

    @property
    def maximum_kpa(self) -> float:
        """Of the stiff end."""
        return KPA_PER_SQUARED_SPEED * self.high**2 if self.unit == METRES_PER_SECOND else self.high

    @property
    def known(self) -> bool:
        """Whether stiffness can be read."""
        return self.source != UNKNOWN_SCALE_SOURCE

    def columns(self) -> dict[str, object]:
        """Its columns in the table of acquisitions; ends in kPa."""
        return {
            "scale_minimum_kpa": self.minimum_kpa,
            "scale_maximum_kpa": self.maximum_kpa,
            "scale_unit": self.unit,
            "scale_source": self.source,
        }


UNKNOWN_SCALE = Scale(np.nan, np.nan, "", UNKNOWN_SCALE_SOURCE)


def scale_of_columns(row: Mapping[str, Any]) -> Scale:
    """The scale of a row of the table of acquisitions."""
    if row["scale_source"] == UNKNOWN_SCALE_SOURCE:
        return UNKNOWN_SCALE
    low, high = float(row["scale_minimum_kpa"]), float(row["scale_maximum_kpa"])
    if row["scale_unit"] == METRES_PER_SECOND:
        low, high = (float(np.sqrt(kpa / KPA_PER_SQUARED_SPEED)) for kpa in (low, high))
    return Scale(low, high, str(row["scale_unit"]), str(row["scale_source"]))
