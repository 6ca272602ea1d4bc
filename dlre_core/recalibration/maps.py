"""Maps of probabilities to probabilities, and their form in a file."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from dlre_core.foundation.atomic_files import written_whole

ORIGINAL = "original"
INTERCEPT, INTERCEPT_SLOPE, PRIOR_SHIFT, ISOTONIC = "intercept", "intercept_slope", "prior_shift", "isotonic"
RECALIBRATIONS = (INTERCEPT, INTERCEPT_SLOPE, PRIOR_SHIFT, ISOTONIC)


@dataclass(frozen=True)
class Recalibration:
    """A map of probabilities to probabilities, fitted once.

    The logit of a probability becomes ``intercept`` + ``slope`` times itself. An isotonic map has none of both but the
    ``shares`` at rising ``probabilities``, straight lines between them, and level ends. ``reason`` says why it could
    not be fitted; then every probability becomes NaN.
    """

    method: str
    intercept: float = 0.0
    slope: float = 1.0
    probabilities: tuple[float, ...] = ()
    shares: tuple[float, ...] = ()
    reason: str = ""

    def apply(self, probabilities: ArrayLike) -> NDArray[np.float64]:
        """Recalibrated probabilities.

        Parameters
        ----------
        probabilities : (n,) float in [0, 1]
            NaN is missing and stays NaN. For a logit those beyond 0.0001 and 0.9999 count as these.

        Returns
        -------
        (n,) float64

        Examples
        --------
        >>> Recalibration("prior_shift", intercept=-1.0986122887).apply([0.5]).round(6).tolist()
        [0.25]
        """
        # Here, since it takes as long to import as staging takes to read a frozen study.
        from dlre_core.statistics.calibration import EDGE

        p = np.asarray(probabilities, dtype=np.float64)
        if self.reason:
            return np.full(p.shape, np.nan)
        if self.method == ORIGINAL:
            return p
        if self.method == ISOTONIC:
            return np.where(np.isnan(p), np.nan, np.interp(p, self.probabilities, self.shares))
        return special.expit(self.intercept + self.slope * special.logit(np.clip(p, EDGE, 1 - EDGE)))


# Of each stage question every recalibration by its name.
Recalibrations = Mapping[str, Mapping[str, Recalibration]]


def recalibrations_from(content: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> dict[str, dict[str, Recalibration]]:
    """Recalibrations by stage and method from what JSON made of them.

    Raises
    ------
    TypeError, ValueError, AttributeError
        If it is none.
    """
    return {stage: {name: _from(one) for name, one in of_stage.items()} for stage, of_stage in content.items()}


def write_recalibrations(fitted: Recalibrations, path: str | Path) -> None:
    """Write them as JSON, by stage and method, by rename."""
    content = {stage: {name: asdict(one) for name, one in of_stage.items()} for stage, of_stage in fitted.items()}
    with written_whole(path) as unfinished:
        unfinished.write_text(json.dumps(content, indent=2, allow_nan=False) + "\n", encoding="utf-8")


def read_recalibrations(path: str | Path) -> dict[str, dict[str, Recalibration]]:
    """Read them as `write_recalibrations` wrote them."""
    return recalibrations_from(json.loads(Path(path).read_text(encoding="utf-8")))


def _from(content: Mapping[str, Any]) -> Recalibration:
    curve = {name: tuple(map(float, content[name])) for name in ("probabilities", "shares") if name in content}
    return Recalibration(**{**content, **curve})
