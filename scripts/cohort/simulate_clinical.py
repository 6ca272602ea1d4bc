"""The clinical table of the simulated cohort."""

from dlre_core.foundation.job_log import job_log
from dlre_core.simulation.cohort import write_clinical_csv

with job_log(snakemake.log[0]):
    write_clinical_csv(snakemake.output.clinical, snakemake.params.size, snakemake.params.seed)
