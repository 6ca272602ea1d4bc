"""Who enrols: the criteria of the design as rules on columns, applied in their order, and the flow chart's numbers."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from dlre_core.foundation.design import DEFAULT, read_design
from dlre_core.foundation.digests import file_stamp, value_digest
from dlre_core.foundation.errors import ClinicalTableError, ConfigurationError
from dlre_core.foundation.study_terms import KEYS
from dlre_core.patients.clinical_table import clinical_columns, read_clinical
from dlre_core.patients.reliability import reliable_or_not
from dlre_core.user_tables.units import GivenUnit

# What a condition compares a column with.
COMPARISONS: Mapping[str, Callable[[pd.Series, Any], pd.Series]] = {
    "at_least": lambda values, limit: values >= limit,
    "at_most": lambda values, limit: values <= limit,
    "above": lambda values, limit: values > limit,
    "below": lambda values, limit: values < limit,
}
# Number of valid acquisitions, and the maker of the machine, which no user's table has.
IMAGES, MAKER = "images", "manufacturer"


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


# Every split asks for the same digest, and a large table takes seconds to read.
_ELIGIBILITY: dict[tuple[str, ...], str] = {}
FLOW_COLUMNS = ["order", "criterion", "sentence", "hospital", "excluded_first", "excluded_any"]


def _papers_criteria() -> Sequence[Mapping[str, Any]]:
    return read_design(DEFAULT)["enrolment"]["criteria"]


@dataclass(frozen=True)
class EnrolmentSettings:
    """The criteria and their limits; the defaults are the paper's ("Patient enrolments")."""

    minimum_age_years: float = 18
    minimum_hbsag_positive_months: float = 6
    minimum_biopsy_length_mm: float = 15
    minimum_portal_tracts: int = 6
    maximum_days_from_elastography: int = 7
    required_serology: Sequence[str] = ("platelets_10e9_l", "ast_iu_l", "alt_iu_l")
    images_per_patient: int = 5
    reliable_stiffness: bool = False
    criteria: Sequence[Mapping[str, Any]] = field(default_factory=_papers_criteria)

    @property
    def limits(self) -> dict[str, Any]:
        """Settings whose names may stand in criteria and their sentences."""
        return {field.name: getattr(self, field.name) for field in fields(self) if field.name != "criteria"}

    @cached_property
    def rules(self) -> tuple[Criterion, ...]:
        """All criteria in the order in which they apply, those that no design names included.

        Raises
        ------
        ConfigurationError
            If one cannot be understood.
        """
        given = criteria_of(self.criteria, self.limits)
        return (_unreadable(columns_of(given)), *given, *([UNRELIABLE] if self.reliable_stiffness else []))


def check_criteria(settings: EnrolmentSettings) -> None:
    """Refuse criteria that nobody could apply.

    Raises
    ------
    ConfigurationError
        If a rule cannot be understood or asks for a column that no clinical table has.
    """
    known = {column.name for column in clinical_columns()} | {IMAGES}
    for criterion in settings.rules:
        unknown = sorted(criterion.columns - known)
        if unknown:
            raise ConfigurationError(
                f"enrolment.criteria: {criterion.name}: there is no column {unknown[0]}.",
                "Write a column of docs/reference/data_contract.md or of the section columns, or images.",
            )
    names = [criterion.name for criterion in settings.rules]
    if len(set(names)) < len(names):
        raise ConfigurationError("enrolment.criteria: a name stands twice.", "Give every rule its own.")


def _unreadable(needed: Collection[str]) -> Criterion:
    """Not one of the design's: what cannot be read never enrols."""

    def fails(table: pd.DataFrame) -> pd.Series:
        without = pd.Series(False, index=table.index)
        if "fibrosis_stage" in table:
            without |= table["fibrosis_stage"].isna()
        if "unreadable" not in table:
            return without
        return without | table["unreadable"].fillna("").map(lambda names: not set(needed).isdisjoint(names.split(";")))

    return Criterion(UNREADABLE, "A cell that a criterion needs cannot be read", fails, frozenset())


UNREADABLE = "unreadable_cell"
# Not one of the paper's: asked for by reliable_stiffness, and then unknown excludes, too.
UNRELIABLE = Criterion(
    "unreliable_stiffness",
    "Stiffness measurements not known to be reliable by the rule of the device's maker",
    lambda table: ~table["unreliable"].eq(0),
    frozenset(),
)


def enrol(
    patients: pd.DataFrame,
    images: pd.Series,
    settings: EnrolmentSettings,
    unreliable: pd.Series | None = None,
) -> pd.DataFrame:
    """Decide for every eligible patient whether the study keeps them, and why not.

    Parameters
    ----------
    patients : DataFrame
        ``results/clinical/patients.csv``.
    images : Series of int
        Number of valid acquisitions, indexed by (hospital, patient); absent means none.
    settings : EnrolmentSettings
    unreliable : Series of float, optional
        `dlre_core.patients.reliability.reliable_or_not`, for ``reliable_stiffness``; None before pictures are read,
        when nobody is excluded for it.

    Returns
    -------
    DataFrame
        hospital, patient, enrolled (0 or 1), first_reason, all_reasons (joined by ``;``), images, elastography_failed
        (1 where only criteria on pictures exclude: the patient was tried, and there is no result).
    """
    table = patients.copy()
    keys = pd.MultiIndex.from_frame(table[KEYS])
    table["images"] = images.reindex(keys, fill_value=0).to_numpy()
    table["unreliable"] = 0.0 if unreliable is None else unreliable.reindex(keys).to_numpy()
    failures = pd.DataFrame(
        {criterion.name: criterion.fails(table) for criterion in settings.rules},
        index=table.index,
    )
    reasons = failures.apply(lambda row: [name for name, failed in row.items() if failed], axis=1)
    on_pictures = {UNRELIABLE.name, *(criterion.name for criterion in settings.rules if IMAGES in criterion.columns)}
    return pd.DataFrame(
        {
            "hospital": table["hospital"],
            "patient": table["patient"],
            "enrolled": (~failures.any(axis=1)).astype(int),
            "first_reason": [names[0] if names else "" for names in reasons],
            "all_reasons": [";".join(names) for names in reasons],
            "images": table["images"],
            "elastography_failed": [int(bool(names) and set(names) <= on_pictures) for names in reasons],
        }
    )


def enrol_pictured(patients: pd.DataFrame, acquisitions: pd.DataFrame, settings: EnrolmentSettings) -> pd.DataFrame:
    """`enrol` with the numbers of pictures, and the reliability where it is asked for, of ``acquisitions.csv``."""
    unreliable = reliable_or_not(acquisitions) if settings.reliable_stiffness else None
    return enrol(patients, acquisitions.groupby(KEYS).size(), settings, unreliable)


def flow(enrolment: pd.DataFrame, settings: EnrolmentSettings) -> pd.DataFrame:
    """Count exclusions by criterion and hospital, for the flow chart (figure 2).

    Parameters
    ----------
    enrolment : DataFrame
        As `enrol` returns it.
    settings : EnrolmentSettings
        Its limits stand in the sentences.

    Returns
    -------
    DataFrame
        One row per criterion and hospital, in the order in which the criteria apply:
        ``excluded_first`` counts patients for whom it was the first reason, ``excluded_any`` all
        whom it would exclude. Cells that could not be read (order 0) stand there only where they exclude somebody,
        reliability only where it is asked for.
    """
    rows = []
    reasons = enrolment["all_reasons"].fillna("").str.split(";")
    unread = any(UNREADABLE in names for names in reasons)
    for order, criterion in enumerate(settings.rules):
        if criterion.name == UNREADABLE and not unread:
            continue
        for hospital in sorted(enrolment["hospital"].unique()):
            here = enrolment["hospital"] == hospital
            first = int((here & (enrolment["first_reason"] == criterion.name)).sum())
            either = int((here & reasons.map(lambda names, n=criterion.name: n in names)).sum())
            rows.append([order, criterion.name, criterion.sentence, hospital, first, either])
    return pd.DataFrame(rows, columns=FLOW_COLUMNS)


def enrolled_patients(
    patients: pd.DataFrame,
    acquisitions: pd.DataFrame,
    settings: EnrolmentSettings,
    columns: Sequence[str] = (),
) -> pd.DataFrame:
    """Those whom no criterion excludes: hospital, patient, fibrosis_stage, and other columns that are asked for.

    Parameters
    ----------
    patients : DataFrame
        As ``results/clinical/patients.csv``.
    acquisitions : DataFrame
        ``results/store/acquisitions.csv``.
    settings : EnrolmentSettings
    columns : sequence of str
        Of the clinical table, or manufacturer: the maker of most of a patient's pictures.

    Raises
    ------
    ConfigurationError
        If the clinical table lacks one of the columns.
    """
    verdict = enrol_pictured(patients, acquisitions, settings)
    kept = patients[(verdict["enrolled"] == 1).to_numpy()]
    if MAKER in columns:
        makers = acquisitions.groupby(KEYS)[MAKER].agg(lambda names: names.mode().iloc[0]).reset_index()
        kept = kept.merge(makers, on=KEYS, how="left")
    if absent := [name for name in columns if name not in kept]:
        raise ConfigurationError(
            f"splits: a split divides by {', '.join(absent)}, which the clinical table does not have.",
            "Add the column to clinical.csv, or divide by another one.",
        )
    return kept[[*KEYS, "fibrosis_stage", *columns]].reset_index(drop=True)


def eligibility_digest(
    clinical_csv: str | Path,
    hospitals: Collection[str],
    settings: EnrolmentSettings,
    units: Sequence[GivenUnit] = (),
    columns: Sequence[str] = (),
) -> str:
    """Digest of what the clinical table says about who can be enrolled, with which stage and values of some columns.

    Laboratory values count only in so far as a criterion needs them, so that correcting one leaves
    the digest as it is. ``columns`` are those by which a split divides; absent ones are passed over.

    Returns
    -------
    str
        16 hexadecimal digits; ``"absent"`` for a table that is not there or cannot be read, which
        rule clinical_table then says.
    """
    given = value_digest([sorted(hospitals), asdict(settings), [asdict(unit) for unit in units], list(columns)])
    key = (str(clinical_csv), file_stamp(clinical_csv), given)
    if key not in _ELIGIBILITY:
        _ELIGIBILITY[key] = _eligibility_digest(clinical_csv, hospitals, settings, units, columns)
    return _ELIGIBILITY[key]


def _eligibility_digest(
    clinical_csv: str | Path,
    hospitals: Collection[str],
    settings: EnrolmentSettings,
    units: Sequence[GivenUnit],
    columns: Sequence[str],
) -> str:
    try:
        patients = read_clinical(clinical_csv, hospitals, units=units).patients
    except ClinicalTableError:
        return "absent"
    patients = patients.rename(columns={"patient_id": "patient"})
    everybody = pd.Series(
        settings.images_per_patient,
        index=pd.MultiIndex.from_frame(patients[KEYS]),
    )
    verdict = enrol(patients, everybody, settings)[[*KEYS, "all_reasons"]]
    for name in ["fibrosis_stage", *(name for name in columns if name in patients)]:
        verdict[name] = patients[name].astype(str)
    return value_digest(verdict.astype(str).to_numpy().tolist())
