"""Criteria as a list of rules: every condition, what is unknown, and rules that nobody could apply."""

import pandas as pd
import pytest

from dlre_core.foundation.errors import ConfigurationError
from dlre_core.patients.enrolment import EnrolmentSettings, check_criteria, columns_of, criteria_of

TABLE = pd.DataFrame(
    {
        "age_years": [17.0, 18.0, None, 40.0],
        "diabetes": pd.array([1, 0, None, 1], dtype="Int64"),
        "aetiology": ["hbv", "hcv", "", "masld"],
        "biopsy_date": ["2015-03-01", "2015-03-20", "", "2015-02-20"],
        "elastography_date": ["2015-03-05"] * 4,
        "inr": [1.0, None, 1.2, 0.9],
        "images": [5, 4, 5, 0],
    }
)


def excluded(limits=None, **rule) -> list[bool]:
    (criterion,) = criteria_of([{"name": "rule", "sentence": "A rule", **rule}], limits or {})
    return criterion.fails(TABLE).tolist()


@pytest.mark.parametrize(
    ("condition", "fails"),
    [
        ({"column": "age_years", "at_least": 18}, [True, False, True, False]),
        ({"column": "age_years", "above": 18}, [True, True, True, False]),
        ({"column": "age_years", "at_most": 18}, [False, False, True, True]),
        ({"column": "age_years", "below": 18}, [False, True, True, True]),
        ({"column": "diabetes", "is": 0}, [True, False, True, True]),
        ({"column": "aetiology", "one_of": ["hbv", "hcv"]}, [False, False, True, True]),
        ({"column": "inr", "known": True}, [False, True, False, False]),
        ({"columns": ["inr", "age_years"], "known": True}, [False, True, True, False]),
        ({"column": "images", "at_least": 5}, [False, True, False, True]),
        # 4 days before, 15 days after, unknown, 13 days before.
        ({"column": "biopsy_date", "days_from": "elastography_date", "at_most": 13}, [False, True, True, False]),
    ],
)
def test_unless_excludes_who_does_not_hold_a_condition_and_who_is_unknown(condition, fails):
    assert excluded(unless=[condition]) == fails


def test_if_excludes_who_holds_a_condition_and_unknown_counts_as_no():
    assert excluded(**{"if": [{"column": "diabetes", "is": 1}]}) == [True, False, False, True]
    assert excluded(**{"if": [{"column": "age_years", "above": 30}]}) == [False, False, False, True]


def test_every_condition_of_unless_and_any_of_if_count():
    both = [{"column": "age_years", "at_least": 18}, {"column": "inr", "known": True}]
    assert excluded(unless=both) == [True, True, True, False]
    either = [{"column": "diabetes", "is": 1}, {"column": "images", "below": 5}]
    assert excluded(**{"if": either}) == [True, True, False, True]


def test_a_rule_for_one_aetiology_says_nothing_of_others_but_holds_for_the_unknown():
    rule = {"unless": [{"column": "inr", "above": 2}], "only_for": {"aetiology": ["hbv"]}}
    assert excluded(**rule) == [True, False, True, False]


def test_settings_stand_for_their_values():
    rule = {"name": "young", "sentence": "Below {lowest:g}", "unless": [{"column": "age_years", "at_least": "lowest"}]}
    (criterion,) = criteria_of([rule], {"lowest": 18})
    assert criterion.sentence == "Below 18"
    assert criterion.fails(TABLE).tolist() == [True, False, True, False]
    assert columns_of([criterion]) == {"age_years"}


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({}, "excludes nobody"),
        ({"unless": [{"column": "age_years"}]}, "not one column with one comparison"),
        ({"unless": [{"column": "age_years", "above": 1, "below": 3}]}, "two comparisons are two conditions"),
        ({"unless": [{"columns": ["inr"], "above": 1}]}, "go with known"),
        ({"unless": [{"column": "age_years", "above": "youngest"}]}, "'youngest' is no setting"),
        ({"sentence": "Below {youngest}", "unless": [{"column": "age_years", "above": 1}]}, "youngest"),
    ],
)
def test_a_rule_that_cannot_be_understood_is_named(rule, words):
    with pytest.raises(ConfigurationError, match=r"enrolment\.criteria: rule") as caught:
        excluded(**rule)
    assert words in str(caught.value)


def test_columns_that_no_table_has_and_names_that_stand_twice_are_refused():
    rule = {"name": "one", "sentence": "A rule", "unless": [{"column": "haemoglobin", "above": 1}]}
    with pytest.raises(ConfigurationError, match="one: there is no column haemoglobin"):
        check_criteria(EnrolmentSettings(criteria=[rule]))
    rule["unless"] = [{"column": "images", "at_least": 1}]
    check_criteria(EnrolmentSettings(criteria=[rule]))
    with pytest.raises(ConfigurationError, match="a name stands twice"):
        check_criteria(EnrolmentSettings(criteria=[rule, rule]))
    check_criteria(EnrolmentSettings())
