"""Table 3: accuracy against the number of pictures, within a method and between methods."""

from collections.abc import Mapping

import pandas as pd

from dlre_core.foundation.study_terms import COHORTS, KEYS, STAGES
from dlre_core.statistics.comparisons import holm
from dlre_core.tables.formatting import stars
from dlre_core.tables.table_2_accuracy import (
    AccuracySettings,
    Sample,
    accuracy_row,
    paired_comparison,
    samples,
)

STRATEGIES = ("dlre", "lsm")


def reference_images(numbers: list[int]) -> int:
    """The number of pictures that the others are compared with: the middle one, as in the paper."""
    return sorted(numbers)[(len(numbers) - 1) // 2]


def table_3(scores: Mapping[int, pd.DataFrame], settings: AccuracySettings) -> pd.DataFrame:
    """Accuracy of DLRE and 2D-SWE by the number of pictures per patient; the paper has 1, 3 and 5.

    Parameters
    ----------
    scores : mapping of images per patient to DataFrame
        ``results/scores/{arm}.csv`` of arms with the same split.
    settings : AccuracySettings

    Returns
    -------
    DataFrame
        One row a stage, method, number of images and cohort, with the columns of Table 2. Columns
        ``within_*`` compare the method at the reference number of images with this one;
        ``between_*``, in the rows of 2D-SWE, compare DLRE with 2D-SWE at the same number.
        ``stars`` has both, separated by a comma.
    """
    numbers = sorted(scores)
    reference = reference_images(numbers)
    # Same order of the same patients in every arm, so that scores can be paired.
    ordered = {number: scores[number].sort_values(KEYS, ignore_index=True) for number in numbers}
    rows = []
    for stage in STAGES:
        values = {
            (method, number): samples(ordered[number], method, stage) for method in STRATEGIES for number in numbers
        }
        rows += [
            {"stage": stage, "method": method, "images": number, "cohort": cohort}
            | accuracy_row(values[method, number], cohort, settings)
            | _comparisons(values, method, number, cohort, reference, settings.confidence)
            for method in STRATEGIES
            for number in numbers
            for cohort in COHORTS
        ]
    table = pd.DataFrame(rows)
    for kind in ("within", "between"):
        table[f"{kind}_p_holm"] = holm(table[f"{kind}_p_value"])
    table["stars"] = [
        ", ".join(mark for mark in (stars(within), between_stars(between)) if mark)
        for within, between in zip(table["within_p_value"], table["between_p_value"], strict=True)
    ]
    return table


def between_stars(p_value: float) -> str:
    """The paper's footnote for DLRE against 2D-SWE: **** < 0.05, ***** < 0.01, ****** < 0.001."""
    mark = stars(p_value)
    return "***" + mark if mark else ""


def _comparisons(
    values: Mapping[tuple[str, int], Mapping[str, Sample]],
    method: str,
    number: int,
    cohort: str,
    reference: int,
    confidence: float,
) -> dict[str, object]:
    own = values[method, number][cohort]
    same = None if number == reference else values[method, reference][cohort]
    other = None if method == STRATEGIES[0] else values[STRATEGIES[0], number][cohort]
    words = f"{reference} images"
    return paired_comparison(same, own, words, confidence, "within_") | paired_comparison(
        other, own, STRATEGIES[0], confidence, "between_"
    )
