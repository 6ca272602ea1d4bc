"""The form of a table: encodings, delimiters, line ends, quotes and rows that do not fit the header."""

import pytest

from dlre_core.foundation.errors import ClinicalTableError, CohortError
from dlre_core.patients.clinical_table import examine_table, read_clinical
from dlre_core.patients.other_tables import values_by_file
from dlre_core.patients.study_list import read_study_list
from tests.helpers.clean_table import (
    DATA,
    as_csv,
    clean_rows,
    codes,
    found,
    same_values,
    write_rows,
)

CLEAN = read_clinical(DATA / "clean.csv").patients


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_line_ends_and_encodings_are_read(tmp_path, encoding, line_end):
    table = read_clinical(write_rows(tmp_path, clean_rows(), encoding, line_end=line_end))
    assert table.problems.empty
    assert same_values(table.patients, CLEAN)


@pytest.mark.parametrize("begin", ["sep=;\n", '"sep=;"\r\n', "SEP=;\r"])
def test_a_line_that_names_the_delimiter_is_read_and_counted(tmp_path, begin):
    rows = clean_rows()
    rows[3]["ast_iu_l"] = "many"
    path = tmp_path / "clinical.csv"
    path.write_bytes((begin + as_csv(rows, delimiter=";")).encode())
    table = examine_table(path)
    assert codes(table) == {"not_a_number": 1}
    assert found(table, "not_a_number")["row"] == 6
    assert len(table.patients) == 46


@pytest.mark.parametrize("form", ['="{}"', '"=""{}"""'])
def test_text_that_excel_wraps_keeps_its_zeros(tmp_path, form):
    text = (DATA / "clean.csv").read_text().replace("A0001,", form.format("0012") + ",", 1)
    path = tmp_path / "clinical.csv"
    path.write_text(text)
    table = read_clinical(path)
    assert table.problems.empty
    assert table.patients["patient_id"][0] == "0012"


def test_lines_with_line_ends_in_cells_are_counted_as_an_editor_counts_them(tmp_path):
    rows = [row | {"remark": ""} for row in clean_rows()]
    rows[0]["remark"] = 'first "look",\nsecond look'
    rows[1]["ast_iu_l"] = "many"
    table = read_clinical(write_rows(tmp_path, rows))
    assert len(table.patients) == 46
    assert found(table, "not_a_number")["row"] == 4


@pytest.mark.parametrize("quoted", [False, True])
@pytest.mark.parametrize("row", [0, 20, 45])
def test_an_open_quote_is_named_wherever_it_is_and_however_the_rest_is_quoted(tmp_path, row, quoted):
    rows = [r | {"remark": "read, again" if quoted else ""} for r in clean_rows()]
    lines = as_csv(rows).splitlines()
    begin = lines[row + 1].rpartition(',"read')[0] if quoted else lines[row + 1][:-1]
    lines[row + 1] = f'{begin},"open'
    path = tmp_path / "clinical.csv"
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(ClinicalTableError, match=f"line {row + 2}:"):
        read_clinical(path)


def test_a_cell_beyond_any_sense_is_refused_with_its_line(tmp_path):
    rows = [row | {"remark": ""} for row in clean_rows()]
    rows[4]["remark"] = "x" * 20_000
    table = read_clinical(write_rows(tmp_path, rows))
    assert found(table, "cell_too_long")["row"] == 6
    assert len(table.patients) == 45
    rows[4]["remark"] = "x" * 200_000
    with pytest.raises(ClinicalTableError, match="line 6"):
        read_clinical(write_rows(tmp_path, rows))


def test_a_quote_over_the_whole_file_is_no_stack(tmp_path):
    rows = [row | {"remark": ""} for row in clean_rows()] * 40
    rows[0] = rows[0] | {"remark": "open"}
    text = as_csv(rows).replace("open", '"open', 1)
    path = tmp_path / "clinical.csv"
    path.write_text(text)
    assert len(text) > 200_000
    with pytest.raises(ClinicalTableError, match="line 2:"):
        read_clinical(path)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda cells: [*cells, "x"], "surplus_cells"),
        (lambda cells: [*cells[:10], "", *cells[10:]], "surplus_cells"),
        # The last cell is empty, so that the row has no more filled cells than the header.
        (lambda cells: [*cells[:10], "5", *cells[10:-1], ""], "surplus_cells"),
        (lambda cells: cells[:10] + cells[11:], "cells_lacking"),
        (lambda cells: cells[:-1], "cells_lacking"),
        (lambda cells: cells[:5], "cells_lacking"),
    ],
)
def test_rows_that_do_not_have_the_headers_cells_are_refused_and_never_shifted(tmp_path, change, code):
    lines = (DATA / "clean.csv").read_text().splitlines()
    lines[9] = ",".join(change(lines[9].split(",")))
    path = tmp_path / "clinical.csv"
    path.write_text("\n".join(lines))
    table = read_clinical(path)
    assert codes(table) == {code: 1}
    assert found(table, code)["row"] == 10
    assert same_values(table.patients, CLEAN.drop(index=8).reset_index(drop=True))


def test_a_patient_who_stands_in_a_refused_row_too_is_not_taken_from_the_other(tmp_path):
    lines = (DATA / "clean.csv").read_text().splitlines()
    path = tmp_path / "clinical.csv"
    for again in (lines[9] + ",x", "," + lines[9], lines[9].replace(",", "", 1)):
        path.write_text("\n".join([*lines, again]))
        table = read_clinical(path)
        alike = same_values(table.patients, CLEAN.drop(index=8).reset_index(drop=True))
        # Where id and hospital were one cell, nobody can see whose row it is.
        assert alike is ("A0009,A" in again)


def test_delimiters_at_the_end_of_all_rows_are_no_cells(tmp_path):
    lines = (DATA / "clean.csv").read_text().splitlines()
    path = tmp_path / "clinical.csv"
    for header_too in (True, False):
        ended = [line + ",," if header_too or n else line for n, line in enumerate(lines)]
        path.write_text("\n".join(ended))
        table = read_clinical(path)
        assert table.problems.empty
        assert same_values(table.patients, CLEAN)


def test_a_second_table_below_the_first_is_named_and_not_read(tmp_path):
    header = (DATA / "clean.csv").read_text().splitlines()[0]
    more = {
        "few cells": "Hospital,Patients\nA,3\nB,4\n",
        "the header again": f"{header}\n{(DATA / 'clean.csv').read_text().splitlines()[1]}\n",
    }
    for text in more.values():
        path = tmp_path / "clinical.csv"
        path.write_text((DATA / "clean.csv").read_text() + "," * 31 + "\n" + text)
        table = read_clinical(path)
        assert found(table, "second_table")["row"] == 49
        assert same_values(table.patients, CLEAN)


def test_rows_below_a_blank_one_are_read_where_they_are_patients(tmp_path):
    lines = (DATA / "clean.csv").read_text().splitlines()
    path = tmp_path / "clinical.csv"
    path.write_text("\n".join([*lines[:20], "," * 31, *lines[20:]]))
    table = read_clinical(path)
    assert codes(table) == {"blank_row": 1}
    assert same_values(table.patients, CLEAN)


@pytest.mark.parametrize(
    "rows",
    [
        "A,A1,A/A1/1.dcm,999\n",
        "A,A1,A/A1/1.dcm,-1\n",
        "A,A1,A/A1/1.dcm,n/a\n",
        "A,A1,A/A1/1.dcm,8.1\nA,A1,A/A1/1.dcm,12.5\n",
    ],
)
def test_codes_and_doubles_of_measurements_are_no_stiffness(tmp_path, rows):
    path = tmp_path / "measurements.csv"
    path.write_text("hospital,patient_id,file,q_box_mean_kpa\nA,A1,A/A1/0.dcm,7.5\n" + rows)
    given = values_by_file(path, "measurements", "A")
    assert given.pop("A1/0.dcm") == {"q_box_mean_kpa": 7.5}
    assert not any(given.values())


def test_a_measurement_table_that_cannot_be_read_stops(tmp_path):
    path = tmp_path / "measurements.csv"
    path.write_text("hospital,patient_id,file,q_box_mean_kpa\nA,A1,A/1.dcm,7,5\n")
    assert values_by_file(path, "measurements", "A") == {}
    path.write_text("hospital,patient_id,file,q_box_mean_kpa\nA,A1,A/1.dcm,soft\n")
    with pytest.raises(ClinicalTableError, match="q_box_mean_kpa"):
        values_by_file(path, "measurements", "A")


def test_squares_are_read_by_their_contract(tmp_path):
    path = tmp_path / "roi.csv"
    path.write_text(
        "file,row,column,size\n" + "".join(f"A/{n}.dcm,10,20,250\n" for n in range(20)) + "A/half.dcm,1.5,2,250\n"
    )
    squares = values_by_file(path, "roi", "A")
    assert squares["3.dcm"] == {"row": 10.0, "column": 20.0, "size": 250.0}
    assert "half.dcm" not in squares


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("hospital,patient_id\nA,1,2\n", "line 2: The row has 3 cells"),
        ('hospital,patient_id\nA,"1\nB,2\n', "line 2: A double quote"),
        ("hospital,patient_id,patient_id\nA,1,2\n", "patient_id twice"),
    ],
)
def test_a_list_of_studies_asks_for_nobody_else(tmp_path, text, says):
    (tmp_path / "studies.csv").write_text(text)
    with pytest.raises(CohortError, match=says):
        read_study_list(tmp_path)
