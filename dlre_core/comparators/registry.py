"""What a network can be compared with: every comparator with its formula, its source and its published cut-offs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlre_core.comparators.serum_indices import (
    aar,
    apri,
    fib4,
    forns,
    gpr,
    impaired_glucose,
    kings,
    nafld_fibrosis_score,
)
from dlre_core.comparators.vcte_scores import agile_3_plus, agile_4, fast

# Columns that are no numbers, and what stands for 1 and 0 in them.
CODED: Mapping[str, Mapping[str, float]] = {"sex": {"M": 1.0, "F": 0.0}}


@dataclass(frozen=True)
class CutOff:
    """A published cut-off: below ``rule_out`` the condition is ruled out, from ``rule_in`` on it is ruled in.

    ``lowest_stage`` is the lowest METAVIR stage of the cases, None where they are not defined by a stage alone. One of
    the limits is None where only the other was published; a single cut-off has both the same. ``from_age`` is the
    lowest age, in years, of the patients that it is for.
    """

    question: str
    lowest_stage: int | None
    rule_out: float | None
    rule_in: float | None
    source: str
    from_age: float = 0


@dataclass(frozen=True)
class UpperLimit:
    """An upper limit of normal, everywhere and where hospitals have their own."""

    everywhere: float
    by_hospital: Mapping[str, float] = field(default_factory=dict)

    def of(self, hospitals: pd.Series) -> NDArray[np.float64]:
        """One limit per row, (n,) float64.

        Examples
        --------
        >>> UpperLimit(40, {"B": 35}).of(pd.Series(["A", "B"])).tolist()
        [40.0, 35.0]
        """
        own = hospitals.map(dict(self.by_hospital)).astype(float)
        return own.fillna(self.everywhere).to_numpy(np.float64)


def stated_limits(limits: Mapping[str, tuple[float | None, Mapping[str, float]]]) -> dict[str, UpperLimit]:
    """Upper limits of normal by column, without those that the user left open.

    Examples
    --------
    >>> stated_limits({"ast_iu_l": (40, {}), "ggt_iu_l": (None, {})})
    {'ast_iu_l': UpperLimit(everywhere=40, by_hospital={})}
    """
    return {
        column: UpperLimit(everywhere, by_hospital)
        for column, (everywhere, by_hospital) in limits.items()
        if everywhere is not None
    }


@dataclass(frozen=True)
class Comparator:
    """One comparator.

    ``columns`` are what it needs of each patient. ``compute`` takes their values in this order, then the upper limits
    of normal of the column ``limit_of`` where there is one: (n,) float64 each, NaN where a value is missing. A higher
    score means more disease where ``direction`` is 1, less where it is -1.
    """

    name: str
    label: str
    formula: str
    columns: tuple[str, ...]
    compute: Callable[..., NDArray[np.float64]]
    source: str
    unit: str = ""
    direction: int = 1
    limit_of: str = ""
    cut_offs: tuple[CutOff, ...] = ()


def _as_given(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return values


def _nafld_fibrosis_score(*values: NDArray[np.float64]) -> NDArray[np.float64]:
    age, bmi, diabetes, glucose, ast, alt, platelets, albumin = values
    return nafld_fibrosis_score(age, bmi, impaired_glucose(diabetes, glucose), aar(ast, alt), platelets, albumin)


def given_column(name: str, label: str, *, unit: str = "", direction: int = 1, source: str = "") -> Comparator:
    """A comparator that is a column as it stands, such as a laboratory's FibroTest.

    Parameters
    ----------
    name : str
        The column.
    label : str
        In print.
    unit : str
    direction : {1, -1}
        -1 where a lower value means more disease.
    source : str

    Raises
    ------
    ValueError
        If the direction is neither.

    Examples
    --------
    >>> given_column("elf", "ELF").columns
    ('elf',)
    """
    if direction not in (1, -1):
        raise ValueError(f"direction {direction!r} of {name} is neither 1 (more means more disease) nor -1")
    return Comparator(name, label, "as given", (name,), _as_given, source, unit, direction)


STERLING = "Sterling 2006, doi:10.1002/hep.21178"
WAI = "Wai 2003, doi:10.1053/jhep.2003.50346"
LEMOINE = "Lemoine 2016, doi:10.1136/gutjnl-2015-309260"
WILLIAMS = "Williams 1988, PMID 3135226"
FORNS = "Forns 2002, doi:10.1053/jhep.2002.36128"
ANGULO = "Angulo 2007, doi:10.1002/hep.21496"
CROSS = "Cross 2009, doi:10.1097/MEG.0b013e32830dfcb3"
NEWSOME = "Newsome 2020, doi:10.1016/S2468-1253(19)30383-8"
SANYAL = "Sanyal 2023, doi:10.1016/j.jhep.2022.10.034"
BAVENO = "Baveno VII 2022, doi:10.1016/j.jhep.2021.12.022"

_ALL = (
    Comparator(
        "lsm",
        "liver stiffness (2D-SWE)",
        "median of the measurements",
        ("lsm",),
        _as_given,
        "Wang 2019, doi:10.1136/gutjnl-2018-316204",
        "kPa",
    ),
    Comparator(
        "apri",
        "APRI",
        "100 (AST / upper limit) / platelets",
        ("ast_iu_l", "platelets_10e9_l"),
        apri,
        WAI,
        limit_of="ast_iu_l",
        cut_offs=(
            CutOff("≥F2 (Ishak ≥3), HCV", 2, 0.5, 1.5, WAI),
            CutOff("F4 (Ishak ≥5), HCV", 4, 1.0, 2.0, WAI),
        ),
    ),
    Comparator(
        "fib4",
        "FIB-4",
        "age AST / (platelets √ALT)",
        ("age_years", "ast_iu_l", "alt_iu_l", "platelets_10e9_l"),
        fib4,
        STERLING,
        cut_offs=(
            CutOff("≥F3 (Ishak ≥4), HCV with HIV", 3, 1.45, 3.25, STERLING),
            CutOff("≥F3, NAFLD", 3, 1.30, 2.67, "Shah 2009, doi:10.1016/j.cgh.2009.05.033"),
            CutOff("≥F3, NAFLD, 65 years or older", 3, 2.0, None, "McPherson 2017, doi:10.1038/ajg.2016.453", 65),
        ),
    ),
    Comparator(
        "gpr",
        "GPR",
        "100 (GGT / upper limit) / platelets",
        ("ggt_iu_l", "platelets_10e9_l"),
        gpr,
        LEMOINE,
        limit_of="ggt_iu_l",
        cut_offs=(CutOff("≥F2, HBV", 2, 0.32, 0.32, LEMOINE),),
    ),
    Comparator(
        "aar",
        "AAR",
        "AST / ALT",
        ("ast_iu_l", "alt_iu_l"),
        aar,
        WILLIAMS,
        cut_offs=(CutOff("F4, chronic hepatitis without alcohol", 4, 1.0, 1.0, WILLIAMS),),
    ),
    Comparator(
        "forns",
        "Forns index",
        "7.811 - 3.131 ln(platelets) + 0.781 ln(GGT) + 3.467 ln(age) - 0.014 cholesterol (mg/dL)",
        ("age_years", "ggt_iu_l", "platelets_10e9_l", "cholesterol_mmol_l"),
        forns,
        FORNS,
        cut_offs=(CutOff("≥F2, HCV", 2, 4.2, 6.9, FORNS),),
    ),
    Comparator(
        "nfs",
        "NAFLD fibrosis score",
        "-1.675 + 0.037 age + 0.094 BMI + 1.13 (diabetes or glucose ≥6.1 mmol/L) + 0.99 AST/ALT - 0.013 platelets "
        "- 0.66 albumin (g/dL)",
        (
            "age_years",
            "bmi_kg_m2",
            "diabetes",
            "fasting_glucose_mmol_l",
            "ast_iu_l",
            "alt_iu_l",
            "platelets_10e9_l",
            "albumin_g_l",
        ),
        _nafld_fibrosis_score,
        ANGULO,
        cut_offs=(CutOff("≥F3, NAFLD", 3, -1.455, 0.676, ANGULO),),
    ),
    Comparator(
        "kings",
        "King's score",
        "age AST INR / platelets",
        ("age_years", "ast_iu_l", "inr", "platelets_10e9_l"),
        kings,
        CROSS,
        cut_offs=(
            CutOff("≥F2 (Ishak ≥3), HCV", 2, 12.3, 12.3, CROSS),
            CutOff("F4 (Ishak ≥5), HCV", 4, 16.7, 16.7, CROSS),
        ),
    ),
    Comparator(
        "fast",
        "FAST",
        "logistic of -1.65 + 1.07 ln(VCTE) + 2.66e-8 CAP³ - 63.3 / AST",
        ("vcte_stiffness_kpa", "cap_db_m", "ast_iu_l"),
        fast,
        NEWSOME,
        cut_offs=(CutOff("NASH with activity ≥4 and ≥F2", None, 0.35, 0.67, NEWSOME),),
    ),
    Comparator(
        "agile_3_plus",
        "Agile 3+",
        "logistic of -3.92368 + 2.29714 ln(VCTE) - 0.00902 platelets - 0.98633 ALT/AST + 1.08636 diabetes "
        "- 0.38581 male + 0.03018 age",
        ("vcte_stiffness_kpa", "ast_iu_l", "alt_iu_l", "platelets_10e9_l", "diabetes", "sex", "age_years"),
        agile_3_plus,
        SANYAL,
        cut_offs=(CutOff("≥F3, NAFLD", 3, 0.451, 0.679, SANYAL),),
    ),
    Comparator(
        "agile_4",
        "Agile 4",
        "logistic of 7.50139 - 15.42498 / √VCTE - 0.01378 platelets - 1.41149 ALT/AST - 0.53281 male "
        "+ 0.41741 diabetes",
        ("vcte_stiffness_kpa", "ast_iu_l", "alt_iu_l", "platelets_10e9_l", "diabetes", "sex"),
        agile_4,
        SANYAL,
        cut_offs=(CutOff("F4, NAFLD", 4, 0.251, 0.565, SANYAL),),
    ),
    Comparator(
        "vcte_stiffness_kpa",
        "liver stiffness (VCTE)",
        "as given",
        ("vcte_stiffness_kpa",),
        _as_given,
        BAVENO,
        "kPa",
        cut_offs=(CutOff("compensated advanced chronic liver disease", 3, 10.0, 15.0, BAVENO),),
    ),
    given_column("fibrotest", "FibroTest", source="Imbert-Bismut 2001, doi:10.1016/S0140-6736(00)04258-6"),
)
COMPARATORS: Mapping[str, Comparator] = {comparator.name: comparator for comparator in _ALL}


def comparator(name: str) -> Comparator:
    """The comparator of a name.

    Raises
    ------
    ValueError
        If there is none of that name.
    """
    if name not in COMPARATORS:
        raise ValueError(f"{name!r} is no comparator; there are {', '.join(COMPARATORS)}, and `given_column`")
    return COMPARATORS[name]


def comparator_scores(
    patients: pd.DataFrame,
    comparators: Sequence[Comparator],
    upper_limits: Mapping[str, UpperLimit] | None = None,
) -> pd.DataFrame:
    """A column per comparator.

    Parameters
    ----------
    patients : DataFrame
        One row per patient: ``hospital``, and those of the comparators' columns that the cohort has.
    comparators : sequence of Comparator
    upper_limits : mapping of column to UpperLimit, optional
        Of the columns that the comparators name as ``limit_of``, in the column's unit.

    Returns
    -------
    DataFrame
        float64, the index of ``patients``; NaN where a patient lacks a value and where the cohort lacks a column.

    Raises
    ------
    ValueError
        If a comparator needs an upper limit of normal that is not given, or a column holds what cannot be coded.

    Examples
    --------
    >>> patients = pd.DataFrame({"hospital": ["A", "B"], "ast_iu_l": [80, 80], "platelets_10e9_l": [100, float("nan")]})
    >>> comparator_scores(patients, [COMPARATORS["apri"]], {"ast_iu_l": UpperLimit(40)})["apri"].tolist()
    [2.0, nan]
    """
    limits = upper_limits or {}
    scores = {}
    for one in comparators:
        values = [_numbers(patients, name) for name in one.columns]
        if one.limit_of:
            if one.limit_of not in limits:
                raise ValueError(f"{one.label} needs the upper limit of normal of {one.limit_of}; give it")
            values.append(limits[one.limit_of].of(patients["hospital"]))
        scores[one.name] = one.compute(*values)
    return pd.DataFrame(scores, index=patients.index, dtype=np.float64)


def _numbers(patients: pd.DataFrame, name: str) -> NDArray[np.float64]:
    """A column as float64; all NaN where the cohort has none."""
    if name not in patients:
        return np.full(len(patients), np.nan)
    column = patients[name]
    if name in CODED:
        unknown = sorted(set(column.dropna().astype(str)) - {"", *CODED[name]})
        if unknown:
            raise ValueError(f"{name} {unknown[0]!r} is none of {', '.join(CODED[name])}")
        column = column.map(CODED[name])
    return column.to_numpy(dtype=np.float64, na_value=np.nan)


def comparator_table() -> str:
    """The registry as a Markdown table, for the documentation."""
    lines = ["| name | comparator | formula | columns | unit | source |", "|---|---|---|---|---|---|"]
    for one in COMPARATORS.values():
        columns = ", ".join(f"`{name}`" for name in one.columns)
        lines.append(f"| `{one.name}` | {one.label} | {one.formula} | {columns} | {one.unit} | {one.source} |")
    return "\n".join(lines) + "\n"


def cut_off_table() -> str:
    """Published cut-offs as a Markdown table, for the documentation."""
    lines = ["| comparator | question | ruled out below | ruled in from | source |", "|---|---|---|---|---|"]
    for one in COMPARATORS.values():
        for cut in one.cut_offs:
            low, high = ("" if limit is None else f"{limit:g}" for limit in (cut.rule_out, cut.rule_in))
            lines.append(f"| {one.label} | {cut.question} | {low} | {high} | {cut.source} |")
    return "\n".join(lines) + "\n"
