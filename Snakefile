"""The study, from DICOM folders to the report: read the includes from top to bottom."""

import atexit
import logging.handlers
import os
import sys
import time
from pathlib import Path

from snakemake.utils import min_version

from dlre_core.cohort import stray_files
from dlre_core.configuration import check_configuration, check_yaml, expand_home
from dlre_core.logs import BARS
from dlre_core.preflight.machine import check_machine
from dlre_core.report.failure import PlainErrors, failure_text, made_since
from dlre_core.running import begin_run
from dlre_core.time_left import TimeLeftHandler

min_version("9.0")
STARTED = time.time()
SNAKEMAKE_LOG = logging.getLogger("snakemake.logging")
if workflow.is_main_process:
    SNAKEMAKE_LOG.addFilter(PlainErrors())
    check_yaml("config.yaml")
    # Held as long as this process lives.
    RUN = begin_run("results", ".snakemake")
    if RUN.lifted_lock:
        print("A run in this folder was killed; going on where it stopped.", file=sys.stderr)
    # A logger plugin draws bars on the terminal; jobs inherit the environment.
    if any(isinstance(h, logging.handlers.QueueHandler) for h in SNAKEMAKE_LOG.handlers):
        os.environ[BARS] = "1"
    SNAKEMAKE_LOG.addHandler(TimeLeftHandler(SNAKEMAKE_LOG, "results/benchmarks"))


configfile: "config.yaml"


expand_home(config)
check_configuration(config, f"{workflow.basedir}/rules/schemas/config.schema.yaml")
if workflow.is_main_process:
    check_machine(config)


# Used by snakemake --sdm apptainer only.
container: config["container"]["image"]


include: "rules/common.smk"


if SIMULATED:

    include: "rules/cohort.smk"


if PACS:

    include: "rules/pacs.smk"


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
include: "rules/robustness.smk"
include: "rules/radiomics.smk"
include: "rules/extended_figures.smk"
include: "rules/pictures.smk"
include: "rules/audit.smk"
include: "rules/report.smk"
include: "rules/staging.smk"
include: "rules/validation_cohorts.smk"
include: "rules/validation_store.smk"
include: "rules/validation.smk"


if workflow.is_main_process and not SIMULATED:
    for name in stray_files(COHORT):
        print(f"Not read: dicom/{name} lies in no hospital's folder.", file=sys.stderr)

# A file of every job before the tables. A failed job's files are deleted, and Snakemake takes what was
# made from them before for up to date unless somebody asks for them.
EVERY_JOB = [
    *expand(
        "results/{name}.csv",
        name=[
            "clinical/patients",
            "store/acquisitions",
            "roi/rois",
            "enrolment/enrolment",
        ],
    ),
    *expand("results/store/{hospital}_acquisitions.csv", hospital=HOSPITALS),
    *expand("results/roi/{hospital}_rois.csv", hospital=HOSPITALS),
    *expand("results/splits/{split}{kind}.csv", split=SPLITS, kind=["", "_leak_check"]),
    *expand("results/models/{arm}/history.csv", arm=ARMS),
    "results/serving/model_repository/dlre/1/manifest.json",
    "results/serving/frozen_study.json",
    *expand("results/{folder}/{arm}.csv", folder=["predictions", "scores"], arm=ARMS),
    *(
        f"results/robustness/{variant}/{name}.csv"
        for variant in REPORTED_VARIANTS
        for name in ("split", "leak_check", "history", "predictions", "scores")
    ),
    *RADIOMICS_FEATURES,
]
if PACS:
    EVERY_JOB += ["results/pacs/counts.csv", "results/pacs/failures.csv"]
    EVERY_JOB += expand("results/pacs/{hospital}_counts.csv", hospital=HOSPITALS)
if SIMULATED:
    EVERY_JOB += [
        "results/simulated_cohort/clinical.csv",
        "results/simulated_cohort/measurements.csv",
    ]
    EVERY_JOB += expand("results/simulated_cohort/measurements/{hospital}.csv", hospital=HOSPITALS)


rule all:
    """Every table and figure, and the report that shows them."""
    default_target: True
    input:
        EVERY_JOB,
        expand("results/tables/{name}.csv", name=[*TABLES, "decision_curves"]),
        expand("results/figures/{name}.txt", name=FIGURES + PICTURES),
        REPORT_TARGETS,
        AUDIT_TARGETS,
    localrule: True


onsuccess:
    # Not after a run that was asked for something else. Last, after all that Snakemake has to say.
    if made_since("results/report.html", STARTED):
        atexit.register(print, Path("results/headline.txt").read_text(encoding="utf-8"))


onerror:
    atexit.register(print, failure_text("results/logs", STARTED))
