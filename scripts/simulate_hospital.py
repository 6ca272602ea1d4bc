"""Adapter of rule simulate_hospital."""

from dlre_core.logs import job_log
from dlre_core.simulation.cohort import write_hospital
from dlre_core.tabular import write_table

with job_log(snakemake.log[0]):
    measurements = write_hospital(
        snakemake.params.folder,
        snakemake.wildcards.hospital,
        snakemake.params.size,
        snakemake.params.seed,
        texture_signal=snakemake.params.texture_signal,
    )
    write_table(measurements, snakemake.output.measurements)
