"""Numbers, stages and grades: how the cells of such columns are read."""

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from statistics import median

from dlre_core.user_tables.csv_input import Problems
from dlre_core.user_tables.data_contract import Column
from dlre_core.user_tables.readings import (
    CODE,
    FORMULA,
    MISSING,
    NUMBER,
    Reader,
    Reading,
    Rows,
    is_code,
)
from dlre_core.user_tables.stage_scales import METAVIR, STAGE, StageScale, is_on_longer_scale, other_scale, whole_grade
from dlre_core.user_tables.unit_problems import doubted_hospitals, report_mapped
from dlre_core.user_tables.units import scale_for, unit_for
from dlre_core.user_tables.vocabulary import MISSING_CODES, is_missing

DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
# One to three digits and groups of three: 1.234 may be 1,234.
GROUPS = re.compile(r"[+-]?[1-9]\d{0,2}(?:[.,]\d{3})+")
THOUSAND = 1000
# A share of the median below which a number with three decimals may be one with thousands.
FAR_BELOW = 1 / 3
THOUSANDS = Reading(
    None,
    "thousands_mark",
    "the point may separate thousands, as three digits follow it and the value is far below the others.",
)
GRADES = ("fibrosis_stage", "inflammation_grade")
LEAST_SHARED = 99
# A code of nines that so many rows share, above all other values, is no value.
SHARED_CODE, SHARE_OF_CODE, BELOW_CODE = 3, 0.05, 0.9


def numbers(cells: Sequence[str], column: Column, rows: Rows, problems: Problems) -> Reader:
    """How cells with numbers, stages or grades are read, after a look at all of them."""
    counts = Counter(cells)
    texts = {cell: _number_text(cell, rows) for cell in counts}
    rows.commas += sum(n for cell, n in counts.items() if "," in cell and texts[cell] != cell)
    values = {cell: float(text) for cell, text in texts.items() if NUMBER.fullmatch(text)}
    filled = sum(counts[cell] for cell in values)
    shared = _shared_codes({values[cell]: counts[cell] for cell in values}, filled)
    grouped = {cell for cell in values if GROUPS.fullmatch(texts[cell])}
    # Three decimals in most cells are three decimals.
    odd = grouped if sum(counts[cell] for cell in grouped) < filled / 2 else set()
    scales = _other_scales(column, rows)
    scaled = _on_longer_scales([texts[cell] for cell in cells], column, rows) - set(scales)
    report_mapped(scales, [texts[cell] for cell in cells], rows, problems)
    given = {h: unit_for(column, h, rows.units) for h in set(rows.hospitals)}
    doubts = doubted_hospitals(cells, values, column, rows, problems)

    middles = _middles(cells, values, grouped, rows) if odd else {}

    def read(hospital: str, cell: str) -> Reading:
        text = texts[cell]
        if is_missing(text):
            return MISSING
        if hospital in scales:
            return _on_scale(text, scales[hospital])
        if column.name in GRADES:
            refused = _grade_problem(text, column, hospital in scaled)
            if refused:
                return refused
            text = str(whole_grade(text, column.name))
        refused = _number_problem(text)
        if refused:
            return refused
        unit = given[hospital]
        if unit is None and hospital in doubts:
            return Reading(None, "unit_doubted")
        if cell in odd and _may_be_thousands(values[cell], column, middles.get(hospital)):
            return THOUSANDS
        value = float(text)
        converted = unit.convert(value) if unit is not None and value >= 0 else value
        if _is_absent_number(value, converted, column, shared):
            return CODE
        return _in_range(converted, column)

    return read


def _middles(
    cells: Sequence[str], values: Mapping[str, float], grouped: Collection[str], rows: Rows
) -> dict[str, float]:
    """Median of every hospital's numbers without groups of three; where it has none, of all hospitals'."""
    plain = {
        hospital: [values[cell] for cell in group if cell in values and cell not in grouped]
        for hospital, group in rows.by_hospital(cells).items()
    }
    everything = [number for numbers in plain.values() for number in numbers]
    return {hospital: median(numbers or everything) for hospital, numbers in plain.items()}


def _may_be_thousands(value: float, column: Column, middle: float | None) -> bool:
    """Whether a number such as 1.234 may be 1,234: it is far below its neighbours, and a thousand times it possible."""
    if middle is None:
        return False
    low, high = column.possible or (float("-inf"), float("inf"))
    least = (column.plausible or (low, high))[0]
    far_below = value < FAR_BELOW * middle or value < least <= middle
    return far_below and low <= THOUSAND * value <= high


def _number_text(cell: str, rows: Rows) -> str:
    text = cell if cell.isascii() else unicodedata.normalize("NFKC", cell).strip()
    if rows.decimal_comma and DECIMAL_COMMA.fullmatch(text):
        return text.replace(",", ".")
    return text


def _grade_problem(text: str, column: Column, longer_scale: bool) -> Reading | None:
    """Why a cell is no stage or grade of METAVIR, if it is none."""
    grade = whole_grade(text, column.name)
    if grade is None:
        if is_code(text):
            return CODE
        words, _ = other_scale(text)
        return Reading(None, "not_one_grade", f"{words or 'not one whole stage or grade'}.")
    if grade in MISSING_CODES:
        return CODE
    if longer_scale:
        return Reading(
            None,
            "other_scale",
            "the hospital's values go above METAVIR's highest, so that all are on another scale.",
        )
    return None


def _other_scales(column: Column, rows: Rows) -> dict[str, StageScale]:
    """Hospitals whose stages are on another scale than METAVIR, as the user says."""
    if column.name != STAGE:
        return {}
    scales = {hospital: scale_for(hospital, rows.units) for hospital in set(rows.hospitals)}
    return {hospital: scale for hospital, scale in scales.items() if scale is not METAVIR}


def _on_scale(text: str, scale: StageScale) -> Reading:
    """The METAVIR stage of a cell on a scale that the user named."""
    stage = scale.metavir(text)
    if stage is not None:
        return Reading(stage)
    if is_code(text):
        return CODE
    return Reading(None, "not_on_scale", f"no stage of the scale {scale.label} ({', '.join(scale.stages)}).")


def _on_longer_scales(cells: Sequence[str], column: Column, rows: Rows) -> set[str]:
    if column.name not in GRADES:
        return set()
    return {
        hospital
        for hospital, group in rows.by_hospital(cells).items()
        if is_on_longer_scale((whole_grade(cell, column.name) for cell in group), column.name)
    }


def _number_problem(text: str) -> Reading | None:
    """Why a text is no number, if it is none."""
    if text.startswith("="):
        return FORMULA
    if NUMBER.fullmatch(text):
        return None
    if DECIMAL_COMMA.fullmatch(text):
        return Reading(None, "decimal_comma", "a decimal comma.")
    if GROUPS.fullmatch(text):
        return Reading(None, "thousands_mark", "a number with marks between thousands.")
    return Reading(None, "not_a_number", "not a number.")


def _in_range(value: float, column: Column) -> Reading:
    low, high = column.possible or (float("-inf"), float("inf"))
    if not low <= value <= high:
        return Reading(None, "impossible_value", f"outside {low:g} to {high:g} {column.unit}.")
    if column.kind == "integer" and value != int(value):
        return Reading(None, "not_whole", "not a whole number.")
    result = int(value) if column.kind == "integer" else value
    near = column.plausible or (low, high)
    if not near[0] <= value <= near[1]:
        problem = f"outside the plausible {near[0]:g} to {near[1]:g} {column.unit}."
        return Reading(result, "implausible_value", problem)
    return Reading(result)


def _is_absent_number(value: float, converted: float, column: Column, shared: Collection[float]) -> bool:
    """Whether a number is a code: one of the usual ones, where the column cannot have it."""
    if value not in MISSING_CODES:
        return False
    low, high = column.plausible or (float("-inf"), float("inf"))
    return value in shared or not low <= converted <= high


def _shared_codes(counts: Mapping[float, int], filled: int) -> set[float]:
    """Nines that several rows share, with nothing near them: 999 in five rows, and 120 next below."""
    top = max(counts, default=0.0)
    if top < LEAST_SHARED or top not in MISSING_CODES:
        return set()
    below = max((value for value in counts if value < top), default=0.0)
    few = counts[top] < max(SHARED_CODE, SHARE_OF_CODE * filled)
    return set() if few or below > BELOW_CODE * top else {top}
