"""The international cohort: who is in it, what tells the stage and what does not, and its files."""

import numpy as np
import pydicom
import pytest

from dlre_core.patients.clinical_table import read_clinical
from dlre_core.simulation.international import (
    AETIOLOGIES,
    CENTRES,
    MIX,
    REGIONS,
    STAGES,
    maker_of,
    number_of_patients,
    simulate_international,
    write_centre,
    write_international_csv,
)
from dlre_core.simulation.patients import LATENT_COLUMNS
from dlre_core.statistics.comparisons import auc_heterogeneity
from dlre_core.statistics.roc import roc_analysis

MAKERS = ("SuperSonic", "GE", "Mindray")


@pytest.fixture(scope="module")
def enrolled():
    table = simulate_international("full", 2025)
    table = table[table["reason"] == ""].reset_index(drop=True)
    return table.assign(
        region=table["hospital"].map({name: centre.region for name, centre in CENTRES.items()}),
        maker=table["hospital"].map(maker_of),
        case=(table["fibrosis_stage"] >= 3).astype(int),
    )


def acquired(values, spread, seed, middle):
    """What five acquisitions say together."""
    noise = spread * np.random.default_rng(seed).standard_normal((len(values), 5))
    return middle(values.to_numpy()[:, None] + noise, axis=1)


def test_sizes_are_those_of_the_paper_and_of_the_plan(enrolled):
    assert len(enrolled) == number_of_patients("full") == sum(centre.patients for centre in CENTRES.values()) == 1937
    assert len(CENTRES) == enrolled["hospital"].nunique() == 17
    assert enrolled["hospital"].value_counts().to_dict() == {name: c.patients for name, c in CENTRES.items()}
    counts = enrolled.groupby(["region", "aetiology"]).size()
    assert {r: tuple(counts[r, a] for a in AETIOLOGIES) for r in REGIONS} == MIX
    assert set(enrolled.groupby("region")["maker"].nunique()) == {3}
    assert all(sum(shares) == 100 for shares in STAGES.values())


def test_stiffness_answers_unequally_by_region_and_aetiology_and_alike_by_maker(enrolled):
    stiffness = acquired(np.log(enrolled["stiffness_kpa"]), 0.1, 1, np.median)
    assert roc_analysis(enrolled["case"], stiffness).auc == pytest.approx(0.83, abs=0.015)

    def differs(column, names):
        return auc_heterogeneity(enrolled["case"], stiffness, enrolled[column], names).p_value

    assert differs("region", REGIONS) < 0.05
    assert differs("aetiology", AETIOLOGIES) < 0.05
    assert differs("maker", MAKERS) > 0.05


def test_texture_answers_better_and_alike_everywhere(enrolled):
    severity = acquired(enrolled["severity"], 0.45, 2, np.mean)
    assert roc_analysis(enrolled["case"], severity).auc == pytest.approx(0.91, abs=0.015)
    for column, names in (("region", REGIONS), ("aetiology", AETIOLOGIES), ("maker", MAKERS)):
        assert auc_heterogeneity(enrolled["case"], severity, enrolled[column], names).p_value > 0.05, column


@pytest.mark.parametrize("column", ["region", "aetiology", "maker", "hospital", "country"])
def test_neither_place_nor_machine_nor_cause_tells_the_answer(enrolled, column):
    share = enrolled.groupby(column)["case"].mean()
    if column in ("region", "aetiology"):
        assert share.to_numpy() == pytest.approx(0.35, abs=0.01)
    # As far as chance goes: five standard errors of a binomial.
    error = np.sqrt(0.35 * 0.65 / enrolled[column].value_counts()[share.index])
    assert (abs(share - 0.35) < 5 * error).all()


@pytest.mark.parametrize("column", ["heterogeneity", "graininess", "cap_db_m", "cholesterol_mmol_l", "alcohol_g_week"])
def test_nuisances_do_not_know_the_stage(enrolled, column):
    roc = roc_analysis(enrolled["case"], enrolled[column].astype(float))
    assert abs(roc.auc - 0.5) < 4 * np.sqrt(roc.auc_variance)


def test_the_table_is_read_without_a_problem_and_holds_no_latent(tmp_path):
    write_international_csv(tmp_path / "clinical.csv", "demo", 2025)
    table = read_clinical(tmp_path / "clinical.csv", list(CENTRES))
    assert set(table.problems["effect"]) <= {"flagged"}
    assert set(table.problems["code"]) <= {"implausible_value"}
    patients = table.patients
    assert set(LATENT_COLUMNS).isdisjoint(patients)
    assert set(patients["hospital"]) == set(CENTRES)
    assert set(patients["aetiology"]) == set(AETIOLOGIES)
    assert set(patients["country"]) == {"CN", "JP", "DE", "IT", "FR", "ES", "RO"}
    known = patients["hbsag_positive_months"].notna()
    assert (known == (patients["aetiology"] == "hbv")).all()
    optional = ["diabetes", "cholesterol_mmol_l", "triglycerides_mmol_l", "inr", "cap_db_m", "vcte_stiffness_kpa"]
    assert patients[optional].notna().all(axis=None)


def test_the_same_seed_gives_the_same_table_and_another_another():
    first, again, other = (simulate_international(40, seed) for seed in (3, 3, 4))
    assert first.equals(again)
    assert not first.equals(other)


@pytest.mark.parametrize("size", ["paper", 16, "many"])
def test_a_size_that_makes_no_cohort_is_refused(size):
    with pytest.raises(ValueError, match="demo, full or a number of 17"):
        number_of_patients(size)


def test_a_centre_writes_the_screens_of_its_maker_the_same_bytes_each_time(tmp_path):
    size = 17
    table = simulate_international(size, 5)
    # One centre of each maker that has a patient with pictures.
    some = {maker_of(h): h for h in sorted(set(table.loc[table["reason"] == "", "hospital"]), reverse=True)}
    assert set(some) == set(MAKERS)
    for maker, hospital in some.items():
        rows = write_centre(tmp_path / "one", hospital, size, 5)
        files = sorted((tmp_path / "one/dicom" / hospital).rglob("*.dcm"))
        assert len(files) >= len(rows) >= 5
        header = pydicom.dcmread(files[0], stop_before_pixels=True)
        assert maker.lower() in str(header.Manufacturer).lower()
        assert "simulated" in str(header.Manufacturer)
    again = some["GE"]
    write_centre(tmp_path / "two", again, size, 5)
    first, second = (sorted((tmp_path / name / "dicom" / again).rglob("*.dcm")) for name in ("one", "two"))
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    with pytest.raises(ValueError, match="'Z' is none of A, B"):
        write_centre(tmp_path, "Z", size, 5)
