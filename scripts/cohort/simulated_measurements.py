"""The Q-Box measurements of all simulated hospitals."""

from dlre_core.foundation.csv_tables import concatenate_tables
from dlre_core.foundation.job_log import job_log

with job_log(snakemake.log[0]):
    concatenate_tables(snakemake.input, snakemake.output.measurements)
