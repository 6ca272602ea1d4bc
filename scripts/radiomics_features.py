"""Adapter of rule radiomics_features."""

from dlre_core.logs import job_log
from dlre_core.radiomics import measure_hospital

with job_log(snakemake.log[0]):
    measure_hospital(snakemake.input.shard, snakemake.input.acquisitions, snakemake.output.features)
