"""The network's squares of all hospitals, and where they were cut."""

from dlre_core.elastography.network_square import link_hospitals
from dlre_core.foundation.job_log import job_log

with job_log(snakemake.log[0]):
    link_hospitals(
        snakemake.input.rois,
        snakemake.input.tables,
        snakemake.output.rois,
        snakemake.output.table,
        # Of other cohorts all.
        snakemake.input.get("acquisitions"),
    )
