"""DICOM files of four simulated patients that no study has seen."""

from dlre_core.foundation.job_log import job_log
from dlre_core.simulation.cohort import write_examples

with job_log(snakemake.log[0]):
    write_examples(snakemake.output[0], snakemake.params.seed)
