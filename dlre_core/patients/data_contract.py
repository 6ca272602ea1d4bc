"""The data contract: what the columns of a hospital group's tables mean and may hold."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """One column of ``clinical.csv``.

    ``possible`` is the closed range outside which a value cannot be true (it is removed and
    reported); ``plausible`` the narrower one outside which it is kept and flagged. Both are in
    ``unit``. ``required`` columns must be in the table; ``may_be_empty`` allows blank cells.
    """

    name: str
    meaning: str
    kind: str  # text, date, integer, number, flag or sex
    unit: str = ""
    possible: tuple[float, float] | None = None
    plausible: tuple[float, float] | None = None
    required: bool = True
    may_be_empty: bool = True
    hint: str = ""


def _number(
    name: str,
    meaning: str,
    unit: str,
    possible: tuple[float, float],
    plausible: tuple[float, float],
    hint: str = "",
    **options: bool,
) -> Column:
    kind = "integer" if options.pop("integer", False) else "number"
    return Column(name, meaning, kind, unit, possible, plausible, hint=hint, **options)


def _flag(name: str, meaning: str) -> Column:
    return Column(name, meaning, "flag", "0 = no, 1 = yes", (0, 1), (0, 1))


PER_LITRE = "Count per microlitre? Divide by 1,000."

CLINICAL_COLUMNS: tuple[Column, ...] = (
    Column("patient_id", "The patient's id, as in the DICOM files", "text", may_be_empty=False),
    Column("hospital", "Code of the hospital, as its folder", "text", may_be_empty=False),
    Column("elastography_date", "Day of the 2D-SWE examination", "date", "YYYY-MM-DD"),
    Column("biopsy_date", "Day of the biopsy", "date", "YYYY-MM-DD"),
    Column("serology_date", "Day of the blood sample", "date", "YYYY-MM-DD"),
    _number("age_years", "Age at elastography", "years", (0, 120), (18, 95)),
    Column("sex", "Sex", "sex", "M or F"),
    _number("height_cm", "Height", "cm", (100, 230), (140, 205), "Metres? Multiply by 100."),
    _number("weight_kg", "Weight", "kg", (25, 300), (35, 160)),
    _number("bmi_kg_m2", "Body mass index", "kg/m2", (8, 80), (13, 50)),
    _number(
        "hbsag_positive_months",
        "Time since HBsAg was first positive",
        "months",
        (0, 1200),
        (0, 900),
    ),
    _flag("other_liver_disease", "Any other liver disease"),
    _flag("viral_coinfection", "HIV or any other viral hepatitis"),
    _flag("liver_transplantation", "Previous liver transplantation"),
    _flag("antiviral_treatment_6_months", "Antiviral treatment in the previous 6 months"),
    _number(
        "fasting_glucose_mmol_l",
        "Fasting blood glucose",
        "mmol/L",
        (1, 60),
        (2.5, 25),
        "mg/dL? Divide by 18.",
    ),
    _number("platelets_10e9_l", "Platelet count", "10^9/L", (1, 2000), (10, 800), PER_LITRE),
    _number("ast_iu_l", "Aspartate aminotransferase", "IU/L", (1, 20000), (5, 2000)),
    _number("alt_iu_l", "Alanine aminotransferase", "IU/L", (1, 20000), (3, 2000)),
    _number("ggt_iu_l", "Gamma-glutamyl transpeptidase", "IU/L", (1, 10000), (3, 2000)),
    _number(
        "total_bilirubin_umol_l",
        "Total bilirubin",
        "umol/L",
        (0.5, 1000),
        (2, 400),
        "mg/dL? Multiply by 17.1.",
    ),
    _number("direct_bilirubin_umol_l", "Direct bilirubin", "umol/L", (0, 800), (0.1, 300)),
    _number("indirect_bilirubin_umol_l", "Indirect bilirubin", "umol/L", (0, 800), (0.1, 300)),
    _number("alp_iu_l", "Alkaline phosphatase", "IU/L", (1, 5000), (15, 1000)),
    _number("albumin_g_l", "Albumin", "g/L", (8, 1000), (15, 65), "g/dL? Multiply by 10."),
    _number("prothrombin_activity_percent", "Prothrombin activity", "%", (1, 250), (15, 160)),
    _flag("hbeag_positive", "HBeAg positive"),
    _flag("chronic_infection", "HBV chronic infection (EASL 2017), not chronic hepatitis"),
    _number(
        "biopsy_length_mm",
        "Length of the biopsy specimen",
        "mm",
        (0, 100),
        (2, 50),
        "Centimetres? Multiply by 10.",
    ),
    _number("portal_tracts", "Portal tracts in the specimen", "count", (0, 100), (0, 60), integer=True),
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
    ),
    _number("q_box_min_kpa", "Lowest stiffness in the Q-Box", "kPa", (0, 300), (0, 150), required=False),
    _number(
        "q_box_max_kpa",
        "Highest stiffness in the Q-Box",
        "kPa",
        (0, 1000),
        (1, 300),
        required=False,
    ),
    _number("q_box_sd_kpa", "Standard deviation in the Q-Box", "kPa", (0, 300), (0, 100), required=False),
    _number("q_box_diameter_mm", "Diameter of the Q-Box", "mm", (1, 60), (5, 30), required=False),
    _number("q_box_depth_cm", "Depth of the Q-Box", "cm", (0, 30), (1, 12), required=False),
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
