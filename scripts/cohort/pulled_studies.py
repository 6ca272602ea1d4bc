"""Counts and failures of the PACS, of all hospitals."""

from dlre_core.foundation.csv_tables import concatenate_tables
from dlre_core.foundation.job_log import job_log

with job_log(snakemake.log[0]):
    for kind in ("counts", "failures"):
        concatenate_tables(snakemake.input[kind], snakemake.output[kind])
