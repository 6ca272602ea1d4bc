"""Adapter of rule crop_rois."""

from dlre_core.logs import job_log
from dlre_core.roi import crop_hospital

with job_log(snakemake.log[0]):
    crop_hospital(
        snakemake.input.shard,
        snakemake.input.acquisitions,
        snakemake.output.rois,
        snakemake.output.table,
    )
