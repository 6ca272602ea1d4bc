"""Text, dates, yes and no, sexes and categories: how the cells of such columns are read."""

from collections import Counter
from collections.abc import Sequence

from dlre_core.user_tables.csv_input import FLAGGED, WHOLE_TABLE, Problems
from dlre_core.user_tables.data_contract import Column
from dlre_core.user_tables.dates import Order, day_month_order, is_year_last, parse_date, plain_date
from dlre_core.user_tables.readings import CODE, FORMULA, MISSING, Reader, Reading, Rows, is_code
from dlre_core.user_tables.vocabulary import FLAGS, MISSING_WORDS, SEXES, SYNONYMS, Vocabulary, is_missing, plain

SHOWN_LINES = 5


def texts(cells: Sequence[str], column: Column, rows: Rows, problems: Problems) -> Reader:
    def read(_: str, cell: str) -> Reading:
        # A hospital may be called NA.
        if cell.startswith("="):
            return FORMULA
        return Reading(cell) if cell or column.may_be_empty else MISSING

    return read


def dates(cells: Sequence[str], column: Column, rows: Rows, problems: Problems) -> Reader:
    orders: dict[str, Order] = {}
    for hospital, group in rows.by_hospital([plain_date(cell) for cell in cells]).items():
        orders[hospital], decisive = day_month_order(group)
        ordered = [cell for cell in group if is_year_last(cell)]
        if ordered:
            _report_order(orders[hospital], ordered, decisive, hospital, cells, column, rows, problems)

    def read(hospital: str, cell: str) -> Reading:
        if is_missing(cell):
            return MISSING
        if cell.startswith("="):
            return FORMULA
        return Reading(*parse_date(plain_date(cell), orders[hospital]))

    return read


def _report_order(
    order: Order,
    ordered: Sequence[str],
    decisive: Sequence[str],
    hospital: str,
    cells: Sequence[str],
    column: Column,
    rows: Rows,
    problems: Problems,
) -> None:
    """Name the rows that decide whether day or month comes first, or that contradict each other."""
    wanted = set(decisive)
    lines = [
        line
        for line, cell, there in zip(rows.lines, cells, rows.hospitals, strict=True)
        if there == hospital and plain_date(cell) in wanted
    ]
    named = ", ".join(map(str, lines[:SHOWN_LINES])) + ", ..." * (len(lines) > SHOWN_LINES)
    are = "date is" if len(ordered) == 1 else "dates are"
    begin = f"{column.name}: {len(ordered)} {are} written like 5/3/2015: {order.value}"
    remedy = "Write all dates of the column as YYYY-MM-DD."
    if order in (Order.UNKNOWN, Order.BOTH):
        detail = f", see lines {named}" if named else ", as no number in them is above 12"
        problems.add(
            WHOLE_TABLE,
            FLAGGED,
            "day_month_unclear",
            f"{begin}{detail}. None of them is used.",
            remedy,
            column=column.name,
            hospital=hospital,
        )
    else:
        problems.add(
            WHOLE_TABLE,
            FLAGGED,
            "day_month_order",
            f"{begin}, as lines {named} decide.",
            "Nothing to do if that is right.",
            column=column.name,
            hospital=hospital,
        )


def _words(cells: Sequence[str], column: Column, rows: Rows, problems: Problems, vocabulary: Vocabulary) -> None:
    used = vocabulary.used(Counter(plain(cell) for cell in cells))
    if len(used) > 1:
        kinds = ", ".join(f"{pair} in {number} cells" for pair, number in sorted(used.items()))
        problems.add(
            WHOLE_TABLE,
            FLAGGED,
            "mixed_words",
            f"{column.name} is written in several ways: {kinds}. Each was read as what it means.",
            f"Write one of them in all rows, best {column.unit}.",
            column=column.name,
        )


def flags(cells: Sequence[str], column: Column, rows: Rows, problems: Problems) -> Reader:
    _words(cells, column, rows, problems, FLAGS)
    tokens = {h: {plain(cell) for cell in group} for h, group in rows.by_hospital(cells).items()}
    twos = any("2" in words and "0" not in words for words in tokens.values())
    other_coding = {h for h, words in tokens.items() if twos and "0" not in words}

    def read(hospital: str, cell: str) -> Reading:
        word = plain(cell)
        if not word:
            return MISSING
        if word.startswith("="):
            return FORMULA
        if hospital in other_coding and word in ("1", "2"):
            return Reading(None, "one_or_two", "written as 1 and 2, and it is not known which is yes.")
        if word == "-" and hospital not in rows.with_plus:
            return _absent(column)
        value = FLAGS.meaning(word)
        if value is not None:
            return Reading(value)
        if word in MISSING_WORDS:
            return _absent(column)
        if is_code(word):
            code = "not_known" if column.excludes else "missing_code"
            return Reading(None, code, "a code that stands for a missing value.")
        return Reading(None, "not_yes_or_no", "neither yes nor no.")

    return read


def _absent(column: Column) -> Reading:
    """A word for missing: of a flag that excludes it says that nobody knows, so that the patient cannot be enrolled."""
    if column.excludes:
        return Reading(None, "not_known", "said to be unknown.")
    return MISSING


def sexes(cells: Sequence[str], column: Column, rows: Rows, problems: Problems) -> Reader:
    _words(cells, column, rows, problems, SEXES)

    def read(_: str, cell: str) -> Reading:
        word = plain(cell)
        if word.startswith("="):
            return FORMULA
        value = SEXES.meaning(word)
        if value is None and word in MISSING_WORDS:
            return MISSING
        if value is None and is_code(word):
            return CODE
        return Reading(None, "not_a_sex", "neither M nor F.") if value is None else Reading(value)

    return read


def categories(cells: Sequence[str], column: Column, rows: Rows, problems: Problems) -> Reader:
    meanings = {plain(value): value for value in column.values} | dict(SYNONYMS.get(column.name, {}))

    def read(_: str, cell: str) -> Reading:
        word = plain(cell)
        if word.startswith("="):
            return FORMULA
        if word in MISSING_WORDS:
            return MISSING
        if is_code(word):
            return CODE
        value = meanings.get(word)
        return Reading(None, "not_a_category", "none of the column's values.") if value is None else Reading(value)

    return read
