"""Dates as hospitals write them; the order of day and month is decided for a column, never for a cell."""

import re
import unicodedata
from collections.abc import Iterable
from datetime import date, timedelta
from enum import Enum

TIME = r"(?:[T ]\s*\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?\s*(?:[AaPp][Mm])?\s*(?:Z|[+-]\d{2}:?\d{2})?)?"
YEAR_FIRST = re.compile(rf"(\d{{4}})([-/.])(\d{{1,2}})\2(\d{{1,2}}){TIME}")
COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})")
CHINESE = re.compile(rf"(\d{{4}})\s*年\s*(\d{{1,2}})\s*月\s*(\d{{1,2}})\s*[日号]{TIME}")
YEAR_LAST = re.compile(rf"(\d{{1,2}})([-/.])(\d{{1,2}})\2(\d{{4}}){TIME}")
SERIAL = re.compile(r"\d{5}(?:\.\d+)?")
# Excel counts from here, since it takes 1900 for a leap year.
SERIAL_ZERO = date(1899, 12, 30)
FIRST_YEAR, LAST_YEAR = 1990, 2100
PLACEHOLDERS = {"1900-01-00", "1900-01-01", "1899-12-30", "9999-12-31", "0000-00-00", "9999-99-99"}
MONTHS = 12


class Order(Enum):
    """Whether the day or the month comes first, or why that cannot be told."""

    DAY_FIRST = "the day comes first"
    MONTH_FIRST = "the month comes first"
    UNKNOWN = "day and month cannot be told apart"
    BOTH = "some cells have the day first and others the month"


def day_month_order(cells: Iterable[str]) -> tuple[Order, list[str]]:
    """Order of day and month in cells such as 5/3/2015, and the cells that decide it.

    Returns
    -------
    Order
        UNKNOWN where no such cell has a number above 12, or there is no such cell.
    list of str

    Examples
    --------
    >>> day_month_order(["3/4/2015", "25/4/2015"])
    (<Order.DAY_FIRST: 'the day comes first'>, ['25/4/2015'])
    >>> day_month_order(["3/4/2015"])[0]
    <Order.UNKNOWN: 'day and month cannot be told apart'>
    """
    days, months = [], []
    for cell in cells:
        found = YEAR_LAST.fullmatch(cell)
        if found and int(found[1]) > MONTHS:
            days.append(cell)
        elif found and int(found[3]) > MONTHS:
            months.append(cell)
    if days and months:
        return Order.BOTH, days + months
    if days:
        return Order.DAY_FIRST, days
    return (Order.MONTH_FIRST, months) if months else (Order.UNKNOWN, [])


def is_year_last(cell: str) -> bool:
    """Whether the order of day and month matters for a cell."""
    return YEAR_LAST.fullmatch(cell) is not None


def plain_date(cell: str) -> str:
    """Full-width digits and marks as ASCII."""
    return cell if cell.isascii() else unicodedata.normalize("NFKC", cell).strip()


def parse_date(cell: str, order: Order) -> tuple[date | None, str, str]:
    """Day, code and problem of a cell; the code is empty where it is read without a remark.

    Parameters
    ----------
    cell : str
    order : Order
        Of the cell's column.

    Examples
    --------
    >>> parse_date("2015年3月5日", Order.UNKNOWN)
    (datetime.date(2015, 3, 5), '', '')
    >>> parse_date("5/3/2015 10:30", Order.DAY_FIRST)[0], parse_date("42068", Order.UNKNOWN)[:2]
    (datetime.date(2015, 3, 5), (datetime.date(2015, 3, 5), 'excel_date'))
    """
    if cell[:10] in PLACEHOLDERS:
        return None, "missing_code", "a date that stands for a missing one."
    if SERIAL.fullmatch(cell):
        day = SERIAL_ZERO + timedelta(days=int(float(cell)))
        return _checked(day, "excel_date", "a spreadsheet's day number, read as a date.")
    for form in (YEAR_FIRST, CHINESE, COMPACT):
        found = form.fullmatch(cell)
        if found:
            year, month, day_of_month = (part for part in found.groups() if part.isdigit())
            return _date(int(year), int(month), int(day_of_month))
    found = YEAR_LAST.fullmatch(cell)
    if not found:
        return None, "not_a_date", "not a date that can be read."
    first, second, year = int(found[1]), int(found[3]), int(found[4])
    if order is Order.DAY_FIRST:
        return _date(year, second, first)
    if order is Order.MONTH_FIRST:
        return _date(year, first, second)
    return None, "day_or_month", f"{order.value}."


def _date(year: int, month: int, day: int) -> tuple[date | None, str, str]:
    try:
        return _checked(date(year, month, day), "", "")
    except ValueError:
        return None, "not_a_date", "no day of the calendar."


def _checked(day: date, code: str, problem: str) -> tuple[date | None, str, str]:
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        return None, "not_a_date", "the year cannot be right."
    return day, code, problem
