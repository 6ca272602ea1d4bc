"""Begin and end of a run: the configuration is checked before any rule is read, and what is said last."""

import atexit
import logging.handlers
import os
import sys
import time
from pathlib import Path

from snakemake.utils import min_version

from dlre_core.foundation.design import design_of, use_design
from dlre_core.foundation.job_log import BARS
from dlre_core.preflight.machine import check_machine
from dlre_core.workflow.configuration import check_configuration, check_yaml, expand_home
from dlre_core.workflow.failure_summary import PlainErrors, failure_text, made_since
from dlre_core.workflow.hypothesis_record import record_hypothesis
from dlre_core.workflow.run_lock import begin_run
from dlre_core.workflow.study_design import apply_design
from dlre_core.workflow.time_left import TimeLeftHandler

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


apply_design(config)
expand_home(config)
check_configuration(config, f"{workflow.basedir}/rules/schemas/config.schema.yaml")
use_design(design_of(config))


# Used by snakemake --sdm apptainer only.
container: config["container"]["image"]


onstart:
    # Not before a dry run, which needs no disk, nor where nothing is left to do.
    check_machine(config)
    record_hypothesis(config)


onsuccess:
    record_hypothesis(config)
    # Not after a run that was asked for something else. Last, after all that Snakemake has to say.
    if made_since("results/report.html", STARTED):
        atexit.register(print, Path("results/headline.txt").read_text(encoding="utf-8"))


onerror:
    record_hypothesis(config)
    atexit.register(print, failure_text("results/logs", STARTED))
