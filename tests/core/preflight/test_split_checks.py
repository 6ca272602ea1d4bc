"""A split by columns of the clinical table that nobody could run is refused before anything runs."""

import pandas as pd
import pytest
import yaml

from dlre_core.foundation.design import design_of, use_design
from dlre_core.foundation.errors import ConfigurationError
from dlre_core.preflight.split_checks import check_divisions, division_faults
from dlre_core.preflight.trainable_arms import untrainable_arms
from dlre_core.workflow.study_design import read_configuration
from tests.helpers.clinical_csv import GOOD
from tests.helpers.cohort_folders import write_folder

PATIENTS = pd.DataFrame(
    {
        "hospital": ["A", "B", "C"] * 4,
        "patient": [f"P{n:02d}" for n in range(12)],
        "fibrosis_stage": [1, 2, 3, 4] * 3,
        "country": ["CN", "JP", "JP"] * 4,
    }
)
RANDOM = {"method": "random", "training_fraction": 0.5, "seed": 1}


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (RANDOM | {"external": {"country": ["CN"]}, "stratify_by": ["fibrosis_stage", "country"]}, None),
        (RANDOM | {"external": {"manufacturer": ["GE"]}}, None),
        (
            RANDOM | {"external": {"country": ["CN", "ES"]}},
            "country: nobody who could be enrolled has ES. Write some of CN, JP",
        ),
        (RANDOM | {"external": {"aetiology": ["hbv"]}}, "divides by aetiology, and clinical.csv has no such column"),
        (RANDOM | {"stratify_by": ["fibrosis_stage", "sex"]}, "divides by sex, and clinical.csv has no such column"),
        (RANDOM | {"external": {"country": ["CN", "JP"]}}, "training cohort of this split has no patients"),
        ({"method": "hospitals", "training": ["A"], "external": {"country": ["CN"]}}, "training cohort of this split"),
        (
            {"method": "hospitals", "training": ["A"], "external": {"country": ["JP"]}},
            "validation cohort of this split",
        ),
    ],
)
def test_what_the_patients_do_not_have_is_named(rule, said):
    faults = division_faults({"overall": rule}, PATIENTS)
    assert len(faults) == (said is not None)
    if said:
        assert faults[0].startswith("splits.overall")
        assert said in faults[0]
    assert division_faults({"overall": rule}, PATIENTS[:0]) == []


def test_a_folder_and_a_simulated_cohort_are_looked_at_before_anything_runs(tmp_path):
    folder = write_folder(tmp_path, [GOOD | {"patient_id": f"A{n}", "fibrosis_stage": str(n)} for n in range(5)])
    config = read_configuration("config.yaml", "gut_2019")
    split = RANDOM | {"external": {"sex": ["F"]}}
    config |= {"splits": {"overall": split, "unused": split}, "arms": {"overall": {"split": "overall", "images": 5}}}
    config["cohort"] = {"source": "folder", "folder": str(folder)}
    check_divisions(config | {"splits": {"overall": RANDOM}}, tmp_path / "absent.csv", ["A"])
    with pytest.raises(
        ConfigurationError, match=r"splits.overall.external.sex: nobody .* has F. Write some of M"
    ) as told:
        check_divisions(config, folder / "clinical.csv", ["A"])
    assert "unused" not in str(told.value)
    simulated = yaml.safe_load(yaml.safe_dump(config)) | {
        "cohort": {"source": "simulated", "simulated": "international", "size": 40, "seed": 1}
    }
    simulated["splits"]["overall"]["external"] = {"country": ["JP", "PT"]}
    use_design(design_of(read_configuration("config.yaml", "international_2025")))
    try:
        with pytest.raises(ConfigurationError, match=r"nobody who could be enrolled has PT\. Write some of CN"):
            check_divisions(simulated, tmp_path / "absent.csv", list("ABCDEFGHIJKLMNOPQ"))
    finally:
        use_design(design_of(read_configuration("config.yaml", "gut_2019")))


def test_an_arm_whose_cases_are_all_external_cannot_be_trained():
    stages = PATIENTS.assign(country=PATIENTS["fibrosis_stage"].map({1: "CN", 2: "CN", 3: "CN", 4: "JP"}))
    split = RANDOM | {"external": {"country": ["JP"], "manufacturer": ["GE"]}}
    assert "F4" in untrainable_arms({"one": {"split": "s"}}, {"s": split}, stages)["one"]
