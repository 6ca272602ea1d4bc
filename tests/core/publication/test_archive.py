"""A published model: whole, without patients, the same bytes each time; and foreign archives."""

import hashlib
import shutil
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from dlre_core.foundation.errors import ConfigurationError, StoreMismatch
from dlre_core.publication.archive import SUMS, model_folder, write_archive
from dlre_core.publication.model_card import documents, publication_facts
from dlre_core.serving.frozen_study import read_frozen_study, write_frozen_study
from dlre_core.serving.repository import manifest_digest, write_model_repository
from tests.helpers.frozen import study as frozen
from tests.helpers.serving_study import ARMS, STAGES, write_networks

PUBLICATION = {"licence": "CC-BY-4.0", "contact": "nobody@example.org", "citation": "Nobody et al."}
# What a study knows of its patients' pictures.
PICTURE, LOOK = "5e884898da280471", "ab" * 32


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    """A study's folder: models, serving and examples."""
    folder = tmp_path_factory.mktemp("finished")
    write_networks(folder / "models")
    repository = folder / "serving/model_repository"
    write_model_repository(folder / "models", ARMS, repository, simulated=False, provenance={})
    one = dict.fromkeys(STAGES, (0.9, 0.8, 0.95))
    study = frozen(
        manifest=manifest_digest(repository),
        pictures=(PICTURE,),
        looks=(LOOK,),
        simulated=False,
        own_validation={"dlre": one},
        own_patients=dict.fromkeys(STAGES, (30, 0.4)),
    )
    write_frozen_study(study, folder / "serving/frozen_study.json")
    (folder / "examples").mkdir()
    (folder / "examples/IM1.dcm").write_bytes(b"simulated")
    (folder / "examples/.snakemake_timestamp").touch()
    return folder


def publish(finished: Path, path: Path) -> Path:
    write_archive(
        path,
        finished / "serving",
        weights={stage: finished / f"models/{ARMS[0]}/{stage}.safetensors" for stage in STAGES},
        examples=finished / "examples",
        documents={"README.md": "words"},
    )
    return path


@pytest.fixture(scope="module")
def archive(finished, tmp_path_factory) -> Path:
    return publish(finished, tmp_path_factory.mktemp("published") / "model.zip")


def contents(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as file:
        return {name: file.read(name) for name in file.namelist()}


def rewritten(path: Path, changes: dict[str, bytes], sums: bool = True) -> Path:
    """The archive with other contents, its list of digests made anew."""
    content = contents(path) | changes
    if sums:
        content.pop(SUMS)
        lines = [f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in sorted(content.items())]
        content[SUMS] = "".join(lines).encode()
    with zipfile.ZipFile(path, "w") as file:
        for name, data in content.items():
            file.writestr(name, data)
    return path


def test_the_archive_has_all_that_its_guide_names(archive):
    names = contents(archive).keys()
    assert {"README.md", SUMS, "examples/IM1.dcm", "serving/frozen_study.json"} <= names
    assert {f"weights/{stage}.safetensors" for stage in STAGES} <= names
    assert {f"serving/model_repository/dlre/1/{arm}.onnx" for arm in ARMS} <= names
    assert not [name for name in names if "snakemake" in name or "__pycache__" in name]


def test_the_same_study_gives_the_same_bytes(finished, archive, tmp_path):
    assert publish(finished, tmp_path / "again.zip").read_bytes() == archive.read_bytes()


def test_nothing_tells_of_a_patients_pictures(archive):
    for name, data in contents(archive).items():
        assert PICTURE.encode() not in data, name
        assert LOOK.encode() not in data, name


def test_an_archive_is_a_model_and_is_unpacked_once(archive, tmp_path):
    folder = model_folder(archive, tmp_path / "models")
    study = read_frozen_study(folder)
    assert len(study.looks) == len(study.pictures) == 0
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert model_folder(archive, tmp_path / "models") == folder
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before
    assert [path.name for path in (tmp_path / "models").iterdir()] == [folder.parent.name]


def test_a_folder_is_taken_as_it_is(finished, tmp_path):
    assert model_folder(finished / "serving", tmp_path) == finished / "serving"
    assert list(tmp_path.iterdir()) == []


def test_triton_starts_only_what_this_version_writes(archive, tmp_path):
    evil = 'name: "dlre" backend: "python" parameters { key: "EXECUTION_ENV_PATH" value { string_value: "/evil" } }'
    changed = rewritten(
        Path(shutil.copy(archive, tmp_path / "a.zip")), {"serving/model_repository/dlre/config.pbtxt": evil.encode()}
    )
    config = model_folder(changed, tmp_path / "models") / "model_repository/dlre/config.pbtxt"
    assert "EXECUTION_ENV_PATH" not in config.read_text()
    assert manifest_digest(config.parents[1]) in config.read_text()


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"serving/model_repository/dlre/1/model.py": b"import os"}, "program"),
        ({"serving/model_repository/dlre/2/model.py": b"import os"}, "program"),
        ({"serving/../../outside": b""}, "leaves its folder"),
        ({"/outside": b""}, "leaves its folder"),
    ],
)
def test_foreign_programs_and_places_are_refused(archive, tmp_path, changes, why):
    changed = rewritten(Path(shutil.copy(archive, tmp_path / "a.zip")), changes)
    with pytest.raises(StoreMismatch, match=why):
        model_folder(changed, tmp_path / "models")
    assert not (tmp_path / "models").exists()


@pytest.mark.parametrize("changes", [{"README.md": b"other words"}, {"more": b""}])
def test_a_changed_archive_is_refused(archive, tmp_path, changes):
    changed = rewritten(Path(shutil.copy(archive, tmp_path / "a.zip")), changes, sums=False)
    with pytest.raises(StoreMismatch, match="SHA256SUMS"):
        model_folder(changed, tmp_path / "models")


@pytest.mark.parametrize("size", [0, 100, 10_000])
def test_half_an_archive_is_refused(archive, tmp_path, size):
    (tmp_path / "half.zip").write_bytes(archive.read_bytes()[:size])
    with pytest.raises(StoreMismatch, match="no whole zip file"):
        model_folder(tmp_path / "half.zip", tmp_path / "models")


def table_2() -> pd.DataFrame:
    row = {"stage": "f4", "method": "dlre", "n": 30, "auc": 0.9, "auc_low": 0.8, "auc_high": 0.95}
    row |= {f"{name}{part}": 0.8 for name in ("sensitivity", "specificity") for part in ("", "_low", "_high")}
    return pd.DataFrame([row | {"cohort": "validation"}, row | {"cohort": "training", "auc": 0.99}])


def groups() -> pd.DataFrame:
    row = {"population": "validation", "stage": "f4", "method": "dlre", "auc": 0.77, "auc_low": 0.6, "auc_high": 0.9}
    rows = [
        ("large", 12, {}),
        ("small", 9, {}),
        ("others", 99, {"population": "enrolled"}),
        ("other", 98, {"method": "lsm"}),
    ]
    return pd.DataFrame([row | {"subgroup": name, "n": n} | more for name, n, more in rows])


def test_the_card_says_what_the_study_says():
    study = frozen(title="Our study", training_patients=77)
    texts = documents(study, table_2(), groups(), publication_facts(PUBLICATION))
    card = texts["MODEL_CARD.md"]
    assert "| Cirrhosis (F4) | DLRE | 30 | 0.90 (0.80 to 0.95) | 80.0 (80.0 to 80.0) | 80.0 (80.0 to 80.0) |" in card
    assert "0.99" not in card
    assert "77 patients with biopsy" in card
    assert "SIMULATED" in card
    assert "| mean grey level of the square | 100.00 | 200.00 |" in card
    assert texts["LICENCE.txt"].startswith("CC-BY-4.0")
    assert len(texts["README.md"].splitlines()) <= 20
    assert (
        "SIMULATED"
        not in documents(frozen(simulated=False), table_2(), groups(), publication_facts(PUBLICATION))["MODEL_CARD.md"]
    )


def test_small_groups_have_no_numbers():
    card = documents(frozen(), table_2(), groups(), publication_facts(PUBLICATION))["MODEL_CARD.md"]
    assert "| Cirrhosis (F4) | large | 12 | 0.77 (0.60 to 0.90) |" in card
    assert "| Cirrhosis (F4) | small | fewer than 10 | – |" in card
    assert "| 9" not in card


def test_nothing_is_published_without_a_licence():
    with pytest.raises(ConfigurationError, match=r"publication\.licence, publication\.contact"):
        publication_facts({"licence": None, "contact": None, "citation": "x"})
