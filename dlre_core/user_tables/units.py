"""Units: which hospital seems to have sent a column in another one, and conversion where the user says so.

The scale of the stages counts as the unit of their column.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from dlre_core.foundation.errors import ConfigurationError
from dlre_core.user_tables.data_contract import EVERY_CLINICAL_COLUMN, MEASUREMENT_COLUMNS, Column, Unit
from dlre_core.user_tables.stage_scales import METAVIR, STAGE, STAGE_SCALES, StageScale, scale_named

# So many values say something together, and so many have a median worth comparing.
FEW_VALUES, COMPARABLE_VALUES = 3, 5
# Medians of hospitals that differ by more are not of one unit, and by less they may be.
FAR, NEAR = 4.0, 2.5
MOST_FIT = 0.75


@dataclass(frozen=True)
class GivenUnit:
    """One entry of the section ``units``: a column comes in this unit from a hospital, or from all (empty)."""

    column: str
    unit: str
    hospital: str = ""


@dataclass(frozen=True)
class Doubt:
    """A hospital's column that seems to be in another unit; ``unit`` is None where none is likely.

    ``reference`` is the median of the other hospitals' medians, None where no other has values enough.
    """

    hospital: str
    values: tuple[float, ...]
    reference: float | None
    unit: Unit | None


def given_units(section: Iterable[Mapping[str, str]], cohort: str = "") -> tuple[GivenUnit, ...]:
    """Entries of the configuration's section ``units``.

    Parameters
    ----------
    section : iterable of mapping
        ``column``, ``unit``, and where given ``hospital`` and ``cohort``.
    cohort : str
        Name of a validation cohort; empty for the study's own.

    Raises
    ------
    ConfigurationError
        If a column has no units, a unit is unknown, or two entries say different things.

    Examples
    --------
    >>> given_units([{"column": "albumin_g_l", "hospital": "A", "unit": "g/dL"}])
    (GivenUnit(column='albumin_g_l', unit='g/dL', hospital='A'),)
    """
    known = {c.name: c for c in (*EVERY_CLINICAL_COLUMN, *MEASUREMENT_COLUMNS) if c.units}
    entries: dict[tuple[str, str], GivenUnit] = {}
    for number, entry in enumerate(section):
        if str(entry.get("cohort") or "") != cohort:
            continue
        given = GivenUnit(entry["column"], entry["unit"], str(entry.get("hospital") or ""))
        place = f"units.{number}"
        if given.column == STAGE:
            if scale_named(given.unit) is None:
                raise ConfigurationError(
                    f"{place}.unit = {given.unit!r}: no scale of {STAGE}.",
                    f"Write one of {', '.join(STAGE_SCALES)}.",
                )
        elif given.column not in known:
            raise ConfigurationError(
                f"{place}.column = {given.column!r}: no column that comes in other units.",
                f"Write one of {', '.join((*known, STAGE))}.",
            )
        elif unit_named(known[given.column], given.unit) is None:
            names = [known[given.column].unit, *(unit.name for unit in known[given.column].units)]
            raise ConfigurationError(
                f"{place}.unit = {given.unit!r}: no unit of {given.column}.",
                f"Write one of {', '.join(names)}.",
            )
        if entries.setdefault((given.column, given.hospital), given) != given:
            raise ConfigurationError(
                f"{place}: {given.column} of this hospital already has another unit.",
                "Keep one of the two entries.",
            )
    return tuple(entries.values())


def unit_named(column: Column, name: str) -> Unit | None:
    """The unit of a column by its name, whatever its case, blanks and way to write micro.

    Examples
    --------
    >>> platelets = next(c for c in EVERY_CLINICAL_COLUMN if c.name == "platelets_10e9_l")
    >>> unit_named(platelets, "10^4/µL").factor, unit_named(platelets, "10^9/L").factor
    (10, 1)
    """
    own = Unit(column.unit, 1)
    return next((u for u in (own, *column.units) if _plain(u.name) == _plain(name)), None)


def unit_for(column: Column, hospital: str, given: Sequence[GivenUnit]) -> Unit | None:
    """The unit that the user gave for a hospital's column, None where nothing is said."""
    name = _given_name(column.name, hospital, given)
    return unit_named(column, name) if name else None


def scale_for(hospital: str, given: Sequence[GivenUnit]) -> StageScale:
    """The scale of a hospital's stages: METAVIR unless the user names another.

    Examples
    --------
    >>> scale_for("B", [GivenUnit("fibrosis_stage", "Ishak", "B")]).label, scale_for("A", []).label
    ('Ishak', 'METAVIR')
    """
    return scale_named(_given_name(STAGE, hospital, given)) or METAVIR


def _given_name(column: str, hospital: str, given: Sequence[GivenUnit]) -> str:
    """Name of the unit of a hospital's column: its own entry, else that of all hospitals, else empty."""
    for name in (hospital, ""):
        for entry in given:
            if (entry.column, entry.hospital) == (column, name):
                return entry.unit
    return ""


def doubted_units(column: Column, values: Mapping[str, Sequence[float]]) -> list[Doubt]:
    """Hospitals whose values of a column are unlikely to be in its unit.

    A hospital's median is held against the usual range of the contract and against the medians of the
    other hospitals. With three or four values all must lie outside the usual range, with one or two all
    must be implausible, unless another hospital has the same other unit. Where no other unit is likely, it may
    as well be another kind of patients.

    Parameters
    ----------
    column : Column
    values : mapping of hospital to numbers
        As written, those outside the possible range included.
    """
    if column.usual is None:
        return []
    low, high = column.usual
    medians = {hospital: median(numbers) for hospital, numbers in values.items() if numbers}
    sound = {h: m for h, m in medians.items() if low <= m <= high and len(values[h]) >= FEW_VALUES}
    doubts = []
    unsure = []
    for hospital, middle in medians.items():
        numbers = values[hospital]
        others = [m for other, m in sound.items() if other != hospital]
        reference = median(others) if others else None
        unit = _likely_unit(column, numbers, reference)
        doubt = Doubt(hospital, tuple(numbers), reference, unit)
        if _is_unusual(column, numbers, reference, unit):
            doubts.append(doubt)
        elif len(numbers) < COMPARABLE_VALUES and unit is not None and not low <= middle <= high:
            unsure.append(doubt)
    # A few values say little alone, but much where another hospital has the same unit.
    units = {doubt.unit for doubt in doubts if len(doubt.values) >= FEW_VALUES}
    return doubts + [doubt for doubt in unsure if doubt.unit in units]


def _is_unusual(column: Column, numbers: Sequence[float], reference: float | None, unit: Unit | None) -> bool:
    low, high = column.usual or (0, 0)
    middle = median(numbers)
    if len(numbers) < FEW_VALUES:
        return unit is not None and not any(_plausible(column, number) for number in numbers)
    if len(numbers) < COMPARABLE_VALUES:
        alike = max(numbers) < low or min(numbers) > high
        return unit is not None and alike
    if not low <= middle <= high:
        return True
    if unit is None or reference is None or middle <= 0:
        return False
    return max(middle / reference, reference / middle) > FAR


def _likely_unit(column: Column, numbers: Sequence[float], reference: float | None) -> Unit | None:
    low, high = column.usual or (0, 0)
    goal = reference or (low * high) ** 0.5
    fitting = []
    for unit in column.units:
        converted = [unit.convert(number) for number in numbers]
        middle = median(converted)
        if not low <= middle <= high or middle <= 0:
            continue
        distance = max(middle / goal, goal / middle)
        fit = sum(_plausible(column, number) for number in converted) / len(converted)
        usual_here = low <= median(numbers) <= high
        if fit >= MOST_FIT and (not usual_here or distance <= NEAR):
            fitting.append((distance, unit.name, unit))
    return min(fitting)[2] if fitting else None


def _plausible(column: Column, number: float) -> bool:
    low, high = column.plausible or (float("-inf"), float("inf"))
    return low <= number <= high


def _plain(name: str) -> str:
    return name.lower().replace(" ", "").replace("µ", "u").replace("μ", "u").replace("^", "")
