"""Check a study's configuration and say, for every fault, the key, the value and the remedy."""

import difflib
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match

from dlre_core.errors import ConfigurationError


def check_configuration(config: Mapping[str, Any], schema_file: str | Path) -> None:
    """Validate a configuration against the schema and against itself.

    Parameters
    ----------
    config : mapping
        The parsed ``config.yaml``, command-line overrides included.
    schema_file : path
        JSON Schema as YAML; properties may carry ``description`` and ``remedy``.

    Raises
    ------
    ConfigurationError
        With one line for every fault: the key, the value found, what is wrong and the remedy.
    """
    schema = yaml.safe_load(Path(schema_file).read_text(encoding="utf-8"))
    validator = Draft202012Validator(schema)
    errors = sorted(validator.iter_errors(dict(config)), key=lambda e: [str(p) for p in e.path])
    faults = [line for error in errors for line in _describe(error)]
    if not faults:
        faults = list(_contradictions(config))
    if faults:
        lines = "\n".join(f"  - {fault}" for fault in faults)
        raise ConfigurationError(
            f"The configuration has {len(faults)} fault{'s' * (len(faults) > 1)}:\n{lines}"
        )


def check_yaml(path: str | Path) -> None:
    """Refuse a configuration file that is no YAML, or in which a key stands twice, of which the last would count.

    Raises
    ------
    ConfigurationError
        With the lines.
    """
    try:
        root = yaml.compose(Path(path).read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}.", "Save it as UTF-8.") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise ConfigurationError(
            f"{path}, line {line}: {error.problem}.",
            "Write keys as `key: value`, indent by blanks and not by tabs, and put a value with a colon into quotes.",
        ) from None
    twice = list(_repeated(root, ""))
    if twice:
        raise ConfigurationError(
            f"{path}: {'; '.join(twice)}.", "Keep one of them; without this the last would count."
        )


def _repeated(node: yaml.Node | None, place: str) -> Iterable[str]:
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _repeated(item, place)
    if not isinstance(node, yaml.MappingNode):
        return
    lines: dict[str, int] = {}
    for key, value in node.value:
        name, line = f"{place}{key.value}", key.start_mark.line + 1
        if name in lines:
            yield f"{name} stands in lines {lines[name]} and {line}"
        lines.setdefault(name, line)
        yield from _repeated(value, f"{name}.")


def check_hospitals(config: Mapping[str, Any], hospitals: Collection[str]) -> None:
    """Refuse a split that an arm uses and that names hospitals which the cohort does not have.

    Parameters
    ----------
    config : mapping
    hospitals : collection of str
        Codes of the cohort's hospitals.

    Raises
    ------
    ConfigurationError
        Before anything is run, naming every such split.
    """
    faults = []
    for name in sorted({arm["split"] for arm in config["arms"].values()}):
        unknown = sorted(set(config["splits"][name].get("training", [])) - set(hospitals))
        if unknown:
            faults.append(
                f"splits.{name}.training: this cohort has no hospital{'s' * (len(unknown) > 1)} "
                f"{', '.join(unknown)}."
            )
    limits = config["statistics"]["ast_upper_limit_of_normal_by_hospital_iu_l"]
    # YAML reads 01 as a number.
    unknown = sorted(str(name) for name in limits if name not in set(hospitals))
    if unknown:
        faults.append(
            "statistics.ast_upper_limit_of_normal_by_hospital_iu_l: this cohort has no "
            f"hospital{'s' * (len(unknown) > 1)} {', '.join(unknown)}; put quotes around codes of digits."
        )
    if faults:
        lines = "\n".join(f"  - {fault}" for fault in faults)
        raise ConfigurationError(
            f"The configuration has {len(faults)} fault{'s' * (len(faults) > 1)}:\n{lines}\n",
            f"The cohort's hospitals are {', '.join(sorted(hospitals))}: name some of them, or delete the "
            "split and the arms that use it. make check-data FOLDER=... prints sections to paste.",
        )


def _describe(error: ValidationError) -> Iterable[str]:
    key = ".".join(str(part) for part in error.absolute_path)
    if error.validator == "additionalProperties" and isinstance(error.instance, Mapping):
        known = list(error.schema.get("properties", {}))
        for name in [name for name in error.instance if name not in known]:
            close = difflib.get_close_matches(str(name), known, 1)
            hint = f"Did you mean {close[0]}?" if close else f"Known keys: {', '.join(known)}."
            yield f"{f'{key}.' if key else ''}{name}: unknown key. {hint}"
        return
    if error.validator == "required":
        missing = [name for name in error.validator_value if name not in error.instance]
        yield f"{key or 'the configuration'}: lacks {', '.join(missing)}. Add it; see config.yaml."
        return
    inner = best_match(error.context) if error.context else None
    remedy = error.schema.get("remedy", "See the comments in config.yaml.")
    detail = inner.message if inner is not None else error.message
    meaning = (
        f" ({error.schema['description'].rstrip('.')})" if "description" in error.schema else ""
    )
    yield f"{key} = {error.instance!r}{meaning}: {detail}. {remedy}"


def _contradictions(config: Mapping[str, Any]) -> Iterable[str]:
    cohort = config["cohort"]
    if cohort["source"] != "simulated" and not cohort.get("folder"):
        yield (
            f"cohort.folder = None: cohort.source is {cohort['source']}, which needs one. "
            "Give the folder that holds dicom/ and clinical.csv."
        )
    if cohort["source"] == "dicomweb":
        yield from _pacs_contradictions(cohort)
    if cohort["source"] == "simulated":
        for name, words in (("size", "demo, paper or a number"), ("texture_signal", "1.0")):
            if cohort.get(name) is None:
                yield f"cohort.{name} = None: a simulated cohort needs one. Write {words}."
    for section, name in (("privacy", "key_file"), ("staging", "outbox")):
        if _in_results(config[section][name]):
            yield (
                f"{section}.{name} = {config[section][name]!r}: results/ is passed on and cleaned. "
                "Give a path outside results/, such as below .dlre/."
            )
    inbox = config["staging"]["inbox"]
    if inbox is not None and not Path(inbox).is_dir():
        yield f"staging.inbox = {inbox!r}: no such folder. Give the folder with DICOM files of new patients."
    training = config["training"]
    for low, high in (("minimum_epochs", "epochs"), ("minimum_steps", "maximum_steps")):
        if training[low] > training[high]:
            yield (
                f"training.{low} = {training[low]}: more than training.{high} = {training[high]}. "
                "Lower the one or raise the other."
            )
    available = config["enrolment"]["images_per_patient"]
    for name, arm in config["arms"].items():
        if arm["split"] not in config["splits"]:
            known = ", ".join(config["splits"])
            yield f"arms.{name}.split = {arm['split']!r}: there is no such split. Use one of {known}."
        if arm["images"] > available:
            yield (
                f"arms.{name}.images = {arm['images']}: patients are enrolled with {available} images "
                "(enrolment.images_per_patient). Lower the one or raise the other."
            )
    low, high = config["statistics"]["alt_limits_iu_l"]
    if low >= high:
        yield f"statistics.alt_limits_iu_l = [{low}, {high}]: not rising. Write the lower limit first."


def _in_results(path: str) -> bool:
    """True below the results of the working folder, however the path is written."""
    return Path(path).expanduser().resolve().is_relative_to(Path("results").resolve())


def _pacs_contradictions(cohort: Mapping[str, Any]) -> Iterable[str]:
    pacs = cohort.get("dicomweb") or {}
    if not pacs.get("url"):
        yield (
            "cohort.dicomweb.url = None: cohort.source is dicomweb, which needs one. "
            "Give the address of the DICOMweb service, such as https://pacs.hospital/dicom-web."
        )
        return
    address = urlsplit(pacs["url"])
    loopback = address.hostname in ("127.0.0.1", "localhost", "::1")
    if address.scheme == "http" and not loopback and not pacs.get("allow_http"):
        yield (
            f"cohort.dicomweb.url = {pacs['url']!r}: names and pictures would travel in the open. "
            "Use https, or set cohort.dicomweb.allow_http in a network that you trust."
        )
    if _in_results(str(cohort.get("folder"))):
        yield (
            f"cohort.folder = {cohort['folder']!r}: pictures with names may not lie in results/. "
            "Give a folder outside it."
        )
