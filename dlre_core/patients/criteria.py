"""Inclusion and exclusion criteria as a list of named rules on columns of the clinical table."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from dlre_core.foundation.errors import ConfigurationError

# What a condition compares a column with.
COMPARISONS: Mapping[str, Callable[[pd.Series, Any], pd.Series]] = {
    "at_least": lambda values, limit: values >= limit,
    "at_most": lambda values, limit: values <= limit,
    "above": lambda values, limit: values > limit,
    "below": lambda values, limit: values < limit,
}
# Number of valid acquisitions, which no user's table has.
IMAGES = "images"


class Criterion(NamedTuple):
    """A rule that excludes: its name, a sentence for people, who fails it, and the columns that it needs.

    ``fails`` takes a table with a row per patient and gives a Series of bool.
    """

    name: str
    sentence: str
    fails: Callable[[pd.DataFrame], pd.Series]
    columns: frozenset[str]


def criteria_of(rules: Sequence[Mapping[str, Any]], limits: Mapping[str, Any]) -> tuple[Criterion, ...]:
    """The criteria of a design.

    A rule excludes by ``unless`` where one of its conditions does not hold or is unknown, by ``if`` where one of them
    holds; unknown counts as no there. With ``only_for`` it says nothing of patients who are known to have another
    value in that column.

    Parameters
    ----------
    rules : sequence of mapping
        ``enrolment.criteria`` of the configuration.
    limits : mapping
        Other settings of the section, whose names may stand for their values in conditions and sentences.

    Raises
    ------
    ConfigurationError
        If a rule cannot be understood, naming it.

    Examples
    --------
    >>> rule = {"name": "too_young", "sentence": "Younger than {age:g} years"}
    >>> (young,) = criteria_of([rule | {"unless": [{"column": "age_years", "at_least": "age"}]}], {"age": 18})
    >>> young.sentence, young.fails(pd.DataFrame({"age_years": [17, 18, None]})).tolist()
    ('Younger than 18 years', [True, False, True])
    """
    return tuple(_criterion(rule, limits) for rule in rules)


def _criterion(rule: Mapping[str, Any], limits: Mapping[str, Any]) -> Criterion:
    place = f"enrolment.criteria: {rule['name']}"
    kept, excluded = (
        [_condition(place, condition, limits) for condition in rule.get(key, ())] for key in ("unless", "if")
    )
    if not kept and not excluded:
        raise ConfigurationError(f"{place} excludes nobody.", "Give it unless, if or both, with conditions.")
    try:
        sentence = rule["sentence"].format(**limits)
    except (KeyError, IndexError, ValueError) as error:
        raise ConfigurationError(
            f"{place}: its sentence has a name in braces that is no number of the section enrolment ({error}).",
            "Write the number itself.",
        ) from None
    only_for: Mapping[str, Sequence[Any]] = rule.get("only_for", {})

    def fails(table: pd.DataFrame) -> pd.Series:
        failed = pd.Series(False, index=table.index)
        for holds, _ in kept:
            failed |= ~holds(table)
        for holds, _ in excluded:
            failed |= holds(table)
        for column, values in only_for.items():
            failed &= table[column].isna() | table[column].eq("") | table[column].isin(values)
        return failed

    named = [names for _, names in (*kept, *excluded)]
    return Criterion(rule["name"], sentence, fails, frozenset(only_for).union(*named))


def _condition(
    place: str, condition: Mapping[str, Any], limits: Mapping[str, Any]
) -> tuple[Callable[[pd.DataFrame], pd.Series], frozenset[str]]:
    """Who is known to satisfy a condition, and the columns that tell."""
    rest = {key: value for key, value in condition.items() if key not in ("column", "columns", "days_from")}
    if len(rest) != 1 or ("column" in condition) == ("columns" in condition):
        raise ConfigurationError(
            f"{place}: {dict(condition)} is not one column with one comparison.",
            "Write such as {column: age_years, at_least: 18}; two comparisons are two conditions.",
        )
    ((how, value),) = rest.items()
    if "columns" in condition or how == "known":
        names = condition.get("columns", [condition.get("column")])
        names = list(_resolved(place, names, limits) if isinstance(names, str) else names)
        if how != "known":
            raise ConfigurationError(f"{place}: columns go with known: true.", "Write one condition per column.")
        return lambda table: table[names].notna().all(axis=1), frozenset(names)
    column = condition["column"]
    if how in ("is", "one_of"):
        values = list(value) if how == "one_of" else [value]
        return lambda table: table[column].isin(values), frozenset([column])
    limit, compare = _resolved(place, value, limits), COMPARISONS[how]
    if "days_from" in condition:
        other = condition["days_from"]
        return lambda table: _known(compare(_days_apart(table, column, other), limit)), frozenset([column, other])
    return lambda table: _known(compare(pd.to_numeric(table[column]), limit)), frozenset([column])


def _resolved(place: str, value: Any, limits: Mapping[str, Any]) -> Any:
    if not isinstance(value, str):
        return value
    if value not in limits:
        raise ConfigurationError(
            f"{place}: {value!r} is no setting of the section enrolment.",
            "Write a number, or the name of one of " + ", ".join(limits) + ".",
        )
    return limits[value]


def _known(holds: pd.Series) -> pd.Series:
    return holds.fillna(False).astype(bool)


def _days_apart(table: pd.DataFrame, column: str, other: str) -> pd.Series:
    # Of an unknown day nobody knows that it was near.
    days = pd.to_datetime(table[column], errors="coerce") - pd.to_datetime(table[other], errors="coerce")
    return days.dt.days.abs()


def columns_of(criteria: Iterable[Criterion]) -> frozenset[str]:
    """Columns of the clinical table that criteria need."""
    return frozenset().union(*(criterion.columns for criterion in criteria)) - {IMAGES}
