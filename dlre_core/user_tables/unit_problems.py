"""What is said of units: those that are doubted, and those that were converted; and of stages on other scales."""

from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import median

from dlre_core.user_tables.csv_input import FLAGGED, WHOLE_TABLE, Problems
from dlre_core.user_tables.data_contract import Column, Unit
from dlre_core.user_tables.readings import Rows
from dlre_core.user_tables.stage_scales import STAGE, StageScale
from dlre_core.user_tables.units import Doubt, GivenUnit, doubted_units, unit_for
from dlre_core.user_tables.vocabulary import MISSING_CODES


def doubted_hospitals(
    cells: Sequence[str],
    numbers: Mapping[str, float],
    column: Column,
    rows: Rows,
    problems: Problems,
) -> set[str]:
    """Hospitals whose unit is doubted, so that their values are not used.

    Parameters
    ----------
    cells : sequence of str
    numbers : mapping of cell to number
        Of those that are numbers.
    column : Column
    rows : Rows
    problems : Problems
        Takes one problem for every unit that hospitals seem to have, and for every conversion.
    """
    if not column.units:
        return set()
    given = {hospital: unit_for(column, hospital, rows.units) for hospital in set(rows.hospitals)}
    usable = {c: n for c, n in numbers.items() if n >= 0 and n not in MISSING_CODES}
    values: dict[str, list[float]] = {}
    converted: Counter[str] = Counter()
    for hospital, cell in zip(rows.hospitals, cells, strict=True):
        if cell not in usable:
            continue
        if given[hospital] is None:
            values.setdefault(hospital, []).append(usable[cell])
        else:
            converted[hospital] += 1
    _report_converted(converted, column, rows.units, problems)
    doubts = doubted_units(column, values)
    for name in sorted({doubt.unit.name if doubt.unit else "" for doubt in doubts}):
        alike = [d for d in doubts if (d.unit.name if d.unit else "") == name]
        _report_doubt(alike, column, problems)
    return {doubt.hospital for doubt in doubts if doubt.unit is not None}


def _report_doubt(doubts: Sequence[Doubt], column: Column, problems: Problems) -> None:
    hospitals = [doubt.hospital for doubt in doubts]
    named = f"hospital{'s' * (len(hospitals) > 1)} {', '.join(hospitals)}" if any(hospitals) else ""
    values, unit = [value for doubt in doubts for value in doubt.values], doubts[0].unit
    low, high = column.usual or (0, 0)
    sound = [doubt.reference for doubt in doubts if doubt.reference is not None]
    others = f", and other hospitals have {median(sound):.4g}" if sound else ""
    begin = (
        f"{column.name}{f' of {named}' if named else ''}: the median of {len(values)} values is {median(values):.4g} "
        f"({min(values):.4g} to {max(values):.4g}), where {low:g} to {high:g} {column.unit} is usual{others}."
    )
    where = {"column": column.name, "hospital": hospitals[0] if len(hospitals) == 1 else ""}
    if unit is None:
        problems.add(
            WHOLE_TABLE,
            FLAGGED,
            "unusual_median",
            f"{begin} No usual unit explains it; the values are kept.",
            f"Check the unit, and that the column was not swapped with another. {column.hint}".strip(),
            **where,
        )
        return
    entry = f"{{column: {column.name}, hospital: {hospitals[0]}, unit: {unit.name}}}"
    each = " for every one of these hospitals" if len(hospitals) > 1 else ""
    problems.add(
        WHOLE_TABLE,
        FLAGGED,
        "wrong_unit",
        f"{begin} The unit is likely {unit.name}. Until that is settled none of these values is used.",
        f"{_unit_words(unit)}, in the table, or let the study convert: write {entry} under units in config.yaml{each}. "
        f"If the values are right as they are, write unit: {column.unit} there.",
        **where,
    )


def _unit_words(unit: Unit) -> str:
    name = unit.words or unit.name
    return f"{name[0].upper()}{name[1:]}? {unit.rule[0].upper()}{unit.rule[1:]}"


def _report_converted(
    converted: Mapping[str, int], column: Column, given: Sequence[GivenUnit], problems: Problems
) -> None:
    for hospital, number in sorted(converted.items()):
        unit = unit_for(column, hospital, given)
        if unit is None or unit.name == column.unit:
            continue
        problems.add(
            WHOLE_TABLE,
            FLAGGED,
            "unit_converted",
            f"{column.name}: {number} values were converted from {unit.name} to {column.unit} ({unit.rule}), as the "
            "section units of the configuration says.",
            "Nothing to do.",
            column=column.name,
            hospital=hospital,
        )


def report_mapped(scales: Mapping[str, StageScale], cells: Sequence[str], rows: Rows, problems: Problems) -> None:
    """Say of every hospital with stages on another scale how many were mapped, and how.

    Parameters
    ----------
    scales : mapping of hospital to StageScale
    cells : sequence of str
        Of the column of stages.
    rows : Rows
    problems : Problems
        Takes one problem for every hospital.
    """
    groups = rows.by_hospital(cells) if scales else {}
    for hospital, scale in sorted(scales.items()):
        number = sum(scale.metavir(cell) is not None for cell in groups[hospital])
        problems.add(
            WHOLE_TABLE,
            FLAGGED,
            "scale_mapped",
            f"{STAGE}: {number} stages of the scale {scale.label} were mapped to METAVIR's ({scale.rule}), as the "
            "section units of the configuration says.",
            "Nothing to do if that is right; the scales do not agree in every patient.",
            column=STAGE,
            hospital=hospital,
        )
