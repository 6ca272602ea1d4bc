"""Printed numbers: what they say, and which exact values they can have been rounded from."""

import math
import re
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import ArrayLike, NDArray

# Share, as printed in per cent; and ratios.
SHARES = ("sens", "spec", "ppv", "npv")
RATIOS = ("lr_pos", "lr_neg")
ESTIMATES = ("auc", *SHARES, *RATIOS)
CELL_NAMES = {
    "n": "n",
    "prevalence_pct": "prevalence",
    "auc": "AUC",
    "sens": "sensitivity",
    "spec": "specificity",
    "ppv": "PPV",
    "npv": "NPV",
    "lr_pos": "LR+",
    "lr_neg": "LR-",
}
NOTHING = ("", "–", "-", "—", "nan", "NA")
# Half a unit for one rounding; a value rounded to one more digit first can be 0.05 units further.
ONE_ROUNDING, TWO_ROUNDINGS = 0.5, 0.55
SLACK = 1e-9


@dataclass(frozen=True)
class Printed:
    """A number as printed: its value and the unit of its last digit.

    ``well_formed`` is False where the text had to be repaired, such as ``32,5``.
    """

    text: str
    value: float
    unit: float
    well_formed: bool = True

    @property
    def digits(self) -> int:
        """Decimals printed."""
        return max(0, round(-math.log10(self.unit)))

    def window(self, halves: float = ONE_ROUNDING) -> tuple[float, float]:
        """Exact values that print so, ``halves`` units to either side."""
        return self.value - halves * self.unit, self.value + halves * self.unit


def parse_printed(text: object) -> Printed | None:
    """Read a cell.

    Parameters
    ----------
    text : str, number or None

    Returns
    -------
    Printed or None
        None for an empty cell or a dash.

    Raises
    ------
    ValueError
        If there is no number in the text.
    """
    if text is None:
        return None
    given = str(text).strip().rstrip("%").strip()
    if given in NOTHING:
        return None
    if given in ("∞", "inf", "Inf"):
        return Printed(given, math.inf, 1.0)
    plain = given.replace("−", "-").lstrip("<>≤≥ ")
    repaired = re.sub(r",(\d+)$", r".\1", plain)
    if not re.fullmatch(r"[-+]?\d*\.?\d+(?:e[-+]?\d+)?", repaired):
        raise ValueError(f"{text!r} is no printed number")
    number = Decimal(repaired)
    return Printed(
        given,
        float(number),
        float(Decimal(1).scaleb(int(number.as_tuple().exponent))),
        repaired == plain,
    )


def parse_interval(limits: object) -> tuple[Printed, Printed] | None:
    """Read ``[low, high]``; None where either is missing.

    Examples
    --------
    >>> low, high = parse_interval(["0.94", "0.99"])
    >>> low.text, high.text
    ('0.94', '0.99')
    >>> parse_interval(["0.94"]) is None
    True
    """
    if not isinstance(limits, list | tuple) or len(limits) != 2:
        return None
    low, high = (parse_printed(limit) for limit in limits)
    return None if low is None or high is None else (low, high)


def rounding_steps(printed: Printed, exact: ArrayLike) -> NDArray[np.int64]:
    """How many roundings lead from exact values to the printed one.

    Parameters
    ----------
    printed : Printed
    exact : (...) float
        In the unit of the cell; NaN never fits.

    Returns
    -------
    (...) int64
        1 within half a unit of the last digit, 2 if only rounding twice does it, 0 if neither.
    """
    values = np.asarray(exact, dtype=np.float64)
    if math.isinf(printed.value):
        return (values == printed.value).astype(np.int64)
    finite = np.where(np.isfinite(values), values, 9e99)
    distance = np.abs(finite - printed.value) / printed.unit
    return np.where(distance <= ONE_ROUNDING + SLACK, 1, np.where(distance <= TWO_ROUNDINGS + SLACK, 2, 0))


def show(value: float, like: Printed | None = None, digits: int = 1) -> str:
    """Print an exact value once rounded, half up, with the decimals of ``like``."""
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞"
    digits = like.digits if like and math.isfinite(like.value) else digits
    scaled = Decimal(repr(float(value))).scaleb(digits)
    whole = (abs(scaled) + Decimal("0.5")).to_integral_value(rounding="ROUND_FLOOR")
    return f"{(-whole if scaled < 0 else whole).scaleb(-digits):.{digits}f}"
