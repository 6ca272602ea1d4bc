"""Check a study's configuration and say, for every fault, the key, the value and the remedy."""

import difflib
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match
from jsonschema.validators import extend

from dlre_core.foundation.errors import ConfigurationError
from dlre_core.workflow.config_faults import refuse
from dlre_core.workflow.contradictions import contradictions
from dlre_core.workflow.study_design import read_configuration

# JSON Schema takes 16.0 for a whole number, and not-a-number for a number.
_Validator = extend(
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine(
        "integer", lambda _, value: isinstance(value, int) and not isinstance(value, bool)
    ).redefine(
        "number",
        lambda _, value: isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value),
    ),
)
# From the folder of a study.
CONFIGURATION, SCHEMA = Path("config.yaml"), Path("rules/schemas/config.schema.yaml")
PATHS = (
    ("cohort", "folder"),
    ("privacy", "key_file"),
    ("staging", "inbox"),
    ("staging", "model"),
    ("staging", "outbox"),
    ("validation", "model"),
)


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
    refuse(_schema_faults(config, schema_file) or list(contradictions(config)))


def checked_section(config_file: Path, schema_file: str | Path, name: str, design: str = "") -> dict[str, Any]:
    """One section of a configuration file, checked by the schema; empty where there is neither the file nor a design.

    With a ``design`` the file is taken to name that one.

    Raises
    ------
    ConfigurationError
        With the faults of that section.
    """
    if config_file.exists():
        check_yaml(config_file)
    elif not design:
        return {}
    config = read_configuration(config_file, design)
    if name not in config:
        return {}
    part = {name: config[name]}
    refuse([fault for fault in _schema_faults(part, schema_file) if fault.startswith(name)])
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
    # A section that lacks three keys is three errors with one line.
    return list(dict.fromkeys(line for error in errors for line in _describe(error, schema)))


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
        raise ConfigurationError(f"{path}: {str(error).splitlines()[0]}.", "Take the character out.") from None
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
        raise ConfigurationError(f"{path}: {'; '.join(twice)}.", "Keep one of them; without this the last would count.")


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


def _documented(schema: Mapping[str, Any], path: Iterable[str | int]) -> tuple[Mapping[str, Any], str]:
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
        number = f"{float(text):g}"
    except ValueError:
        return ""
    return f" (this is text, as a nested value of --config always is; write {number} without quotes in config.yaml)"
