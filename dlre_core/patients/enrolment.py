"""The paper's inclusion and exclusion criteria, one named rule each ("Patient enrolments")."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from dlre_core.foundation.digests import file_stamp, value_digest
from dlre_core.foundation.errors import ClinicalTableError
from dlre_core.foundation.study_terms import KEYS
from dlre_core.patients.clinical_table import read_clinical
from dlre_core.patients.reliability import reliable_or_not
from dlre_core.user_tables.data_contract import CLINICAL_COLUMNS
from dlre_core.user_tables.units import GivenUnit

# Every split asks for the same digest, and a large table takes seconds to read.
_ELIGIBILITY: dict[tuple[str, ...], str] = {}
FLOW_COLUMNS = ["order", "criterion", "sentence", "hospital", "excluded_first", "excluded_any"]


@dataclass(frozen=True)
class EnrolmentSettings:
    """Limits of the criteria; the defaults are the paper's."""

    minimum_age_years: float = 18
    minimum_hbsag_positive_months: float = 6
    minimum_biopsy_length_mm: float = 15
    minimum_portal_tracts: int = 6
    maximum_days_from_elastography: int = 7
    required_serology: Sequence[str] = ("platelets_10e9_l", "ast_iu_l", "alt_iu_l")
    images_per_patient: int = 5
    reliable_stiffness: bool = False


class Criterion(NamedTuple):
    """A rule that excludes: its name, a sentence for people with the settings' names, who fails it."""

    name: str
    sentence: str
    fails: Callable[[pd.DataFrame, EnrolmentSettings], pd.Series]


def _apart(table: pd.DataFrame, column: str, settings: EnrolmentSettings) -> pd.Series:
    days = pd.to_datetime(table[column], errors="coerce") - pd.to_datetime(table["elastography_date"], errors="coerce")
    # Of an unknown day nobody knows that it was near.
    return ~(days.dt.days.abs() <= settings.maximum_days_from_elastography)


def _positive(name: str) -> Callable[[pd.DataFrame, EnrolmentSettings], pd.Series]:
    return lambda table, _: table[name].astype("Float64").eq(1).fillna(False)


def _unreadable(table: pd.DataFrame, settings: EnrolmentSettings) -> pd.Series:
    """Who has a cell that a criterion needs and that could not be read, or no stage."""
    without = pd.Series(False, index=table.index)
    if "fibrosis_stage" in table:
        without |= table["fibrosis_stage"].isna()
    if "unreadable" not in table:
        return without
    needed = {column.name for column in CLINICAL_COLUMNS if column.criterion}
    needed |= set(settings.required_serology)
    unread = table["unreadable"].fillna("").map(lambda names: bool(needed & set(names.split(";"))))
    return without | unread


# Not one of the paper's: what cannot be read never enrols.
UNREADABLE = Criterion("unreadable_cell", "A cell that a criterion needs cannot be read", _unreadable)
# In the paper's order. What is unknown excludes, but for an empty flag, which counts as no.
CRITERIA: tuple[Criterion, ...] = (
    Criterion(
        "hbsag_too_short",
        "HBsAg not known positive for more than {minimum_hbsag_positive_months:g} months",
        lambda t, s: ~(t["hbsag_positive_months"] > s.minimum_hbsag_positive_months),
    ),
    Criterion(
        "too_young",
        "Not known to be {minimum_age_years:g} years or older",
        lambda t, s: ~(t["age_years"] >= s.minimum_age_years),
    ),
    Criterion("other_liver_disease", "Other liver disease", _positive("other_liver_disease")),
    Criterion(
        "viral_coinfection",
        "Coinfection with HIV or another viral hepatitis",
        _positive("viral_coinfection"),
    ),
    Criterion(
        "liver_transplantation",
        "Previous liver transplantation",
        _positive("liver_transplantation"),
    ),
    Criterion(
        "antiviral_treatment",
        "Antiviral treatment in the previous 6 months",
        _positive("antiviral_treatment_6_months"),
    ),
    Criterion(
        "unqualified_histology",
        "Biopsy shorter than {minimum_biopsy_length_mm:g} mm, fewer than {minimum_portal_tracts} portal "
        "tracts, or not within {maximum_days_from_elastography} days",
        lambda t, s: (
            ~(t["biopsy_length_mm"] >= s.minimum_biopsy_length_mm)
            | ~(t["portal_tracts"] >= s.minimum_portal_tracts).fillna(False).astype(bool)
            | _apart(t, "biopsy_date", s)
        ),
    ),
    Criterion(
        "missing_serology",
        "Important serological results missing, or not within {maximum_days_from_elastography} days",
        lambda t, s: t[list(s.required_serology)].isna().any(axis=1) | _apart(t, "serology_date", s),
    ),
    Criterion(
        "unsuccessful_elastography",
        "Unsuccessful 2D-SWE: fewer valid acquisitions than the study asks for",
        lambda t, s: t["images"] < s.images_per_patient,
    ),
)


# Not one of the paper's: asked for by reliable_stiffness, and then unknown excludes, too.
UNRELIABLE = Criterion(
    "unreliable_stiffness",
    "Stiffness measurements not known to be reliable by the rule of the device's maker",
    lambda t, s: ~t["unreliable"].eq(0) & s.reliable_stiffness,
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
        hospital, patient, enrolled (0 or 1), first_reason, all_reasons (joined by ``;``), images.
    """
    table = patients.copy()
    keys = pd.MultiIndex.from_frame(table[KEYS])
    table["images"] = images.reindex(keys, fill_value=0).to_numpy()
    table["unreliable"] = 0.0 if unreliable is None else unreliable.reindex(keys).to_numpy()
    failures = pd.DataFrame(
        {c.name: c.fails(table, settings).fillna(True).astype(bool) for c in (UNREADABLE, *CRITERIA, UNRELIABLE)},
        index=table.index,
    )
    reasons = failures.apply(lambda row: [name for name, failed in row.items() if failed], axis=1)
    return pd.DataFrame(
        {
            "hospital": table["hospital"],
            "patient": table["patient"],
            "enrolled": (~failures.any(axis=1)).astype(int),
            "first_reason": [names[0] if names else "" for names in reasons],
            "all_reasons": [";".join(names) for names in reasons],
            "images": table["images"],
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
    limits = asdict(settings)
    unread = any(UNREADABLE.name in names for names in reasons)
    for order, criterion in enumerate((UNREADABLE, *CRITERIA, UNRELIABLE)):
        if (criterion is UNREADABLE and not unread) or (criterion is UNRELIABLE and not settings.reliable_stiffness):
            continue
        sentence = criterion.sentence.format(**limits)
        for hospital in sorted(enrolment["hospital"].unique()):
            here = enrolment["hospital"] == hospital
            first = int((here & (enrolment["first_reason"] == criterion.name)).sum())
            either = int((here & reasons.map(lambda names, n=criterion.name: n in names)).sum())
            rows.append([order, criterion.name, sentence, hospital, first, either])
    return pd.DataFrame(rows, columns=FLOW_COLUMNS)


def enrolled_patients(patients: pd.DataFrame, acquisitions: pd.DataFrame, settings: EnrolmentSettings) -> pd.DataFrame:
    """Those whom no criterion excludes: hospital, patient and fibrosis_stage.

    Parameters
    ----------
    patients : DataFrame
        As ``results/clinical/patients.csv``.
    acquisitions : DataFrame
        ``results/store/acquisitions.csv``.
    settings : EnrolmentSettings
    """
    verdict = enrol_pictured(patients, acquisitions, settings)
    kept = patients[(verdict["enrolled"] == 1).to_numpy()]
    return kept[[*KEYS, "fibrosis_stage"]].reset_index(drop=True)


def eligibility_digest(
    clinical_csv: str | Path,
    hospitals: Collection[str],
    settings: EnrolmentSettings,
    units: Sequence[GivenUnit] = (),
) -> str:
    """Digest of what the clinical table says about who can be enrolled, and with which stage.

    Laboratory values count only in so far as a criterion needs them, so that correcting one leaves
    the digest as it is.

    Returns
    -------
    str
        16 hexadecimal digits; ``"absent"`` for a table that is not there or cannot be read, which
        rule clinical_table then says.
    """
    given = value_digest([sorted(hospitals), asdict(settings), [asdict(unit) for unit in units]])
    key = (str(clinical_csv), file_stamp(clinical_csv), given)
    if key not in _ELIGIBILITY:
        _ELIGIBILITY[key] = _eligibility_digest(clinical_csv, hospitals, settings, units)
    return _ELIGIBILITY[key]


def _eligibility_digest(
    clinical_csv: str | Path,
    hospitals: Collection[str],
    settings: EnrolmentSettings,
    units: Sequence[GivenUnit],
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
    verdict["fibrosis_stage"] = patients["fibrosis_stage"].astype(str)
    return value_digest(verdict.astype(str).to_numpy().tolist())
