"""Adapter of rule simulated_measurements."""

from dlre_core.logs import job_log
from dlre_core.tabular import concatenate_tables

with job_log(snakemake.log[0]):
    concatenate_tables(snakemake.input, snakemake.output.measurements)
