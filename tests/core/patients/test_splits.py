"""Splits are stratified, seeded, disjoint, and a leak stops the study."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlre_core.foundation.design import stage_labels
from dlre_core.foundation.errors import ConfigurationError, PatientLeak, StoreMismatch, TrainingError
from dlre_core.ingestion.look_alikes import check_leaks
from dlre_core.patients.splits import make_split, select_images, stopping_patients, strata

RANDOM = {"method": "random", "training_fraction": 2 / 3}


def cohort(stages, hospitals=("A",)):
    n = len(stages)
    return pd.DataFrame(
        {
            "hospital": [hospitals[i % len(hospitals)] for i in range(n)],
            "patient": [f"P{i:05d}" for i in range(n)],
            "fibrosis_stage": stages,
        }
    )


def test_the_papers_numbers():
    stages = [1] * 65 + [2] * 109 + [3] * 126 + [4] * 98
    split = make_split(cohort(stages), RANDOM, seed=1)
    training = split[split["cohort"] == "training"]
    assert len(training) == 266
    assert len(split) - len(training) == 132
    counts = training["fibrosis_stage"].value_counts()
    # 65, 109, 126, 98 times 266/398, by largest remainder
    assert [counts[s] for s in (1, 2, 3, 4)] == [43, 73, 84, 66]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 4), min_size=3, max_size=80), st.integers(0, 2**32 - 1))
def test_every_patient_is_in_one_cohort_and_strata_keep_their_share(stages, seed):
    table = cohort(stages)
    split = make_split(table, RANDOM, seed=seed)
    assert sorted(split["patient"]) == sorted(table["patient"])
    assert (split["cohort"] == "training").sum() == int(np.ceil(round(len(stages) * 2 / 3, 3)))
    strata = split["fibrosis_stage"].clip(lower=1)
    for _, part in split.groupby(strata):
        expected = len(part) * (split["cohort"] == "training").mean()
        assert abs((part["cohort"] == "training").sum() - expected) < 1


def test_order_of_rows_does_not_matter_and_the_seed_does():
    table = cohort([1, 2, 3, 4] * 20)
    first = make_split(table, RANDOM, seed=5)
    pd.testing.assert_frame_equal(first, make_split(table[::-1], RANDOM, seed=5))
    assert not first["cohort"].equals(make_split(table, RANDOM, seed=6)["cohort"])


def test_hospitals_train_and_validate_apart():
    rule = {"method": "hospitals", "training": ["B"]}
    split = make_split(cohort([1, 2, 3, 4] * 3, ("A", "B", "C")), rule, seed=1)
    assert set(split.loc[split["cohort"] == "training", "hospital"]) == {"B"}
    assert set(split.loc[split["cohort"] == "validation", "hospital"]) == {"A", "C"}


def test_a_split_without_validation_or_with_unknown_hospitals_says_so():
    table = cohort([1, 4, 2], ("A",))
    with pytest.raises(TrainingError, match="validation"):
        make_split(table, {"method": "hospitals", "training": ["A"]}, seed=1)
    with pytest.raises(ConfigurationError, match="Q"):
        make_split(table, {"method": "hospitals", "training": ["Q"]}, seed=1)


def test_permutation_keeps_counts_and_changes_who():
    table = cohort([1, 2, 3, 4] * 20)
    split = make_split(table, RANDOM, seed=1, permute_labels=True)
    merged = split.merge(table, on="patient", suffixes=("", "_true"))
    assert sorted(split["fibrosis_stage"]) == sorted(table["fibrosis_stage"])
    assert (merged["fibrosis_stage"] != merged["fibrosis_stage_true"]).mean() > 0.5


def test_stopping_patients_are_never_validation_patients():
    split = make_split(cohort([1, 2, 3, 4] * 20), RANDOM, seed=1)
    held_back = stopping_patients(split, 0.2, seed=3)
    # 54 training patients, 11 to hold back, 13.5 of each stage
    assert held_back.sum() == 11
    assert (split.loc[held_back, "cohort"] == "training").all()


@pytest.mark.parametrize(
    ("stage", "expected"), [("f4", [0, 0, 0, 0, 1]), ("ge_f3", [0, 0, 0, 1, 1]), ("ge_f2", [0, 0, 1, 1, 1])]
)
def test_stage_labels(stage, expected):
    assert stage_labels(pd.Series([0, 1, 2, 3, 4]), stage).tolist() == expected


def pictures(split, digests):
    return pd.DataFrame(
        {
            "image_id": [f"i{k}" for k in range(len(split))],
            "hospital": split["hospital"],
            "patient": split["patient"],
            "pixel_digest": digests,
        }
    )


def test_leaks_are_found_and_named():
    split = make_split(cohort([1, 2, 3, 4] * 3), RANDOM, seed=1)
    clean = check_leaks(split, pictures(split, [f"d{k}" for k in range(12)])).iloc[0]
    assert (clean["training_pictures"], clean["validation_pictures"]) == (8, 4)
    training = split.index[split["cohort"] == "training"][0]
    validation = split.index[split["cohort"] == "validation"][0]
    digests = [f"d{k}" for k in range(12)]
    digests[training] = digests[validation]
    with pytest.raises(PatientLeak, match=split.loc[validation, "patient"]):
        check_leaks(split, pictures(split, digests))
    doubled = pd.concat([split, split.loc[[training]].assign(cohort="validation")])
    with pytest.raises(PatientLeak, match="both sides"):
        check_leaks(doubled, pictures(split, [f"d{k}" for k in range(12)]))


def test_every_stage_is_held_back_and_trained_on_where_it_can_be():
    split = make_split(cohort([1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 4, 4, 4]), RANDOM, seed=1)
    held_back = stopping_patients(split, 0.05, seed=3)
    for _, part in split[split["cohort"] == "training"].groupby("fibrosis_stage"):
        assert 0 < held_back[part.index].sum() < len(part)


def test_patients_without_enough_pictures_are_counted():
    """Of four patients one has a picture too few and one none at all."""
    rois = pd.DataFrame({"hospital": "A", "patient": list("PPQRR"), "acquisition": [1, 2, 1, 1, 2]})
    split = pd.DataFrame({"hospital": "A", "patient": list("PQRS"), "cohort": "training"})
    with pytest.raises(StoreMismatch, match="2 patients of the split have fewer than 2 cropped images"):
        select_images(rois, split, 2)
    assert len(select_images(rois, split[split["patient"].isin(["P", "R"])], 2)) == 4


def by_country(stages, countries):
    table = cohort(stages, ("A", "B"))
    return table.assign(country=[countries[i % len(countries)] for i in range(len(table))])


def test_named_patients_are_external_and_the_others_keep_their_share():
    table = by_country([1, 2, 3, 4] * 15, ["CN", "CN", "ES", "CN", None])
    split = make_split(table, RANDOM | {"external": {"country": ["ES"], "hospital": ["Z"]}}, seed=1)
    assert list(split.columns) == ["hospital", "patient", "fibrosis_stage", "country", "cohort", "seed"]
    external = split["cohort"] == "external"
    assert external.sum() == 12
    assert (external == (split["country"] == "ES")).all()
    assert (split.loc[~external, "cohort"] == "training").sum() == 32
    # The others are divided as if the external ones were not there.
    alone = make_split(table[table["country"] != "ES"], RANDOM, seed=1)
    assert alone["cohort"].tolist() == split.loc[~external, "cohort"].tolist()
    assert not stopping_patients(split, 0.2, seed=3)[external].any()


def test_an_external_cohort_beside_hospitals():
    rule = {"method": "hospitals", "training": ["A"], "external": {"hospital": ["C"]}}
    split = make_split(cohort([1, 2, 3, 4] * 3, ("A", "B", "C")), rule, seed=1)
    cohorts = split.groupby("hospital")["cohort"].agg(set).to_dict()
    assert cohorts == {"A": {"training"}, "B": {"validation"}, "C": {"external"}}


@pytest.mark.parametrize(
    ("external", "empty"), [({"country": ["XX"]}, "external"), ({"hospital": ["A", "B"]}, "training")]
)
def test_a_cohort_that_an_external_one_leaves_empty_says_so(external, empty):
    with pytest.raises(TrainingError, match=f"The {empty} cohort"):
        make_split(by_country([1, 2, 3, 4] * 3, ["CN"]), RANDOM | {"external": external}, seed=1)


def test_every_value_of_several_columns_keeps_its_share():
    stages, countries = [1, 2, 3, 4] * 60, ["CN", "JP", "JP", "ES", "ES"]
    by = ["fibrosis_stage", "country"]
    split = make_split(by_country(stages, countries), RANDOM | {"stratify_by": by}, seed=2)
    assert (split["cohort"] == "training").sum() == 160
    for _, part in split.groupby(by):
        assert abs((part["cohort"] == "training").sum() - len(part) * 2 / 3) < 1
    plain = make_split(by_country(stages, countries), RANDOM, seed=2)
    plain = plain.assign(country=split["country"])
    sizes = plain[plain["cohort"] == "training"].groupby(by).size() - plain.groupby(by).size() * 2 / 3
    # By the stage alone they do not, or this test would show nothing.
    assert sizes.abs().max() > 1


def test_small_strata_are_pooled_by_the_last_column_first():
    rows = [(3, "hbv", "CN")] * 5 + [(3, "hbv", "JP")] * 3 + [(3, "hbv", "DE")] * 2
    rows += (
        [(3, "hcv", "CN")] * 4
        + [(3, "masld", "CN")] * 3
        + [(4, "hcv", None)]
        + [(0, "hcv", "CN"), (1, "hcv", "CN")] * 3
    )
    columns = ["fibrosis_stage", "aetiology", "country"]
    found = strata(pd.DataFrame(rows, columns=columns), columns)
    expected = ["F3 / hbv / CN"] * 5 + ["F3 / hbv / others"] * 5 + ["F3 / others"] * 7
    assert found.tolist() == [*expected, "F4 / others", *["F0-1 / hcv / CN"] * 6]


def test_an_external_cohort_shares_nothing_with_the_others():
    table = by_country([1, 2, 3, 4] * 5, ["CN", "CN", "CN", "ES"])
    split = make_split(table, RANDOM | {"external": {"country": ["ES"]}}, seed=1)
    digests = [f"d{k}" for k in range(20)]
    counts = check_leaks(split, pictures(split, digests)).iloc[0]
    assert (counts["training_patients"], counts["validation_patients"], counts["external_patients"]) == (10, 5, 5)
    assert counts["external_pictures"] == 5
    external = split.index[split["cohort"] == "external"][0]
    for other in ("training", "validation"):
        place = split.index[split["cohort"] == other][0]
        copied = [digests[external] if k == place else digest for k, digest in enumerate(digests)]
        with pytest.raises(PatientLeak, match=split.loc[external, "patient"]):
            check_leaks(split, pictures(split, copied))
        doubled = pd.concat([split, split.loc[[external]].assign(cohort=other)])
        with pytest.raises(PatientLeak, match=split.loc[external, "patient"]):
            check_leaks(doubled, pictures(split, digests))
