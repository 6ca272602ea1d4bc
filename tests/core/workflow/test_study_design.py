"""A design beneath a configuration: what counts, and what nobody could run."""

import copy
from pathlib import Path

import pytest

from dlre_core.foundation.errors import ConfigurationError
from dlre_core.workflow.configuration import check_configuration
from dlre_core.workflow.study_design import apply_design, follow_design, read_configuration

ROOT = Path(__file__).parents[3]
SCHEMA = ROOT / "rules/schemas/config.schema.yaml"
OWN = read_configuration(ROOT / "config.yaml")


def named(design: str, **changes: object) -> dict:
    config = {name: value for name, value in copy.deepcopy(OWN).items() if name not in ("disease", "questions")}
    config = {name: value for name, value in config.items() if name not in DESIGN_SECTIONS} | {"design": design}
    config["cohort"].pop("simulated")
    config.update(changes)
    apply_design(config)
    return config


DESIGN_SECTIONS = (
    *(
        "reference",
        "comparators",
        "primary_hypothesis",
        "required_columns",
        "columns",
        "enrolment",
        "splits",
        "arms",
        "subgroups",
    ),
    *("subanalyses", "analyses", "plan"),
)


@pytest.mark.parametrize("design", ["gut_2019", "international_2025", "minimal"])
def test_the_designs_that_come_along_are_sound(design):
    check_configuration(named(design), SCHEMA)


def test_splits_and_arms_count_as_a_whole_and_other_sections_key_by_key():
    arms = {"mine": {"split": "overall", "images": 3}}
    config = named("gut_2019", arms=arms, enrolment={"minimum_age_years": 16}, comparators=["lsm"])
    assert config["arms"] == arms
    assert config["enrolment"]["minimum_age_years"] == 16
    assert config["enrolment"]["images_per_patient"] == 5
    assert config["comparators"] == ["lsm"]
    assert list(config["splits"]) == ["overall", "combination_1", "combination_2", "combination_3"]


def test_analyses_of_the_design_are_made_besides_those_of_the_configuration():
    robustness = OWN["robustness"] | {"analyses": ["fusion", "subanalyses"]}
    config = named("international_2025", robustness=robustness)
    assert config["robustness"]["analyses"] == ["subanalyses", "other_comparators", "fusion"]
    # As every job does, which reads the Snakefile again.
    apply_design(config)
    assert config["robustness"]["analyses"] == ["subanalyses", "other_comparators", "fusion"]


def test_the_scale_of_the_stages_is_their_unit_where_the_user_names_no_other():
    entry = {"column": "fibrosis_stage", "unit": "nash_crn"}
    assert named("gut_2019", reference="nash_crn")["units"] == [entry]
    assert named("gut_2019", reference="nash_crn", units=[entry])["units"] == [entry]
    of_a = {"column": "fibrosis_stage", "unit": "ishak", "hospital": "A"}
    assert named("gut_2019", reference="nash_crn", units=[of_a])["units"] == [entry, of_a]
    # Cohorts to validate in have the design's scale, too.
    cohorts = {"cohorts": {"north": "/north", "south": "/south"}}
    north, south = entry | {"cohort": "north"}, {"column": "fibrosis_stage", "unit": "ishak", "cohort": "south"}
    found = named("gut_2019", reference="nash_crn", units=[south], validation=cohorts)["units"]
    assert sorted(map(str, found)) == sorted(map(str, [north, entry, south]))


HYPOTHESIS = {"question": "f4", "comparator": "lsm"}
QUESTION = {"name": "ge_f3", "label": "Advanced", "short": "≥F3", "lowest_stage": 3}


def split_by(**rule: object) -> dict:
    return {"splits": {"all": {"method": "random", "training_fraction": 0.6, "seed": 1} | rule}}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"questions": [QUESTION | {"lowest_stage": 5}]}, ["questions.0.lowest_stage = 5", "1 to 4"]),
        ({"questions": [QUESTION, QUESTION | {"name": "other"}]}, ["asks for the stages that ge_f3 asks for"]),
        ({"questions": [QUESTION | {"name": "diabetes"}]}, ["diabetes", "another column of this name"]),
        ({"questions": [QUESTION | {"name": "lsm"}]}, ["lsm", "another column of this name"]),
        ({"questions": []}, ["questions", "Write such as"]),
        ({"comparators": ["apri"]}, ["lsm is missing"]),
        ({"comparators": ["lsm", "fib5"]}, ["'fib5' is no comparator", "fib4"]),
        ({"comparators": ["lsm", "gpr"]}, ["gpr needs", "ggt_upper_limit_of_normal_iu_l"]),
        ({"comparators": ["lsm", "lsm"]}, ["a name stands twice"]),
        ({"comparators": ["lsm", {"name": "elf", "label": "ELF"}]}, ["'elf' is no column"]),
        ({"columns": [{"name": "elf", "meaning": "ELF"}]}, ["elf: neither a number nor a category"]),
        (
            {"columns": [{"name": "diabetes", "meaning": "Diabetes", "values": ["yes", "no"]}]},
            ["diabetes: there is one of this name already"],
        ),
        ({"subanalyses": [{"column": "haemoglobin"}]}, ["subanalyses: there is no column haemoglobin"]),
        ({"reference": "knodell"}, ["reference = 'knodell'", "nash_crn"]),
        (
            {"primary_hypothesis": HYPOTHESIS | {"question": "f3"}},
            ["primary_hypothesis.question = 'f3'", "f4 or ge_f3"],
        ),
        ({"primary_hypothesis": HYPOTHESIS | {"comparator": "elf"}}, [".comparator = 'elf'", "lsm or apri or fib4"]),
        (
            {"primary_hypothesis": HYPOTHESIS | {"cohort": "training"}},
            ["fitted to these", "Write validation or overall"],
        ),
        ({"primary_hypothesis": HYPOTHESIS | {"cohort": "japan"}}, ["no such cohort", "combination_3"]),
        ({"primary_hypothesis": HYPOTHESIS | {"aim": "non_inferiority"}}, ["margin = None", "such as 0.05"]),
        ({"primary_hypothesis": HYPOTHESIS | {"margin": 0.05}}, ["superiority has none", "non_inferiority"]),
        ({"primary_hypothesis": HYPOTHESIS | {"aim": "equivalence"}}, ["aim = 'equivalence'", "Write superiority"]),
        ({"primary_hypothesis": {"question": "f4"}}, ["primary_hypothesis: lacks comparator"]),
        (split_by(external={"land": ["ES"]}), ["splits.all.external.land: there is no column", "country"]),
        (split_by(external={"country": ["Spain"]}), ["splits.all.external.country: Spain is no value", "AD, AE"]),
        (split_by(external={"sex": ["X"]}), ["splits.all.external.sex: X is no value", "M, F"]),
        (split_by(external={"hospital": [False]}), ["splits.all.external.hospital.0 = False", "NO and 01"]),
        (split_by(external={}), ["splits.all.external = {}", "{hospital: [K, L]}"]),
        (split_by(external=["K"]), ["splits.all.external = ['K']", "{hospital: [K, L]}"]),
        (split_by(stratify_by=["aetiology"]), ["splits.all.stratify_by", "Write [fibrosis_stage, aetiology]"]),
        (split_by(stratify_by=["fibrosis_stage", "age_years"]), ["no column age_years with categories", "country"]),
        ({"subgroups": ["age"]}, ["subgroups.0 = 'age'", "alt, bmi and inflammation"]),
    ],
)
def test_what_nobody_could_run_is_refused_with_key_and_remedy(changes, words):
    with pytest.raises(ConfigurationError) as caught:
        check_configuration(named("gut_2019", **changes), SCHEMA)
    for word in words:
        assert word in str(caught.value)


def test_a_sound_hypothesis_is_taken_and_counts_as_a_whole(tmp_path):
    path = tmp_path / "mine.yaml"
    text = (ROOT / "dlre_core/foundation/designs/gut_2019.yaml").read_text()
    within = "{question: ge_f2, comparator: fib4, aim: non_inferiority, margin: 0.05, cohort: combination_1}"
    path.write_text(text.replace("primary_hypothesis: null", f"primary_hypothesis: {within}"))
    check_configuration(named(str(path)), SCHEMA)
    assert named(str(path), primary_hypothesis=HYPOTHESIS)["primary_hypothesis"] == HYPOTHESIS


def test_a_column_of_the_design_may_be_a_comparator_and_a_group():
    columns = [
        {"name": "elf", "meaning": "ELF score", "lowest": 4, "highest": 16},
        {"name": "centre", "meaning": "Centre", "values": ["university", "other"]},
    ]
    comparators = ["lsm", {"name": "elf", "label": "ELF"}]
    config = named("minimal", columns=columns, comparators=comparators, subanalyses=[{"column": "centre"}])
    check_configuration(config, SCHEMA)
    config["splits"]["overall"] |= {"external": {"centre": ["other"]}, "stratify_by": ["fibrosis_stage", "centre"]}
    check_configuration(config, SCHEMA)
    config["splits"]["overall"]["external"] = {"elf": ["7"]}
    with pytest.raises(ConfigurationError, match="no column elf with categories"):
        check_configuration(config, SCHEMA)


def test_a_configuration_that_names_no_design_is_that_of_2019():
    config = named("gut_2019")
    older = copy.deepcopy(config)
    del older["design"]
    apply_design(older)
    assert older == config


def test_sections_that_are_no_designs_are_refused(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("disease: MASLD\ntraining: {epochs: 3}\n")
    with pytest.raises(ConfigurationError, match="training is no section of a design"):
        named(str(path))


def test_check_data_follows_the_design_that_it_is_given(tmp_path):
    from dlre_core.foundation.design import design_in_use

    follow_design(tmp_path / "absent.yaml", "international_2025")
    assert [question.name for question in design_in_use().questions] == ["cacld"]
    (tmp_path / "mine.yaml").write_text("disease: MASLD\n")
    with pytest.raises(ConfigurationError, match="lacks a section"):
        follow_design(tmp_path / "absent.yaml", str(tmp_path / "mine.yaml"))
