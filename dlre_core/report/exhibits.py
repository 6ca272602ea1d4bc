"""What the report shows, in which section, and under which title."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SECTIONS = {
    "method": "Method",
    "main": "Accuracy",
    "subgroups": "Subgroups and robustness",
    "probabilities": "Calibration and use",
    "cases": "Right and wrong cases",
    "details": "Counts and checklist",
    "training": "Training",
}
# Those in which methods are compared: all that is said there is secondary where a primary hypothesis is named.
COMPARING = ("main", "subgroups", "probabilities", "details")
# Section of every table and figure, in the order in which the report shows them.
TABLES: Mapping[str, str] = {
    "table_1": "main",
    "table_2": "main",
    "table_3": "main",
    "intention_to_diagnose": "main",
    "failure_rates": "main",
    "table_4": "subgroups",
    "supplementary_table_1": "subgroups",
    "supplementary_table_2": "subgroups",
    "supplementary_table_3": "subgroups",
    "hospitals": "subgroups",
    "hospitals_left_out": "subgroups",
    "fairness": "subgroups",
    "repeatability": "subgroups",
    "biases": "subgroups",
    "optimism": "subgroups",
    "calibration": "probabilities",
    "recalibration": "probabilities",
    "dual_cutoffs": "probabilities",
    "predictive_values": "probabilities",
    "stages": "probabilities",
    "counts": "details",
    "events": "details",
    "differences": "details",
    "paired_accuracy": "details",
    "agreement": "details",
    "reader_squares": "details",
    "every_picture": "details",
    "checklist": "details",
    "repeated_splits": "training",
    "cross_validation": "training",
    "learning_curve": "training",
    "negative_control": "training",
    "fusion": "main",
    "choices": "main",
    "radiomics": "main",
    "other_comparators": "main",
    "subanalyses": "subgroups",
    "networks": "main",
}
FIGURES: Mapping[str, str] = {
    "headline": "headline",
    "figure_1": "method",
    "figure_2": "flow",
    "figure_3": "main",
    "roc_bands": "main",
    "figure_4": "main",
    "figure_5": "subgroups",
    "supplementary_figure_2_enrolled": "subgroups",
    "supplementary_figure_2_validation": "subgroups",
    "supplementary_figure_3_enrolled": "subgroups",
    "supplementary_figure_3_validation": "subgroups",
    "supplementary_figure_4_enrolled": "subgroups",
    "supplementary_figure_4_validation": "subgroups",
    "hospitals": "subgroups",
    "subanalyses": "subgroups",
    "repeatability": "subgroups",
    "calibration": "probabilities",
    "decision_curves": "probabilities",
    "reader_agreement": "details",
    "supplementary_figure_1": "training",
    "heat_maps": "cases",
    "contact_sheet": "quality",
    "contact_sheet_least_signal": "quality",
}

# Tables of `robustness.analyses`, which a study has only where the configuration lists them; exhibits of two readers,
# and of arms with other networks.
OPTIONAL = frozenset(
    {
        "repeated_splits",
        "cross_validation",
        "hospitals_left_out",
        "learning_curve",
        "negative_control",
        "fusion",
        "choices",
        "radiomics",
        "other_comparators",
        "subanalyses",
        "agreement",
        "reader_squares",
        "every_picture",
        "reader_agreement",
        "networks",
    }
)

# Exhibits that few readers need: the report shows them when their line is opened.
FOLDED = frozenset(
    {
        "biases",
        "failure_rates",
        "fairness",
        "intention_to_diagnose",
        "paired_accuracy",
        "recalibration",
        "optimism",
        "repeatability",
    }
)

# Figures made of pictures.
RASTERS = frozenset({"heat_maps", "contact_sheet", "contact_sheet_least_signal"})


# Other places of the page that can be linked to.
PLACES = ("flow", "headline", "quality", "leak-check", "audit", "provenance", "software", "configuration")


def report_anchors(tables: Sequence[str], figures: Sequence[str], *, primary: bool) -> list[str]:
    """Every place of the report that a link can lead to.

    Parameters
    ----------
    tables, figures : sequence of str
        Names of those that the study has.
    primary : bool
        Whether it names a primary hypothesis.
    """
    exhibits = [f"table-{name}" for name in tables] + [f"figure-{name}" for name in figures]
    return [*["primary"] * primary, *PLACES, *SECTIONS, *exhibits]


@dataclass(frozen=True)
class Exhibit:
    """A table (HTML and CSV) or a figure (SVG or JPEG, and caption) and the section it stands in."""

    name: str
    section: str
    path: Path
    companion: Path

    @property
    def is_folded(self) -> bool:
        """True where the report shows it only when asked."""
        return self.name in FOLDED

    @property
    def is_figure(self) -> bool:
        """True for a figure, whose companion is its caption; a table's is its CSV."""
        return self.path.suffix in (".svg", ".jpg")


def ordered_exhibits(tables: Sequence[str], figures: Sequence[str], folder: str | Path) -> list[Exhibit]:
    """The tables and figures of a study in the report's order.

    Parameters
    ----------
    tables, figures : sequence of str
        Names of those that the study has.
    folder : path
        Holds ``tables/{name}.html`` and ``.csv``, ``figures/{name}.svg`` or ``.jpg`` and ``.txt``.

    Raises
    ------
    KeyError
        For a name without a section: give it one here.
    """
    root = Path(folder)
    found = [
        Exhibit(name, TABLES[name], root / f"tables/{name}.html", root / f"tables/{name}.csv")
        for name in sorted(tables, key=list(TABLES).index)
    ]
    return found + [
        Exhibit(
            name,
            FIGURES[name],
            root / f"figures/{name}.{'jpg' if name in RASTERS else 'svg'}",
            root / f"figures/{name}.txt",
        )
        for name in sorted(figures, key=list(FIGURES).index)
    ]
