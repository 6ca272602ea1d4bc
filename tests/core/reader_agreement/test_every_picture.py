"""What Table 2 would be without exclusions: who comes back, which pictures count, and the difference."""

import numpy as np
import pandas as pd
import pytest
import torch

from dlre_core.foundation.design import study_questions
from dlre_core.foundation.picture_store import write_rois
from dlre_core.network.fibrosis_network import FibrosisNetwork
from dlre_core.network.inference import picture_probabilities
from dlre_core.patients.enrolment import EnrolmentSettings
from dlre_core.reader_agreement.every_picture import (
    every_picture_table,
    everybody_pictured,
    predicted_everywhere,
    printed_every_picture,
    stored_acquisitions,
)
from dlre_core.statistics.comparisons import compare_paired_aucs
from dlre_core.tables.table_2_accuracy import AccuracySettings
from tests.helpers.score_table import scores

FIT = {
    "elastography_date": "2015-03-02",
    "biopsy_date": "2015-03-09",
    "serology_date": "2015-02-23",
    "age_years": 40.0,
    "hbsag_positive_months": 9.0,
    "other_liver_disease": 0,
    "viral_coinfection": 0,
    "liver_transplantation": 0,
    "antiviral_treatment_6_months": 0,
    "biopsy_length_mm": 20.0,
    "portal_tracts": 9,
    "platelets_10e9_l": 180.0,
    "ast_iu_l": 40.0,
    "alt_iu_l": 45.0,
    "fibrosis_stage": 3,
}


def test_who_comes_back_is_whom_only_the_readers_kept_out():
    people = [("A", "kept"), ("A", "lost"), ("A", "few"), ("A", "young"), ("B", "elsewhere")]
    patients = pd.DataFrame([FIT | {"hospital": hospital, "patient": name} for hospital, name in people])
    patients.loc[patients["patient"] == "young", "age_years"] = 12.0
    number = {"few": 4}
    acquisitions = patients[["hospital", "patient"]].loc[patients.index.repeat([number.get(n, 5) for _, n in people])]
    split = pd.DataFrame({"hospital": ["A"], "patient": ["kept"], "cohort": ["training"], "fibrosis_stage": [3]})
    found = everybody_pictured(split, patients, acquisitions, EnrolmentSettings())
    assert found[["patient", "cohort"]].to_numpy().tolist() == [["kept", "training"], ["lost", "validation"]]


def test_the_first_pictures_of_all_that_are_stored_are_predicted(tmp_path):
    torch.manual_seed(2)
    networks = {stage: FibrosisNetwork().eval() for stage in study_questions()}
    rng = np.random.default_rng(1)
    squares = rng.integers(0, 256, (6, 250, 250, 3), dtype=np.uint8)
    ids = [f"i{n}" for n in range(6)]
    write_rois(tmp_path / "A.h5", ids, squares)
    table = pd.DataFrame({"image_id": ids, "hospital": "A", "patient": ["p", "p", "p", "q", "q", "q"]})
    table.assign(acquisition=[3, 1, 2, 1, 2, 3]).to_csv(tmp_path / "A_rois.csv", index=False)
    people = pd.DataFrame({"hospital": ["A"], "patient": ["p"], "cohort": ["validation"], "fibrosis_stage": [4]})
    rois = {"A": (tmp_path / "A.h5", tmp_path / "A_rois.csv"), "B": (tmp_path / "no.h5", tmp_path / "no.csv")}
    found = predicted_everywhere(rois, people, networks, 2)
    assert list(found["image_id"]) == ["i1", "i2"]
    for stage, network in networks.items():
        assert found[stage].to_numpy() == pytest.approx(picture_probabilities(network, squares[1:3]), abs=1e-6)


def test_the_same_patients_are_compared_as_pairs_and_the_rest_adds_to_one_side():
    kept = scores(120)
    kept["dlre_f4"] = (kept["dlre_f4"] + np.resize([0.0, 0.3, 0.1], 120)).clip(0, 1)
    settings = AccuracySettings(bootstrap_replicates=50)
    table = every_picture_table(scores(120), kept, settings).set_index(["stage", "method", "cohort"])
    row = table.loc[("f4", "dlre", "validation")]
    here = kept["cohort"] == "validation"
    labels = (kept.loc[here, "fibrosis_stage"] == 4).astype(int)
    paired = compare_paired_aucs(labels, kept.loc[here, "dlre_f4"], scores(120).loc[here, "dlre_f4"])
    assert row["difference"] == pytest.approx(paired.difference)
    assert row["auc_every"] - row["auc_study"] == pytest.approx(paired.difference)
    assert (row["n_study"], row["n_every"]) == (40, 40)
    # Nothing about stiffness has changed.
    same = table.loc[("f4", "lsm", "training")]
    assert (same["difference"], same["auc_study"]) == (0, same["auc_every"])
    fewer = every_picture_table(scores(120).iloc[:110], kept, settings).set_index(["stage", "method", "cohort"])
    assert list(fewer.loc[("f4", "apri", "validation"), ["n_study", "n_every"]]) == [30, 40]
    assert fewer.loc[("f4", "apri", "validation"), "difference"] != 0
    html = printed_every_picture(table.reset_index(), 0.95, simulated=False).html()
    assert "every picture" in html


def test_empty_hospitals_do_not_change_the_joined_table(tmp_path):
    pd.DataFrame(columns=["image_id", "hospital", "q_box_mean_kpa"]).to_csv(tmp_path / "A.csv", index=False)
    one = pd.DataFrame({"image_id": ["i"], "hospital": ["01"], "q_box_mean_kpa": [5.5]})
    one.to_csv(tmp_path / "B.csv", index=False)
    joined = stored_acquisitions([tmp_path / "A.csv", tmp_path / "B.csv"])
    assert joined.to_dict("list") == {"image_id": ["i"], "hospital": ["01"], "q_box_mean_kpa": [5.5]}
