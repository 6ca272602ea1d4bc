"""Adapter of rule roi_store."""

from dlre_core.logs import job_log
from dlre_core.roi import link_hospitals

with job_log(snakemake.log[0]):
    link_hospitals(
        snakemake.input.rois,
        snakemake.input.tables,
        snakemake.output.rois,
        snakemake.output.table,
    )
