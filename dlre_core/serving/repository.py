"""Write the trained networks of a study as a Triton model repository."""

import hashlib
import json
import logging
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnxruntime
from google.protobuf import text_format
from safetensors import SafetensorError, safe_open
from torch import nn
from tritonclient.grpc import model_config_pb2

from dlre_core.foundation.atomic_files import written_whole
from dlre_core.foundation.design import study_questions
from dlre_core.foundation.errors import ConfigurationError
from dlre_core.foundation.study_terms import MODEL_NAME, SQUARE_SHAPE
from dlre_core.network.inference import Seen, picture_probabilities
from dlre_core.network.kinds import PAPERS, NetworkKind, make_network, network_of
from dlre_core.network.onnx_export import exported_model, exported_networks
from dlre_core.serving.onnx_model import (
    INPUT_NAME,
    OUTPUT_NAME,
    STIFFNESS_NAME,
    ModelRepositoryError,
    build_arm_model,
    check_weights,
    read_arm_model,
)

logger = logging.getLogger(__name__)

MAXIMUM_BATCH = 128
INTENDED_USE = "Research use only. Not a medical device; not for decisions about patients."
LARGEST_DIFFERENCE = 1e-5
INSTANCE_KINDS = {
    "cpu": model_config_pb2.ModelInstanceGroup.KIND_CPU,
    "gpu": model_config_pb2.ModelInstanceGroup.KIND_GPU,
}


def write_model_repository(
    models_folder: str | Path,
    arms: Sequence[str],
    folder: str | Path,
    *,
    simulated: bool,
    provenance: Mapping[str, object],
    version: int = 1,
    device: str = "cpu",
) -> Path:
    """Write one version of the Triton model ``dlre``, which holds the networks of all arms.

    Other versions in ``folder`` stay and can still be asked for. Equal weights and arguments give
    equal bytes. Every ONNX network is run once and must agree with PyTorch to 1e-5.

    Parameters
    ----------
    models_folder : path
        Holds ``{arm}/{stage}.safetensors``.
    arms : sequence of str
        Arms to serve; the first answers requests that name none.
    folder : path
        The model repository; ``folder/dlre`` is made.
    simulated : bool
        Whether the networks were trained on a simulated cohort.
    provenance : mapping
        JSON-like facts about the study, kept in the manifest.
    version : int
        Version directory, 1 or above. An existing one is replaced.
    device : {"cpu", "gpu"}
        Where Triton runs all versions: one process on the CPU, or one on every GPU that it sees.

    Returns
    -------
    path
        ``folder/dlre/{version}/manifest.json``.

    Raises
    ------
    ModelRepositoryError
        If weights are missing, damaged, not finite, or the ONNX network differs from PyTorch's.
    ValueError
        If no arm is given, the version is below 1 or the device unknown.
    """
    if not arms or version < 1:
        raise ValueError(f"need an arm and a version of at least 1, got {list(arms)}, {version}")
    if device not in INSTANCE_KINDS:
        raise ValueError(f"need a device of {', '.join(INSTANCE_KINDS)}, got {device}")
    model_folder = Path(folder) / MODEL_NAME
    unfinished = model_folder / f".version-{version}"
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    entries = {arm: _write_arm(Path(models_folder) / arm, arm, unfinished) for arm in arms}
    manifest = {
        "model": MODEL_NAME,
        "version": version,
        "intended_use": INTENDED_USE,
        "simulated": simulated,
        "default_arm": arms[0],
        "stages": list(study_questions()),
        "arms": entries,
        "provenance": dict(provenance),
    }
    text = json.dumps(manifest, indent=2, sort_keys=True) + "\n"
    (unfinished / "manifest.json").write_text(text, encoding="utf-8")
    (unfinished / "model.py").write_bytes(program_bytes())
    final = model_folder / str(version)
    shutil.rmtree(final, ignore_errors=True)
    unfinished.rename(final)
    write_config(model_folder, manifest, hashlib.sha256(text.encode()).hexdigest(), device)
    logger.info("wrote version %d of %s: %s", version, model_folder, ", ".join(arms))
    return final / "manifest.json"


def program_bytes() -> bytes:
    """The program that Triton runs, as every repository of this version holds it."""
    return Path(__file__).with_name("triton_model.py").read_bytes()


def read_manifest(repository: str | Path, version: int = 1) -> dict[str, object]:
    """The manifest of one version in a model repository.

    Raises
    ------
    ModelRepositoryError
        If there is no such version.
    """
    path = Path(repository) / MODEL_NAME / str(version) / "manifest.json"
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelRepositoryError(
            f"{path} cannot be read: {error}.", "Run the rule model_repository again."
        ) from error


def manifest_digest(repository: str | Path, version: int = 1) -> str:
    """SHA-256 of the manifest, which a server of this repository states in its configuration."""
    read_manifest(repository, version)
    path = Path(repository) / MODEL_NAME / str(version) / "manifest.json"
    return hashlib.sha256(path.read_bytes()).hexdigest()


def served_networks(repository: str | Path, arm: str, version: int = 1) -> dict[str, nn.Module] | None:
    """An arm's networks, by stage question, from a repository that is sound.

    None where the served graph does not hold their own weights (`exported_networks`), or their class is not here.

    Raises
    ------
    ModelRepositoryError
        If the arm is unknown or its file is damaged.
    """
    entry = _entry(repository, arm, version)
    path = Path(repository) / MODEL_NAME / str(version) / entry["file"]
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != entry["sha256"]:
        raise ModelRepositoryError(f"{path} is damaged.", "Run the rule model_repository again.")
    kind = NetworkKind.of(entry)
    if kind.of_the_paper:
        return {stage: network_of(weights, kind) for stage, weights in read_arm_model(content, kind.channels).items()}
    try:
        return exported_networks(content, kind)
    except ConfigurationError as error:
        logger.info("no heat maps: %s", error)
        return None


def served_kind(repository: str | Path, arm: str, version: int = 1) -> NetworkKind:
    """Network and input of an arm.

    Raises
    ------
    ModelRepositoryError
        If there is no such arm.
    """
    return NetworkKind.of(_entry(repository, arm, version))


def _entry(repository: str | Path, arm: str, version: int) -> dict[str, object]:
    entry = read_manifest(repository, version)["arms"].get(arm)
    if entry is None:
        raise ModelRepositoryError(f"{repository} has no arm {arm}.", "Use the study's own arms.")
    return entry


def _write_arm(source: Path, arm: str, folder: Path) -> dict[str, object]:
    networks, training, digests, kinds = {}, {}, {}, set()
    for stage in study_questions():
        path = source / f"{stage}.safetensors"
        networks[stage], training[stage] = _read_network(path)
        digests[stage] = hashlib.sha256(path.read_bytes()).hexdigest()
        kinds.add(NetworkKind.trained(training[stage]))
    if len(kinds) > 1:
        raise ModelRepositoryError(
            f"{source}: its networks are of several kinds.", "Delete the folder and train again."
        )
    (kind,) = kinds
    if kind.of_the_paper:
        model = build_arm_model(networks, kind.channels)
    else:
        model = exported_model({stage: network_of(weights, kind) for stage, weights in networks.items()}, kind)
    difference = largest_difference(model, networks, kind)
    if not difference <= LARGEST_DIFFERENCE:
        raise ModelRepositoryError(
            f"{source}: ONNX and PyTorch differ by {difference:.1e}, allowed are {LARGEST_DIFFERENCE:.0e}.",
            "Report this: the network and its ONNX description no longer agree.",
        )
    (folder / f"{arm}.onnx").write_bytes(model)
    return {
        "file": f"{arm}.onnx",
        "sha256": hashlib.sha256(model).hexdigest(),
        "weights_sha256": digests,
        "training": training,
        **kind.words,
    }


def _read_network(path: Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    try:
        with safe_open(path, framework="numpy") as file:
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            metadata = file.metadata() or {}
    except (OSError, SafetensorError) as error:
        raise ModelRepositoryError(f"{path} cannot be read: {error}.", "Delete the file and train again.") from error
    kind = NetworkKind.trained(metadata)
    shapes = {name: tuple(value.shape) for name, value in make_network(kind, 0).state_dict().items()}
    check_weights(weights, str(path), shapes)
    return weights, dict(sorted(metadata.items()))


def largest_difference(
    model: bytes, networks: Mapping[str, Mapping[str, np.ndarray]], kind: NetworkKind = PAPERS
) -> float:
    """Largest difference between the probabilities of an ONNX arm and of PyTorch, on fixed noise.

    Parameters
    ----------
    model : bytes
        From `build_arm_model` or `exported_model`.
    networks : mapping
        The weights it was built from.
    kind : NetworkKind, optional

    Returns
    -------
    float
        Largest absolute difference over two images, of which one has no stiffness; NaN if any is NaN.
    """
    images = np.random.default_rng(0).integers(0, 256, (2, *SQUARE_SHAPE[:2], kind.channels), dtype=np.uint8)
    stiffness_kpa = np.array([7.5, np.nan], dtype=np.float32)
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    found = session.run(None, session_inputs(session, Seen(images, stiffness_kpa)))[0]
    expected = np.column_stack(
        [picture_probabilities(network_of(networks[stage], kind), images, stiffness_kpa) for stage in study_questions()]
    )
    return float(np.abs(found - expected).max())


def session_inputs(session: onnxruntime.InferenceSession, seen: Seen) -> dict[str, np.ndarray]:
    """What a session takes, by name."""
    given = {INPUT_NAME: seen.images}
    if seen.stiffness_kpa is not None:
        given[STIFFNESS_NAME] = np.asarray(seen.stiffness_kpa, np.float32)[:, None]
    return {entry.name: given[entry.name] for entry in session.get_inputs()}


def write_config(folder: Path, manifest: Mapping[str, object], digest: str, device: str = "cpu") -> None:
    """Write ``config.pbtxt`` of a model's folder: what Triton starts, and what it must be able to show.

    Parameters
    ----------
    folder : path
        Holds the version folders.
    manifest : mapping
        Of the newest version.
    digest : str
        SHA-256 of that manifest's file.
    device : {"cpu", "gpu"}
    """
    config = model_config_pb2.ModelConfig(name=MODEL_NAME, backend="python", max_batch_size=MAXIMUM_BATCH)
    kinds = {arm: NetworkKind.of(entry) for arm, entry in manifest["arms"].items()}
    default = [*SQUARE_SHAPE[:2], kinds[manifest["default_arm"]].channels]
    several = len({kind.channels for kind in kinds.values()}) > 1
    dims = [*SQUARE_SHAPE[:2], -1] if several else default
    config.input.add(name=INPUT_NAME, data_type=model_config_pb2.TYPE_UINT8, dims=dims)
    if not all(kind.of_the_paper for kind in kinds.values()):
        # Of the pictures, for networks that take it; unknown where it is left out.
        config.input.add(name=STIFFNESS_NAME, data_type=model_config_pb2.TYPE_FP32, dims=[1], optional=True)
    config.output.add(name=OUTPUT_NAME, data_type=model_config_pb2.TYPE_FP32, dims=[len(study_questions())])
    config.instance_group.add(kind=INSTANCE_KINDS[device], count=1)
    config.dynamic_batching.SetInParent()
    config.version_policy.all.SetInParent()
    warm_up = config.model_warmup.add(name="one black image", batch_size=1)
    warm_up.inputs[INPUT_NAME].data_type = model_config_pb2.TYPE_UINT8
    warm_up.inputs[INPUT_NAME].dims.extend(default)
    warm_up.inputs[INPUT_NAME].zero_data = True
    facts = _other_versions(folder) | {
        f"manifest_{manifest['version']}": digest,
        "intended_use": manifest["intended_use"],
        "simulated": str(manifest["simulated"]).lower(),
        "stages": ",".join(study_questions()),
        "arms": ",".join(manifest["arms"]),
        "default_arm": manifest["default_arm"],
    }
    for arm, entry in manifest["arms"].items():
        facts[f"sha256_{manifest['version']}_{arm}"] = entry["sha256"]
    for name, value in facts.items():
        config.parameters[name].string_value = value
    with written_whole(folder / "config.pbtxt") as unfinished:
        unfinished.write_text(text_format.MessageToString(config), encoding="utf-8")


def _other_versions(folder: Path) -> dict[str, str]:
    """Digests that the configuration already states for versions that are still there."""
    path = folder / "config.pbtxt"
    if not path.exists():
        return {}
    known = text_format.Parse(path.read_text(encoding="utf-8"), model_config_pb2.ModelConfig())
    return {
        name: known.parameters[name].string_value
        for name in known.parameters
        if name.startswith(("manifest_", "sha256_")) and (folder / name.split("_")[1]).is_dir()
    }
