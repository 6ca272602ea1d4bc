"""One set of pins: the lock satisfies pyproject.toml, and conda and the container install the lock."""

import re
import tomllib
from pathlib import Path

import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]


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


def test_conda_and_container_take_the_lock():
    environment = yaml.safe_load((ROOT / "envs/dlre.yaml").read_text())
    assert environment["dependencies"][-1] == {"pip": ["--requirement requirements.lock"]}
    container = (ROOT / "envs/Containerfile").read_text()
    assert "COPY envs/requirements.lock /tmp/requirements.lock" in container
    assert re.search(r"pip install .*--requirement /tmp/requirements.lock", container)
    python = re.search(r"python:(\d+\.\d+)-", container).group(1)
    assert f"python={python}" in environment["dependencies"]


def test_profiles_parse_and_agree_on_when_to_rerun():
    profiles = {
        path.parent.name: yaml.safe_load(path.read_text())
        for path in (ROOT / "profiles").glob("*/config.yaml")
    }
    assert set(profiles) == {"default", "slurm", "kubernetes"}
    for profile in profiles.values():
        for key in ("rerun-triggers", "rerun-incomplete", "max-checksum-file-size"):
            assert profile[key] == profiles["default"][key]


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
