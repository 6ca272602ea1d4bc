"""Texture features of one hospital's pictures: one row per picture."""

from dlre_core.comparators.radiomics import measure_hospital
from dlre_core.foundation.job_log import job_log

with job_log(snakemake.log[0]):
    measure_hospital(snakemake.input.shard, snakemake.input.acquisitions, snakemake.output.features)
