"""Tables that were read wrongly once: each is read right, or refused with the line and what to do."""

import hashlib

import pandas as pd
import pytest

from dlre_core.foundation.errors import ClinicalTableError
from dlre_core.patients.clinical_table import examine_table, read_clinical, rejected_rows
from dlre_core.user_tables.data_contract import MEASUREMENT_COLUMNS
from tests.helpers.clean_table import DATA, codes, enrolled, found, same_values

CLEAN = read_clinical(DATA / "clean.csv")


def lines_with(table, code):
    return list(table.problems.loc[table.problems["code"] == code, "row"])


def test_rows_with_a_decimal_comma_that_shifts_them_are_refused():
    table = read_clinical(DATA / "surplus_cell.csv")
    assert lines_with(table, "surplus_cells") == [2, 3, 4, 5, 6, 7]
    assert rejected_rows(table.problems) == 6
    assert same_values(table.patients, CLEAN.patients[6:].reset_index(drop=True))
    assert "decimal point" in found(table, "surplus_cells")["remedy"]


def test_a_comma_in_a_remark_gives_nobody_another_stage():
    table = read_clinical(DATA / "surplus_cell_in_remark.csv")
    assert lines_with(table, "surplus_cells") == [3, 5, 6]
    stages = dict(zip(CLEAN.patients["patient_id"], CLEAN.patients["fibrosis_stage"], strict=True))
    assert len(table.patients) == 43
    for patient, stage in zip(table.patients["patient_id"], table.patients["fibrosis_stage"], strict=True):
        assert stages[patient] == stage


def test_a_column_that_stands_there_twice_is_refused_and_both_places_are_named():
    with pytest.raises(ClinicalTableError, match=r"ast_iu_l .* columns 18 and 33") as caught:
        read_clinical(DATA / "column_twice.csv")
    assert "delete or rename" in caught.value.remedy


def test_a_quote_that_is_never_closed_is_refused_with_its_line():
    with pytest.raises(ClinicalTableError, match="line 5") as caught:
        read_clinical(DATA / "unclosed_quote.csv")
    assert "Close the quote" in caught.value.remedy
    # All rows are looked at nevertheless, so that the check can name all else that is wrong.
    assert len(examine_table(DATA / "unclosed_quote.csv").patients) == 46


def test_line_ends_of_an_old_macintosh_are_read():
    table = read_clinical(DATA / "cr_only.csv")
    assert table.problems.empty
    assert same_values(table.patients, CLEAN.patients)


def test_a_mark_between_thousands_is_asked_about():
    table = read_clinical(DATA / "german_thousands.csv")
    asked = table.problems[table.problems["code"] == "thousands_mark"]
    assert list(zip(asked["row"], asked["column"], strict=True)) == [
        (2, "ast_iu_l"),
        (2, "ggt_iu_l"),
        (3, "ast_iu_l"),
    ]
    assert list(table.patients["ast_iu_l"].isna()[:3]) == [True, True, False]
    assert table.patients["ast_iu_l"].min() > 5
    others = CLEAN.patients.columns.difference(["ast_iu_l", "ggt_iu_l"])
    assert same_values(table.patients, CLEAN.patients, list(others))
    assert enrolled(table.patients) < enrolled(CLEAN.patients)


def test_flags_of_letters_are_read_as_what_they_mean():
    table = read_clinical(DATA / "flags_yes_no.csv")
    assert table.problems.empty
    assert same_values(table.patients, CLEAN.patients)


def test_dates_with_slashes_are_read_and_late_biopsies_are_not_enrolled():
    table = read_clinical(DATA / "dates_with_slashes.csv")
    assert table.problems.empty
    apart = pd.to_datetime(table.patients["biopsy_date"]) - pd.to_datetime(table.patients["elastography_date"])
    assert (apart.dt.days[:10] == 60).all()
    late = set(table.patients["patient_id"][:10])
    assert enrolled(table.patients) == enrolled(CLEAN.patients) - late
    assert enrolled(CLEAN.patients) & late


def test_stages_of_ishak_are_recognised_and_nobody_gets_one():
    with pytest.raises(ClinicalTableError, match=r"fibrosis_stage .* another scale") as caught:
        read_clinical(DATA / "ishak_stages.csv")
    assert "5 and 6 are F4" in caught.value.remedy
    table = examine_table(DATA / "ishak_stages.csv")
    assert table.patients.empty
    assert codes(table)["other_scale"] == 46


def test_clean_tables_are_read_as_ever():
    # Digests of what the reader before this one made of them.
    measurements = read_clinical(DATA / "clean_measurements.csv", None, MEASUREMENT_COLUMNS, ("file",))
    assert digest(CLEAN) == "2dcf68a210f5f1c8"
    assert digest(measurements) == "a4877c3da893812a"


def digest(table):
    text = (
        table.patients.to_csv(index=False) + repr(table.patients.dtypes.to_dict()) + table.problems.to_csv(index=False)
    )
    return hashlib.sha256(text.encode()).hexdigest()[:16]
