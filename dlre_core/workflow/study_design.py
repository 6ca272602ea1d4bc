"""The design that a configuration names, laid beneath what the configuration says itself."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from dlre_core.foundation.design import DEFAULT, LABELS, design_of, read_design, use_design
from dlre_core.foundation.errors import ConfigurationError
from dlre_core.foundation.study_terms import TEXT_COLUMNS
from dlre_core.user_tables.data_contract import EVERY_CLINICAL_COLUMN, Column
from dlre_core.user_tables.stage_scales import METAVIR, STAGE

# Sections that a design may have.
SECTIONS = (
    "disease",
    "reference",
    "questions",
    "comparators",
    "primary_hypothesis",
    "required_columns",
    "columns",
    "cohort",
    "ingestion",
    "enrolment",
    "splits",
    "arms",
    "subgroups",
    "subanalyses",
    "analyses",
    "plan",
)
# What splits can name besides categories of the clinical table.
HOSPITAL, MAKER = "hospital", "manufacturer"
# Values of the column sex, and how many of a column's values a message names.
SEXES, MOST_VALUES = ("M", "F"), 12
# Their keys are names that a user gives: the configuration's stand in place of the design's.
AS_A_WHOLE = (("splits",), ("arms",), ("plan", "questions"), ("primary_hypothesis",))
# Columns that tables of predictions and scores have besides the questions.
TAKEN = frozenset({"acquisition", "images", "fibrosis_stage", "inflammation_grade", "dlre", *LABELS, *TEXT_COLUMNS})


def apply_design(config: dict[str, Any]) -> None:
    """Add to a configuration, in place, what its design says and it does not say itself.

    Splits, arms, the questions of ``plan`` and lists count as a whole; other sections are joined key by key.

    Parameters
    ----------
    config : dict
        The parsed ``config.yaml``, command-line overrides included.

    Raises
    ------
    ConfigurationError
        If there is no such design, or it has a section that is no design's.
    """
    name = config.setdefault("design", DEFAULT)
    if not isinstance(name, str):
        # The schema says what is wrong with it.
        return
    sections = read_design(name)
    strange = sorted(set(sections) - set(SECTIONS))
    if strange:
        raise ConfigurationError(
            f"design = {name!r}: {', '.join(strange)} {'is no section' if len(strange) == 1 else 'are no sections'} "
            "of a design.",
            f"Put it into config.yaml; a design has {', '.join(SECTIONS)}.",
        )
    for section, value in sections.items():
        config[section] = _joined(value, config[section], (section,)) if section in config else value
    _state_scale(config)
    robustness = config.get("robustness")
    wanted = config.get("analyses")
    if isinstance(robustness, dict) and isinstance(robustness.get("analyses"), list) and isinstance(wanted, list):
        robustness["analyses"] = list(dict.fromkeys([*wanted, *robustness["analyses"]]))


def _state_scale(config: dict[str, Any]) -> None:
    """The scale of the stages is their unit, also in cohorts to validate in, where units does not name another."""
    units, scale = config.get("units", []), config.get("reference")
    if scale in (None, METAVIR.name) or not isinstance(units, list):
        return
    stated = [
        unit for unit in units if isinstance(unit, dict) and unit.get("column") == STAGE and "hospital" not in unit
    ]
    validation = config.get("validation")
    cohorts = validation.get("cohorts") if isinstance(validation, dict) else None
    for cohort in (None, *(cohorts if isinstance(cohorts, dict) else ())):
        if not any(unit.get("cohort") == cohort for unit in stated):
            units = [{"column": STAGE, "unit": scale} | ({"cohort": cohort} if cohort else {}), *units]
    config["units"] = units


def design_faults(config: Mapping[str, Any]) -> list[str]:
    """One sentence with its remedy for everything in a design that its schema accepts and nobody can run."""
    faults = []
    seen: dict[int, str] = {}
    contract = {column.name for column in EVERY_CLINICAL_COLUMN}
    own = [column["name"] for column in config.get("columns", ())]
    columns = contract.union(own)
    for column in config.get("columns", ()):
        if column["name"] in TAKEN | contract or own.count(column["name"]) > 1:
            faults.append(f"columns: {column['name']}: there is one of this name already. Give it another one.")
        if not column.get("values") and not column.get("lowest", 0) < column.get("highest", 0):
            faults.append(
                f"columns: {column['name']}: neither a number nor a category. Write lowest and highest, or values."
            )
    for question in config["questions"]:
        name, lowest = question["name"], question["lowest_stage"]
        if name in TAKEN | columns:
            faults.append(f"questions: {name}: tables have another column of this name. Give the question another one.")
        if lowest in seen:
            faults.append(
                f"questions: {name}: asks for the stages that {seen[lowest]} asks for (lowest_stage {lowest}). "
                "Delete one of them."
            )
        seen.setdefault(lowest, name)
    for entry in config["subanalyses"]:
        if entry["column"] not in columns | {"manufacturer"}:
            faults.append(
                f"subanalyses: there is no column {entry['column']}. Write a column of docs/reference/data_contract.md "
                "or of the section columns, or manufacturer."
            )
    faults += _split_faults(config)
    names = [one if isinstance(one, str) else one["name"] for one in config["comparators"]]
    if len(set(names)) < len(names) or len({question["name"] for question in config["questions"]}) < len(seen):
        faults.append("questions, comparators: a name stands twice. Give each its own.")
    if "lsm" not in names:
        faults.append("comparators: lsm is missing. Add it: a study compares with the stiffness of the pictures.")
    if "gpr" in names and config["statistics"]["ggt_upper_limit_of_normal_iu_l"] is None:
        faults.append(
            "comparators: gpr needs the upper limit of normal of GGT. Write it into "
            "statistics.ggt_upper_limit_of_normal_iu_l."
        )
    for one in config["comparators"]:
        if isinstance(one, str) and one not in LABELS:
            faults.append(
                f"comparators: {one!r} is no comparator. Write some of {', '.join(LABELS)}, or a column of the "
                "clinical table as {name: ..., label: ...}."
            )
        if not isinstance(one, str) and (one["name"] in LABELS or one["name"] not in columns):
            faults.append(
                f"comparators: {one['name']!r} is no column that is free for a comparator. Write the name of a "
                "column of the data contract or of the section columns, or a comparator's name alone."
            )
    return [*faults, *_hypothesis_faults(config, names)]


def _hypothesis_faults(config: Mapping[str, Any], comparators: Sequence[str]) -> Iterable[str]:
    """What of the primary hypothesis the design does not have, and a margin that it lacks or has no use for."""
    hypothesis = config.get("primary_hypothesis")
    if not hypothesis:
        return
    known = {
        "question": [question["name"] for question in config["questions"]],
        "comparator": comparators,
        "cohort": ["validation", *config["arms"]],
    }
    for name, values in known.items():
        given = hypothesis.get(name, "validation")
        why = "the networks were fitted to these patients" if given == "training" else f"the design has no such {name}"
        if given not in values:
            yield f"primary_hypothesis.{name} = {given!r}: {why}. Write {' or '.join(values)}."
    aim, margin = hypothesis.get("aim", "superiority"), hypothesis.get("margin")
    if aim == "non_inferiority" and margin is None:
        yield (
            "primary_hypothesis.margin = None: non-inferiority needs one. Write the largest difference of AUC that "
            "does not matter to patients, such as 0.05."
        )
    if aim == "superiority" and margin is not None:
        yield f"primary_hypothesis.margin = {margin}: superiority has none. Delete it, or write aim: non_inferiority."


def _split_faults(config: Mapping[str, Any]) -> list[str]:
    """Columns and values of splits that no clinical table has."""
    values = dict.fromkeys((HOSPITAL, MAKER), ())
    values |= {column.name: _values(column) for column in EVERY_CLINICAL_COLUMN if column.kind in ("category", "sex")}
    own = [column for column in config.get("columns", ()) if column.get("values")]
    values |= {column["name"]: tuple(column["values"]) for column in own}
    grades = {column.name for column in EVERY_CLINICAL_COLUMN if column.kind == "flag"} | {STAGE, "inflammation_grade"}
    faults = []
    for split, rule in config["splits"].items():
        for column, wanted in rule.get("external", {}).items():
            place = f"splits.{split}.external.{column}"
            if column not in values:
                faults.append(
                    f"{place}: there is no column {column} with categories. Write one of {', '.join(values)}."
                )
            elif values[column] and (strange := sorted(set(wanted) - set(values[column]))):
                known = ", ".join(values[column][:MOST_VALUES]) + ", ..." * (len(values[column]) > MOST_VALUES)
                faults.append(f"{place}: {', '.join(strange)} is no value of this column. Write some of {known}.")
        by = rule.get("stratify_by", [STAGE])
        if by[0] != STAGE:
            faults.append(
                f"splits.{split}.stratify_by = {by}: the stage must be the first, which every network learns. "
                f"Write [{', '.join([STAGE, *(name for name in by if name != STAGE)])}]."
            )
        for column in by:
            if column not in grades | set(values):
                faults.append(
                    f"splits.{split}.stratify_by: there is no column {column} with categories. Write some of "
                    f"{', '.join(sorted(grades | set(values)))}."
                )
    return faults


def _values(column: Column) -> tuple[str, ...]:
    return SEXES if column.kind == "sex" else column.values


def read_configuration(path: str | Path, design: str = "") -> dict[str, Any]:
    """A configuration file with its design beneath it, or one of another name, unchecked.

    Raises
    ------
    ConfigurationError
        If its design cannot be read.
    """
    path = Path(path)
    config = (yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else None) or {}
    if design:
        config["design"] = design
    apply_design(config)
    return config


def follow_design(config_file: str | Path, name: str = "") -> None:
    """Let this process work by the design that a configuration file names, or by one of another name.

    Raises
    ------
    ConfigurationError
        If it cannot be read or lacks a section.
    """
    config = read_configuration(config_file, name)
    try:
        use_design(design_of(config))
    except (KeyError, TypeError, AttributeError) as error:
        raise ConfigurationError(
            f"design = {config['design']!r}: it lacks a section or one is wrong ({error}).",
            "Run make study, which says which.",
        ) from None


def _joined(design: Any, own: Any, place: tuple[str, ...]) -> Any:
    if not isinstance(design, dict) or not isinstance(own, dict) or place in AS_A_WHOLE:
        return own
    joined = dict(design)
    for key, value in own.items():
        joined[key] = _joined(design[key], value, (*place, key)) if key in design else value
    return joined
