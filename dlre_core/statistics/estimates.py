"""What a statistic returns: an estimate, its interval, and why it may be undefined."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Estimate:
    """A value with its confidence limits; NaN where undefined, and then ``reason`` says why.

    ``method`` names how the interval was made.
    """

    value: float
    low: float
    high: float
    method: str = ""
    reason: str = ""

    @property
    def defined(self) -> bool:
        """True where the value is a number."""
        return not math.isnan(self.value)


def undefined(reason: str, method: str = "") -> Estimate:
    """An estimate that does not exist.

    Examples
    --------
    >>> undefined("no cases").defined, undefined("no cases").reason
    (False, 'no cases')
    """
    return Estimate(math.nan, math.nan, math.nan, method, reason)


def check_confidence(confidence: float) -> None:
    """Refuse a level outside (0, 1).

    Raises
    ------
    ValueError
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence = {confidence}: a level between 0 and 1 is needed, such as 0.95")
