"""The Q-Box measurements and hand-drawn squares of all simulated hospitals."""

from dlre_core.foundation.job_log import job_log
from dlre_core.simulation.cohort import join_measurements

with job_log(snakemake.log[0]):
    join_measurements(snakemake.input, **snakemake.output)
