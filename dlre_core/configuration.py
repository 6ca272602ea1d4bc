"""Check a study's configuration and say, for every fault, the key, the value and the remedy."""

import difflib
import math
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match
from jsonschema.validators import extend

from dlre_core.errors import ConfigurationError

# JSON Schema takes 16.0 for a whole number, and not-a-number for a number.
_Validator = extend(
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine(
        "integer", lambda _, value: isinstance(value, int) and not isinstance(value, bool)
    ).redefine(
        "number",
        lambda _, value: (
            isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        ),
    ),
)
PATHS = (
    ("cohort", "folder"), ("privacy", "key_file"), ("staging", "inbox"), ("staging", "model"),
    ("staging", "outbox"), ("validation", "model"),
)  # fmt: skip
LAST_PORT = 65535
# What stands before @ in an address may be a password, and messages go into logs.
CREDENTIALS = re.compile(r"//[^\s']*@")


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
    _refuse(_schema_faults(config, schema_file) or list(_contradictions(config)))


def checked_section(config_file: Path, schema_file: str | Path, name: str) -> dict[str, Any]:
    """One section of a configuration file, checked by the schema; empty where there is no such file.

    Raises
    ------
    ConfigurationError
        With the faults of that section.
    """
    if not config_file.exists():
        return {}
    check_yaml(config_file)
    config = yaml.safe_load(config_file.read_text(encoding="utf-8"))
    if name not in config:
        return {}
    part = {name: config[name]}
    _refuse([fault for fault in _schema_faults(part, schema_file) if fault.startswith(name)])
    return part[name]


def expand_home(config: Mapping[str, Any]) -> None:
    """Replace a ``~`` at the beginning of every path in a configuration, in place, as a shell does."""
    for section, name in PATHS:
        _expand(config.get(section), name)
    _expand((config.get("cohort") or {}).get("dicomweb"), "certificates")
    cohorts = (config.get("validation") or {}).get("cohorts")
    for name in cohorts or ():
        _expand(cohorts, name)


def _expand(section: Any, name: str) -> None:
    if isinstance(section, dict) and isinstance(section.get(name), str):
        section[name] = str(Path(section[name]).expanduser()) if section[name] else ""


def _schema_faults(config: Mapping[str, Any], schema_file: str | Path) -> list[str]:
    schema = yaml.safe_load(Path(schema_file).read_text(encoding="utf-8"))
    errors = _Validator(schema).iter_errors(dict(config))
    errors = sorted(errors, key=lambda e: [str(p) for p in e.path])
    return [line for error in errors for line in _describe(error, schema)]


def _refuse(faults: Sequence[str], remedy: str = "") -> None:
    if faults:
        lines = "\n".join(f"  - {CREDENTIALS.sub('//***@', fault)}" for fault in faults)
        raise ConfigurationError(
            f"The configuration has {len(faults)} fault{'s' * (len(faults) > 1)}:\n{lines}"
            + "\n" * bool(remedy),
            remedy,
        )


def check_yaml(path: str | Path) -> None:
    """Refuse a configuration file that is no YAML, or in which a key stands twice, of which the last would count.

    Raises
    ------
    ConfigurationError
        With the lines.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be read: {error.strerror}.",
            "Put it back from where the project came from (`git checkout config.yaml`).",
        ) from None
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path} cannot be read: {error}.", "Save it as UTF-8.") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise ConfigurationError(
            f"{path}, line {line}: {error.problem}.",
            "Write keys as `key: value`, indent by blanks and not by tabs, and put a value with a colon into quotes.",
        ) from None
    except yaml.YAMLError as error:
        raise ConfigurationError(
            f"{path}: {str(error).splitlines()[0]}.", "Take the character out."
        ) from None
    if not isinstance(root, yaml.MappingNode):
        raise ConfigurationError(
            f"{path} holds no sections.",
            "Put it back from where the project came from (`git checkout config.yaml`).",
        )
    try:
        yaml.safe_load(text)
    except ValueError as error:
        raise ConfigurationError(
            f"{path}: a value that looks like a date or a number is none: {error}.",
            "Put it into quotes.",
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
        training = set(config["splits"][name].get("training", []))
        unknown = sorted(training - set(hospitals))
        if unknown:
            faults.append(
                f"splits.{name}.training: this cohort has no hospital{'s' * (len(unknown) > 1)} "
                f"{', '.join(unknown)}."
            )
        if hospitals and training >= set(hospitals):
            faults.append(f"splits.{name}.training: no hospital is left to validate.")
    limits = config["statistics"]["ast_upper_limit_of_normal_by_hospital_iu_l"]
    # YAML reads 01 as a number.
    unknown = sorted(str(name) for name in limits if name not in set(hospitals))
    if unknown:
        faults.append(
            "statistics.ast_upper_limit_of_normal_by_hospital_iu_l: this cohort has no "
            f"hospital{'s' * (len(unknown) > 1)} {', '.join(unknown)}; put quotes around codes of digits."
        )
    _refuse(
        faults,
        f"The cohort's hospitals are {', '.join(sorted(hospitals))}: name some of them, or delete the "
        "split and the arms that use it. make check-data FOLDER=... prints sections to paste.",
    )


def _describe(error: ValidationError, schema: Mapping[str, Any]) -> Iterable[str]:
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
    own, above = _documented(schema, error.absolute_path)
    remedy = own.get("remedy") or error.schema.get("remedy") or above
    remedy = remedy or "See the comments in config.yaml."
    if "propertyNames" in error.absolute_schema_path:
        yield f"{key}.{error.instance}: {error.message}. {error.schema.get('remedy', remedy)}"
        return
    inner = best_match(error.context) if error.context else None
    detail = inner.message if inner is not None else error.message
    if error.validator == "type" and isinstance(error.instance, str):
        detail += _number_in_text(error.instance)
    description = own.get("description") or error.schema.get("description")
    meaning = f" ({description.rstrip('.')})" if description else ""
    yield f"{key} = {error.instance!r}{meaning}: {detail}. {remedy}"


def _documented(
    schema: Mapping[str, Any], path: Iterable[str | int]
) -> tuple[Mapping[str, Any], str]:
    """The schema's entry of a key, and the remedy of the nearest key above it."""
    node, above = schema, ""
    for part in path:
        above = node.get("remedy", above)
        below = node.get("properties", {}).get(part)
        node = below or node.get("additionalProperties") or node.get("items") or {}
        if not isinstance(node, Mapping):
            return {}, above
        if "$ref" in node:
            node = {**schema["$defs"][node["$ref"].rpartition("/")[2]], **node}
    return node, above


def _number_in_text(text: str) -> str:
    """What to write where YAML takes a number for text, as it does 3e-3."""
    try:
        return f" (this is text; write {float(text):g} without quotes)"
    except ValueError:
        return ""


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
    if cohort["source"] != "simulated" and _in_results(str(cohort.get("folder"))):
        yield (
            f"cohort.folder = {cohort['folder']!r}: pictures with names may not lie in results/, which is passed "
            "on and cleaned. Give a folder outside it."
        )
    if Path(config["privacy"]["key_file"]).is_dir():
        yield (
            f"privacy.key_file = {config['privacy']['key_file']!r}: a folder. "
            "Give a file, such as .dlre/pseudonym.key."
        )
    for section, name in (("privacy", "key_file"), ("staging", "outbox")):
        if _in_results(config[section][name]):
            yield (
                f"{section}.{name} = {config[section][name]!r}: results/ is passed on and cleaned. "
                "Give a path outside results/, such as below .dlre/."
            )
    outbox = Path(config["staging"]["outbox"])
    if outbox.exists() and not outbox.is_dir():
        yield f"staging.outbox = {str(outbox)!r}: a file. Give a folder, such as .dlre/outbox."
    for section, name in (("cohort", "folder"), ("staging", "inbox")):
        if set(str(config[section].get(name))) & set("{}"):
            yield (
                f"{section}.{name} = {config[section][name]!r}: braces mean something else to Snakemake. "
                "Rename the folder, or give a link to it without them."
            )
    inbox = config["staging"]["inbox"]
    if inbox is not None and not Path(inbox).is_dir():
        yield f"staging.inbox = {inbox!r}: no such folder. Give the folder with DICOM files of new patients."
    for name, folder in config["validation"]["cohorts"].items():
        if not Path(folder).is_dir():
            yield (
                f"validation.cohorts.{name} = {folder!r}: no such folder. "
                "Give the folder that holds dicom/ and clinical.csv."
            )
    port = int((config["serving"]["url"] or ":8001").rpartition(":")[2])
    if not 0 < port <= LAST_PORT:
        yield (
            f"serving.url = {config['serving']['url']!r}: there is no port {port}. "
            f"Write host:port with a port of 1 to {LAST_PORT}."
        )
    training = config["training"]
    for low, high in (("minimum_epochs", "epochs"), ("minimum_steps", "maximum_steps")):
        if training[low] > training[high]:
            yield (
                f"training.{low} = {training[low]}: more than training.{high} = {training[high]}. "
                "Lower the one or raise the other."
            )
    low, high = config["statistics"]["alt_limits_iu_l"]
    if low >= high:
        yield f"statistics.alt_limits_iu_l = [{low}, {high}]: not rising. Write the lower limit first."
    yield from _arm_contradictions(config)


def _arm_contradictions(config: Mapping[str, Any]) -> Iterable[str]:
    available = config["enrolment"]["images_per_patient"]
    seen: dict[tuple[str, int], str] = {}
    for name, arm in config["arms"].items():
        if arm["split"] not in config["splits"]:
            known = ", ".join(config["splits"])
            yield f"arms.{name}.split = {arm['split']!r}: there is no such split. Use one of {known}."
        first = seen.setdefault((arm["split"], arm["images"]), name)
        if first != name:
            yield (
                f"arms.{name}: split and images are those of arms.{first}, so that the tables could not tell "
                "them apart. Delete one of them, or change its split or images."
            )
        if arm["images"] > available:
            yield (
                f"arms.{name}.images = {arm['images']}: patients are enrolled with {available} images "
                "(enrolment.images_per_patient). Lower the one or raise the other."
            )
    first = next(iter(config["arms"].values()))["split"]
    by_hospital = config["splits"].get(first, {}).get("method") == "hospitals"
    if by_hospital and "repeated_splits" in config["robustness"]["analyses"]:
        yield (
            f"robustness.analyses: repeated_splits draws splits at random, but that of the first arm ({first}) "
            "divides by hospital. Take it out, or put an arm with a random split first."
        )


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
