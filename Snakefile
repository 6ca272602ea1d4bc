"""The study, from DICOM folders to the report: read the includes from top to bottom."""


include: "rules/startup.smk"
include: "rules/common.smk"
include: "rules/cohort.smk"
include: "rules/patients.smk"
include: "rules/elastography.smk"
include: "rules/network.smk"
include: "rules/comparators.smk"
include: "rules/tables.smk"
include: "rules/figures.smk"
include: "rules/extended.smk"
include: "rules/robustness.smk"
include: "rules/audit.smk"
include: "rules/report.smk"
include: "rules/staging.smk"
include: "rules/validation.smk"
include: "rules/publication.smk"
include: "rules/every_job.smk"
include: "rules/reruns.smk"


rule all:
    """Every table and figure, and the report that shows them."""
    default_target: True
    input:
        BEFORE_TRAINING,
        FROM_TRAINING if TRAINABLE else WITHOUT_NETWORKS,
    localrule: True
