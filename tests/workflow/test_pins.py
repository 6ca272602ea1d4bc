"""One set of pins: the lock satisfies pyproject.toml, conda and the container install it, Pythons agree."""

import importlib.util
import re
import tomllib
from pathlib import Path

import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from dlre_core.preflight import machine
from dlre_core.serving.triton_program import find_triton

ROOT = Path(__file__).parents[2]
OLDEST_AND_NEXT = ("3.11", "3.14")


def known_pythons() -> list[str]:
    oldest, following = (int(version.split(".")[1]) for version in OLDEST_AND_NEXT)
    return [f"3.{minor}" for minor in range(oldest, following)]


def bootstrap_module():
    spec = importlib.util.spec_from_file_location("bootstrap", ROOT / "envs/bootstrap.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def locked() -> dict[str, str]:
    lines = (ROOT / "envs/requirements.lock").read_text().splitlines()
    pins = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(name): version for name, version in pins}


def test_every_requirement_is_locked_within_its_bounds():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = project["dependencies"] + project["optional-dependencies"]["test"]
    pins = locked()
    for requirement in map(Requirement, needed):
        version = pins.get(canonicalize_name(requirement.name))
        assert version is not None, f"{requirement.name} is not in envs/requirements.lock"
        assert requirement.specifier.contains(version), f"{requirement} but locked {version}"


def test_no_package_is_locked_twice_or_for_one_python_only():
    lines = (ROOT / "envs/requirements.lock").read_text().splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", pin) for pin in pins)
    assert len(locked()) == len(pins)


def test_conda_and_container_take_the_locks():
    environment = yaml.safe_load((ROOT / "envs/dlre.yaml").read_text())
    assert environment["dependencies"][-1] == {"pip": ["--requirement requirements.lock"]}
    (python,) = (entry for entry in environment["dependencies"] if str(entry).startswith("python="))
    assert python.removeprefix("python=") in known_pythons()
    (triton,) = re.findall(r"^[^#]+$", (ROOT / "envs/triton.lock").read_text(), re.MULTILINE)
    deploy = (ROOT / "envs/dlre.post-deploy.sh").read_text()
    assert f"pip install --no-deps {triton.strip()}\n" in deploy
    container = (ROOT / "envs/Containerfile").read_text()
    assert "COPY envs /study/envs" in container
    assert "python3 /study/envs/bootstrap.py /opt/dlre" in container


def test_every_place_names_the_same_pythons():
    bounds = f">={OLDEST_AND_NEXT[0]},<{OLDEST_AND_NEXT[1]}"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["project"]["requires-python"] == bounds
    assert project["tool"]["ruff"]["target-version"] == "py" + OLDEST_AND_NEXT[0].replace(".", "")
    versions = [tuple(map(int, python.split("."))) for python in known_pythons()]
    for place in (bootstrap_module(), machine):
        assert (versions[0], versions[-1]) == (place.OLDEST, place.NEWEST)
    stubs = find_triton().stub.parents[1]
    assert {path.name for path in stubs.iterdir()} >= set(known_pythons())


def test_one_image_is_named_everywhere():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    kubernetes = yaml.safe_load((ROOT / "profiles/kubernetes/config.yaml").read_text())
    image = yaml.safe_load((ROOT / "config.yaml").read_text())["container"]["image"]
    assert image == f"docker://{kubernetes['container-image']}"
    assert image.endswith(f"/dlre:{version}")


def test_profiles_parse_and_agree_on_when_to_rerun():
    profiles = {
        path.parent.name: yaml.safe_load(path.read_text()) for path in (ROOT / "profiles").glob("*/config.yaml")
    }
    assert set(profiles) == {"default", "slurm", "kubernetes"}
    for profile in profiles.values():
        for key in ("rerun-triggers", "rerun-incomplete", "max-checksum-file-size"):
            assert profile[key] == profiles["default"][key]


def test_a_job_needs_the_same_wherever_it_runs():
    needs = {
        path.parent.name: yaml.safe_load(path.read_text())["default-resources"]
        for path in (ROOT / "profiles").glob("*/config.yaml")
    }
    for profile in needs.values():
        assert {key: profile[key] for key in needs["default"]} == needs["default"]
        assert "attempt" in profile["mem_mb"]


def test_profiles_name_rules_that_exist():
    rules = {
        name
        for path in [ROOT / "Snakefile", *(ROOT / "rules").glob("*.smk")]
        for name in re.findall(r"^(?:    )?rule (\w+):", path.read_text(), re.MULTILINE)
    }
    for path in (ROOT / "profiles").glob("*/config.yaml"):
        profile = yaml.safe_load(path.read_text())
        named = set(profile.get("slurm-array-jobs", "").replace(",", " ").split())
        for key in ("set-threads", "set-resources"):
            named |= set(profile.get(key, {}))
        assert named <= rules, path
