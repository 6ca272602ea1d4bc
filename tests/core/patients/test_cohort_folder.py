"""Codes of hospitals, and which of a cohort's tables' rows an ingestion depends on."""

import pytest

from dlre_core.foundation.errors import CohortError
from dlre_core.patients.cohort_folder import hospital_codes
from dlre_core.patients.other_tables import hospital_tables_digest
from tests.helpers.clinical_csv import write


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_new_patient_changes_the_digest_of_the_own_hospital_only(tmp_path, separator):
    def digests(*changes):
        write(tmp_path, *changes, separator=separator)
        return [hospital_tables_digest(tmp_path, hospital) for hospital in "AB"]

    before = digests({})
    assert digests({"ast_iu_l": "77", "fibrosis_stage": "4"}) == before
    assert digests({"elastography_date": "2015-01-02"}) != before
    with_another = digests({}, {})
    assert with_another[0] != before[0]
    assert with_another[1] == before[1]


@pytest.mark.parametrize("code", ["A+B", "Mitte (1)", "a.b", "images", "rois"])
def test_folders_that_cannot_be_codes_are_refused_before_anything_runs(tmp_path, code):
    (tmp_path / "dicom" / code).mkdir(parents=True)
    with pytest.raises(CohortError, match="letters, digits"):
        hospital_codes({"source": "folder", "folder": tmp_path})


def test_codes_may_be_NA_01_and_in_any_alphabet(tmp_path):
    codes = ["01", "NA", "Süd", "UK-HH", "北"]
    for code in codes:
        (tmp_path / "dicom" / code).mkdir(parents=True)
    assert hospital_codes({"source": "folder", "folder": tmp_path}) == codes
