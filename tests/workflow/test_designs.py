"""A design written by docs/guide/designs.md alone: MASLD, stages by NASH-CRN, two questions, cross-validation."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.workflow.study import Study, write_cohorts

DESIGN = """\
disease: MASLD
reference: nash_crn
questions:
  - {name: ge_f2, label: Significant fibrosis (≥F2), short: ≥F2, lowest_stage: 2}
  - {name: cirrhosis, label: Cirrhosis (F4), short: F4, lowest_stage: 4}
comparators: [lsm, nfs, agile_3_plus, {name: elf, label: ELF}]
required_columns: [albumin_g_l]
columns:
  - {name: elf, meaning: ELF score, lowest: 4, highest: 16}
  - {name: centre, meaning: Kind of centre, values: [university, other]}
cohort:
  simulated: gut_2019

enrolment:
  maximum_days_from_elastography: 30
  images_per_patient: 3
  criteria:
    - name: too_young
      sentence: Younger than 18 years
      unless: [{column: age_years, at_least: 18}]
    - name: other_disease
      sentence: Not MASLD
      unless: [{column: aetiology, one_of: [masld]}]
    - name: too_much_alcohol
      sentence: More than 210 g of alcohol a week, or unknown
      unless: [{column: alcohol_g_week, at_most: 210}]
    - name: no_biopsy_near
      sentence: Biopsy not within {maximum_days_from_elastography} days
      unless: [{column: biopsy_date, days_from: elastography_date, at_most: maximum_days_from_elastography}]
    - name: too_few_pictures
      sentence: Fewer than {images_per_patient} usable pictures
      unless: [{column: images, at_least: images_per_patient}]

splits:
  overall: {method: random, training_fraction: 0.6, seed: 1}
arms:
  overall: {split: overall, images: 3, network: dlre_lsm, input: square+bmode}
  picture_alone: {split: overall, images: 3}
  ours: {split: overall, images: 3, network: "our_network:Net", input: bmode}
subgroups: []
subanalyses: [{title: Centre, column: centre}]
analyses: [cross_validation, subanalyses]
plan:
  questions:
    ge_f2: {prevalence: 0.4, auc: 0.85, compared_auc: 0.8}
  correlation: 0.4
  images_per_patient: [1, 3]
  reliability: 0.6
  interval_width: 0.1
  power: 0.8
  enrolled_share: 0.7
  validation: {observed_expected: 0.4, calibration_slope: 0.4, auc: 0.1, net_benefit: 0.2}
"""
NETWORK = """\
from torch import nn


class Net(nn.Sequential):
    def __init__(self, channels):
        convolution, normalised = nn.Conv2d(channels, 8, 5, 5), nn.BatchNorm2d(8)
        super().__init__(convolution, normalised, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 1))
"""
# Of the 2019 study only.
HBV = ("hbsag_positive_months", "viral_coinfection", "antiviral_treatment_6_months", "hbeag_positive")
NASH_CRN = {0: "0", 1: "1b", 2: "F2", 3: "3", 4: "stage 4"}


def write_masld_table(simulated: Path, path: Path) -> None:
    """The simulated clinical table as one of patients with MASLD."""
    table = pd.read_csv(simulated, dtype={"hospital": str}).drop(columns=list(HBV))
    generator = np.random.default_rng(7)
    table["fibrosis_stage"] = table["fibrosis_stage"].map(NASH_CRN)
    table["aetiology"], table["diabetes"] = "masld", generator.integers(0, 2, len(table))
    table["alcohol_g_week"] = np.where(np.arange(len(table)) == 1, 300, 20)
    table["vcte_stiffness_kpa"] = np.round(generator.uniform(4, 20, len(table)), 1)
    table["elf"] = np.round(generator.uniform(7, 12, len(table)), 1)
    table["centre"] = np.where(generator.random(len(table)) < 0.5, "university", "other")
    table.to_csv(path, index=False)


@pytest.fixture(scope="module")
def masld(finished_study, tmp_path_factory) -> Study:
    """The simulated patients as those of another disease, in a folder of the hospitals' own."""
    place = tmp_path_factory.mktemp("masld")
    cohort, simulated = place / "cohort", finished_study.folder / "results/simulated_cohort"
    cohort.mkdir()
    (cohort / "dicom").symlink_to(simulated / "dicom")
    shutil.copy(simulated / "measurements.csv", cohort)
    write_masld_table(simulated / "clinical.csv", cohort / "clinical.csv")
    study = Study.create(place / "study", cohort={"source": "folder", "folder": str(cohort)})
    (study.folder / "masld.yaml").write_text(DESIGN, encoding="utf-8")
    (study.folder / "our_network.py").write_text(NETWORK, encoding="utf-8")
    study.configure(robustness={"parts": 2})
    study.name_design("masld.yaml")
    study.run()
    return study


def table(study: Study, name: str) -> pd.DataFrame:
    return pd.read_csv(study.folder / "results" / f"{name}.csv")


def test_the_design_is_short():
    assert len(DESIGN.splitlines()) < 80


def test_everything_follows_the_questions_and_comparators(masld):
    table_2 = table(masld, "tables/table_2")
    assert list(table_2["stage"].unique()) == ["cirrhosis", "ge_f2"]
    assert list(table_2["method"].unique()) == ["dlre", "lsm", "nfs", "agile_3_plus", "elf"]
    scores = table(masld, "scores/overall")
    assert {"dlre_cirrhosis", "dlre_ge_f2", "nfs", "elf"} <= set(scores)
    # The NAFLD fibrosis score may be negative, and has its probabilities all the same.
    assert (scores["nfs"] < 0).any()
    assert scores[["nfs", "agile_3_plus", "elf"]].notna().all().all()
    report = (masld.folder / "results/report.html").read_text(encoding="utf-8")
    assert "Staging of liver fibrosis in MASLD" in report
    # The audit tells of the paper's own tables.
    before_audit, audited, _ = report.split("<h2", 1)[1].partition('<h2 id="h-audit"')
    assert audited
    for word in ("hepatitis B", "APRI", "FIB-4", "HBeAg", "HBsAg"):
        assert word not in before_audit, word
    manifest = masld.folder / "results/serving/model_repository/dlre/1/manifest.json"
    assert json.loads(manifest.read_text())["stages"] == ["cirrhosis", "ge_f2"]


def test_networks_and_inputs_stand_side_by_side(masld):
    networks = table(masld, "tables/networks").fillna("")
    assert list(networks["arm"].unique()) == ["overall", "picture_alone", "ours", "lsm"]
    found = networks.drop_duplicates("arm").set_index("arm")[["network", "input"]]
    assert found.to_numpy().tolist()[:3] == [
        ["dlre_lsm", "square+bmode"],
        ["dlre", "square"],
        ["our_network:Net", "bmode"],
    ]
    assert "Extended table 19" in (masld.folder / "results/report.html").read_text(encoding="utf-8")
    manifest = json.loads((masld.folder / "results/serving/model_repository/dlre/1/manifest.json").read_text())
    kinds = {arm: (entry.get("network"), entry.get("input")) for arm, entry in manifest["arms"].items()}
    assert kinds == {
        "overall": ("dlre_lsm", "square+bmode"),
        "picture_alone": (None, None),
        "ours": ("our_network:Net", "bmode"),
    }
    # Different networks in the same pictures; the answers of one do not come from another.
    answers = [table(masld, f"predictions/{arm}")["ge_f2"] for arm in ("overall", "picture_alone", "ours")]
    assert len({tuple(values.round(6)) for values in answers}) == 3


def test_stages_as_given_stay_beside_those_that_count(masld):
    patients = table(masld, "clinical/patients")
    assert set(patients["fibrosis_scale"]) == {"nash_crn"}
    back = {given: stage for stage, given in NASH_CRN.items()}
    assert (patients["fibrosis_stage_given"].astype(str).map(back) == patients["fibrosis_stage"]).all()


def test_criteria_are_those_of_the_design(masld):
    enrolment = table(masld, "enrolment/enrolment").fillna({"first_reason": ""})
    assert set(enrolment["first_reason"]) == {"", "too_much_alcohol", "too_few_pictures"}
    assert (enrolment["first_reason"] == "too_much_alcohol").sum() == 1
    flow = (masld.folder / "results/figures/figure_2.svg").read_text(encoding="utf-8")
    assert "More than 210 g of alcohol" in flow
    assert "HBsAg" not in flow


def test_everybody_is_staged_once_by_networks_that_do_not_know_them(masld):
    parts = [table(masld, f"robustness/part_{n}_of_2/scores") for n in (1, 2)]
    held_back = pd.concat([part[part["cohort"] == "validation"] for part in parts])
    enrolled = table(masld, "enrolment/enrolment").query("enrolled == 1")
    assert sorted(held_back["patient"]) == sorted(enrolled["patient"])
    rows = table(masld, "tables/cross_validation").query("variant == 'everybody'")
    assert set(rows["n_validation"]) == {len(enrolled)}
    assert list(table(masld, "tables/subanalyses")["grouping"].unique()) == ["Centre"]


def test_new_patients_are_staged_by_the_finished_studys_design(masld, tmp_path):
    # In another folder, whose configuration names another design.
    elsewhere = Study.create(tmp_path / "elsewhere", staging={"model": str(masld.folder / "results/serving")})
    elsewhere.run("--", "results/staging/index.html")
    staged = table(elsewhere, "staging/patients")
    assert {"cirrhosis", "ge_f2"} <= set(staged)
    assert set(staged["implied_stage"].dropna()) <= {"F0-1", "F2-3", "F4"}
    page = (elsewhere.folder / "results/staging/index.html").read_text(encoding="utf-8")
    assert '<th scope="col">≥F2</th>' in page
    assert '<th scope="col">≥F3</th>' not in page


def test_other_patients_validate_the_networks_of_the_design(masld, tmp_path):
    other = write_cohorts(tmp_path / "cohorts")["north"]
    write_masld_table(Path(other, "clinical.csv"), Path(other, "clinical.csv"))
    settings = {"cohorts": {"other": other}, "model": str(masld.folder / "results/serving")}
    elsewhere = Study.create(tmp_path / "elsewhere", validation=settings)
    for name in ("masld.yaml", "our_network.py"):
        shutil.copy(masld.folder / name, elsewhere.folder)
    elsewhere.name_design("masld.yaml")
    elsewhere.run("--", "results/validation/report.html")
    enrolment = table(elsewhere, "validation/other/enrolment").fillna({"first_reason": ""})
    assert (enrolment["first_reason"] == "too_much_alcohol").sum() == 1
    found, own = table(elsewhere, "validation/other/table_2"), table(masld, "tables/table_2")
    keys = ["stage", "method"]
    assert list(found["method"].unique()) == ["dlre", "lsm", "nfs", "agile_3_plus", "elf"]
    frozen = own[own["cohort"] == "training"].set_index(keys)["cutoff"]
    pd.testing.assert_series_equal(found.set_index(keys)["cutoff"], frozen)
    assert set(found.query("method == 'dlre'")["n"]) == {enrolment["enrolled"].sum()}
    page = (elsewhere.folder / "results/validation/report.html").read_text(encoding="utf-8")
    assert "Cirrhosis (F4)" in page
    for word in ("hepatitis B", "APRI", "≥F3"):
        assert word not in page, word


def test_a_design_that_nobody_could_run_stops_before_anything_runs(masld, tmp_path):
    wrong = DESIGN.replace("column: alcohol_g_week", "column: alcohol")
    (masld.folder / "wrong.yaml").write_text(wrong, encoding="utf-8")
    masld.name_design("wrong.yaml")
    said = masld.snakemake("--dry-run", check=False).stdout
    assert "too_much_alcohol: there is no column alcohol" in said
    masld.name_design("masld.yaml")
