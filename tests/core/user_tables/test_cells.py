"""Cells: what is missing, yes and no, sexes, dates, numbers and stages, and what cannot be read never enrols."""

from datetime import date

import pandas as pd
import pytest

from dlre_core.foundation.errors import ClinicalTableError
from dlre_core.patients.clinical_table import read_clinical
from dlre_core.user_tables.vocabulary import MALE_FEMALE, YES_NO
from tests.helpers.clean_table import (
    DATA,
    changed,
    clean_rows,
    codes,
    enrolled,
    examined,
    found,
    same_values,
)

CLEAN = read_clinical(DATA / "clean.csv").patients
EXCLUSIONS = (
    "other_liver_disease",
    "viral_coinfection",
    "liver_transplantation",
    "antiviral_treatment_6_months",
)
WORDS = ["", "NA", "n/a", "N/A", ".", "-", "未查", "－", "unknown", "#N/A", "NULL", "未知", "nd"]
CODES = ["9", "99", "999", "-1", "-9", "999.0", "9999", "-99"]


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("column", ["ast_iu_l", "biopsy_date", "sex", "portal_tracts"])
def test_words_for_missing_are_missing_and_no_problem(tmp_path, column, word):
    table = examined(tmp_path, changed(column, lambda n, cell: word if n == 3 else cell))
    assert table.problems.empty
    assert pd.isna(table.patients[column][3])
    assert same_values(table.patients.drop(index=3), CLEAN.drop(index=3))


@pytest.mark.parametrize(
    ("column", "impossible"),
    [
        ("age_years", ["99", "999", "-1", "-9"]),
        ("height_cm", CODES),
        ("hbsag_positive_months", ["999", "-1", "-9", "9999"]),
        ("total_bilirubin_umol_l", ["999", "-1", "9999"]),
        ("albumin_g_l", ["9", "99", "999", "-1"]),
        ("hbeag_positive", CODES),
        ("biopsy_length_mm", ["99", "999", "-1"]),
        ("portal_tracts", ["99", "999", "-1", "-9"]),
        ("inflammation_grade", ["9", "99", "999"]),
        ("sex", ["9", "99", "-1"]),
        ("biopsy_date", ["9999-12-31", "1900-01-01"]),
    ],
)
def test_codes_for_missing_are_no_values_where_the_column_cannot_have_them(tmp_path, column, impossible):
    for code in impossible:
        table = examined(tmp_path, changed(column, lambda n, cell, c=code: c if n == 3 else cell))
        assert pd.isna(table.patients[column][3]), code
        assert codes(table) == {"missing_code": 1}
        assert found(table, "missing_code")["effect"] == "value removed"
        assert enrolled(table.patients) <= enrolled(CLEAN)


def test_a_code_for_a_missing_stage_refuses_the_row(tmp_path):
    for code in ("9", "99", "-1", "-9", "F9", "NA", "未查"):
        table = examined(tmp_path, changed("fibrosis_stage", lambda n, cell, c=code: c if n == 3 else cell))
        assert len(table.patients) == 45, code


def test_a_code_that_the_column_can_have_is_one_where_several_rows_share_it(tmp_path):
    once = examined(tmp_path, changed("ast_iu_l", lambda n, cell: "999" if n == 3 else cell))
    assert once.patients["ast_iu_l"][3] == 999
    often = examined(tmp_path, changed("ast_iu_l", lambda n, cell: "999" if n < 4 else cell))
    assert often.patients["ast_iu_l"][:4].isna().all()
    assert codes(often) == {"missing_code": 4}


@pytest.mark.parametrize("pair", YES_NO)
@pytest.mark.parametrize("form", [str, str.upper, str.lower, str.capitalize])
def test_yes_and_no_are_read_in_every_vocabulary(tmp_path, pair, form):
    yes, no = map(form, pair)
    rows = clean_rows()
    for column in (*EXCLUSIONS[:1], *EXCLUSIONS[3:], "hbeag_positive", "chronic_infection"):
        rows = changed(column, lambda _, cell: yes if cell == "1" else no if cell else cell, rows)
    table = examined(tmp_path, rows)
    assert table.problems.empty
    assert same_values(table.patients, CLEAN)


def test_width_of_letters_does_not_matter(tmp_path):
    rows = changed("other_liver_disease", lambda _, cell: "Ｙｅｓ" if cell == "1" else "Ｎｏ")
    rows = changed("ast_iu_l", lambda n, cell: "１６．０" if n == 2 else cell, rows)
    table = examined(tmp_path, rows)
    assert table.problems.empty
    assert same_values(table.patients, CLEAN)


def test_mixed_vocabularies_are_named_and_read(tmp_path):
    words = {"1": ["Y", "1", "阳性"], "0": ["N", "0", "阴性"]}
    rows = changed("antiviral_treatment_6_months", lambda n, cell: words[cell][n % 3])
    table = examined(tmp_path, rows)
    named = found(table, "mixed_words")
    assert all(pair in named["problem"] for pair in ("Y/N in", "1/0 in", "阳性/阴性 in"))
    assert same_values(table.patients, CLEAN)


def test_a_minus_means_no_only_where_a_plus_stands_too(tmp_path):
    both = changed("hbeag_positive", lambda _, cell: {"1": "+", "0": "-"}.get(cell, cell))
    assert same_values(examined(tmp_path, both).patients, CLEAN)
    alone = examined(tmp_path, changed("hbeag_positive", lambda n, cell: "-"))
    assert alone.patients["hbeag_positive"].isna().all()
    rows = changed("liver_transplantation", lambda *_: "-", both)
    assert same_values(examined(tmp_path, rows).patients, CLEAN)
    assert not enrolled(examined(tmp_path, changed("liver_transplantation", lambda *_: "-")).patients)


def test_a_flag_written_as_one_and_two_is_not_guessed(tmp_path):
    rows = changed("antiviral_treatment_6_months", lambda _, cell: str(2 - int(cell)))
    table = examined(tmp_path, rows)
    assert found(table, "column_unreadable")["effect"] == "study stopped"
    assert "not known which is yes" in found(table, "one_or_two")["problem"]
    assert not enrolled(table.patients)


@pytest.mark.parametrize("pair", MALE_FEMALE)
def test_sexes_are_read_in_every_vocabulary(tmp_path, pair):
    words = dict(zip("MF", pair, strict=True))
    table = examined(tmp_path, changed("sex", lambda _, cell: words[cell].upper()))
    assert table.problems.empty
    assert same_values(table.patients, CLEAN)


DAYS = {
    "{d.year}-{d.month:02}-{d.day:02}": "ISO",
    "{d.year}/{d.month}/{d.day}": "slashes",
    "{d.year}.{d.month}.{d.day}": "points",
    "{d.year}{d.month:02}{d.day:02}": "compact",
    "{d.year}年{d.month}月{d.day}日": "Chinese",
    "{d.year}年{d.month:02}月{d.day:02}日": "Chinese, two digits",
    "{d.year}-{d.month:02}-{d.day:02} 10:30": "with a time",
    "{d.year}-{d.month:02}-{d.day:02}T10:30:59.5Z": "with a time and a zone",
    "{d.year}/{d.month}/{d.day} 0:00": "of Excel",
    "{d.day}/{d.month}/{d.year}": "day first",
    "{d.month}/{d.day}/{d.year} 12:00:00 AM": "month first",
    "{d.day:02}.{d.month:02}.{d.year}": "German",
}


@pytest.mark.parametrize("form", DAYS, ids=DAYS.values())
def test_dates_are_read_in_every_form(tmp_path, form):
    rows = one_hospital()
    for column in ("elastography_date", "biopsy_date", "serology_date"):
        rows = changed(column, lambda _, cell: form.format(d=date.fromisoformat(cell)) if cell else cell, rows)
    table = examined(tmp_path, rows)
    assert set(codes(table)) <= {"day_month_order"}
    assert same_values(table.patients, CLEAN.assign(hospital="A"))


def one_hospital():
    return changed("hospital", lambda *_: "A")


@pytest.mark.parametrize("fraction", ["", ".0", ".4375"])
def test_day_numbers_of_excel_are_read_and_named(tmp_path, fraction):
    def serial(_, cell):
        return f"{(date.fromisoformat(cell) - date(1899, 12, 30)).days}{fraction}" if cell else cell

    table = examined(tmp_path, changed("biopsy_date", serial))
    assert set(codes(table)) == {"excel_date"}
    assert same_values(table.patients, CLEAN)


def day_first(day):
    return f"{day.day}/{day.month}/{day.year}"


def test_an_order_of_day_and_month_that_cannot_be_told_is_refused_for_the_column(tmp_path):
    rows = [row for row in one_hospital() if date.fromisoformat(row["biopsy_date"]).day <= 12]
    rows = changed("biopsy_date", lambda _, c: day_first(date.fromisoformat(c)), rows)
    table = examined(tmp_path, rows)
    assert table.patients["biopsy_date"].isna().all()
    assert "cannot be told apart" in found(table, "day_month_unclear")["problem"]
    assert not enrolled(table.patients)
    with pytest.raises(ClinicalTableError, match="biopsy_date"):
        table.usable()


def test_the_rows_that_decide_the_order_are_named(tmp_path):
    rows = changed("biopsy_date", lambda _, c: day_first(date.fromisoformat(c)), one_hospital())
    lines = [n for n, row in enumerate(rows, 2) if int(row["biopsy_date"].split("/")[0]) > 12]
    named = found(examined(tmp_path, rows), "day_month_order")["problem"]
    assert "the day comes first" in named
    assert f"lines {lines[0]}, {lines[1]}" in named


def test_rows_that_contradict_each_other_about_the_order_are_named(tmp_path):
    rows = changed("biopsy_date", lambda n, c: ["13/2/2015", "2/13/2015"][n % 2], one_hospital())
    table = examined(tmp_path, rows)
    assert table.patients["biopsy_date"].isna().all()
    assert "lines 2, 3" in found(table, "day_month_unclear")["problem"]


def test_a_hospital_does_not_decide_the_order_of_another(tmp_path):
    rows = changed("biopsy_date", lambda n, c: c if n else "25/3/2015", one_hospital())
    rows[1] |= {"hospital": "B", "biopsy_date": "3/4/2015"}
    table = examined(tmp_path, rows)
    assert table.patients["biopsy_date"][0] == date(2015, 3, 25)
    assert pd.isna(table.patients["biopsy_date"][1])


@pytest.mark.parametrize("column", EXCLUSIONS)
@pytest.mark.parametrize("cell", ["maybe", "HBV?", "3", "9", "NA", "未查", "?", "=B2", "0.5", "-1"])
def test_an_exclusion_that_is_not_understood_excludes(tmp_path, column, cell):
    one = sorted(enrolled(CLEAN))[0]
    rows = [row | {column: cell} if row["patient_id"] == one else row for row in clean_rows()]
    table = examined(tmp_path, rows)
    assert enrolled(table.patients) == enrolled(CLEAN) - {one}
    (said,) = table.problems[table.problems["patient_id"] == one].to_dict("records")
    assert "The patient is not enrolled." in said["problem"]
    assert not table.problems["effect"].eq("study stopped").any()


def test_an_empty_exclusion_counts_as_no_and_is_said(tmp_path):
    rows = changed("liver_transplantation", lambda *_: "")
    table = examined(tmp_path, rows)
    said = found(table, "empty_means_no")["problem"]
    assert "46 of 46 cells of liver_transplantation are empty" in said
    assert "'Previous liver transplantation' excludes none" in said


def test_more_than_a_tenth_that_cannot_be_read_stops_the_study(tmp_path):
    def spoiled(number):
        rows = changed("viral_coinfection", lambda n, cell: "maybe" if n < number else cell)
        return examined(tmp_path, rows)

    for_some = spoiled(4)
    assert for_some.usable() is for_some
    said = found(for_some, "criterion_not_applied")["problem"]
    assert "'HIV or any other viral hepatitis' cannot be applied to these 4 patients" in said
    stopped = spoiled(5)
    assert "5 of 46 cells of viral_coinfection" in found(stopped, "column_unreadable")["problem"]
    assert "'HIV or any other viral hepatitis'" in found(stopped, "column_unreadable")["problem"]
    with pytest.raises(ClinicalTableError, match=r"viral_coinfection .* more than a tenth"):
        stopped.usable()


@pytest.mark.parametrize("cell", ["", "31.2.2015", "2015-02-30", "later", "15/3/05"])
def test_an_unknown_day_of_the_biopsy_is_not_within_seven_days(tmp_path, cell):
    one = sorted(enrolled(CLEAN))[0]
    rows = [r | {"biopsy_date": cell} if r["patient_id"] == one else r for r in clean_rows()]
    assert enrolled(examined(tmp_path, rows).patients) == enrolled(CLEAN) - {one}


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("5,1", "decimal_comma"),
        ("1,234", "decimal_comma"),
        ("1.234.567", "thousands_mark"),
        ("1.234", "thousands_mark"),
        ("1 234", "not_a_number"),
        ("<5", "not_a_number"),
        ("40 IU/L", "not_a_number"),
        ("1_000", "not_a_number"),
        ("inf", "not_a_number"),
        ("12-4", "not_a_number"),
        ("=A1*2", "formula"),
    ],
)
def test_what_is_not_one_sure_number_is_removed_and_named(tmp_path, cell, code):
    table = examined(tmp_path, changed("ast_iu_l", lambda n, c: cell if n == 3 else c))
    assert pd.isna(table.patients["ast_iu_l"][3])
    assert codes(table) == {code: 1}


def test_three_decimals_in_most_cells_are_three_decimals(tmp_path):
    rows = changed("ast_iu_l", lambda _, cell: f"{float(cell):.3f}" if cell else cell)
    table = examined(tmp_path, rows)
    assert table.problems.empty
    assert same_values(table.patients, CLEAN)


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("F3-4", "between two stages"),
        ("3/4", "scale with its highest stage"),
        ("2-3", "between two stages"),
        ("IV", "Roman numeral"),
        ("Stage III", "Roman numeral"),
        ("4/6", "scale with its highest stage"),
        ("1a", "NASH-CRN"),
        ("4B", "Laennec"),
        ("S3", "Scheuer"),
        ("G2S3", "a stage and a grade"),
        ("A2", "a grade"),
        (">=F2", "a limit"),
        ("cirrhosis", "not one whole stage"),
    ],
)
def test_stages_of_another_scale_are_recognised_with_what_to_do(tmp_path, cell, words):
    table = examined(tmp_path, changed("fibrosis_stage", lambda n, c: cell if n == 3 else c))
    said = found(table, "not_one_grade")
    assert said["effect"] == "row rejected"
    assert words in said["problem"]
    assert len(said["remedy"]) > 20
    assert same_values(table.patients, CLEAN.drop(index=3).reset_index(drop=True))


def test_one_hospital_on_a_longer_scale_loses_its_stages_and_no_other_does(tmp_path):
    last = clean_rows()[-1]["hospital"]
    rows = [row | {"fibrosis_stage": "5" if n == 45 else row["fibrosis_stage"]} for n, row in enumerate(clean_rows())]
    table = examined(tmp_path, rows)
    assert last not in set(table.patients["hospital"])
    others = CLEAN[CLEAN["hospital"] != last].reset_index(drop=True)
    assert same_values(table.patients, others)
    assert "5 and 6 are F4" in found(table, "other_scale")["remedy"]
