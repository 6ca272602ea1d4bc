"""Which cohorts `make validate` names, and where their files are."""

VALIDATED = config["validation"]["cohorts"]
# Absolute, so that no job of this study makes it: nothing is trained to validate.
VALIDATION_MODEL = os.path.abspath(config["validation"]["model"])
VALIDATED_HOSPITALS = {
    name: hospital_codes({"source": "folder", "folder": folder})
    for name, folder in VALIDATED.items()
}
VALIDATED_FILES = {
    "table": "table_2.csv",
    "printed": "table_2.html",
    "roc": "roc.svg",
    "calibration": "calibration.svg",
    "calibration_table": "calibration.html",
    "calibration_csv": "calibration.csv",
    "enrolment": "enrolment.csv",
    "counts": "counts.csv",
}
for folder in VALIDATED.values():
    check_clinical_table(f"{folder}/clinical.csv")


wildcard_constraints:
    cohort="|".join(VALIDATED) or "none",
    external_hospital="[^/]+",


def external(name):
    """Input function: a file of the cohort's own folder."""
    return lambda wildcards: f"{VALIDATED[wildcards.cohort]}/{name}"


def external_tables(wildcards):
    """The optional tables that a cohort's folder has."""
    return optional_tables(VALIDATED[wildcards.cohort])


def external_clinical(wildcards):
    """Digest of the cohort's clinical table."""
    return contents_digest(f"{VALIDATED[wildcards.cohort]}/clinical.csv")


def external_rows(wildcards):
    """Digest of the rows of the cohort's tables that ingestion of one hospital reads."""
    return hospital_tables_digest(VALIDATED[wildcards.cohort], wildcards.external_hospital)


def of_hospitals(pattern):
    """Input function: a file for each of the cohort's hospitals."""
    return lambda wildcards: expand(
        f"results/validation/{wildcards.cohort}/{pattern}",
        external_hospital=VALIDATED_HOSPITALS[wildcards.cohort],
    )
