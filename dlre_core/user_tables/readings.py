"""What a cell of a table says, and where it stands."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from dlre_core.user_tables.units import GivenUnit
from dlre_core.user_tables.vocabulary import MISSING_CODES

NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?")


class Reading(NamedTuple):
    """What a cell says: its value, else a code and what is wrong."""

    value: object
    code: str = ""
    problem: str = ""


MISSING = Reading(None, "missing")
CODE = Reading(None, "missing_code", "a code that stands for a missing value.")
FORMULA = Reading(None, "formula", "a formula without a stored value.")
# Takes hospital and cell.
Reader = Callable[[str, str], Reading]


@dataclass
class Rows:
    """Where the cells of a column stand: line, hospital and patient of every row.

    ``unreadable`` collects, for every row, the columns whose cells could not be read; ``commas``
    counts decimal commas that were read as such. In hospitals ``with_plus`` somewhere among their flags, a
    minus means no; elsewhere it may as well mean missing.
    """

    lines: Sequence[int]
    hospitals: Sequence[str]
    patients: Sequence[str]
    decimal_comma: bool = False
    units: Sequence[GivenUnit] = ()
    with_plus: frozenset[str] = frozenset()
    commas: int = 0
    unreadable: list[list[str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.unreadable = [[] for _ in self.lines]

    def __len__(self) -> int:
        return len(self.lines)

    def where(self, row: int, column: str) -> dict[str, str]:
        """Place of a cell, for the problems."""
        return {
            "hospital": self.hospitals[row],
            "patient_id": self.patients[row],
            "column": column,
        }

    def by_hospital(self, cells: Sequence[str]) -> dict[str, list[str]]:
        """Cells of a column by hospital."""
        groups: dict[str, list[str]] = {}
        for hospital, cell in zip(self.hospitals, cells, strict=True):
            groups.setdefault(hospital, []).append(cell)
        return groups


def is_code(text: str) -> bool:
    """Whether a text is a number that stands for a missing value.

    Examples
    --------
    >>> is_code("999.0"), is_code("998")
    (True, False)
    """
    return NUMBER.fullmatch(text) is not None and float(text) in MISSING_CODES
