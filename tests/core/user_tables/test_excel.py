"""Excel workbooks: read as CSV is, cells as typed, and what a spreadsheet hides is named."""

from datetime import date, datetime

import openpyxl
import pandas as pd
import pytest

from dlre_core.foundation.errors import ClinicalTableError
from dlre_core.patients.clinical_table import examine_table, read_clinical
from dlre_core.patients.other_tables import hospital_tables_digest, other_tables, values_by_file
from dlre_core.patients.study_list import read_study_list
from dlre_core.patients.table_file import table_path
from dlre_core.user_tables.data_contract import CLINICAL_COLUMNS
from tests.helpers.clean_table import DATA, clean_rows, codes, enrolled, found, same_values

CLEAN = read_clinical(DATA / "clean.csv").patients
KINDS = {column.name: column.kind for column in CLINICAL_COLUMNS}
COLUMN = {name: number for number, name in enumerate(KINDS, 1)}


def typed(name, cell):
    if not cell:
        return None
    if KINDS[name] == "date":
        return datetime.fromisoformat(cell)
    return float(cell) if KINDS[name] in ("number", "integer", "flag") else cell


def workbook(path, spoil=lambda book, sheet: None, title="Sheet1"):
    """The clean table as a workbook, its cells typed as Excel types them."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = title
    rows = clean_rows()
    sheet.append(list(rows[0]))
    for row in rows:
        sheet.append([typed(name, cell) for name, cell in row.items()])
    spoil(book, sheet)
    book.save(path)
    return path


def at(sheet, row, name):
    return sheet.cell(row, COLUMN[name])


def test_a_workbook_is_read_as_the_csv_is(tmp_path):
    table = read_clinical(workbook(tmp_path / "clinical.xlsx"))
    assert table.problems.empty
    assert same_values(table.patients, CLEAN)
    assert table.patients["elastography_date"][0] == date(2015, 1, 7)


def test_a_workbook_that_pandas_writes_is_read(tmp_path):
    path = tmp_path / "clinical.xlsx"
    pd.read_csv(DATA / "clean.csv").to_excel(path, index=False)
    assert same_values(read_clinical(path).patients, CLEAN)


def test_a_workbook_under_the_name_of_a_csv_is_read(tmp_path):
    table = read_clinical(workbook(tmp_path / "x.xlsx").rename(tmp_path / "clinical.csv"))
    assert same_values(table.patients, CLEAN)


def test_the_same_mistakes_have_the_same_messages(tmp_path):
    mistakes = {"ast_iu_l": "many", "other_liver_disease": "maybe", "fibrosis_stage": "F3-4"}

    def spoil(_, sheet):
        for name, cell in mistakes.items():
            at(sheet, 5, name).value = cell

    rows = clean_rows()
    rows[3] |= mistakes
    path = tmp_path / "clinical.csv"
    pd.DataFrame(rows).to_csv(path, index=False)
    from_csv = examine_table(path).problems
    path.unlink()
    from_book = examine_table(workbook(tmp_path / "clinical.xlsx", spoil)).problems
    assert list(from_book["row"][1:]) == [5, 5, 5]
    pd.testing.assert_frame_equal(from_book, from_csv)


def test_the_sheet_named_like_the_table_is_read_else_the_first(tmp_path):
    def put_before(book, _):
        notes = book.create_sheet("Notes", 0)
        notes.append(["Patients", "of 2015"])

    path = tmp_path / "clinical.xlsx"
    table = read_clinical(workbook(path, put_before, title="Clinical"))
    assert table.problems.empty
    assert same_values(table.patients, CLEAN)
    with pytest.raises(ClinicalTableError, match="names none of the columns"):
        read_clinical(workbook(path, put_before))

    def put_behind(book, _):
        book.create_sheet("Notes").append(["Patients", "of 2015"])

    table = read_clinical(workbook(path, put_behind))
    assert codes(table) == {"other_sheets": 1}
    assert same_values(table.patients, CLEAN)


def test_numbers_are_what_the_cell_shows(tmp_path):
    def spoil(_, sheet):
        at(sheet, 2, "patient_id").value = 12
        at(sheet, 2, "patient_id").number_format = "0000"
        at(sheet, 3, "patient_id").value = 13
        cell = at(sheet, 2, "prothrombin_activity_percent")
        cell.value, cell.number_format = 0.907, "0.0%"
        at(sheet, 2, "hbeag_positive").value = True
        at(sheet, 2, "chronic_infection").value = False

    table = read_clinical(workbook(tmp_path / "clinical.xlsx", spoil))
    assert codes(table) == {"mixed_words": 2}
    assert list(table.patients["patient_id"][:2]) == ["0012", "13"]
    row = table.patients.iloc[0]
    assert row["prothrombin_activity_percent"] == 90.7
    assert (row["hbeag_positive"], row["chronic_infection"]) == (1, 0)


def test_a_formula_without_a_stored_value_is_named_and_excludes(tmp_path):
    one = sorted(enrolled(CLEAN))[0]
    line = list(CLEAN["patient_id"]).index(one) + 2

    def spoil(_, sheet):
        at(sheet, line, "viral_coinfection").value = "=IF(1>0,0,1)"
        at(sheet, line, "ast_iu_l").value = "=20*2"

    table = examine_table(workbook(tmp_path / "clinical.xlsx", spoil))
    said = table.problems[table.problems["code"] == "formula"]
    assert set(said["row"]) == {line}
    assert set(said["column"]) == {"viral_coinfection", "ast_iu_l"}
    assert "let it calculate" in said.iloc[0]["remedy"]
    assert enrolled(table.patients) == enrolled(CLEAN) - {one}


def test_merged_cells_are_named_and_their_rows_refused(tmp_path):
    def spoil(_, sheet):
        sheet.merge_cells(start_row=3, end_row=5, start_column=2, end_column=2)

    table = read_clinical(workbook(tmp_path / "clinical.xlsx", spoil))
    assert list(table.problems["row"]) == [3, 4, 5]
    assert "B3:B5" in found(table, "merged_cells")["problem"]
    assert len(table.patients) == 43

    def spoil_header(_, sheet):
        sheet.merge_cells("A1:B1")

    with pytest.raises(ClinicalTableError):
        read_clinical(workbook(tmp_path / "clinical.xlsx", spoil_header))


def test_a_second_table_below_the_first_is_named(tmp_path):
    def spoil(_, sheet):
        sheet.cell(50, 1, "Hospital")
        sheet.cell(50, 2, "Patients")
        sheet.cell(51, 1, "A")
        sheet.cell(51, 2, 12)

    table = read_clinical(workbook(tmp_path / "clinical.xlsx", spoil))
    assert found(table, "second_table")["row"] == 50
    assert same_values(table.patients, CLEAN)


def test_a_cell_beside_the_table_is_no_cell_of_it(tmp_path):
    table = read_clinical(workbook(tmp_path / "clinical.xlsx", lambda _, sheet: sheet.cell(7, 40, "look again")))
    assert codes(table) == {"surplus_cells": 1}
    assert found(table, "surplus_cells")["row"] == 7
    assert len(table.patients) == 45


def test_two_files_of_one_table_are_refused(tmp_path):
    workbook(tmp_path / "clinical.xlsx")
    (tmp_path / "clinical.csv").write_bytes((DATA / "clean.csv").read_bytes())
    with pytest.raises(ClinicalTableError, match="which one counts"):
        read_clinical(table_path(tmp_path, "clinical"))


@pytest.mark.parametrize("content", [b"PK\x03\x04zip", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" * 99])
def test_what_is_no_workbook_is_refused_with_what_to_do(tmp_path, content):
    path = tmp_path / "clinical.xlsx"
    path.write_bytes(content)
    with pytest.raises(ClinicalTableError) as caught:
        read_clinical(path)
    assert "save it" in caught.value.remedy
    book = openpyxl.Workbook()
    book.save(path)
    with pytest.raises(ClinicalTableError, match="is empty"):
        read_clinical(path)


def test_all_tables_of_a_cohort_may_be_workbooks(tmp_path):
    workbook(tmp_path / "clinical.xlsx")
    measurements = pd.read_csv(DATA / "clean_measurements.csv")
    measurements.to_excel(tmp_path / "measurements.xlsx", index=False)
    squares = pd.DataFrame({"file": ["A/1.dcm"], "row": [1], "column": [2], "size": [250]})
    squares.to_excel(tmp_path / "roi.xlsx", index=False)
    pd.DataFrame({"hospital": ["A"], "patient_id": ["0012"]}).to_excel(tmp_path / "studies.xlsx", index=False)
    paths = other_tables(tmp_path)
    assert set(paths) == {"measurements", "roi"}
    given = values_by_file(paths["measurements"], "measurements", "A")
    assert given == values_by_file(DATA / "clean_measurements.csv", "measurements", "A")
    assert values_by_file(paths["roi"], "roi", "A") == {"1.dcm": {"row": 1, "column": 2, "size": 250}}
    assert [line.patient_id for line in read_study_list(tmp_path)] == ["0012"]
    before = hospital_tables_digest(tmp_path, "A")
    squares.assign(size=240).to_excel(tmp_path / "roi.xlsx", index=False)
    assert hospital_tables_digest(tmp_path, "A") != before
