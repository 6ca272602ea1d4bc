"""Table 3: accuracy against the number of pictures, within a method and between methods."""

from collections.abc import Mapping

import pandas as pd

from dlre_core.foundation.design import study_questions
from dlre_core.foundation.errors import StoreMismatch
from dlre_core.foundation.study_terms import KEYS, cohorts_of
from dlre_core.tables.table_2_accuracy import (
    AccuracySettings,
    Sample,
    accuracy_row,
    judged,
    paired_comparison,
    samples,
    training_cutoff,
    validated_stars,
    with_comparison,
)

STRATEGIES = ("dlre", "lsm")
# Marks the comparison between methods, where stars mark that within one.
DAGGER = "†"


def reference_images(numbers: list[int]) -> int:
    """The number of pictures that the others are compared with: the middle one, as in the paper."""
    return sorted(numbers)[(len(numbers) - 1) // 2]


def table_3(
    scores: Mapping[int, pd.DataFrame],
    settings: AccuracySettings,
    out_of_fold: Mapping[int, pd.DataFrame] | None = None,
) -> pd.DataFrame:
    """Accuracy of DLRE and 2D-SWE by the number of pictures per patient; the paper has 1, 3 and 5.

    Parameters
    ----------
    scores : mapping of images per patient to DataFrame
        ``results/scores/{arm}.csv`` of arms with the same split.
    settings : AccuracySettings
    out_of_fold : mapping of images per patient to DataFrame, optional
        Out-of-fold scores of the arms' training patients, where there are any.

    Returns
    -------
    DataFrame
        One row a stage, method, number of images and cohort, with the columns of Table 2. Columns
        ``within_*`` compare the method at the reference number of images with this one;
        ``between_*``, in the rows of 2D-SWE, compare DLRE with 2D-SWE at the same number.
        ``stars`` has both, but for the training cohort, separated by a comma.

    Raises
    ------
    StoreMismatch
        If the arms do not have the same patients in the same cohorts.
    """
    numbers = sorted(scores)
    reference = reference_images(numbers)
    # Same order of the same patients in every arm, so that scores can be paired.
    ordered = {number: scores[number].sort_values(KEYS, ignore_index=True) for number in numbers}
    _check_same_patients(ordered)
    folds = out_of_fold or {}
    rows = []
    for stage in study_questions():
        values = {
            (method, number): samples(ordered[number], method, stage) for method in STRATEGIES for number in numbers
        }
        for method, number in values:
            cutoff = training_cutoff(values[method, number], settings, (folds.get(number), method, stage))
            for cohort in cohorts_of(ordered[reference]):
                row = accuracy_row(values[method, number], cohort, settings, cutoff)
                compared = _comparisons(values, method, number, cohort, reference, settings.confidence)
                place = {"stage": stage, "method": method, "images": number, "cohort": cohort}
                rows.append(place | with_comparison(row, *compared))
    table = judged(judged(pd.DataFrame(rows), "between_"), "within_")
    between = [DAGGER * len(mark) for mark in validated_stars(table, "between_p_value")]
    table["stars"] = [", ".join(mark for mark in marks if mark) for marks in zip(table["stars"], between, strict=True)]
    return table


def _check_same_patients(ordered: Mapping[int, pd.DataFrame]) -> None:
    columns = [*KEYS, "cohort", "fibrosis_stage"]
    first, *others = (table[columns] for table in ordered.values())
    for number, table in zip(list(ordered)[1:], others, strict=True):
        if not table.equals(first):
            raise StoreMismatch(
                f"The arms with {min(ordered)} and {number} images do not have the same patients in the same cohorts.",
                "Delete the folder results/predictions and run again.",
            )


def _comparisons(
    values: Mapping[tuple[str, int], Mapping[str, Sample]],
    method: str,
    number: int,
    cohort: str,
    reference: int,
    confidence: float,
) -> tuple[dict[str, object], dict[str, object]]:
    own = values[method, number][cohort]
    same = None if number == reference else values[method, reference][cohort]
    other = None if method == STRATEGIES[0] else values[STRATEGIES[0], number][cohort]
    words = f"{reference} images"
    return (
        paired_comparison(same, own, words, confidence, "within_"),
        paired_comparison(other, own, STRATEGIES[0], confidence, "between_"),
    )
