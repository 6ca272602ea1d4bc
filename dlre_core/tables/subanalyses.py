"""Subanalyses: AUC of scores in the groups that a column divides patients into, and tests between the groups."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from dlre_core.foundation.design import method_labels, question_labels, stage_labels
from dlre_core.foundation.errors import ConfigurationError
from dlre_core.foundation.study_terms import KEYS
from dlre_core.statistics.comparisons import auc_heterogeneity, compare_every_two_groups
from dlre_core.statistics.estimates import Estimate
from dlre_core.statistics.roc import roc_analysis
from dlre_core.tables.formatting import category_label, format_interval, format_p_value
from dlre_core.tables.typeset import Block, PrintedTable, simulated_caption

UNKNOWN = "unknown"
ALL_GROUPS = "all groups"
# Text in both tables.
TEXT = ("grouping", "group", "first", "second")
TEST_COLUMNS = [
    "method",
    "first",
    "second",
    "difference",
    "difference_low",
    "difference_high",
    "statistic",
    "degrees_of_freedom",
    "p_value",
    "p_holm",
    "notes",
]


@dataclass(frozen=True)
class Grouping:
    """How a column divides patients: by rising limits where there are some, else by its categories.

    A patient is in the first group whose limit is not exceeded; ``includes`` says whether a limit itself belongs to the
    lower group. ``names`` are the groups in their order: one more than limits, or the categories that are wanted. Where
    they are empty they follow from the limits (with ``unit``), or are all categories that the patients have, sorted.
    """

    title: str
    column: str
    limits: tuple[float, ...] = ()
    names: tuple[str, ...] = ()
    includes: bool = True
    unit: str = ""

    def __post_init__(self) -> None:
        """Refuse limits that do not rise, and names that do not fit them.

        Raises
        ------
        ValueError
        """
        if any(high <= low for low, high in zip(self.limits, self.limits[1:], strict=False)):
            raise ValueError(f"limits of {self.column} {self.limits} do not rise")
        if self.limits and self.names and len(self.names) != len(self.limits) + 1:
            raise ValueError(f"{len(self.limits)} limits of {self.column} make {len(self.limits) + 1} groups")
        if UNKNOWN in self.names or len(set(self.names)) < len(self.names):
            raise ValueError(f"names of groups of {self.column} must differ from one another and from {UNKNOWN!r}")


def group_names(patients: pd.DataFrame, grouping: Grouping) -> tuple[str, ...]:
    """Names of the groups in their order.

    Examples
    --------
    >>> group_names(pd.DataFrame(), Grouping("ALT", "alt_iu_l", (40, 80), unit="U/L"))
    ('≤40 U/L', '>40 to 80 U/L', '>80 U/L')
    >>> group_names(pd.DataFrame({"country": ["JP", None, "CN"]}), Grouping("country", "country"))
    ('CN', 'JP')
    """
    if grouping.names:
        return grouping.names
    if not grouping.limits:
        return tuple(sorted(set(_categories(patients[grouping.column])) - {UNKNOWN}))
    unit = f" {grouping.unit}" if grouping.unit else ""
    below, above = ("≤", ">") if grouping.includes else ("<", "≥")
    first, *_, last = (*grouping.limits, grouping.limits[-1])
    joint = "to" if grouping.includes else "to below"
    middle = [
        f"{above}{low:g} {joint} {high:g}{unit}"
        for low, high in zip(grouping.limits, grouping.limits[1:], strict=False)
    ]
    return (f"{below}{first:g}{unit}", *middle, f"{above}{last:g}{unit}")


def groups_of(patients: pd.DataFrame, grouping: Grouping) -> NDArray[np.object_]:
    """Name of every patient's group, (n,) of str; ``"unknown"`` where the column is missing.

    Raises
    ------
    ValueError
        If a category is none of the names that the grouping gives.
    """
    names = group_names(patients, grouping)
    if not grouping.limits:
        found = _categories(patients[grouping.column])
        strange = sorted(set(found) - {UNKNOWN, *names})
        if strange:
            raise ValueError(f"{grouping.column} {strange[0]!r} is none of {', '.join(names)}")
        return found
    values = patients[grouping.column].to_numpy(dtype=np.float64, na_value=np.nan)
    index = np.searchsorted(grouping.limits, values, side="left" if grouping.includes else "right")
    every = np.array([*names, UNKNOWN], dtype=object)
    return every[np.where(np.isnan(values), len(names), index)]


def _categories(column: pd.Series) -> NDArray[np.object_]:
    texts = column.astype(object).where(column.notna(), "").astype(str).str.strip()
    return texts.where(texts != "", UNKNOWN).to_numpy(dtype=object)


def subanalysis_table(
    patients: pd.DataFrame,
    labels: ArrayLike,
    scores: Mapping[str, ArrayLike],
    grouping: Grouping,
    *,
    confidence: float = 0.95,
    interval: str = "delong",
) -> pd.DataFrame:
    """Patients, cases and AUC by group and score.

    Parameters
    ----------
    patients : DataFrame
        n rows with the grouping's column.
    labels : (n,) of 0 and 1
    scores : mapping of name to (n,) float
        NaN is missing. Higher is more disease.
    grouping : Grouping
    confidence : float
    interval : {"delong", "logit", "exact_binomial_n"}

    Returns
    -------
    DataFrame
        One row per score and group: method, group, n, n_cases (both with a score), n_missing (without), auc, auc_low,
        auc_high (NaN where not to be believed) and notes, which say why. The patients whose column is missing stand
        last, as ``unknown``, without an AUC; where there are none, there is no such row.
    """
    truth, member = np.asarray(labels), groups_of(patients, grouping)
    rows = []
    for method, given in scores.items():
        values = np.asarray(given, dtype=np.float64)
        for name in (*group_names(patients, grouping), UNKNOWN):
            here = member == name
            if name == UNKNOWN and not here.any():
                continue
            roc = roc_analysis(truth[here], values[here], confidence=confidence, interval=interval)
            row = {
                "method": method,
                "group": name,
                "n": roc.n_cases + roc.n_controls,
                "n_cases": roc.n_cases,
                "n_missing": roc.n_missing,
            }
            found = roc.estimate
            known = (found.value, found.low, found.high, found.reason)
            shown = (np.nan, np.nan, np.nan, f"{grouping.column} is missing") if name == UNKNOWN else known
            rows.append(row | dict(zip(("auc", "auc_low", "auc_high", "notes"), shown, strict=True)))
    return pd.DataFrame(rows)


def subanalysis_tests(
    patients: pd.DataFrame,
    labels: ArrayLike,
    scores: Mapping[str, ArrayLike],
    grouping: Grouping,
    *,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Whether a score's AUC differs between the groups: over all of them, and every two.

    Parameters
    ----------
    patients, labels, scores, grouping
        As `subanalysis_table` takes them.
    confidence : float

    Returns
    -------
    DataFrame
        One row per score for all groups (chi-squared, degrees of freedom, p; ``first`` is ``all groups``), then one per
        pair: first, second, difference (first minus second) with difference_low and difference_high, statistic,
        degrees_of_freedom, p_value, and p_holm, adjusted over the pairs of this score. Notes say which groups are left
        out, and why there is no p.
    """
    names, member = group_names(patients, grouping), groups_of(patients, grouping)
    rows: list[dict[str, object]] = []
    for method, values in scores.items():
        whole = auc_heterogeneity(labels, values, member, names)
        notes = [whole.reason, *(f"without {name}: {reason}" for name, reason in whole.left_out)]
        rows.append(
            {
                "method": method,
                "first": ALL_GROUPS,
                "second": "",
                "statistic": whole.statistic,
                "degrees_of_freedom": float(whole.degrees_of_freedom),
                "p_value": whole.p_value,
                "notes": "; ".join(note for note in notes if note),
            }
        )
        for pair in compare_every_two_groups(labels, values, member, names, confidence=confidence):
            test = pair.comparison
            rows.append(
                {
                    "method": method,
                    "first": pair.first,
                    "second": pair.second,
                    "difference": test.difference,
                    "difference_low": test.interval[0],
                    "difference_high": test.interval[1],
                    "statistic": test.statistic,
                    "degrees_of_freedom": test.degrees_of_freedom,
                    "p_value": test.p_value,
                    "p_holm": pair.p_holm,
                    "notes": test.reason,
                }
            )
    return pd.DataFrame(rows, columns=TEST_COLUMNS)


def read_groupings(given: Sequence[Mapping[str, object]], patients: pd.DataFrame) -> list[Grouping]:
    """Section ``subanalyses`` of the design, for these patients.

    Raises
    ------
    ConfigurationError
        If the patients have no such column, or limits and names do not fit.
    """
    groupings = []
    for number, entry in enumerate(given):
        place = f"subanalyses[{number}], column {entry['column']}"
        if entry["column"] not in patients:
            raise ConfigurationError(
                f"{place}: the clinical table has no such column.",
                "Write a column that it has, by the data contract's name, or manufacturer.",
            )
        values = {name: tuple(value) if isinstance(value, list) else value for name, value in entry.items()}
        try:
            groupings.append(Grouping(**{"title": entry["column"], **values}))
            groups_of(patients, groupings[-1])
        except ValueError as error:
            raise ConfigurationError(
                f"{place}: {error}.", "Change limits or names (docs/guide/optional_analyses.md)."
            ) from None
    return groupings


def described_patients(scores: pd.DataFrame, patients: pd.DataFrame, acquisitions: pd.DataFrame) -> pd.DataFrame:
    """Patients with their scores, what the clinical table says of them, and the maker of their scanner.

    Parameters
    ----------
    scores : DataFrame
        ``results/scores/{arm}.csv``.
    patients : DataFrame
        ``results/clinical/patients.csv``.
    acquisitions : DataFrame
        ``results/store/acquisitions.csv``; the maker is that of most of a patient's pictures.

    Returns
    -------
    DataFrame
        The rows of ``scores``, with the columns that they lack and ``manufacturer``.
    """
    makers = acquisitions.groupby(KEYS)["manufacturer"].agg(lambda names: names.mode().iloc[0]).reset_index()
    new = [*KEYS, *patients.columns.difference(scores.columns)]
    return scores.merge(patients[new], on=KEYS, how="left").merge(makers, on=KEYS, how="left")


def subanalyses(
    patients: pd.DataFrame,
    stages: Sequence[str],
    groupings: Sequence[Grouping],
    methods: Mapping[str, str],
    *,
    confidence: float = 0.95,
    interval: str = "delong",
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Every grouping for every stage question: groups, and tests between them.

    Parameters
    ----------
    patients : DataFrame
        One row per patient: fibrosis_stage, the groupings' columns and the methods' scores.
    stages : sequence of str
        Stage questions.
    groupings : sequence of Grouping
    methods : mapping of method to its score's column, with ``{stage}`` where each question has one
    confidence : float
    interval : {"delong", "logit", "exact_binomial_n"}

    Returns
    -------
    DataFrame, DataFrame
        As `subanalysis_table` and `subanalysis_tests` make them, with stage and grouping in front.
    """
    tables, tests = [], []
    for grouping in groupings:
        for stage in stages:
            labels = stage_labels(patients["fibrosis_stage"], stage)
            scores = {method: patients[column.format(stage=stage)] for method, column in methods.items()}
            made = (
                subanalysis_table(patients, labels, scores, grouping, confidence=confidence, interval=interval),
                subanalysis_tests(patients, labels, scores, grouping, confidence=confidence),
            )
            for gathered, part in zip((tables, tests), made, strict=True):
                gathered.append(part.assign(stage=stage, grouping=grouping.title))
    front = ["stage", "grouping"]
    table, test = (pd.concat(parts, ignore_index=True) for parts in (tables, tests))
    return tuple(part[[*front, *part.columns.drop(front)]] for part in (table, test))


def printed_subanalyses(table: pd.DataFrame, tests: pd.DataFrame, confidence: float, simulated: bool) -> PrintedTable:
    """Both tables for print: groups with their AUC, and below them the test over all groups; one block per question."""
    blocks = []
    for (grouping, stage), part in table.groupby(["grouping", "stage"], sort=False):
        here = tests[(tests["grouping"] == grouping) & (tests["stage"] == stage)]
        rows = []
        for method, groups in part.groupby("method", sort=False):
            for _, row in groups.iterrows():
                auc = Estimate(row["auc"], row["auc_low"], row["auc_high"])
                counts = [f"{row['n']:g}", f"{row['n_cases']:g}"]
                rows.append(
                    [method_labels()[str(method)], category_label(str(row["group"])), *counts, format_interval(auc), ""]
                )
            for _, row in here[here["method"] == method].iterrows():
                whole = row["first"] == ALL_GROUPS
                name = "all groups" if whole else f"{category_label(row['first'])} - {category_label(row['second'])}"
                difference = Estimate(row["difference"], row["difference_low"], row["difference_high"])
                shown = "" if whole else format_interval(difference)
                p = format_p_value(row["p_value"] if whole else row["p_holm"])
                rows.append([method_labels()[str(method)], f"{name}, difference", "", "", shown, p])
        blocks.append(Block(f"{grouping}: {question_labels()[str(stage)]}", rows))
    notes = [
        f"Validation cohort. AUC with {100 * confidence:g} % confidence interval. All groups: chi-squared test that "
        "the AUC is the same in all; two groups: unpaired DeLong test, Holm over a method's pairs. With fewer than "
        "five cases or controls a group has no interval and is in no test.",
        *sorted({f"{note}." for note in tests["notes"] if isinstance(note, str) and note}),
    ]
    caption = "Subanalyses: AUC by group"
    columns = ["Method", "Group", "n", "Cases", "AUC, or difference", "p"]
    return PrintedTable(simulated_caption(caption, simulated), columns, blocks, notes, heads=2)
