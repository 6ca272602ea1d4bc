"""Adapter of rule pulled_studies."""

from dlre_core.logs import job_log
from dlre_core.tabular import concatenate_tables

with job_log(snakemake.log[0]):
    for kind in ("counts", "failures"):
        concatenate_tables(snakemake.input[kind], snakemake.output[kind])
