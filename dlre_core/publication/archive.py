"""The archive of a published model: what is in it, how it is written, and how a foreign one is unpacked.

A published model holds networks, cut-offs and a model card. It tells of no patient: digests and looks of the
study's pictures stay behind, so an external validation cannot find the study's own patients by them.
"""

import hashlib
import json
import shutil
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from dlre_core.foundation.errors import StoreMismatch
from dlre_core.foundation.study_terms import FROZEN_STUDY, MODEL_NAME, MODEL_REPOSITORY, besides_the_square

# Snakemake reads this module at every start: what serving needs, PyTorch above all, is imported where it is used.
SERVING = "serving"
SUMS = "SHA256SUMS"
LARGEST_BYTES = 2_000_000_000
MOST_FILES = 1000
# A zip file knows no earlier day; the same study gives the same bytes.
DAY = (1980, 1, 1, 0, 0, 0)
ONE_VERSION = f"{MODEL_REPOSITORY}/{MODEL_NAME}/1"


def write_archive(
    path: str | Path,
    serving: str | Path,
    *,
    weights: Mapping[str, str | Path],
    examples: str | Path,
    documents: Mapping[str, str],
) -> None:
    """Write the archive of a finished study's model; equal contents give equal bytes.

    Parameters
    ----------
    path : path
        The zip file.
    serving : path
        Folder ``results/serving`` of the study.
    weights : mapping of stage question to safetensors file
        Of the arm that stages patients.
    examples : path
        Folder of DICOM files of simulated patients.
    documents : mapping of name to text
        Such as ``README.md``.

    Raises
    ------
    StoreMismatch
        If the study is not whole.
    """
    from dlre_core.serving.frozen_study import read_frozen_study, write_frozen_study

    study = read_frozen_study(serving)
    content = {name: text.encode() for name, text in documents.items()}
    with tempfile.TemporaryDirectory() as scratch:
        public = Path(scratch) / FROZEN_STUDY
        write_frozen_study(replace(study, pictures=(), looks=()), public)
        content[f"{SERVING}/{FROZEN_STUDY}"] = public.read_bytes()
    content |= _files(Path(serving) / MODEL_REPOSITORY, f"{SERVING}/{MODEL_REPOSITORY}")
    content |= {f"weights/{stage}.safetensors": Path(file).read_bytes() for stage, file in weights.items()}
    content |= _files(Path(examples), "examples")
    content[SUMS] = "".join(f"{_digest(data)}  {name}\n" for name, data in sorted(content.items())).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in sorted(content.items()):
            entry = zipfile.ZipInfo(name, DAY)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(entry, data)


def model_folder(model: str | Path, cache: str | Path) -> Path:
    """The folder ``serving`` of a model: the one given, or that of an archive, unpacked once below ``cache``.

    Nothing of a foreign archive is ever run: the program that Triton starts must be this version's own, to
    the byte, and networks are ONNX graphs.

    Parameters
    ----------
    model : path
        A folder, taken as it is, or a zip file.
    cache : path
        Where archives are unpacked, each in a folder named by its digest.

    Raises
    ------
    StoreMismatch
        If it is no archive of `write_archive`, was changed, or has a program in it that is not ours.
    """
    path = Path(model)
    if not path.is_file():
        return path
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    unpacked = Path(cache).absolute() / digest[:16]
    if not unpacked.is_dir():
        _unpack(_checked(path), unpacked)
    return unpacked / SERVING


def pictures_seen(folder: str | Path) -> list[str]:
    """What the networks of a model's folder see besides the elastogram's square; nothing without a model."""
    study = Path(folder) / FROZEN_STUDY
    manifest = Path(folder) / ONE_VERSION / "manifest.json"
    if not (study.exists() and manifest.exists()):
        return []
    arm = json.loads(study.read_text(encoding="utf-8"))["arm"]
    entry = json.loads(manifest.read_text(encoding="utf-8"))["arms"].get(arm, {})
    return besides_the_square(entry.get("input", "square"))


def _unpack(content: Mapping[str, bytes], folder: Path) -> None:
    """Write what serving needs, and appear whole."""
    from dlre_core.serving.repository import manifest_digest, read_manifest, write_config

    folder.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(dir=folder.parent))
    try:
        for name, data in content.items():
            if name.startswith(f"{SERVING}/") and not name.endswith("config.pbtxt"):
                (scratch / name).parent.mkdir(parents=True, exist_ok=True)
                (scratch / name).write_bytes(data)
        # A configuration may name programs to run as well: this version's own, from the manifest.
        repository = scratch / SERVING / MODEL_REPOSITORY
        write_config(repository / MODEL_NAME, read_manifest(repository), manifest_digest(repository))
        scratch.rename(folder)
    except BaseException:
        shutil.rmtree(scratch, ignore_errors=True)
        # Another process was quicker.
        if not folder.is_dir():
            raise


def _checked(path: Path) -> dict[str, bytes]:
    """Contents of an archive by name, each as its list of digests says."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            if len(entries) > MOST_FILES or sum(entry.file_size for entry in entries) > LARGEST_BYTES:
                raise _refused(path, f"it holds more than {MOST_FILES} files or {LARGEST_BYTES / 1e9:g} GB")
            content = {entry.filename: archive.read(entry) for entry in entries}
    except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise _refused(path, f"it is no whole zip file ({type(error).__name__})") from None
    if len(content) != len(entries):
        raise _refused(path, "a name stands in it twice")
    sums = content.pop(SUMS, b"").decode(errors="replace").splitlines()
    if sums != [f"{_digest(data)}  {name}" for name, data in sorted(content.items())]:
        raise _refused(path, f"its files are not those that its {SUMS} lists")
    if any(name.startswith("/") or ".." in Path(name).parts or "\\" in name for name in content):
        raise _refused(path, "it has a name that leaves its folder")
    from dlre_core.serving.repository import program_bytes

    programs = {name: data for name, data in content.items() if name.endswith(".py") and name.startswith(SERVING)}
    if programs != {f"{SERVING}/{ONE_VERSION}/model.py": program_bytes()}:
        raise _refused(path, "the program in it is not that of this version")
    return content


def _refused(path: Path, why: str) -> StoreMismatch:
    return StoreMismatch(
        f"{path} is not taken as a published model: {why}.",
        "Get the archive again from who published it, and use the version of this software that its model card "
        "names; or give the folder results/serving of a finished study.",
    )


def _files(folder: Path, name: str) -> dict[str, bytes]:
    content = {}
    for path in sorted(folder.rglob("*")):
        inner = path.relative_to(folder)
        # Neither what Python keeps beside a program nor what Snakemake marks a folder with.
        if path.is_file() and not any(part.startswith((".", "__")) for part in inner.parts):
            content[f"{name}/{inner.as_posix()}"] = path.read_bytes()
    return content


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
