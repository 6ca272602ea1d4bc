"""A wrong configuration is answered with the key, the value and the remedy."""

import copy
import math
from pathlib import Path

import pytest
import yaml

from dlre_core.foundation.errors import ConfigurationError
from dlre_core.workflow.configuration import (
    check_configuration,
    check_yaml,
    checked_section,
    expand_home,
)
from dlre_core.workflow.contradictions import check_hospitals
from dlre_core.workflow.study_design import read_configuration

ROOT = Path(__file__).parents[3]
SCHEMA = ROOT / "rules/schemas/config.schema.yaml"
CONFIG = read_configuration(ROOT / "config.yaml")


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
        ("cohort__size", 3, ["cohort.size", "3", "24 or more"]),
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
        ("arms__overall_5_images__network", "resnet", ["arms.overall_5_images.network", "'resnet'", "dlre_lsm"]),
        ("arms__overall_5_images__network", "nowhere:Net", ["no module nowhere", "beside config.yaml"]),
        ("arms__overall_5_images__network", "json:Net", ["json has no class Net"]),
        ("arms__overall_5_images__network", "a b", ["arms.overall_5_images.network", "module:Class"]),
        ("arms__overall_5_images__input", "doppler", ["arms.overall_5_images.input", "square+bmode"]),
        ("privacy__key_file", "results/key", ["privacy.key_file", "outside results/"]),
        ("privacy__key_file", "./results/key", ["privacy.key_file", "outside results/"]),
        ("staging__outbox", "x/../results/outbox", ["staging.outbox", "outside results/"]),
        ("staging__inbox", "/nope", ["staging.inbox", "/nope", "no such folder"]),
        ("training__minimum_epochs", 19, ["training.minimum_epochs = 19", "training.epochs = 18"]),
        ("training__minimum_steps", 2000, ["training.minimum_steps", "training.maximum_steps"]),
        ("enrolment", {"minimum_age_years": 18}, ["enrolment", "lacks", "images_per_patient"]),
        ("report", {}, ["report", "lacks title"]),
        ("validation__cohorts", {"north.2024": "/x"}, ["north.2024", "Rename the folder"]),
        ("splits__overall", {"method": "odd"}, ["splits.overall", "training_fraction"]),
        (
            "splits__overall__training_fraction",
            1.0,
            ["splits.overall.training_fraction = 1.0", "below 1"],
        ),
        ("splits__combination_1__training", "A", ["combination_1.training = 'A'", "[A, C, K]"]),
        ("splits__combination_1__training", [False], ["training.0 = False", "quotes", "NO"]),
        (
            "arms",
            {"Overall-3": {"split": "overall", "images": 3}},
            ["arms.Overall-3:", "lower-case"],
        ),
        (
            "arms__again",
            {"split": "overall", "images": 5},
            ["arms.again", "arms.overall_5_images", "Delete one"],
        ),
        ("training__learning_rate", "3e-3", ["'3e-3'", "is text", "write 0.003 without quotes"]),
        ("training__batch_size", -1, ["training.batch_size = -1 (Images in a step)", "1 or more"]),
        ("training__batch_size", 16.0, ["training.batch_size = 16.0", "whole number"]),
        ("statistics__confidence", math.nan, ["statistics.confidence = nan", "0.95"]),
        ("statistics__prevalences", [], ["statistics.prevalences = []", "between 0 and 1"]),
        ("statistics__prevalences", [1.5], ["prevalences.0 = 1.5", "between 0 and 1"]),
        ("robustness__analyses", ["fusions"], ["analyses.0 = 'fusions'", "List some of"]),
        (
            "validation__cohorts",
            {"north": "/nope"},
            ["validation.cohorts.north = '/nope'", "no such folder"],
        ),
        ("serving__url", "localhost:99999", ["serving.url", "no port 99999", "65535"]),
        ("privacy__key_file", "tests", ["privacy.key_file = 'tests'", "a folder"]),
        ("staging__outbox", "README.md", ["staging.outbox = 'README.md'", "a file"]),
        ("staging__inbox", "/x{y}", ["staging.inbox = '/x{y}'", "braces"]),
    ],
)
def test_each_fault_names_key_value_and_remedy(key, value, words):
    with pytest.raises(ConfigurationError) as caught:
        check(**{key: value})
    for word in words:
        assert word in str(caught.value)


def test_a_password_in_an_address_is_not_repeated():
    pacs = CONFIG["cohort"]["dicomweb"] | {"url": "https://me:s3/cret@pacs.hospital/dicom-web"}
    with pytest.raises(ConfigurationError, match=r"cohort\.dicomweb\.url") as caught:
        check(cohort__source="dicomweb", cohort__folder="/data", cohort__dicomweb=pacs)
    assert "s3" not in str(caught.value)
    assert "pacs.hospital" in str(caught.value)


def test_own_data_do_not_lie_where_clean_deletes():
    with pytest.raises(ConfigurationError, match=r"cohort\.folder = 'results/mine'.*outside"):
        check(cohort__source="folder", cohort__folder="results/mine")


def test_repeated_splits_need_a_split_at_random():
    analyses = CONFIG["robustness"] | {"analyses": ["repeated_splits"]}
    check(robustness=analyses)
    arms = {name: CONFIG["arms"][name] for name in ("combination_1", "overall_5_images")}
    with pytest.raises(ConfigurationError, match="repeated_splits draws splits at random"):
        check(robustness=analyses, arms=arms)


def test_home_is_where_a_shell_has_it(monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    config = copy.deepcopy(CONFIG)
    config["privacy"]["key_file"], config["staging"]["inbox"] = "~/key", None
    config["cohort"]["dicomweb"]["certificates"] = "~/ca.pem"
    config["validation"]["cohorts"] = {"north": "~/north"}
    expand_home(config)
    assert config["privacy"]["key_file"] == "/home/me/key"
    assert config["staging"]["inbox"] is None
    assert config["staging"]["outbox"] == ".dlre/outbox"
    assert config["cohort"]["dicomweb"]["certificates"] == "/home/me/ca.pem"
    assert config["validation"]["cohorts"] == {"north": "/home/me/north"}
    expand_home({"cohort": None, "validation": []})


def test_one_section_is_checked_alone(tmp_path):
    path = tmp_path / "config.yaml"
    assert checked_section(path, SCHEMA, "enrolment") == {}
    path.write_text(yaml.safe_dump({"enrolment": CONFIG["enrolment"], "cohort": 5}))
    assert checked_section(path, SCHEMA, "enrolment") == CONFIG["enrolment"]
    path.write_text(yaml.safe_dump({"enrolment": CONFIG["enrolment"] | {"minimum_age": 1}}))
    with pytest.raises(ConfigurationError, match=r"enrolment\.minimum_age: unknown key"):
        checked_section(path, SCHEMA, "enrolment")


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


def test_a_hospital_is_left_to_validate():
    with pytest.raises(ConfigurationError, match=r"combination_2\.training: no hospital is left"):
        check_hospitals(CONFIG, "ACK")


@pytest.mark.parametrize(
    ("split", "external", "said"),
    [
        ("overall", ["Z"], "splits.overall.external.hospital: this cohort has no hospital Z."),
        ("overall", list("ABCDEFGHIJKL"), "splits.overall.external: no hospital is left to train and validate"),
        ("combination_2", ["A", "B", "C"], "splits.combination_2.external.hospital: A, C cannot both train and be"),
        ("combination_2", list("BDEFGHIJL"), "splits.combination_2.training: no hospital is left to validate"),
    ],
)
def test_hospitals_of_an_external_cohort_are_there_and_do_not_train(split, external, said):
    config = copy.deepcopy(CONFIG)
    config["splits"][split]["external"] = {"hospital": ["L"]}
    check_hospitals(config, "ABCDEFGHIJKL")
    config["splits"][split]["external"] = {"hospital": external}
    with pytest.raises(ConfigurationError) as raised:
        check_hospitals(config, "ABCDEFGHIJKL")
    assert said in str(raised.value)


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
        ("", "holds no sections"),
        ("- a\n", "holds no sections"),
        ("a: 2024-02-30\n", "date or a number is none.*quotes"),
        ("a: \x07\n", "special characters are not allowed.*Take the character out"),
    ],
)
def test_a_file_that_is_no_yaml_or_says_a_thing_twice_is_refused_with_its_lines(tmp_path, text, words):
    path = tmp_path / "config.yaml"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=words):
        check_yaml(path)
    check_yaml(ROOT / "config.yaml")
    with pytest.raises(ConfigurationError, match=r"No such file.*git checkout"):
        check_yaml(tmp_path / "none.yaml")
