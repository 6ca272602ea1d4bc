"""Adapter of rule image_store."""

from dlre_core.logs import job_log
from dlre_core.store import link_shards
from dlre_core.tabular import concatenate_tables

with job_log(snakemake.log[0]):
    link_shards(snakemake.input.shards, snakemake.output.store)
    for name in ("acquisitions", "rejects", "counts"):
        concatenate_tables(snakemake.input[name], snakemake.output[name])
