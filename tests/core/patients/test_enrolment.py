"""Each criterion excludes whom it must, at its limit, and the flow closes."""

import pandas as pd
import pytest

from dlre_core.patients.enrolment import (
    EnrolmentSettings,
    eligibility_digest,
    enrol,
    flow,
)

BASE = {
    "hospital": "A",
    "elastography_date": "2015-03-02",
    "biopsy_date": "2015-03-09",
    "serology_date": "2015-02-23",
    "age_years": 18.0,
    "hbsag_positive_months": 7.0,
    "other_liver_disease": 0,
    "viral_coinfection": 0,
    "liver_transplantation": 0,
    "antiviral_treatment_6_months": 0,
    "biopsy_length_mm": 15.0,
    "portal_tracts": 6,
    "platelets_10e9_l": 180.0,
    "ast_iu_l": 40.0,
    "alt_iu_l": 45.0,
}


def run(*changes, images=5):
    table = pd.DataFrame([BASE | {"patient": f"P{i}"} | c for i, c in enumerate(changes)])
    keys = pd.MultiIndex.from_frame(table[["hospital", "patient"]])
    return enrol(table, pd.Series(images, index=keys), EnrolmentSettings())


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, ""),
        ({"hbsag_positive_months": 6.0}, "hbsag_too_short"),
        ({"hbsag_positive_months": None}, "hbsag_too_short"),
        ({"age_years": 17.0}, "too_young"),
        ({"other_liver_disease": 1}, "other_liver_disease"),
        ({"other_liver_disease": None}, ""),
        ({"viral_coinfection": 1}, "viral_coinfection"),
        ({"liver_transplantation": 1}, "liver_transplantation"),
        ({"antiviral_treatment_6_months": 1}, "antiviral_treatment"),
        ({"biopsy_length_mm": 14.9}, "unqualified_histology"),
        ({"portal_tracts": 5}, "unqualified_histology"),
        ({"portal_tracts": None}, "unqualified_histology"),
        ({"biopsy_date": "2015-03-10"}, "unqualified_histology"),
        ({"biopsy_date": None}, "unqualified_histology"),
        ({"serology_date": None}, "missing_serology"),
        ({"elastography_date": None}, "unqualified_histology"),
        ({"unreadable": "viral_coinfection"}, "unreadable_cell"),
        ({"unreadable": "sex;alt_iu_l"}, "unreadable_cell"),
        ({"unreadable": "sex;hbeag_positive"}, ""),
        ({"serology_date": "2015-02-22"}, "missing_serology"),
        ({"alt_iu_l": None}, "missing_serology"),
    ],
)
def test_limits(change, reason):
    row = run(change).iloc[0]
    assert row["first_reason"] == reason
    assert row["enrolled"] == (reason == "")


def test_elastography_failed_only_where_nothing_else_excludes():
    assert run({}, {"age_years": 17.0}, images=5)["elastography_failed"].tolist() == [0, 0]
    found = run({}, {"age_years": 17.0}, images=4)
    assert found["elastography_failed"].tolist() == [1, 0]
    assert found["all_reasons"].tolist() == ["unsuccessful_elastography", "too_young;unsuccessful_elastography"]
    table = pd.DataFrame([BASE | {"patient": "P"}])
    keys = pd.MultiIndex.from_frame(table[["hospital", "patient"]])
    unsure = EnrolmentSettings(reliable_stiffness=True)
    both = enrol(table, pd.Series(3, index=keys), unsure, pd.Series(1.0, index=keys)).iloc[0]
    assert both["all_reasons"] == "unsuccessful_elastography;unreliable_stiffness"
    assert both["elastography_failed"] == 1


def test_too_few_pictures_exclude():
    assert run({}, images=4).iloc[0]["first_reason"] == "unsuccessful_elastography"


def test_first_and_all_reasons_follow_the_order_of_the_criteria():
    row = run({"alt_iu_l": None, "viral_coinfection": 1, "age_years": 3.0}).iloc[0]
    assert row["all_reasons"] == "too_young;viral_coinfection;missing_serology"
    assert row["first_reason"] == "too_young"


def test_flow_closes():
    verdict = run({}, {"age_years": 3.0}, {"alt_iu_l": None, "age_years": 3.0}, {"portal_tracts": 0})
    counts = flow(verdict, EnrolmentSettings())
    assert counts["excluded_first"].sum() == (verdict["enrolled"] == 0).sum() == 3
    assert counts["excluded_any"].sum() == 4
    assert list(counts["criterion"].unique()) == [criterion.name for criterion in EnrolmentSettings().rules[1:]]


def test_cells_that_cannot_be_read_stand_first_in_the_flow_and_only_where_they_exclude():
    verdict = run({}, {"unreadable": "viral_coinfection", "age_years": 3.0})
    counts = flow(verdict, EnrolmentSettings())
    assert list(counts["criterion"])[:2] == ["unreadable_cell", "hbsag_too_short"]
    assert list(counts["order"])[:2] == [0, 1]
    assert counts["excluded_first"].sum() == 1


def test_sentences_of_the_flow_chart_name_the_configured_limits():
    settings = EnrolmentSettings(minimum_age_years=16, minimum_biopsy_length_mm=12.5, minimum_portal_tracts=5)
    sentences = set(flow(run({}), settings)["sentence"])
    assert "Not known to be 16 years or older" in sentences
    assert "Biopsy shorter than 12.5 mm, fewer than 5 portal tracts, or not within 7 days" in sentences


def test_digest_follows_eligibility_and_stage_but_not_laboratory_values(tmp_path):
    from tests.helpers.clinical_csv import write

    def digest(change):
        return eligibility_digest(write(tmp_path, {}, change), ["A"], EnrolmentSettings())

    before = digest({})
    assert digest({"ast_iu_l": "77"}) == before
    assert digest({"fibrosis_stage": "3"}) != before
    assert digest({"ast_iu_l": ""}) != before

    def by_sex(change, columns=("sex", "absent")):
        table = write(tmp_path, {}, change)
        return eligibility_digest(table, ["A"], EnrolmentSettings(), columns=columns)

    assert by_sex({}, ()) == before
    assert by_sex({"sex": "F"}, ()) == before
    assert by_sex({}) != by_sex({"sex": "F"})
    assert by_sex({}) == by_sex({"ast_iu_l": "77"})
    assert eligibility_digest(tmp_path / "none.csv", ["A"], EnrolmentSettings()) == "absent"
