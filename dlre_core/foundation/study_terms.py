"""Words that the whole study shares: keys of a patient, stages, cohorts and columns."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from dlre_core.foundation.errors import StoreMismatch

if TYPE_CHECKING:
    import pandas as pd

KEYS = ["hospital", "patient"]
# E = 3 rho c^2 with rho = 1000 kg/m3: kPa = 3 c^2 with the shear-wave speed c in m/s.
KPA_PER_SQUARED_SPEED = 3.0
# Column scale_source of a picture of which nothing says what its colours stand for.
UNKNOWN_SCALE_SOURCE = "unknown"
# Flag of a picture whose found box is another's, or nothing's, as readers say: stiffness is not read there.
BOX_WRONG = "box_wrong"
# Pixels, of the square that the network sees.
SQUARE_SIDE = 250
SQUARE_SHAPE = (SQUARE_SIDE, SQUARE_SIDE, 3)
# Networks of this project: the paper's, the paper's with liver stiffness, a residual one.
PAPERS_NETWORK = "dlre"
STIFFNESS_NETWORK = "dlre_lsm"
OWN_NETWORKS = (PAPERS_NETWORK, STIFFNESS_NETWORK, "residual")
MONAI_NETWORKS = "monai.networks.nets"
# What a finished study serves: the file beside its networks, their folder, and the name that Triton knows them by.
FROZEN_STUDY = "frozen_study.json"
MODEL_REPOSITORY = "model_repository"
MODEL_NAME = "dlre"
# What an arm's network may see of the square, and the stored pictures (250, 250, 3) that it is made of: the elastogram,
# its stiffness, and the B-mode picture without colours.
INPUTS: Mapping[str, tuple[str, ...]] = {
    "square": ("rois",),
    "stiffness": ("stiffness",),
    "bmode": ("bmode",),
    "square+bmode": ("rois", "bmode"),
}
INPUT_WORDS = {
    "square": "elastogram",
    "stiffness": "map of stiffness",
    "bmode": "B-mode",
    "square+bmode": "elastogram and B-mode",
}
# Of a picture's row: what its Q-Box holds.
Q_BOX_COLUMNS = [
    "q_box_mean_kpa",
    "q_box_min_kpa",
    "q_box_max_kpa",
    "q_box_sd_kpa",
    "q_box_diameter_mm",
]

METAVIR_STAGES = (0, 1, 2, 3, 4)
# Columns of the tables that chapters hand to each other which stay text whatever they hold, and in which an
# empty cell is an empty text. An exhibit's own columns are named beside the exhibit.
TEXT_COLUMNS = frozenset(
    [
        "hospital",
        "patient",
        "patient_id",
        "image_id",
        "pixel_digest",
        "file",
        "flags",
        "first_reason",
        "all_reasons",
        "cohort",
        "stage",
        "method",
        "criterion",
        "sentence",
        "q_box_source",
        "scale_source",
        "scale_unit",
        "screen",
        "stiff_end",
        "manufacturer",
        "model",
        "source",
        "layout_source",
        "code",
        "reason",
        "remedy",
        "problem",
        "effect",
        "processing_stage",
        "notes",
        "arm",
        "acquired_on",
        "sex",
        "transfer_syntax",
        "photometric_interpretation",
        "elastography_date",
        "biopsy_date",
        "serology_date",
        "unreadable",
        "fibrosis_stage_given",
        "fibrosis_scale",
        "aetiology",
        "country",
    ]
)
# What a number must lie within, wherever a column of this name stands; limits belong to it.
RANGES: Mapping[str, tuple[float, float]] = {
    **dict.fromkeys(("fill_fraction", "saturated_fraction", "enrolled", "chosen"), (0, 1)),
    **dict.fromkeys(("apri", "fib4", "lsm", "q_box_mean_kpa", "images", "size"), (0, math.inf)),
    "fibrosis_stage": (0, 4),
    "inflammation_grade": (0, 3),
    "acquisition": (1, math.inf),
}
COHORTS = ("training", "validation")
# Patients whom a split names, who neither train nor validate; a study has them only where its design asks for it.
EXTERNAL = "external"


def besides_the_square(seen: str) -> list[str]:
    """The stored pictures that one of `INPUTS` has besides the elastogram, which not every screen has.

    Examples
    --------
    >>> besides_the_square("square"), besides_the_square("square+bmode")
    ([], ['bmode'])
    """
    return sorted({*INPUTS[seen]} - {"rois"})


def lacking_flag(name: str) -> str:
    """Flag of a square of which there is no stored picture of this name."""
    return f"no_{name}"


def cohorts_of(table: "pd.DataFrame") -> tuple[str, ...]:
    """Cohorts of a table with a column ``cohort``: training, validation, and external where somebody is in it."""
    return COHORTS + (EXTERNAL,) * bool((table["cohort"] == EXTERNAL).any())


def known_stages(fibrosis_stage: "pd.Series") -> np.ndarray:
    """METAVIR stages as int64, each of which is 0 to 4.

    Raises
    ------
    StoreMismatch
        If one is missing: such a patient is neither a case nor a control.
    """
    # The reading room needs this module's words and opens without the seconds that pandas takes.
    import pandas as pd

    stages = pd.to_numeric(fibrosis_stage, errors="coerce").to_numpy(np.float64, na_value=np.nan)
    unknown = int((~np.isin(stages, METAVIR_STAGES)).sum())
    if unknown:
        raise StoreMismatch(
            f"{unknown} patients have no METAVIR stage of 0 to 4.",
            "Delete the folder results/splits and run again; only patients with a stage are enrolled.",
        )
    return stages.astype(np.int64)
