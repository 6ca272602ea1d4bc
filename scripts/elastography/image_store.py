"""The picture store of all hospitals, with its acquisitions, rejects and counts."""

from dlre_core.foundation.csv_tables import concatenate_tables
from dlre_core.foundation.job_log import job_log
from dlre_core.foundation.picture_store import link_shards

with job_log(snakemake.log[0]):
    link_shards(snakemake.input.shards, snakemake.output.store)
    for name in ("acquisitions", "rejects", "counts"):
        concatenate_tables(snakemake.input[name], snakemake.output[name])
