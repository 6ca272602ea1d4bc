"""The picture files of one simulated hospital, and their Q-Box measurements."""

from dlre_core.foundation.csv_tables import write_table
from dlre_core.foundation.job_log import job_log
from dlre_core.simulation.cohort import HospitalScreens
from dlre_core.simulation.international import write_embedded_hospital

with job_log(snakemake.log[0]):
    measurements = write_embedded_hospital(
        snakemake.params.cohort,
        snakemake.params.folder,
        snakemake.params.hospital,
        snakemake.params.size,
        snakemake.params.seed,
        texture_signal=snakemake.params.texture_signal,
        screens=HospitalScreens(**snakemake.params.screens),
    )
    write_table(measurements, snakemake.output.measurements)
