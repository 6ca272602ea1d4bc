"""A wrong configuration is answered with the key, the value and the remedy."""

import copy
from pathlib import Path

import pytest
import yaml

from dlre_core.configuration import check_configuration, check_hospitals, check_yaml
from dlre_core.errors import ConfigurationError

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "rules/schemas/config.schema.yaml"
CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text())


def check(**changes):
    config = copy.deepcopy(CONFIG)
    for path, value in changes.items():
        *parents, last = path.split("__")
        place = config
        for parent in parents:
            place = place[parent]
        place[last] = value
    check_configuration(config, SCHEMA)


def test_the_shipped_configuration_is_valid():
    check()


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("cohort__size", "huge", ["cohort.size", "huge", "demo, paper"]),
        ("cohort__size", 3, ["cohort.size", "3", "12 or more"]),
        ("cohort__source", "folder", ["cohort.folder", "Give the folder"]),
        ("cohort__sizes", "demo", ["cohort.sizes", "Did you mean size"]),
        ("training__batch_size", 0, ["training.batch_size", "0", "1 or more"]),
        ("training__device", "gpu", ["training.device", "gpu", "cuda"]),
        ("training__augmentation__shift_pixels", 2.5, ["shift_pixels", "2.5"]),
        ("serving__url", "http://localhost:8001", ["serving.url", "host:port"]),
        ("statistics__confidence", 95, ["statistics.confidence", "95", "0.95"]),
        ("statistics__alt_limits_iu_l", [80, 40], ["alt_limits_iu_l", "lower limit first"]),
        ("arms__overall_5_images__split", "all", ["arms.overall_5_images.split", "overall"]),
        ("arms__overall_5_images__images", 7, ["images = 7", "images_per_patient"]),
        ("privacy__key_file", "results/key", ["privacy.key_file", "outside results/"]),
        ("privacy__key_file", "./results/key", ["privacy.key_file", "outside results/"]),
        ("staging__outbox", "x/../results/outbox", ["staging.outbox", "outside results/"]),
        ("staging__inbox", "/nope", ["staging.inbox", "/nope", "no such folder"]),
        ("training__minimum_epochs", 19, ["training.minimum_epochs = 19", "training.epochs = 18"]),
        ("training__minimum_steps", 2000, ["training.minimum_steps", "training.maximum_steps"]),
        ("enrolment", {"minimum_age_years": 18}, ["enrolment", "lacks", "required_serology"]),
        ("report", {}, ["report", "lacks title"]),
        ("validation__cohorts", {"north.2024": "/x"}, ["north.2024", "Rename the folder"]),
        ("splits__overall", {"method": "odd"}, ["splits.overall", "training_fraction"]),
    ],
)
def test_each_fault_names_key_value_and_remedy(key, value, words):
    with pytest.raises(ConfigurationError) as caught:
        check(**{key: value})
    for word in words:
        assert word in str(caught.value)


def test_all_faults_are_told_at_once():
    with pytest.raises(ConfigurationError, match="has 2 fault") as caught:
        check(training__epochs=0, report__title="")
    assert "training.epochs" in str(caught.value)
    assert "report.title" in str(caught.value)


def test_a_missing_section_is_named():
    config = {key: value for key, value in CONFIG.items() if key != "arms"}
    with pytest.raises(ConfigurationError, match="lacks arms"):
        check_configuration(config, SCHEMA)


def test_splits_name_hospitals_that_the_cohort_has():
    check_hospitals(CONFIG, "ABCDEFGHIJKL")
    with pytest.raises(ConfigurationError) as raised:
        check_hospitals(CONFIG, ["A", "C", "aalen"])
    words = str(raised.value)
    assert "splits.combination_1.training: this cohort has no hospitals B, D, E, G, H, J." in words
    assert "splits.combination_2.training: this cohort has no hospital K." in words
    assert "A, C, aalen" in words


def test_limits_of_a_hospital_that_is_not_there_are_refused():
    config = copy.deepcopy(CONFIG)
    config["statistics"]["ast_upper_limit_of_normal_by_hospital_iu_l"] = {"Z": 35, 1: 35}
    with pytest.raises(ConfigurationError, match="no hospitals 1, Z; put quotes"):
        check_hospitals(config, "ABCDEFGHIJKL")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "cohort: {source: folder}\na: 1\ncohort: {source: simulated}\n",
            "cohort stands in lines 1 and 3",
        ),
        ("a:\n  b: 1\n  b: 2\n", "a.b stands in lines 2 and 3"),
        ("a:\n  - {b: 1, b: 2}\n", "a.b stands in lines 2 and 2"),
        ("a: 1\nb 2\n", "line 3"),
        ("a: 1\n\tb: 2\n", "line 2"),
        ("a: DLRE: ours\n", "line 1"),
    ],
)
def test_a_file_that_is_no_yaml_or_says_a_thing_twice_is_refused_with_its_lines(
    tmp_path, text, words
):
    path = tmp_path / "config.yaml"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=words):
        check_yaml(path)
    check_yaml(ROOT / "config.yaml")
