"""Random faults in a simulated table, many times: read right, refused by name, or fewer patients; no other value."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

import pandas as pd
import pytest

from dlre_core.foundation.errors import ClinicalTableError
from dlre_core.patients.clinical_table import examine_table, read_clinical
from dlre_core.user_tables.csv_input import STOPPED
from dlre_core.user_tables.data_contract import CLINICAL_COLUMNS
from dlre_core.user_tables.vocabulary import MALE_FEMALE, YES_NO
from tests.helpers.clean_table import DATA, as_csv, clean_rows, enrolled

TRIES, BATCHES = 2000, 8
COLUMNS = {column.name: column for column in CLINICAL_COLUMNS}
FLAGS = [name for name, column in COLUMNS.items() if column.kind == "flag"]
DATES = [name for name, column in COLUMNS.items() if column.kind == "date"]
NUMBERS = [name for name, column in COLUMNS.items() if column.kind == "number"]
MISSING = ["NA", "n/a", ".", "未查", "unknown", "－", "NULL"]
# Values that no row of the column can have.
CODES = {
    "age_years": ["99", "999", "-1"],
    "height_cm": ["9", "99", "999", "-1"],
    "albumin_g_l": ["9", "99", "999", "-9"],
    "hbsag_positive_months": ["999", "-1", "-9"],
    "biopsy_length_mm": ["99", "-1", "999"],
    "portal_tracts": ["99", "999", "-9"],
    "platelets_10e9_l": ["9", "999", "9999", "-1"],
    "ast_iu_l": ["-1", "9999"],
    "fibrosis_stage": ["9", "99", "-1"],
    "biopsy_date": ["9999-12-31", "1900-01-01"],
    **{name: ["9", "99", "-1", "-9"] for name in FLAGS},
}
UNITS = {
    "platelets_10e9_l": [10, 0.001],
    "ast_iu_l": [60],
    "alt_iu_l": [60],
    "ggt_iu_l": [60],
    "albumin_g_l": [10],
    "total_bilirubin_umol_l": [17.1],
    "height_cm": [100],
    "biopsy_length_mm": [10],
}
FORMS = [
    "{d.year}/{d.month}/{d.day}",
    "{d.year}{d.month:02}{d.day:02}",
    "{d.year}年{d.month}月{d.day}日",
    "{d.day}/{d.month}/{d.year}",
    "{d.month}/{d.day}/{d.year}",
    "{d.day:02}.{d.month:02}.{d.year}",
    "{d.year}-{d.month:02}-{d.day:02} 08:15:00",
    "{serial}",
    "{d.day}/{d.month}/{short:02}",
]
ODD_STAGES = [
    "F3-4",
    "2/3",
    "IV",
    "III",
    "4/6",
    "1a",
    "4B",
    "S3",
    "A3",
    "G2S3",
    ">=2",
    "cirrhosis",
    "2.5",
    "2-3",
]
ODD_FLAGS = ["maybe", "?", "3", "HBV", "0.5", "x", "否?", "yes/no", "=B7", "NA", "9"]
ISHAK = {"0": ["0"], "1": ["1", "2"], "2": ["3"], "3": ["4"], "4": ["5", "6"]}


@dataclass
class Try:
    """A table under way: its rows, what is true, and how it will be written."""

    rows: list[dict[str, str]]
    chance: random.Random
    truth: pd.DataFrame
    forms: dict[str, str] = field(default_factory=dict)
    encoding: str = "utf-8"
    used: set[str] = field(default_factory=set)
    text_faults: list[Callable[[str], str]] = field(default_factory=list)
    names: list[str] = field(default_factory=list)

    def column(self, names: list[str]) -> str | None:
        """A column that no other fault has touched."""
        free = [name for name in names if name not in self.used]
        if not free:
            return None
        self.used.add(name := self.chance.choice(free))
        return name

    def row(self) -> int:
        return self.chance.randrange(len(self.rows))

    def rewrite(self, column: str, change: Callable[[str], str], hospital: str = "") -> None:
        for row in self.rows:
            if row[column] and hospital in ("", row["hospital"]):
                row[column] = change(row[column])

    def forget(self, row: int, column: str) -> None:
        """What stood in a cell is lost, so that nobody can read it."""
        self.truth.loc[self.rows[row]["patient_id"], column] = None

    def some_hospital(self, least: int = 5) -> str:
        sizes = pd.Series([row["hospital"] for row in self.rows]).value_counts()
        return self.chance.choice(["", *sizes[sizes >= least].index])


def missing_word(t):
    column = t.column([name for name in COLUMNS if COLUMNS[name].kind != "text"])
    row = t.row()
    t.rows[row][column] = t.chance.choice(MISSING)
    t.forget(row, column)


def missing_code(t):
    column = t.column(list(CODES))
    for _ in range(t.chance.randint(1, 6)):
        row = t.row()
        t.rows[row][column] = t.chance.choice(CODES[column])
        t.forget(row, column)


def words_for_flags(t):
    column = t.column(FLAGS)
    yes, no = t.chance.choice(YES_NO)
    t.rewrite(column, lambda cell: yes if cell == "1" else no, t.some_hospital(1))
    # A hospital that writes no plus anywhere may as well mean missing by its minuses.
    plus = {row["hospital"] for row in t.rows if "+" in {row[name] for name in FLAGS}}
    for row, cells in enumerate(t.rows):
        if cells[column] == "-" and cells["hospital"] not in plus:
            t.forget(row, column)


def words_for_sexes(t):
    if t.column(["sex"]):
        words = dict(zip("MF", t.chance.choice(MALE_FEMALE), strict=True))
        t.rewrite("sex", lambda cell: words[cell], t.some_hospital(1))


def odd_flag(t):
    column = t.column(FLAGS)
    for _ in range(t.chance.randint(1, 6)):
        row = t.row()
        t.rows[row][column] = t.chance.choice(ODD_FLAGS)
        t.forget(row, column)


def one_and_two(t):
    # Of ones alone nobody can tell that there might have been twos.
    both = [name for name in FLAGS if len({row[name] for row in t.rows} - {""}) > 1]
    column = t.column(both)
    yes, no = t.chance.choice([("1", "2"), ("2", "1")])
    t.rewrite(column, lambda cell: yes if cell == "1" else no)


def other_dates(t):
    column = t.column(DATES)
    form = t.chance.choice(FORMS)

    def written(cell):
        day = date.fromisoformat(cell)
        serial = (day - date(1899, 12, 30)).days
        return form.format(d=day, serial=serial, short=day.year % 100)

    t.rewrite(column, written, t.some_hospital(1))


def odd_date(t):
    column = t.column(DATES)
    row = t.row()
    odd = ["later", "3/4/2015", "2015-13-01", "31.2.2015", "2015", "15-3-4", "3015-01-01"]
    t.rows[row][column] = t.chance.choice(odd)
    t.forget(row, column)


def another_unit(t):
    column = t.column(list(UNITS))
    factor = t.chance.choice(UNITS[column])
    t.rewrite(column, lambda cell: f"{float(cell) / factor:.4g}", t.some_hospital())


def decimal_comma(t):
    column = t.column(NUMBERS)
    row = t.row()
    t.rows[row][column] = t.rows[row][column].replace(".", ",")


def thousands(t):
    column = t.column(["ast_iu_l", "alt_iu_l", "ggt_iu_l"])
    row, value = t.row(), t.chance.randint(1001, 1999)
    t.truth.loc[t.rows[row]["patient_id"], column] = float(value)
    mark = t.chance.choice(".,")
    t.rows[row][column] = f"{value // 1000}{mark}{value % 1000:03}"


def ishak(t):
    if t.column(["fibrosis_stage"]):
        with_cirrhosis = {row["hospital"] for row in t.rows if row["fibrosis_stage"] == "4"}
        everywhere = {row["hospital"] for row in t.rows} == with_cirrhosis
        hospital = t.chance.choice([*sorted(with_cirrhosis), *([""] if everywhere else [])])
        t.rewrite("fibrosis_stage", lambda cell: t.chance.choice(ISHAK[cell]), hospital)


def odd_stage(t):
    if t.column(["fibrosis_stage"]):
        for _ in range(t.chance.randint(1, 4)):
            t.rows[t.row()]["fibrosis_stage"] = t.chance.choice(ODD_STAGES)


def wrapped_id(t):
    row = t.row()
    own = t.rows[row]["patient_id"]
    t.text_faults.append(lambda text: text.replace(own, f'="{own}"', 1))


def line_of(text, change, t):
    lines = text.split("\n")
    number = t.chance.randrange(1, len(t.rows) + 1)
    lines[number] = change(lines[number])
    return "\n".join(lines)


def surplus_cell(t):
    mark = t.forms.get("delimiter", ",")

    def change(line):
        cells = line.split(mark)
        at = t.chance.randint(0, len(cells))
        return mark.join([*cells[:at], t.chance.choice(["", "3", "x"]), *cells[at:]])

    t.text_faults.append(lambda text: line_of(text, change, t))


def lost_cell(t):
    mark = t.forms.get("delimiter", ",")

    def change(line):
        cells = line.split(mark)
        del cells[t.chance.randrange(len(cells))]
        return mark.join(cells)

    t.text_faults.append(lambda text: line_of(text, change, t))


def open_quote(t):
    mark = t.forms.get("delimiter", ",")

    def change(line):
        cells = line.split(mark)
        at = t.chance.randrange(len(cells))
        cells[at] = '"' + cells[at]
        return mark.join(cells)

    t.text_faults.append(lambda text: line_of(text, change, t))


def column_twice(t):
    mark = t.forms.get("delimiter", ",")
    name, cell = t.chance.choice(list(COLUMNS)), t.chance.choice(["", "1", "999"])

    def change(text):
        head, *body = text.rstrip("\n").split("\n")
        return "\n".join([f"{head}{mark}{name}", *(f"{line}{mark}{cell}" for line in body)])

    t.text_faults.append(change)


def double_row(t):
    row = t.row()
    stage = t.chance.choice("01234")
    t.rows.append(t.rows[row] | {"fibrosis_stage": stage})


def below_the_table(t):
    mark = t.forms.get("delimiter", ",")
    lines = ["", mark * 31, f"Mean{mark}44", mark.join(["x"] * 3)]
    t.text_faults.append(lambda text: text + "\n".join(lines))


FAULTS = [
    missing_word,
    missing_code,
    words_for_flags,
    words_for_sexes,
    odd_flag,
    one_and_two,
    other_dates,
    odd_date,
    another_unit,
    decimal_comma,
    thousands,
    ishak,
    odd_stage,
    wrapped_id,
    surplus_cell,
    lost_cell,
    open_quote,
    column_twice,
    double_row,
    below_the_table,
]
CLEAN = read_clinical(DATA / "clean.csv").patients
# Hospitals with patients enough to compare medians.
LARGE = CLEAN["hospital"].value_counts().loc[lambda sizes: sizes >= 5].index
TRUTH = CLEAN[CLEAN["hospital"].isin(LARGE)].set_index("patient_id").astype(object)
ROWS = [row for row in clean_rows() if row["hospital"] in set(LARGE)]
BEFORE = enrolled(TRUTH.reset_index())


def one_try(seed, path):
    chance = random.Random(seed)
    t = Try([dict(row) for row in ROWS], chance, TRUTH.copy())
    t.forms["line_end"] = chance.choice(["\n", "\r\n", "\r"])
    t.encoding = chance.choice(["utf-8", "utf-8-sig", "utf-16", "gb18030"])
    semicolons = chance.random() < 0.3
    if semicolons:
        t.forms["delimiter"] = ";"
    for fault in chance.sample(FAULTS, chance.randint(1, 3)):
        fault(t)
        t.names.append(fault.__name__)
    text = as_csv(t.rows, t.forms.get("delimiter", ","))
    for change in t.text_faults:
        text = change(text)
    if semicolons and chance.random() < 0.5:
        text = "sep=;\n" + text
    path.write_bytes(text.replace("\n", t.forms["line_end"]).encode(t.encoding))
    return t


def check(t, path, read=examine_table):
    try:
        table = read(path)
    except ClinicalTableError:
        return
    if (table.problems["effect"] == STOPPED).any():
        assert len(table.problems.loc[table.problems["effect"] == STOPPED, "remedy"].iloc[0]) > 10
        return
    patients = table.patients.set_index("patient_id")
    assert set(patients.index) <= set(t.truth.index)
    true = t.truth.loc[patients.index]
    said = set(table.problems["column"])
    for column in COLUMNS:
        if column == "patient_id":
            continue
        given, right = patients[column].tolist(), true[column].tolist()
        for value, expected in zip(given, right, strict=True):
            if pd.isna(value):
                # What is lost is named.
                assert pd.isna(expected) or column in said, (column, expected)
            else:
                assert value == expected, (column, value, expected)
    if len(patients) < len(t.truth):
        assert set(table.problems["effect"]) & {"row rejected", "flagged"}
    assert enrolled(table.patients) <= BEFORE


@pytest.mark.parametrize("batch", range(BATCHES))
def test_no_random_fault_gives_another_stage_another_unit_or_more_patients(tmp_path, batch):
    path = tmp_path / "clinical.csv"
    for seed in range(batch * TRIES // BATCHES, (batch + 1) * TRIES // BATCHES):
        t = one_try(seed, path)
        try:
            check(t, path)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}, faults {', '.join(t.names)}: {error}") from error


def test_the_check_itself_finds_a_reader_that_shifts_rows(tmp_path):
    """A reader of the usual kind gives other values within few tries, so that the check can fail."""

    def careless(path):
        table = examine_table(path)
        patients = table.patients.assign(fibrosis_stage=(table.patients["fibrosis_stage"] + 1) % 5)
        return type(table)(path, patients, table.problems)

    path = tmp_path / "clinical.csv"
    caught = 0
    for seed in range(50):
        try:
            check(one_try(seed, path), path, careless)
        except AssertionError:
            caught += 1
    assert caught > 20
