"""What a statistic returns: an estimate, its interval, and why it may be undefined."""

import math
from dataclasses import dataclass

# With fewer, no variance of an AUC is to be believed: docs/measurements/statistics.md.
LEAST_OF_A_CLASS = 5
ONE_SIDED = "one-sided exact"


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


def too_few(n_cases: int, n_controls: int) -> str:
    """Why an AUC gets no interval, no test and no curve; empty where both classes have five patients or more.

    Examples
    --------
    >>> too_few(4, 30), too_few(30, 1), too_few(5, 5)
    ('4 cases, fewer than 5', '1 control, fewer than 5', '')
    """
    for number, name in ((n_cases, "case"), (n_controls, "control")):
        if number < LEAST_OF_A_CLASS:
            return f"{number} {name}{'s' * (number != 1)}, fewer than {LEAST_OF_A_CLASS}"
    return ""


def check_confidence(confidence: float) -> None:
    """Refuse a level outside (0, 1).

    Raises
    ------
    ValueError
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence = {confidence}: a level between 0 and 1 is needed, such as 0.95")
