"""The model card and the how-to of a published model, in Markdown, by the headings that hubs expect.

References
----------
Mitchell M, Wu S, Zaldivar A, et al. Model cards for model reporting. FAT* 2019:220-9. doi:10.1145/3287560.3287596
"""

from collections.abc import Mapping
from dataclasses import dataclass

import jinja2
import pandas as pd

from dlre_core import __version__
from dlre_core.foundation.design import method_labels, question_labels
from dlre_core.foundation.errors import ConfigurationError
from dlre_core.foundation.study_terms import INPUT_WORDS
from dlre_core.network.kinds import PAPERS, NetworkKind
from dlre_core.serving.frozen_study import FrozenStudy
from dlre_core.statistics.estimates import Estimate
from dlre_core.tables.formatting import UNDEFINED, format_cutoff, format_interval, round_half_up
from dlre_core.tables.networks import NETWORK_NAMES

# Numbers of smaller groups might tell of a patient.
LEAST_OF_A_GROUP = 10
MEASURES = {
    "fill_fraction": "share of the box with colour",
    "saturated_fraction": "share of the box at the end of the scale",
    "box_width": "width of the box, share of the screen's width",
    "box_height": "height of the box, share of the screen's width",
    "q_box_mean_kpa": "mean stiffness in the Q-Box, kPa",
    "brightness": "mean grey level of the square",
    "contrast": "SD of the square's grey levels",
    "coloured": "share of the square with colour",
}


@dataclass(frozen=True)
class Publication:
    """What the publisher says: section ``publication`` of config.yaml.

    Attributes
    ----------
    licence : str
        Name of the licence, such as CC-BY-4.0.
    contact : str
        Whom to ask.
    citation : str
        How to cite the study.
    """

    licence: str
    contact: str
    citation: str


def publication_facts(given: Mapping[str, str | None]) -> Publication:
    """Section ``publication`` of config.yaml, complete.

    Raises
    ------
    ConfigurationError
        Naming the keys that are not given.
    """
    missing = [f"publication.{name}" for name, value in given.items() if value is None]
    if missing:
        raise ConfigurationError(
            f"{', '.join(missing)} in config.yaml: nothing is published without.",
            "Write the licence, whom to ask and how to cite the study into the section publication.",
        )
    return Publication(**given)


def documents(
    study: FrozenStudy,
    table_2: pd.DataFrame,
    subgroups: pd.DataFrame,
    publication: Publication,
    confidence: float = 0.95,
    kind: NetworkKind = PAPERS,
) -> dict[str, str]:
    """``README.md``, ``MODEL_CARD.md`` and ``LICENCE.txt``.

    Parameters
    ----------
    study : FrozenStudy
    table_2 : DataFrame
        ``results/tables/table_2.csv``.
    subgroups : DataFrame
        ``results/tables/supplementary_table_1.csv`` and its siblings, one below the other.
    publication : Publication
    confidence : float
        Level of the tables' intervals.
    kind : NetworkKind, optional
        Of the networks that stage patients.
    """
    validation = table_2[table_2["cohort"] == "validation"]
    groups = subgroups[(subgroups["population"] == "validation") & (subgroups["method"] == "dlre")]
    templates = jinja2.Environment(
        loader=jinja2.PackageLoader("dlre_core.publication"),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
    )
    facts: Mapping[str, object] = {
        "study": study,
        "publication": publication,
        "version": __version__,
        "network": f"{NETWORK_NAMES.get(kind.network, kind.network)}, input: {INPUT_WORDS[kind.input]}",
        "confidence": f"{100 * confidence:g} %",
        "questions": [
            (question_labels()[stage], format_cutoff(cut, "dlre")) for stage, cut in study.cutoffs["dlre"].items()
        ],
        "performance": [_performance(row) for _, row in validation.iterrows()],
        "subgroups": [_subgroup(row) for _, row in groups.iterrows()],
        "measures": [
            (MEASURES[name], round_half_up(low, 2), round_half_up(high, 2))
            for name, (low, high) in study.training_range.items()
        ],
    }
    # Written out, so that the rule's digest finds the files.
    names = {"README.md": "README.md.j2", "MODEL_CARD.md": "MODEL_CARD.md.j2"}
    made = {name: templates.get_template(template).render(facts) for name, template in names.items()}
    return made | {"LICENCE.txt": f"{publication.licence}\n\nAsk: {publication.contact}\n"}


def _performance(row: pd.Series) -> list[str]:
    intervals = [
        format_interval(Estimate(row[name], row[f"{name}_low"], row[f"{name}_high"]), digits, scale)
        for name, digits, scale in (("auc", 2, 1), ("sensitivity", 1, 100), ("specificity", 1, 100))
    ]
    return [question_labels()[row["stage"]], method_labels()[row["method"]], str(row["n"]), *intervals]


def _subgroup(row: pd.Series) -> list[str]:
    named = [question_labels()[row["stage"]], str(row["subgroup"])]
    if row["n"] < LEAST_OF_A_GROUP:
        return [*named, f"fewer than {LEAST_OF_A_GROUP}", UNDEFINED]
    return [*named, str(row["n"]), format_interval(Estimate(row["auc"], row["auc_low"], row["auc_high"]))]
