"""Subanalyses of any column: who is in which group, what each row counts, and which tests stand beside."""

import numpy as np
import pandas as pd
import pytest

from dlre_core.foundation.errors import ConfigurationError
from dlre_core.statistics.comparisons import auc_heterogeneity, compare_every_two_groups
from dlre_core.statistics.roc import roc_analysis
from dlre_core.tables.subanalyses import (
    TEST_COLUMNS,
    Grouping,
    described_patients,
    group_names,
    groups_of,
    printed_subanalyses,
    read_groupings,
    subanalyses,
    subanalysis_table,
    subanalysis_tests,
)
from dlre_core.tables.supplement_subgroups import subgroup_of, subgroupings

AGE = Grouping("age", "age_years", (40, 60), unit="years")
COUNTRY = Grouping("country", "country")


def cohort(n=300, seed=5):
    generator = np.random.default_rng(seed)
    patients = pd.DataFrame(
        {
            "age_years": generator.integers(20, 80, n).astype(float),
            "country": generator.choice(["JP", "CN", "DE"], n),
            "diabetes": pd.array(generator.integers(0, 2, n), dtype="Int64"),
        }
    )
    labels = (generator.random(n) < 0.4).astype(int)
    scores = {"lsm": labels + generator.normal(size=n), "dlre": 2.0 * labels + generator.normal(size=n)}
    return patients, labels, scores


def test_limits_divide_as_they_are_written():
    patients = pd.DataFrame({"age_years": [39.9, 40, 40.1, 60, 61, np.nan]})
    assert list(groups_of(patients, AGE)) == [
        "≤40 years",
        "≤40 years",
        ">40 to 60 years",
        ">40 to 60 years",
        ">60 years",
        "unknown",
    ]
    below = Grouping("age", "age_years", (40, 60), includes=False)
    assert list(groups_of(patients, below)) == ["<40", "≥40 to below 60", "≥40 to below 60", "≥60", "≥60", "unknown"]
    one = Grouping("BMI", "bmi_kg_m2", (25,), names=("<25", "≥25"), includes=False)
    assert list(groups_of(pd.DataFrame({"bmi_kg_m2": [24.9, 25.0]}), one)) == ["<25", "≥25"]


def test_the_papers_subgroups_are_such_groups():
    generator = np.random.default_rng(0)
    scores = pd.DataFrame(
        {
            "alt_iu_l": generator.integers(10, 120, 200).astype(float),
            "bmi_kg_m2": generator.integers(18, 34, 200).astype(float),
            "inflammation_grade": generator.integers(0, 4, 200).astype(float),
        }
    )
    scores.loc[:3] = np.nan
    for paper in subgroupings([40, 80], 25).values():
        grouping = Grouping(paper.title, paper.column, paper.limits, paper.names, paper.includes)
        assert list(groups_of(scores, grouping)) == list(subgroup_of(scores, paper))


def test_categories_are_those_of_the_patients_or_those_that_are_wanted():
    patients = pd.DataFrame({"country": ["JP", "CN", None, "", "JP"]})
    assert group_names(patients, COUNTRY) == ("CN", "JP")
    assert list(groups_of(patients, COUNTRY)) == ["JP", "CN", "unknown", "unknown", "JP"]
    ordered = Grouping("country", "country", names=("JP", "CN", "DE"))
    assert group_names(patients, ordered) == ("JP", "CN", "DE")
    with pytest.raises(ValueError, match="country 'CN' is none of JP, DE"):
        groups_of(patients, Grouping("country", "country", names=("JP", "DE")))
    flags = pd.DataFrame({"diabetes": pd.array([1, 0, None], dtype="Int64")})
    assert list(groups_of(flags, Grouping("diabetes", "diabetes"))) == ["1", "0", "unknown"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"limits": (60, 40)}, "do not rise"),
        ({"limits": (40, 40)}, "do not rise"),
        ({"limits": (40,), "names": ("young",)}, "make 2 groups"),
        ({"names": ("A", "A")}, "must differ"),
        ({"names": ("A", "unknown")}, "must differ"),
    ],
)
def test_a_grouping_that_contradicts_itself_is_refused(options, words):
    with pytest.raises(ValueError, match=words):
        Grouping("age", "age_years", **options)


def test_each_row_is_the_roc_analysis_of_its_patients():
    patients, labels, scores = cohort()
    patients.loc[:9, "country"] = None
    scores["lsm"][20:30] = np.nan
    table = subanalysis_table(patients, labels, scores, COUNTRY, interval="logit")
    assert list(table["group"]) == ["CN", "DE", "JP", "unknown"] * 2
    for row in table.to_dict("records"):
        here = (patients["country"].fillna("unknown") == row["group"]).to_numpy()
        values = scores[row["method"]][here]
        roc = roc_analysis(labels[here], values, interval="logit")
        assert (row["n"], row["n_cases"], row["n_missing"]) == (
            len(values) - np.isnan(values).sum(),
            labels[here][~np.isnan(values)].sum(),
            np.isnan(values).sum(),
        )
        if row["group"] == "unknown":
            assert np.isnan(row["auc"])
            assert row["notes"] == "country is missing"
        else:
            assert (row["auc"], row["auc_low"], row["auc_high"]) == (roc.auc, *roc.auc_interval)
    assert table[table["method"] == "dlre"]["n"].sum() == len(patients)


def test_a_small_group_has_no_interval_and_an_empty_one_no_auc_and_both_say_so():
    patients, labels, scores = cohort()
    labels[np.flatnonzero((patients["country"] == "DE") & (labels == 1))[3:]] = 0
    wanted = Grouping("country", "country", names=("CN", "DE", "JP", "FR"))
    table = subanalysis_table(patients, labels, scores, wanted).set_index(["method", "group"])
    few, none = table.loc[("lsm", "DE")], table.loc[("lsm", "FR")]
    assert np.isnan(few["auc_low"])
    assert "3 cases" in few["notes"]
    assert (none["n"], none["notes"]) == (0, "no patients")
    tests = subanalysis_tests(patients, labels, scores, wanted)
    whole = tests[(tests["method"] == "lsm") & (tests["first"] == "all groups")].iloc[0]
    assert whole["degrees_of_freedom"] == 1
    assert "without DE: 3 cases, fewer than 5" in whole["notes"]
    assert "without FR" in whole["notes"]


def test_tests_stand_beside_over_all_groups_and_every_two():
    patients, labels, scores = cohort()
    tests = subanalysis_tests(patients, labels, scores, AGE)
    assert list(tests) == TEST_COLUMNS
    assert len(tests) == 2 * (1 + 3)
    names, member = group_names(patients, AGE), groups_of(patients, AGE)
    for method, rows in tests.groupby("method"):
        whole, *pairs = rows.to_dict("records")
        expected = auc_heterogeneity(labels, scores[method], member, names)
        assert (whole["first"], whole["statistic"], whole["p_value"]) == (
            "all groups",
            expected.statistic,
            expected.p_value,
        )
        assert np.isnan(whole["p_holm"])
        for row, pair in zip(pairs, compare_every_two_groups(labels, scores[method], member, names), strict=True):
            assert (row["first"], row["second"], row["p_holm"]) == (pair.first, pair.second, pair.p_holm)
            assert row["difference"] == pair.comparison.difference


def scored(n: int = 60) -> pd.DataFrame:
    chance = np.random.default_rng(3)
    stage = np.tile([0, 1, 2, 3, 4], n // 5)
    patients = pd.DataFrame({"hospital": "A", "patient": [f"P{i}" for i in range(n)], "fibrosis_stage": stage})
    for name in ("f4", "ge_f3", "ge_f2"):
        patients[f"dlre_{name}"] = stage + chance.normal(0, 1, n)
    return patients


def test_the_maker_of_most_pictures_is_the_patients():
    scores = scored(5)
    pictures = [("P0", "GE"), ("P0", "GE"), ("P0", "Mindray"), ("P1", "Mindray")]
    acquisitions = pd.DataFrame([("A", *row) for row in pictures], columns=["hospital", "patient", "manufacturer"])
    clinical = scores[["hospital", "patient", "fibrosis_stage"]].assign(country="JP")[::-1]
    found = described_patients(scores, clinical, acquisitions)
    assert list(found["patient"]) == list(scores["patient"])
    assert list(found["manufacturer"][:2]) == ["GE", "Mindray"]
    assert found["manufacturer"][2:].isna().all()
    assert set(found["country"]) == {"JP"}


def test_every_grouping_and_question_stands_in_both_tables_and_in_print():
    patients = scored().assign(country=["JP", "CN", "DE"] * 20, age_years=range(60))
    entries = [{"column": "country"}, {"title": "Age", "column": "age_years", "limits": [29.5], "unit": "years"}]
    groupings = read_groupings(entries, patients)
    table, tests = subanalyses(patients, ("f4", "ge_f2"), groupings, {"dlre": "dlre_{stage}"})
    assert list(table.groupby(["grouping", "stage"], sort=False).size()) == [3, 3, 2, 2]
    assert list(tests.groupby(["grouping", "stage"], sort=False).size()) == [4, 4, 2, 2]
    alone = subanalysis_table(
        patients, patients["fibrosis_stage"] >= 4, {"dlre": patients["dlre_f4"]}, groupings[1]
    ).set_index("group")
    here = table[(table["grouping"] == "Age") & (table["stage"] == "f4")].set_index("group")
    assert list(here["auc"]) == list(alone["auc"])
    printed = printed_subanalyses(table, tests, 0.95, simulated=True)
    assert [block.heading for block in printed.blocks][3] == "Age: Significant fibrosis (≥F2)"
    assert printed.blocks[0].rows[0][:4] == ["DLRE", "CN", "20", "4"]
    assert any("4 cases" in note for note in printed.footnotes)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"column": "shoe_size"}, "no such column"),
        ({"column": "age_years", "limits": [60, 40]}, "do not rise"),
        ({"column": "country", "names": ["JP", "CN"]}, "'DE' is none of"),
    ],
)
def test_a_grouping_that_does_not_fit_is_named(entry, words):
    patients = scored().assign(country=["JP", "CN", "DE"] * 20, age_years=range(60))
    with pytest.raises(ConfigurationError, match=rf"subanalyses\[0\], column {entry['column']}.*{words}"):
        read_groupings([entry], patients)
