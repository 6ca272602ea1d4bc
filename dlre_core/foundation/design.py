"""The design of the study in use: its questions, what the network is compared with, and the disease."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml

from dlre_core.foundation.errors import ConfigurationError, StoreMismatch
from dlre_core.foundation.study_terms import KEYS, METAVIR_STAGES, known_stages

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Question:
    """A binary question of the study: whether the fibrosis stage is ``lowest_stage`` or higher.

    ``label`` stands in tables and figures, ``short`` where room is scarce.
    """

    name: str
    label: str
    short: str
    lowest_stage: int


@dataclass(frozen=True)
class Method:
    """What stages patients: the network, or what it is compared with.

    ``label`` stands in print; a higher value means more disease where ``direction`` is 1, less where it is -1.
    """

    name: str
    label: str
    direction: int = 1
    source: str = ""


@dataclass(frozen=True)
class OwnColumn:
    """A column of the clinical table that the data contract does not have.

    A number from ``lowest`` to ``highest`` in ``unit``, or one of ``values``.
    """

    name: str
    meaning: str
    unit: str = ""
    lowest: float = 0
    highest: float = 0
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class Design:
    """What one study asks and compares.

    Attributes
    ----------
    questions : tuple of Question
        From the most severe stage to the mildest.
    comparators : tuple of Method
        In the order of the tables; the network stands before them.
    disease : str
        As in "staging of liver fibrosis in ...".
    whole_contract : bool
        Whether all columns that the data contract requires must be in the clinical table.
    required_columns : frozenset of str
        Columns that must be there in any case, besides id, hospital and stage.
    columns : tuple of OwnColumn
        Columns of the clinical table besides the data contract's.
    """

    questions: tuple[Question, ...]
    comparators: tuple[Method, ...]
    disease: str
    whole_contract: bool = True
    required_columns: frozenset[str] = frozenset()
    columns: tuple[OwnColumn, ...] = ()


NETWORK = Method("dlre", "DLRE")
# What optional analyses add to the methods of the design.
ADDED = (Method("dlre_fusion", "DLRE fusion"), Method("radiomics", "Radiomics"))
# How comparators of the registry are called in tables and figures.
LABELS: Mapping[str, str] = {
    "lsm": "2D-SWE",
    "apri": "APRI",
    "fib4": "FIB-4",
    "gpr": "GPR",
    "aar": "AAR",
    "forns": "Forns",
    "nfs": "NFS",
    "kings": "King's",
    "fast": "FAST",
    "agile_3_plus": "Agile 3+",
    "agile_4": "Agile 4",
    "vcte_stiffness_kpa": "VCTE",
    "fibrotest": "FibroTest",
}
# Designs that come with the library, by name.
DESIGNS = Path(__file__).parent / "designs"
DEFAULT = "gut_2019"


def read_design(name: str) -> dict[str, Any]:
    """Sections of a design, as its file has them.

    Parameters
    ----------
    name : str
        One that comes with the library, such as gut_2019, or the path of a YAML file.

    Raises
    ------
    ConfigurationError
        If there is no such design, or its file is no YAML with sections.
    """
    known = sorted(path.stem for path in DESIGNS.glob("*.yaml"))
    path = DESIGNS / f"{name}.yaml" if name in known else Path(name).expanduser()
    try:
        sections = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(
            f"design = {name!r}: {path} cannot be read ({error.strerror}).",
            f"Write {', '.join(known)}, or the path of a file like theirs in {DESIGNS}.",
        ) from None
    except (ValueError, yaml.YAMLError) as error:
        raise ConfigurationError(f"design = {name!r}: {error}.", "Write it as YAML, like the designs here.") from None
    if not isinstance(sections, dict):
        raise ConfigurationError(
            f"design = {name!r}: {path} holds no sections.", f"Copy one of {DESIGNS} and change it."
        )
    return sections


def design_of(config: Mapping[str, Any]) -> Design:
    """The design that a checked configuration describes.

    Parameters
    ----------
    config : mapping
        With the sections ``disease``, ``questions``, ``comparators``, ``required_columns`` and ``enrolment``.

    Examples
    --------
    >>> question = {"name": "cacld", "label": "cACLD", "short": "cACLD", "lowest_stage": 3}
    >>> elf = {"name": "elf", "label": "ELF"}
    >>> config = {"disease": "MASLD", "questions": [question], "comparators": ["lsm", elf], "required_columns": []}
    >>> design = design_of(config | {"enrolment": {"criteria": []}})
    >>> design.questions[0].lowest_stage, [method.label for method in design.comparators]
    (3, ['2D-SWE', 'ELF'])
    """
    questions = sorted((Question(**question) for question in config["questions"]), key=lambda one: -one.lowest_stage)
    comparators = [_method({"name": one} if isinstance(one, str) else one) for one in config["comparators"]]
    whole = config["required_columns"] == "contract"
    needed = _columns_of(config["enrolment"]).union(() if whole else config["required_columns"])
    own = (OwnColumn(**entry | {"values": tuple(entry.get("values", ()))}) for entry in config.get("columns", ()))
    return Design(tuple(questions), tuple(comparators), config["disease"], whole, needed, tuple(own))


def _method(entry: Mapping[str, Any]) -> Method:
    label = entry.get("label", LABELS.get(entry["name"], entry["name"]))
    return Method(entry["name"], label, entry.get("direction", 1), entry.get("source", ""))


def _columns_of(enrolment: Mapping[str, Any]) -> frozenset[str]:
    """Columns of the clinical table that criteria name."""
    found = set()
    for rule in enrolment["criteria"]:
        found |= set(rule.get("only_for", ()))
        for condition in (*rule.get("unless", ()), *rule.get("if", ())):
            names = condition.get("columns", [condition.get("column"), condition.get("days_from")])
            found |= set(enrolment[names] if isinstance(names, str) else names)
    # The number of pictures is no column of a user's table.
    return frozenset(found - {None, "images"})


# One process works for one study.
_in_use = design_of(read_design(DEFAULT))


def design_in_use() -> Design:
    """The design of the study that this process works for; the 2019 study's until `use_design`."""
    return _in_use


def use_design(design: Design) -> None:
    """Let everything that this process makes follow a design."""
    global _in_use
    _in_use = design


def design_as_json(design: Design) -> dict[str, Any]:
    """A design's questions, comparators and disease, to be kept beside frozen networks."""
    content = asdict(design)
    for name in ("whole_contract", "required_columns", "columns"):
        del content[name]
    return content


def design_from_json(content: Mapping[str, Any] | None) -> Design:
    """The design that `design_as_json` wrote; the 2019 study's where an earlier version wrote none.

    Raises
    ------
    KeyError, TypeError
        If it is none.
    """
    if content is None:
        return design_of(read_design(DEFAULT))
    return Design(
        tuple(Question(**entry) for entry in content["questions"]),
        tuple(Method(**entry) for entry in content["comparators"]),
        str(content["disease"]),
    )


def frozen_design(path: str | Path) -> Design:
    """The design in a ``frozen_study.json``.

    Raises
    ------
    StoreMismatch
        If the file holds none that can be read.
    """
    try:
        return design_from_json(json.loads(Path(path).read_text(encoding="utf-8")).get("design"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreMismatch(
            f"{path} is no frozen study ({type(error).__name__}).",
            "Give the folder results/serving of a finished study, whole.",
        ) from None


def study_questions() -> tuple[str, ...]:
    """Names of the questions, from the most severe stage to the mildest: columns, files and networks."""
    return tuple(question.name for question in _in_use.questions)


def rising_questions() -> tuple[str, ...]:
    """Names of the questions from the mildest stage to the most severe."""
    return study_questions()[::-1]


def question_labels() -> dict[str, str]:
    """What stands for each question in print."""
    return {question.name: question.label for question in _in_use.questions}


def short_labels() -> dict[str, str]:
    """What stands for each question where room is scarce, such as ≥F3."""
    return {question.name: question.short for question in _in_use.questions}


def lowest_stages() -> dict[str, int]:
    """For each question the lowest fibrosis stage of its cases."""
    return {question.name: question.lowest_stage for question in _in_use.questions}


def stage_classes() -> tuple[str, ...]:
    """Stages that the questions tell apart, from the mildest.

    Examples
    --------
    >>> stage_classes()
    ('F0-1', 'F2', 'F3', 'F4')
    """
    first = [METAVIR_STAGES[0], *sorted(lowest_stages().values())]
    last = [stage - 1 for stage in first[1:]] + [METAVIR_STAGES[-1]]
    return tuple(f"F{low}" if low == high else f"F{low}-{high}" for low, high in zip(first, last, strict=True))


def stage_class(fibrosis_stage: "pd.Series") -> np.ndarray:
    """Place of every stage among `stage_classes`: int64.

    Raises
    ------
    StoreMismatch
        If a stage is missing.

    Examples
    --------
    >>> import pandas as pd
    >>> stage_class(pd.Series([0, 1, 2, 4])).tolist()
    [0, 0, 1, 3]
    """
    limits = sorted(lowest_stages().values())
    return np.searchsorted(limits, known_stages(fibrosis_stage), side="right").astype(np.int64)


def stage_labels(fibrosis_stage: "pd.Series", question: str) -> np.ndarray:
    """1 where the fibrosis stage answers a question with yes, else 0: int64.

    Raises
    ------
    StoreMismatch
        If a stage is missing.

    Examples
    --------
    >>> import pandas as pd
    >>> stage_labels(pd.Series([0, 2, 3, 4]), "ge_f3").tolist()
    [0, 0, 1, 1]
    """
    return (known_stages(fibrosis_stage) >= lowest_stages()[question]).astype(np.int64)


def number_of_questions() -> str:
    """How many questions there are, in words."""
    words = ("no", "one", "two", "three", "four", "five", "six")
    return words[len(_in_use.questions)]


def study_methods() -> tuple[str, ...]:
    """Names of the methods that the tables compare; the network is the first."""
    return tuple(method.name for method in (NETWORK, *_in_use.comparators))


def method_labels() -> dict[str, str]:
    """What stands for each method in print, those of optional analyses included."""
    return {method.name: method.label for method in (NETWORK, *_in_use.comparators, *ADDED)}


def prediction_columns() -> list[str]:
    """Columns of a table of predictions: one row per picture, one probability per question."""
    return [*KEYS, "cohort", "fibrosis_stage", "acquisition", "image_id", *study_questions()]


def score_columns() -> list[str]:
    """Columns of a table of scores: one row per patient, one score per method."""
    known = ["cohort", "fibrosis_stage", "inflammation_grade", "alt_iu_l", "bmi_kg_m2", "images"]
    return [*KEYS, *known, *network_scores(), *study_methods()[1:]]


def network_scores() -> list[str]:
    """Columns of the network's scores, one per question."""
    return [f"{NETWORK.name}_{question}" for question in study_questions()]


def own_categories() -> frozenset[str]:
    """Columns of the design that hold words."""
    return frozenset(column.name for column in _in_use.columns if column.values)


def probability_columns() -> list[str]:
    """Columns that hold probabilities wherever they stand."""
    return [*study_questions(), *network_scores()]
