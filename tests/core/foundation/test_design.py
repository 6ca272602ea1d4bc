"""Words and numbers of a design: stages that its questions tell apart, its columns, and its way to a file and back."""

import json

import numpy as np
import pandas as pd
import pytest

from dlre_core.figures.captions import figure_3_caption
from dlre_core.foundation import design as designs
from dlre_core.foundation.design import (
    Design,
    Method,
    Question,
    design_as_json,
    design_from_json,
    design_in_use,
    design_of,
    frozen_design,
    probability_columns,
    read_design,
    score_columns,
    stage_class,
    stage_classes,
    stage_labels,
    study_methods,
    study_questions,
    use_design,
)
from dlre_core.foundation.errors import ConfigurationError, StoreMismatch
from dlre_core.patients.clinical_table import clinical_columns
from dlre_core.preflight.trainable_arms import untrainable_arms


def asking(*lowest: int) -> Design:
    questions = tuple(Question(f"ge_{stage}", f"At least F{stage}", f"≥F{stage}", stage) for stage in lowest)
    return Design(questions, (Method("lsm", "2D-SWE"), Method("nfs", "NFS")), "MASLD")


@pytest.mark.parametrize(
    ("lowest", "classes", "places"),
    [
        ((4, 3, 2), ("F0-1", "F2", "F3", "F4"), [0, 0, 1, 2, 3]),
        ((3,), ("F0-2", "F3-4"), [0, 0, 0, 1, 1]),
        ((4, 2), ("F0-1", "F2-3", "F4"), [0, 0, 1, 1, 2]),
        ((4, 3, 2, 1), ("F0", "F1", "F2", "F3", "F4"), [0, 1, 2, 3, 4]),
    ],
)
def test_questions_divide_the_stages(lowest, classes, places):
    use_design(asking(*lowest))
    every = pd.Series([0, 1, 2, 3, 4])
    assert stage_classes() == classes
    assert stage_class(every).tolist() == places
    answers = np.column_stack([stage_labels(every, name) for name in study_questions()])
    # The class is the number of questions that are answered with yes.
    assert answers.sum(axis=1).tolist() == places


def test_columns_follow_questions_and_comparators():
    use_design(asking(3))
    assert score_columns()[-3:] == ["dlre_ge_3", "lsm", "nfs"]
    assert probability_columns() == ["ge_3", "dlre_ge_3"]
    assert study_methods() == ("dlre", "lsm", "nfs")


def test_captions_follow_the_questions():
    table = pd.DataFrame({"cohort": ["training", "validation"]})
    use_design(asking(4, 1))
    assert "(A, C) F0-F3 versus F4 (≥F4), (B, D) F0 versus F1-F4 (≥F1)" in figure_3_caption(
        table, {"cutoff": "youden"}, False
    )
    assert "DLRE, 2D-SWE and NFS" in figure_3_caption(table, {"cutoff": "youden"}, False)


def test_who_is_needed_follows_the_questions():
    stages = pd.DataFrame({"hospital": "A", "fibrosis_stage": [2, 3, 4]})
    splits, arms = {"all": {"method": "random"}}, {"one": {"split": "all"}}
    use_design(asking(3))
    assert untrainable_arms(arms, splits, stages) == {}
    use_design(asking(2))
    assert "has F0 or F1, so no network can learn whether a patient has F2 or more" in str(
        untrainable_arms(arms, splits, stages)
    )


def test_questions_stand_from_the_most_severe_whatever_their_order_in_the_file():
    config = read_design("gut_2019")
    config["questions"] = config["questions"][::-1]
    assert design_of(config).questions == design_of(read_design("gut_2019")).questions


def test_a_frozen_study_keeps_its_design(tmp_path):
    path = tmp_path / "frozen_study.json"
    path.write_text(json.dumps({"design": design_as_json(asking(3))}))
    assert frozen_design(path) == asking(3)
    # What an earlier version froze has none, and asked the questions of 2019.
    assert [one.name for one in design_from_json(None).questions] == ["f4", "ge_f3", "ge_f2"]
    path.write_text('{"design": {"questions": [{"odd": 1}]}}')
    with pytest.raises(StoreMismatch, match="no frozen study"):
        frozen_design(path)


def test_designs_that_are_not_there_are_named_with_those_that_are(tmp_path):
    with pytest.raises(ConfigurationError, match="gut_2019, international_2025, minimal"):
        read_design("gut_2018")
    (tmp_path / "mine.yaml").write_text("- a list")
    with pytest.raises(ConfigurationError, match="holds no sections"):
        read_design(str(tmp_path / "mine.yaml"))
    (tmp_path / "mine.yaml").write_text("a: [")
    with pytest.raises(ConfigurationError, match="Write it as YAML"):
        read_design(str(tmp_path / "mine.yaml"))


def test_every_comparator_of_the_registry_has_a_name_in_print():
    from dlre_core.comparators.registry import COMPARATORS

    assert set(designs.LABELS) == set(COMPARATORS)


def test_every_column_that_a_criterion_asks_for_must_be_there():
    rule = {"unless": [{"column": "inr", "above": 1}], "only_for": {"aetiology": ["hbv"]}}
    for required in ("contract", ["albumin_g_l"]):
        config = read_design("gut_2019") | {"required_columns": required, "enrolment": {"criteria": [rule]}}
        use_design(design_of(config))
        needed = {column.name for column in clinical_columns() if column.required}
        assert {"inr", "aetiology", "fibrosis_stage", "albumin_g_l"} <= needed
        assert ("hbsag_positive_months" in needed) == (required == "contract")


def test_the_default_is_the_study_of_2019():
    assert design_in_use() == design_of(read_design("gut_2019"))
    assert study_questions() == ("f4", "ge_f3", "ge_f2")
