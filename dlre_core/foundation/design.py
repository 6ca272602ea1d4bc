"""The design of the study in use: its questions, what the network is compared with, and the disease."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

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
    """What stages patients: the network, or what it is compared with; ``label`` stands in print."""

    name: str
    label: str


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
    """

    questions: tuple[Question, ...]
    comparators: tuple[Method, ...]
    disease: str


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
GUT_2019 = Design(
    (
        Question("f4", "Cirrhosis (F4)", "F4", 4),
        Question("ge_f3", "Advanced fibrosis (≥F3)", "≥F3", 3),
        Question("ge_f2", "Significant fibrosis (≥F2)", "≥F2", 2),
    ),
    tuple(Method(name, LABELS[name]) for name in ("lsm", "apri", "fib4")),
    "chronic hepatitis B",
)
# One process works for one study.
_in_use = GUT_2019


def design_in_use() -> Design:
    """The design of the study that this process works for; the 2019 study's until `use_design`."""
    return _in_use


def use_design(design: Design) -> None:
    """Let everything that this process makes follow a design."""
    global _in_use
    _in_use = design


def design_of(config: Mapping[str, Any]) -> Design:
    """The design that a checked configuration describes.

    Parameters
    ----------
    config : mapping
        With the sections ``disease``, ``questions`` and ``comparators``.

    Examples
    --------
    >>> question = {"name": "cacld", "label": "cACLD", "short": "cACLD", "lowest_stage": 3}
    >>> elf = {"name": "elf", "label": "ELF"}
    >>> design = design_of({"disease": "MASLD", "questions": [question], "comparators": ["lsm", elf]})
    >>> design.questions[0].lowest_stage, [method.label for method in design.comparators]
    (3, ['2D-SWE', 'ELF'])
    """
    questions = sorted((Question(**question) for question in config["questions"]), key=lambda one: -one.lowest_stage)
    comparators = (
        Method(one, LABELS.get(one, one)) if isinstance(one, str) else Method(one["name"], one["label"])
        for one in config["comparators"]
    )
    return Design(tuple(questions), tuple(comparators), config["disease"])


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


def network_scores(questions: Sequence[str] | None = None) -> list[str]:
    """Columns of the network's scores, one per question."""
    return [f"{NETWORK.name}_{question}" for question in questions or study_questions()]


def probability_columns() -> list[str]:
    """Columns that hold probabilities wherever they stand."""
    return [*study_questions(), *network_scores()]
