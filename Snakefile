"""The study, from DICOM folders to the report: read the includes from top to bottom."""

from snakemake.utils import min_version

from dlre_core.configuration import check_configuration

min_version("9.0")


configfile: "config.yaml"


check_configuration(config, f"{workflow.basedir}/rules/schemas/config.schema.yaml")


include: "rules/common.smk"


if SIMULATED:

    include: "rules/cohort.smk"


include: "rules/clinical.smk"
include: "rules/store.smk"
include: "rules/roi.smk"
include: "rules/enrolment.smk"
include: "rules/splits.smk"
include: "rules/training.smk"
include: "rules/serving.smk"
include: "rules/scores.smk"
include: "rules/tables.smk"
include: "rules/figures.smk"
include: "rules/supplement.smk"
include: "rules/extended_tables.smk"
include: "rules/extended_details.smk"
include: "rules/extended_figures.smk"
include: "rules/audit.smk"
include: "rules/report.smk"


rule all:
    """Every table and figure, and the report that shows them."""
    default_target: True
    input:
        REPORT_TARGETS,
        AUDIT_TARGETS,
    localrule: True


onsuccess:
    # Absent where only some targets were asked for.
    shell("cat results/headline.txt 2>/dev/null || true")
