"""The ONNX networks equal the paper's network, byte for byte repeatable; bad weights are refused."""

import hashlib
import json
import runpy
import sys
import types
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from google.protobuf import json_format, text_format
from safetensors.numpy import load_file, save_file
from tritonclient.grpc import model_config_pb2

from dlre_core.serving import repository
from dlre_core.serving.onnx_model import ModelRepositoryError, build_arm_model
from dlre_core.serving.repository import manifest_digest, read_manifest, write_model_repository
from tests.helpers.serving_study import (
    ARMS,
    STAGES,
    expected_probabilities,
    random_images,
    write_networks,
)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    weights = write_networks(folder / "models")
    write_model_repository(folder / "models", ARMS, folder / "served", simulated=True, provenance={"title": "test"})
    return folder, weights


def write_again(study, folder, **changes):
    settings = {"simulated": True, "provenance": {"title": "test"}} | changes
    return write_model_repository(study[0] / "models", ARMS, folder, **settings)


def config_of(folder):
    text = (folder / "dlre" / "config.pbtxt").read_text()
    return text_format.Parse(text, model_config_pb2.ModelConfig())


def content(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("arm", ARMS)
def test_onnx_equals_the_papers_network(study, arm):
    folder, weights = study
    images = random_images(5)
    session = onnxruntime.InferenceSession(folder / "served" / "dlre" / "1" / f"{arm}.onnx")
    (found,) = session.run(None, {"IMAGE": images})
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected_probabilities(weights, arm, images), atol=1e-5)
    assert np.ptp(found) > 0.01


def test_same_weights_give_the_same_bytes(study, tmp_path):
    write_again(study, tmp_path)
    assert content(tmp_path) == content(study[0] / "served")


def test_other_weights_give_other_bytes(study):
    weights = {stage: load_file(study[0] / "models/overall" / f"{stage}.safetensors") for stage in STAGES}
    before = build_arm_model(weights)
    weights["ge_f3"]["hidden.bias"][3] += 1
    assert build_arm_model(weights) != before


def test_manifest_and_configuration_state_what_is_served(study):
    folder = study[0] / "served"
    manifest = read_manifest(folder)
    parameters = {name: p.string_value for name, p in config_of(folder).parameters.items()}
    assert manifest["simulated"] is True
    assert parameters["simulated"] == "true"
    assert "Research use only" in parameters["intended_use"]
    assert parameters["default_arm"] == manifest["default_arm"] == "overall"
    assert parameters["manifest_1"] == manifest_digest(folder)
    for arm in ARMS:
        model = (folder / "dlre/1" / f"{arm}.onnx").read_bytes()
        digest = hashlib.sha256(model).hexdigest()
        assert digest == manifest["arms"][arm]["sha256"] == parameters[f"sha256_1_{arm}"]
        assert manifest["arms"][arm]["training"]["f4"] == {"provenance": "{}"}
    assert manifest["provenance"] == {"title": "test"}


def test_a_new_version_leaves_the_old_one_callable(study, tmp_path):
    write_again(study, tmp_path)
    old = content(tmp_path / "dlre/1")
    write_again(study, tmp_path, version=2, simulated=False)
    parameters = config_of(tmp_path).parameters
    assert content(tmp_path / "dlre/1") == old
    assert parameters["manifest_1"].string_value == manifest_digest(tmp_path, 1)
    assert parameters["manifest_2"].string_value == manifest_digest(tmp_path, 2)
    assert json.loads((tmp_path / "dlre/2/manifest.json").read_text())["simulated"] is False
    assert config_of(tmp_path).version_policy.HasField("all")


def damage_missing(path, weights):
    path.unlink()


def damage_truncated(path, weights):
    path.write_bytes(path.read_bytes()[:1000])


def damage_nan(path, weights):
    weights["convolutions.2.weight"][1, 2, 0, 0] = np.nan
    save_file(weights, path)


def damage_shape(path, weights):
    weights["hidden.weight"] = weights["hidden.weight"][:, :-1].copy()
    save_file(weights, path)


def damage_name(path, weights):
    weights["extra"] = weights.pop("output.bias")
    save_file(weights, path)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (damage_missing, "cannot be read"),
        (damage_truncated, "cannot be read"),
        (damage_nan, r"convolutions\.2\.weight holds NaN"),
        (damage_shape, r"hidden\.weight should be float32 \(32, 7200\), is float32 \(32, 7199\)"),
        (damage_name, r"missing or unknown weights: extra, output\.bias"),
    ],
)
def test_bad_weights_are_refused_by_name(tmp_path, damage, words):
    write_networks(tmp_path / "models")
    path = tmp_path / "models/overall/ge_f3.safetensors"
    damage(path, load_file(path))
    with pytest.raises(ModelRepositoryError, match=words) as caught:
        write_model_repository(tmp_path / "models", ARMS, tmp_path / "served", simulated=True, provenance={})
    assert str(path) in str(caught.value)
    assert not (tmp_path / "served/dlre/1").exists()


def test_a_network_that_differs_from_pytorch_is_refused(study, tmp_path, monkeypatch):
    def build_other(networks, channels):
        swapped = dict(networks) | {"f4": networks["ge_f2"], "ge_f2": networks["f4"]}
        return build_arm_model(swapped, channels)

    monkeypatch.setattr(repository, "build_arm_model", build_other)
    with pytest.raises(ModelRepositoryError, match="ONNX and PyTorch differ by"):
        write_again(study, tmp_path)


def test_a_network_that_overflows_is_refused(tmp_path):
    write_networks(tmp_path / "models", scale=1e12)
    with pytest.raises(ModelRepositoryError, match="differ by nan"):
        write_model_repository(tmp_path / "models", ARMS, tmp_path / "served", simulated=True, provenance={})


@pytest.mark.parametrize(("arms", "version"), [([], 1), (ARMS, 0)])
def test_wrong_arguments(tmp_path, arms, version):
    with pytest.raises(ValueError, match="need an arm and a version"):
        write_model_repository(tmp_path, arms, tmp_path, simulated=True, provenance={}, version=version)


@pytest.mark.parametrize(("device", "kind"), [("cpu", "KIND_CPU"), ("gpu", "KIND_GPU")])
def test_the_device_of_the_configuration_is_tritons_instance_group(study, tmp_path, device, kind):
    write_again(study, tmp_path, device=device)
    (group,) = config_of(tmp_path).instance_group
    assert (model_config_pb2.ModelInstanceGroup.Kind.Name(group.kind), group.count) == (kind, 1)
    assert not group.gpus, "none named: Triton takes all it sees"


def test_an_unknown_device_is_refused(study, tmp_path):
    with pytest.raises(ValueError, match="need a device of cpu, gpu, got tpu"):
        write_again(study, tmp_path, device="tpu")


@pytest.mark.skipif("CUDAExecutionProvider" in onnxruntime.get_available_providers(), reason="CUDA is here")
def test_the_program_refuses_to_fall_back_from_gpu_to_cpu(study, monkeypatch):
    """Triton's own utilities exist only inside Triton."""
    triton = types.SimpleNamespace(TritonModelException=RuntimeError)
    monkeypatch.setitem(sys.modules, "triton_python_backend_utils", triton)
    folder = study[0] / "served/dlre"
    program = runpy.run_path(folder / "1/model.py")
    arguments = {
        "model_version": "1",
        "model_repository": str(folder),
        "model_config": json_format.MessageToJson(config_of(study[0] / "served"), preserving_proto_field_name=True),
        "model_instance_device_id": "0",
    }
    model = program["TritonPythonModel"]()
    model.initialize(arguments | {"model_instance_kind": "CPU"})
    with pytest.raises(RuntimeError, match="onnxruntime cannot use CUDA here; install"):
        model.initialize(arguments | {"model_instance_kind": "GPU"})


def test_a_missing_version_is_named(study):
    with pytest.raises(ModelRepositoryError, match=r"dlre/7/manifest\.json cannot be read"):
        read_manifest(study[0] / "served", 7)


def test_the_documented_config_for_nvidias_backend_fits_the_onnx_files(study):
    """That backend is not here; at least names, types and shapes are checked."""
    text = (Path(__file__).parents[3] / "docs" / "guide" / "serving.md").read_text(encoding="utf-8")
    block = text.split("```protobuf\n")[1].split("```")[0]
    config = text_format.Parse(block, model_config_pb2.ModelConfig())
    session = onnxruntime.InferenceSession(study[0] / "served/dlre/1/overall.onnx")
    for described, actual, kind in (
        (config.input, session.get_inputs(), {"tensor(uint8)": model_config_pb2.TYPE_UINT8}),
        (config.output, session.get_outputs(), {"tensor(float)": model_config_pb2.TYPE_FP32}),
    ):
        assert [(t.name, list(t.dims), t.data_type) for t in described] == [
            (t.name, t.shape[1:], kind[t.type]) for t in actual
        ]
