"""The clinical table of the simulated cohort."""

from dlre_core.foundation.job_log import job_log
from dlre_core.simulation.international import write_embedded_table

with job_log(snakemake.log[0]):
    params = snakemake.params
    write_embedded_table(params.cohort, snakemake.output.clinical, params.size, params.seed)
