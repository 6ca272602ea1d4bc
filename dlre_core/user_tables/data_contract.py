"""The data contract: what the columns of a hospital group's tables mean and may hold."""

from dataclasses import dataclass
from typing import Any

from dlre_core.user_tables.vocabulary import COUNTRIES


@dataclass(frozen=True)
class Unit:
    """Another unit in which a column is often sent: a value in it is ``factor * x ** power`` in the column's own."""

    name: str
    factor: float
    power: int = 1
    words: str = ""

    def convert(self, value: float) -> float:
        """A value in the column's own unit.

        Examples
        --------
        >>> Unit("10^4/uL", 10).convert(18.7), Unit("m/s", 3, power=2, words="shear-wave speed c in m/s").convert(2.0)
        (187.0, 12.0)
        """
        return self.factor * value**self.power

    @property
    def rule(self) -> str:
        """How to convert, for people."""
        if self.power > 1:
            return f"convert by kPa = {self.factor:g} x c^{self.power}"
        if self.factor >= 1:
            return f"multiply by {self.factor:,.6g}"
        return f"divide by {1 / self.factor:,.6g}"


@dataclass(frozen=True)
class Column:
    """One column of a table that a user writes.

    ``possible`` is the closed range outside which a value cannot be true (it is removed and
    reported); ``plausible`` the narrower one outside which it is kept and flagged; ``usual`` the one
    in which the median of a hospital lies. All are in ``unit``; ``units`` are others in which the
    column is often sent. ``required`` columns must be in the table; ``may_be_empty`` allows blank
    cells. ``criterion`` names in plain words the criterion of the study that the column decides;
    ``excludes`` marks flags of which a yes excludes the patient; ``values`` are all that a category may have. A
    column that is ``made_up`` where a table lacks it is there all the same, without values.
    """

    name: str
    meaning: str
    kind: str  # text, date, integer, number, flag, sex or category
    unit: str = ""
    possible: tuple[float, float] | None = None
    plausible: tuple[float, float] | None = None
    required: bool = True
    may_be_empty: bool = True
    hint: str = ""
    usual: tuple[float, float] | None = None
    units: tuple[Unit, ...] = ()
    criterion: str = ""
    excludes: bool = False
    values: tuple[str, ...] = ()
    made_up: bool = False

    @property
    def is_number(self) -> bool:
        """Whether its values are numbers."""
        return self.kind in ("number", "integer")


def _number(
    name: str,
    meaning: str,
    unit: str,
    possible: tuple[float, float],
    plausible: tuple[float, float],
    hint: str = "",
    **options: Any,
) -> Column:
    kind = "integer" if options.pop("integer", False) else "number"
    return Column(name, meaning, kind, unit, possible, plausible, hint=hint, **options)


def _flag(name: str, meaning: str, *, excludes: bool = False, required: bool = True) -> Column:
    criterion = meaning if excludes else ""
    return Column(
        name,
        meaning,
        "flag",
        "0 = no, 1 = yes",
        (0, 1),
        (0, 1),
        required=required,
        criterion=criterion,
        excludes=excludes,
    )


def _optional(
    name: str,
    meaning: str,
    unit: str,
    possible: tuple[float, float],
    plausible: tuple[float, float],
    **options: Any,
) -> Column:
    return _number(name, meaning, unit, possible, plausible, required=False, **options)


def _enzyme(name: str, meaning: str, *ranges: tuple[float, float]) -> Column:
    possible, plausible, usual = ranges
    return _number(name, meaning, "IU/L", possible, plausible, usual=usual, units=CATALYTIC)


def _bilirubin(name: str, meaning: str, *ranges: tuple[float, float], hint: str = "") -> Column:
    possible, plausible, usual = ranges
    return _number(name, meaning, "umol/L", possible, plausible, hint, usual=usual, units=MG_DL)


PER_LITRE = "Count per microlitre? Divide by 1,000."
# 1 katal is 1 mol/s, 1 unit 1 umol/min.
CATALYTIC = (Unit("ukat/L", 60), Unit("nkat/L", 0.06))
# The molar mass of bilirubin is 584.66 g/mol.
MG_DL = (Unit("mg/dL", 17.1),)
CENTIMETRES = (Unit("cm", 10, words="centimetres"),)
# Young's modulus of an incompressible tissue of density 1 g/cm3, from the speed of shear waves.
SPEED = (Unit("m/s", 3, power=2, words="shear-wave speed c in m/s"),)
WITHIN_DAYS = "within the days allowed of the elastography"

CLINICAL_COLUMNS: tuple[Column, ...] = (
    Column("patient_id", "The patient's id, as in the DICOM files", "text", may_be_empty=False),
    Column("hospital", "Code of the hospital, as its folder", "text", may_be_empty=False),
    Column(
        "elastography_date",
        "Day of the 2D-SWE examination",
        "date",
        "YYYY-MM-DD",
        criterion="biopsy and blood sample within the days allowed of the elastography",
    ),
    Column(
        "biopsy_date",
        "Day of the biopsy",
        "date",
        "YYYY-MM-DD",
        criterion=f"biopsy {WITHIN_DAYS}",
    ),
    Column(
        "serology_date",
        "Day of the blood sample",
        "date",
        "YYYY-MM-DD",
        criterion=f"blood sample {WITHIN_DAYS}",
    ),
    _number("age_years", "Age at elastography", "years", (0, 120), (18, 95), criterion="lowest age"),
    Column("sex", "Sex", "sex", "M or F"),
    _number(
        "height_cm",
        "Height",
        "cm",
        (100, 230),
        (140, 205),
        "Metres? Multiply by 100.",
        usual=(145, 190),
        units=(Unit("m", 100, words="metres"), Unit("in", 2.54, words="inches")),
    ),
    _number(
        "weight_kg",
        "Weight",
        "kg",
        (25, 300),
        (35, 160),
        usual=(45, 110),
        units=(Unit("lb", 0.45359237, words="pounds"),),
    ),
    _number("bmi_kg_m2", "Body mass index", "kg/m2", (8, 80), (13, 50)),
    _number(
        "hbsag_positive_months",
        "Time since HBsAg was first positive",
        "months",
        (0, 1200),
        (0, 900),
        criterion="HBsAg positive for long enough",
    ),
    _flag("other_liver_disease", "Any other liver disease", excludes=True),
    _flag("viral_coinfection", "HIV or any other viral hepatitis", excludes=True),
    _flag("liver_transplantation", "Previous liver transplantation", excludes=True),
    _flag(
        "antiviral_treatment_6_months",
        "Antiviral treatment in the previous 6 months",
        excludes=True,
    ),
    _number(
        "fasting_glucose_mmol_l",
        "Fasting blood glucose",
        "mmol/L",
        (1, 60),
        (2.5, 25),
        "mg/dL? Divide by 18.",
        usual=(3.5, 12),
        units=(Unit("mg/dL", 1 / 18),),
    ),
    _number(
        "platelets_10e9_l",
        "Platelet count",
        "10^9/L",
        (1, 2000),
        (10, 800),
        PER_LITRE,
        usual=(50, 450),
        units=(Unit("10^4/uL", 10), Unit("1/uL", 0.001, words="count per microlitre")),
    ),
    _enzyme("ast_iu_l", "Aspartate aminotransferase", (1, 20000), (5, 2000), (8, 300)),
    _enzyme("alt_iu_l", "Alanine aminotransferase", (1, 20000), (3, 2000), (8, 300)),
    _enzyme("ggt_iu_l", "Gamma-glutamyl transpeptidase", (1, 10000), (3, 2000), (6, 300)),
    _bilirubin(
        "total_bilirubin_umol_l",
        "Total bilirubin",
        (0.5, 1000),
        (2, 400),
        (4.5, 150),
        hint="mg/dL? Multiply by 17.1.",
    ),
    _bilirubin("direct_bilirubin_umol_l", "Direct bilirubin", (0, 800), (0.1, 300), (0.6, 100)),
    _bilirubin("indirect_bilirubin_umol_l", "Indirect bilirubin", (0, 800), (0.1, 300), (2.2, 100)),
    _enzyme("alp_iu_l", "Alkaline phosphatase", (1, 5000), (15, 1000), (25, 400)),
    _number(
        "albumin_g_l",
        "Albumin",
        "g/L",
        (8, 1000),
        (15, 65),
        "g/dL? Multiply by 10.",
        usual=(20, 58),
        units=(Unit("g/dL", 10),),
    ),
    _number(
        "prothrombin_activity_percent",
        "Prothrombin activity",
        "%",
        (1, 250),
        (15, 160),
        usual=(25, 140),
        units=(Unit("fraction", 100),),
    ),
    _flag("hbeag_positive", "HBeAg positive"),
    _flag("chronic_infection", "HBV chronic infection (EASL 2017), not chronic hepatitis"),
    _number(
        "biopsy_length_mm",
        "Length of the biopsy specimen",
        "mm",
        (0, 100),
        (2, 50),
        "Centimetres? Multiply by 10.",
        usual=(6, 45),
        units=CENTIMETRES,
        criterion="length of the biopsy",
    ),
    _number(
        "portal_tracts",
        "Portal tracts in the specimen",
        "count",
        (0, 100),
        (0, 60),
        integer=True,
        criterion="portal tracts in the biopsy",
    ),
    _number(
        "fibrosis_stage",
        "METAVIR fibrosis stage",
        "0 to 4 (F0 to F4)",
        (0, 4),
        (0, 4),
        "Write one whole stage, 0 to 4 or F0 to F4.",
        integer=True,
        may_be_empty=False,
    ),
    _number(
        "inflammation_grade",
        "METAVIR inflammation grade",
        "0 to 3 (A0 to A3)",
        (0, 3),
        (0, 3),
        "Write one whole grade, 0 to 3 or A0 to A3.",
        integer=True,
    ),
)

AETIOLOGIES = ("hbv", "hcv", "masld", "metald", "ald", "autoimmune", "cholestatic", "other")
# Columns that studies of other diseases need; a table without them is whole.
OPTIONAL_CLINICAL_COLUMNS: tuple[Column, ...] = (
    Column(
        "aetiology",
        "Cause of the liver disease",
        "category",
        ", ".join(AETIOLOGIES),
        required=False,
        values=AETIOLOGIES,
        hint=f"Write one of {', '.join(AETIOLOGIES)}. NAFLD and MAFLD are defined otherwise: write masld where its "
        "criteria hold.",
    ),
    Column(
        "country",
        "Country of the hospital",
        "category",
        "code of ISO 3166-1, two letters",
        required=False,
        values=COUNTRIES,
        hint="Write the code of ISO 3166-1 with two letters, such as CN, JP, DE or GB.",
    ),
    _flag("diabetes", "Diabetes mellitus", required=False),
    _optional(
        "cholesterol_mmol_l",
        "Total cholesterol",
        "mmol/L",
        (0.5, 60),
        (1.5, 15),
        usual=(2.5, 9),
        units=(Unit("mg/dL", 1 / 38.67),),
    ),
    _optional(
        "triglycerides_mmol_l",
        "Triglycerides",
        "mmol/L",
        (0.1, 150),
        (0.2, 25),
        usual=(0.5, 8),
        units=(Unit("mg/dL", 1 / 88.57),),
    ),
    _optional("inr", "International normalised ratio of the prothrombin time", "ratio", (0.5, 20), (0.7, 6)),
    _optional("cap_db_m", "Controlled attenuation parameter", "dB/m", (100, 400), (100, 400)),
    _optional("vcte_stiffness_kpa", "Liver stiffness by transient elastography (VCTE)", "kPa", (1, 75), (2, 75)),
    _optional("vcte_iqr_kpa", "Interquartile range of the stiffness by VCTE", "kPa", (0, 75), (0, 30)),
    _optional(
        "spleen_stiffness_kpa",
        "Spleen stiffness",
        "kPa",
        (1, 300),
        (5, 150),
        usual=(9, 120),
        units=SPEED,
    ),
    _optional(
        "alcohol_g_week",
        "Alcohol, pure",
        "g/week",
        (0, 7000),
        (0, 2500),
        units=(Unit("g/day", 7, words="grams a day"),),
    ),
    _optional("fibrotest", "FibroTest, as the laboratory reports it", "0 to 1", (0, 1), (0, 1)),
    _optional("steatosis_grade", "Steatosis grade of the biopsy", "0 to 3", (0, 3), (0, 3), integer=True),
    _optional("nafld_activity_score", "NAFLD activity score of the biopsy", "0 to 8", (0, 8), (0, 8), integer=True),
)
EVERY_CLINICAL_COLUMN = (*CLINICAL_COLUMNS, *OPTIONAL_CLINICAL_COLUMNS)

MEASUREMENT_COLUMNS: tuple[Column, ...] = (
    Column("hospital", "Code of the hospital", "text", may_be_empty=False),
    Column("patient_id", "The patient's id", "text", may_be_empty=False),
    Column("file", "Path of the picture below dicom/, with /", "text", may_be_empty=False),
    _number(
        "q_box_mean_kpa",
        "Mean stiffness in the Q-Box",
        "kPa",
        (0.1, 300),
        (1, 150),
        "m/s? E = 3 v^2.",
        usual=(3.5, 75),
        units=SPEED,
    ),
    _number(
        "q_box_min_kpa",
        "Lowest stiffness in the Q-Box",
        "kPa",
        (0, 300),
        (0, 150),
        required=False,
        usual=(1.8, 75),
        units=SPEED,
    ),
    _number(
        "q_box_max_kpa",
        "Highest stiffness in the Q-Box",
        "kPa",
        (0, 1000),
        (1, 300),
        required=False,
        usual=(4, 150),
        units=SPEED,
    ),
    _number("q_box_sd_kpa", "Standard deviation in the Q-Box", "kPa", (0, 300), (0, 100), required=False),
    _number(
        "q_box_diameter_mm",
        "Diameter of the Q-Box",
        "mm",
        (1, 60),
        (5, 30),
        required=False,
        usual=(5, 35),
        units=CENTIMETRES,
    ),
    _number(
        "q_box_depth_cm",
        "Depth of the Q-Box",
        "cm",
        (0, 30),
        (1, 12),
        required=False,
        usual=(1.2, 11),
        units=(Unit("mm", 0.1, words="millimetres"),),
    ),
    _number(
        "acquisition_number",
        "Place in the order of acquisition, of a picture whose file has no time",
        "count",
        (0, 100_000),
        (0, 100_000),
        required=False,
        integer=True,
    ),
)


def _pixels(name: str, meaning: str, lowest: int) -> Column:
    limits = (lowest, 20_000)
    return _number(name, meaning, "pixels", limits, limits, integer=True, may_be_empty=False)


SQUARE_COLUMNS: tuple[Column, ...] = (
    Column("file", "Path of the picture below dicom/, with /", "text", may_be_empty=False),
    _pixels("row", "Top edge of the square", 0),
    _pixels("column", "Left edge of the square", 0),
    _pixels("size", "Side of the square", 1),
)


def template(columns: tuple[Column, ...] = CLINICAL_COLUMNS) -> str:
    """Header line of an empty table to fill in, comma-separated.

    Examples
    --------
    >>> template().split(",")[:3]
    ['patient_id', 'hospital', 'elastography_date']
    """
    return ",".join(column.name for column in columns) + "\n"


def contract_table(columns: tuple[Column, ...] = CLINICAL_COLUMNS) -> str:
    """The contract as a Markdown table, for the documentation."""
    lines = [
        "| column | meaning | unit | possible | may be empty |",
        "|---|---|---|---|---|",
    ]
    for column in columns:
        low_high = "" if column.possible is None else "{:g} to {:g}".format(*column.possible)
        empty = "yes" if column.may_be_empty else "no"
        lines.append(f"| `{column.name}` | {column.meaning} | {column.unit or column.kind} | {low_high} | {empty} |")
    return "\n".join(lines) + "\n"


def units_table(columns: tuple[Column, ...] = (*EVERY_CLINICAL_COLUMN, *MEASUREMENT_COLUMNS)) -> str:
    """Usual medians and other units as a Markdown table, for the documentation."""
    lines = ["| column | unit | usual median | other units |", "|---|---|---|---|"]
    for column in columns:
        if column.usual is not None:
            low, high = column.usual
            others = "; ".join(f"{unit.name}: {unit.rule}" for unit in column.units)
            lines.append(f"| `{column.name}` | {column.unit} | {low:g} to {high:g} | {others} |")
    return "\n".join(lines) + "\n"
