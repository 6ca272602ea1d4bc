"""One table per arm: the right pictures, the right networks, the same bytes however it was asked."""

import numpy as np
import pandas as pd
import pytest

from dlre_core.foundation.csv_tables import read_table, write_table
from dlre_core.foundation.errors import ServerUnavailable, StoreMismatch
from dlre_core.foundation.picture_store import write_rois
from dlre_core.serving.repository import write_model_repository
from dlre_core.serving.server import TritonServer
from dlre_core.serving.through_triton import ArmToPredict, ServingSettings, predict_arms
from tests.helpers.serving_study import (
    ARMS,
    STAGES,
    expected_probabilities,
    random_images,
    write_networks,
)

CHOICES = {"overall": ("overall", 2), "combination_1": ("by_hospital", 1)}
# Hospital "NA" must stay text; acquisitions are not in order in the table.
ROWS = [
    ("NA", "p3", 2),
    ("NA", "p3", 1),
    ("B", "p1", 3),
    ("B", "p1", 1),
    ("B", "p1", 2),
    ("B", "p2", 1),
    ("B", "p2", 2),
    ("A", "p4", 1),
]


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    weights = write_networks(folder / "models")
    write_model_repository(folder / "models", ARMS, folder / "served", simulated=True, provenance={})
    # A later study in the same repository must not answer for this one.
    write_networks(folder / "later", seed=1)
    write_model_repository(folder / "later", ARMS, folder / "served", simulated=True, provenance={}, version=2)
    rois = pd.DataFrame(ROWS, columns=["hospital", "patient", "acquisition"])
    rois.insert(0, "image_id", [f"{i:016x}" for i in range(len(rois))])
    write_table(rois, folder / "rois.csv")
    images = random_images(len(rois))
    write_rois(folder / "rois.h5", list(rois["image_id"]), images)
    split = pd.DataFrame(
        {
            "patient": ["p3", "p1", "p2"],
            "hospital": ["NA", "B", "B"],
            "fibrosis_stage": [4, 0, 2],
            "cohort": ["training", "training", "validation"],
            "seed": 1,
        }
    )
    write_table(split, folder / "overall.csv")
    write_table(split.assign(cohort="validation"), folder / "by_hospital.csv")
    return folder, weights, images


@pytest.fixture(scope="module")
def url(study):
    with TritonServer(study[0] / "served", log=study[0] / "server.log") as running:
        yield running.grpc_url


def predict(study, target, **changes):
    folder = study[0]
    given = {
        "arms": {
            arm: ArmToPredict(folder / f"{split}.csv", images, target / f"{arm}.csv")
            for arm, (split, images) in CHOICES.items()
        },
        "rois": folder / "rois.h5",
        "roi_table": folder / "rois.csv",
        "repository": folder / "served",
        "log": target / "server.log",
    }
    predict_arms(**(given | changes))
    return target


def test_tables_hold_the_first_pictures_of_every_patient(study, url, tmp_path):
    _, weights, images = study
    predict(study, tmp_path, settings=ServingSettings(url=url))
    table = read_table(tmp_path / "overall.csv")
    assert list(table.columns) == [
        "hospital",
        "patient",
        "cohort",
        "fibrosis_stage",
        "acquisition",
        "image_id",
        "f4",
        "ge_f3",
        "ge_f2",
    ]
    assert list(table[["hospital", "patient", "acquisition"]].itertuples(index=False)) == [
        ("B", "p1", 1),
        ("B", "p1", 2),
        ("B", "p2", 1),
        ("B", "p2", 2),
        ("NA", "p3", 1),
        ("NA", "p3", 2),
    ]
    assert table["cohort"].tolist() == ["training"] * 2 + ["validation"] * 2 + ["training"] * 2
    assert table["fibrosis_stage"].tolist() == [0, 0, 2, 2, 4, 4]
    expected = expected_probabilities(weights, "overall", images[[3, 4, 5, 6, 1, 0]])
    np.testing.assert_allclose(table[list(STAGES)], expected, atol=1e-5)
    one = read_table(tmp_path / "combination_1.csv")
    assert one["acquisition"].tolist() == [1, 1, 1]
    expected = expected_probabilities(weights, "combination_1", images[[3, 5, 1]])
    np.testing.assert_allclose(one[list(STAGES)], expected, atol=1e-5)


def test_bundled_server_and_other_batches_give_the_same_bytes(study, url, tmp_path):
    running = predict(study, tmp_path / "a", settings=ServingSettings(url=url, batch_size=32))
    bundled = predict(study, tmp_path / "b", settings=ServingSettings(batch_size=1, threads=1))
    for arm in ARMS:
        content = (running / f"{arm}.csv").read_bytes()
        assert content == (bundled / f"{arm}.csv").read_bytes()
    assert "Started GRPCInferenceService" in (bundled / "server.log").read_text()


def test_a_server_of_another_study_is_refused(study, url, tmp_path):
    write_networks(tmp_path / "models", seed=5)
    write_model_repository(tmp_path / "models", ARMS, tmp_path / "served", simulated=True, provenance={})
    with pytest.raises(ServerUnavailable, match="holds other networks"):
        predict(study, tmp_path, repository=tmp_path / "served", settings=ServingSettings(url=url))
    assert not list(tmp_path.glob("*.csv"))


@pytest.mark.parametrize("rows", [slice(1, None), slice(None, None, -1)])
def test_table_and_store_must_name_the_same_pictures(study, url, tmp_path, rows):
    table = read_table(study[0] / "rois.csv")
    write_table(table[rows], tmp_path / "rois.csv")
    with pytest.raises(StoreMismatch):
        predict(study, tmp_path, roi_table=tmp_path / "rois.csv", settings=ServingSettings(url=url))
