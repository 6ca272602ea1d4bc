"""The simulated cohort: calibrated to the paper, in the users' form, the same bytes every time."""

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pydicom
import pytest
import yaml
from PIL import Image
from sklearn.metrics import roc_auc_score

from dlre_core.comparators.serum_indices import apri, fib4
from dlre_core.dicom.supersonic_block import read_ssi_block
from dlre_core.patients.enrolment import EnrolmentSettings, enrol
from dlre_core.simulation.cohort import HospitalScreens, join_measurements, write_clinical_csv, write_hospital
from dlre_core.simulation.patients import simulate_patients, simulate_with_latents
from dlre_core.simulation.presets import EXCLUSIONS, HOSPITAL_SIZES, STAGE_BY_GRADE
from dlre_core.simulation.screen_designs import DESIGNS
from dlre_core.user_tables.data_contract import CLINICAL_COLUMNS

# Table 1, "All patients"; albumin without the one mistyped value that makes the paper's 44.8 +- 26.5.
TABLE_1 = {
    "age_years": (38.6, 12.1),
    "bmi_kg_m2": (22.8, 3.26),
    "fasting_glucose_mmol_l": (5.2, 1.2),
    "platelets_10e9_l": (177.8, 64.0),
    "ast_iu_l": (43.9, 46.5),
    "alt_iu_l": (54.9, 53.9),
    "ggt_iu_l": (47.5, 62.1),
    "total_bilirubin_umol_l": (15.9, 8.6),
    "direct_bilirubin_umol_l": (5.3, 5.2),
    "indirect_bilirubin_umol_l": (10.9, 5.8),
    "alp_iu_l": (83.8, 33.5),
    "albumin_g_l": (43.5, 6.5),
    "prothrombin_activity_percent": (90.7, 13.1),
}
QUESTIONS = (4, 3, 2)


@pytest.fixture(scope="module")
def many():
    return simulate_patients(100_000, 7)


def aucs(table, score):
    return [roc_auc_score(table["fibrosis_stage"] >= stage, score) for stage in QUESTIONS]


def lsm(table, n=5):
    return table[[f"q_box_mean_kpa_{k}" for k in range(1, n + 1)]].median(axis=1)


def test_columns_are_the_contracts(many):
    names = [column.name for column in CLINICAL_COLUMNS]
    assert list(many) == [*names, *(f"q_box_mean_kpa_{k}" for k in range(1, 6))]


@pytest.mark.parametrize("name", TABLE_1)
def test_table_1(many, name):
    mean, sd = TABLE_1[name]
    assert many[name].mean() == pytest.approx(mean, rel=0.02)
    assert many[name].std() == pytest.approx(sd, rel=0.05)


def test_biomarkers_and_stiffness_are_as_good_as_in_the_paper(many):
    whole = many.dropna()
    scores = {
        "apri": (apri(whole["ast_iu_l"], whole["platelets_10e9_l"]), (0.69, 0.66, 0.56)),
        "fib4": (
            fib4(whole["age_years"], whole["ast_iu_l"], whole["alt_iu_l"], whole["platelets_10e9_l"]),
            (0.74, 0.67, 0.58),
        ),
        "lsm": (lsm(whole), (0.87, 0.82, 0.75)),
    }
    for score, expected in scores.values():
        np.testing.assert_allclose(aucs(whole, score), expected, atol=0.015)
    np.testing.assert_allclose(aucs(whole, lsm(whole, 1)), aucs(whole, lsm(whole, 5)), atol=0.012)


def test_inflammation_blurs_cirrhosis(many):
    severe = many["inflammation_grade"] == 3
    for part, expected in ((many[~severe], 0.88), (many[severe], 0.69)):
        assert roc_auc_score(part["fibrosis_stage"] == 4, lsm(part)) == pytest.approx(expected, abs=0.04)


def test_the_papers_counts():
    table = simulate_with_latents(398, 2019)
    assert len(table) == 654
    enrolled = table[table["reason"] == ""]
    counts = pd.crosstab(enrolled["fibrosis_stage"].clip(lower=1), enrolled["inflammation_grade"])
    assert np.array_equal(counts.to_numpy(), STAGE_BY_GRADE)
    assert table["reason"].value_counts().drop("").to_dict() == EXCLUSIONS
    assert enrolled["hospital"].value_counts()[["A", "K", "L"]].tolist() == [86, 64, 4]
    assert (enrolled["sex"] == "M").sum() == 265
    assert (table["albumin_g_l"] > 500).sum() == 1


def test_everyone_is_excluded_for_their_reason_and_nobody_else():
    table = simulate_with_latents(398, 5).rename(columns={"patient_id": "patient"})
    keys = pd.MultiIndex.from_frame(table[["hospital", "patient"]])
    images = pd.Series(np.where(table["reason"] == "failed_elastography", 0, 5), index=keys)
    verdict = enrol(
        table,
        images,
        EnrolmentSettings(
            required_serology=(
                "platelets_10e9_l",
                "ast_iu_l",
                "alt_iu_l",
                "ggt_iu_l",
                "total_bilirubin_umol_l",
                "albumin_g_l",
            )
        ),
    )
    names = {
        "failed_elastography": "unsuccessful_elastography",
        "antiviral_treatment_6_months": "antiviral_treatment",
    }
    assert (verdict["all_reasons"] == table["reason"].replace(names)).all()


def digests(folder):
    return {
        path.relative_to(folder): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*.dcm"))
    }


@pytest.fixture(scope="module")
def hospital(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cohort")
    rows = write_hospital(folder, "K", 60, 3, truth_folder=folder / "truth")
    return folder, rows


def test_a_hospital_alone_gives_the_same_bytes(hospital, tmp_path):
    folder, rows = hospital
    write_hospital(tmp_path, "J", 60, 3)
    again = write_hospital(tmp_path, "K", 60, 3)
    others = {name for name in digests(tmp_path) if "J" in name.parts}
    assert {k: v for k, v in digests(tmp_path).items() if k not in others} == digests(folder)
    pd.testing.assert_frame_equal(rows, again)
    assert digests(folder) != digests(tmp_path)


def test_every_file_says_simulated_and_its_size_says_nothing(hospital):
    folder, rows = hospital
    paths = sorted((folder / "dicom").rglob("*.dcm"))
    assert len(paths) >= len(rows) >= 30
    for path in paths:
        dataset = pydicom.dcmread(path)
        assert "SIMULATED" in dataset.ImageComments
        assert str(dataset.PatientName).startswith("SIM^")
        assert dataset.Manufacturer == "DLRE-SIM"
        assert "PatientBirthDate" not in dataset or not dataset.PatientBirthDate
        assert path.stat().st_size % 65536 == 0
    assert len({path.stat().st_size for path in paths}) < len(paths) / 2


def test_the_private_block_holds_the_true_stiffness(hospital):
    folder, _ = hospital
    seen = 0
    for path in sorted((folder / "dicom").rglob("*.dcm")):
        block = read_ssi_block(pydicom.dcmread(path))
        truth = folder / "truth" / path.relative_to(folder / "dicom").with_suffix(".npz")
        if block is None or not truth.exists() or block.scale.maximum_kpa != 40:
            continue
        with np.load(truth) as known:
            expected = np.where(known["coloured"], known["kpa"], 0)[::2, ::2].T
        np.testing.assert_array_equal(block.kpa, expected)
        seen += 1
    assert seen >= 5


def test_measurements_are_the_circles(hospital):
    folder, rows = hospital
    for row in rows.dropna().head(10).to_dict("records"):
        with np.load(folder / "truth" / row["file"].replace(".dcm", ".npz")) as known:
            assert row["q_box_mean_kpa"] == pytest.approx(known["q_box"][0], abs=0.051)


def test_the_texture_switch_takes_the_stage_out_of_the_texture(tmp_path):
    severities = {}
    for signal in (1.0, 0.0):
        folder = tmp_path / str(signal)
        write_hospital(folder, "A", 60, 3, texture_signal=signal, truth_folder=folder / "truth")
        found = [np.load(p)["severity"].item() for p in sorted((folder / "truth").rglob("*.npz"))]
        severities[signal] = np.std(found)
    assert severities[0.0] < 0.55 < severities[1.0]


def test_the_clinical_table_hides_latents(tmp_path):
    write_clinical_csv(tmp_path / "clinical.csv", "demo", 1)
    table = pd.read_csv(tmp_path / "clinical.csv")
    assert list(table) == [column.name for column in CLINICAL_COLUMNS]
    assert len(table) == 90 + 58
    with pytest.raises(ValueError, match="demo, paper"):
        write_clinical_csv(tmp_path / "x.csv", 3, 1)


@pytest.fixture(scope="module")
def other_makers(tmp_path_factory):
    """Hospital L on three machines: the folder of each, and its rows."""
    found = {}
    for screens in (
        HospitalScreens(),
        HospitalScreens("confidence_beside"),
        HospitalScreens("velocity", "png", squares=True),
    ):
        folder = tmp_path_factory.mktemp("cohort")
        rows = write_hospital(folder, "L", 60, 3, truth_folder=folder / "truth", screens=screens)
        found[screens.layout] = folder, rows
    return found


def test_another_screen_shows_the_same_livers(other_makers):
    """Only the screen differs: every picture has the same texture, and its Q-Box nearly the same mean."""
    _, expected = other_makers["stacked"]
    for layout in ("confidence_beside", "velocity"):
        _, rows = other_makers[layout]
        assert [name[:-4] for name in rows["file"]] == [name[:-4] for name in expected["file"]]
        np.testing.assert_allclose(rows["q_box_mean_kpa"], expected["q_box_mean_kpa"], rtol=0.02, atol=0.11)
        assert rows["q_box_mean_kpa"].notna().sum() >= 5


def test_another_makers_files_name_it_and_hold_no_private_block(other_makers):
    folder, _ = other_makers["confidence_beside"]
    paths = sorted((folder / "dicom").rglob("*.dcm"))
    seen_regions = 0
    for path in paths:
        dataset = pydicom.dcmread(path)
        assert dataset.Manufacturer == "Philips Medical Systems (simulated)"
        assert dataset.ManufacturerModelName == "EPIQ Elite (simulated)"
        assert "SIMULATED" in dataset.ImageComments
        assert read_ssi_block(dataset) is None
        for region in dataset.get("SequenceOfUltrasoundRegions", []):
            assert region.RegionLocationMaxX1 < dataset.Columns
            seen_regions += 1
        truth = folder / "truth" / path.relative_to(folder / "dicom").with_suffix(".npz")
        if truth.exists():
            with np.load(truth) as known:
                assert str(known["scale_unit"]) == "kPa"
    assert len(paths) >= 5
    assert seen_regions >= 3 * 5


def test_picture_files_lie_in_a_folder_per_patient_and_have_a_square_around_the_box(other_makers):
    folder, rows = other_makers["velocity"]
    paths = sorted((folder / "dicom").rglob("*.*"))
    assert {path.suffix for path in paths} == {".png"}
    assert {path.parent.name for path in paths} == set(rows["patient_id"])
    for row in rows.to_dict("records"):
        with Image.open(folder / "dicom" / row["file"]) as picture:
            assert "SIMULATED" in picture.text["Comment"]
            assert row["patient_id"] in picture.text["Title"]
            columns, lines = picture.size
        with np.load(folder / "truth" / row["file"].replace(".png", ".npz")) as known:
            left, top, right, bottom = known["box"]
            assert str(known["scale_unit"]) == "m/s"
        assert 0 <= row["row"] <= lines - row["size"]
        assert 0 <= row["column"] <= columns - row["size"]
        shared = min(row["column"] + row["size"], right) - max(row["column"], left)
        assert shared > 0.85 * (right - left)
        assert row["size"] >= max(right - left, bottom - top)


def test_squares_are_joined_into_a_table_of_their_own(other_makers, tmp_path):
    parts = [other_makers[layout][1] for layout in ("stacked", "velocity")]
    join_measurements(parts, tmp_path / "measurements.csv", tmp_path / "roi.csv")
    squares, measurements = (pd.read_csv(tmp_path / f"{name}.csv") for name in ("roi", "measurements"))
    assert list(squares) == ["file", "row", "column", "size"]
    assert squares.dtypes[1:].eq("int64").all()
    assert len(squares) == len(parts[1])
    assert len(measurements) == len(parts[0]) + len(parts[1])
    assert "row" not in measurements


def test_the_schema_offers_every_design():
    schema = yaml.safe_load((Path(__file__).parents[3] / "rules/schemas/config.schema.yaml").read_text("utf-8"))
    screens = schema["properties"]["cohort"]["properties"]["screens"]
    assert screens["additionalProperties"]["properties"]["layout"]["enum"] == list(DESIGNS)
    assert screens["propertyNames"]["enum"] == list(HOSPITAL_SIZES)
