"""The Triton model repository with the networks of all arms."""

from dlre_core.foundation.job_log import job_log
from dlre_core.serving.repository import write_model_repository

with job_log(snakemake.log[0]):
    write_model_repository(
        snakemake.params.models,
        snakemake.params.arms,
        snakemake.params.folder,
        simulated=snakemake.params.simulated,
        device=snakemake.params.device,
        provenance=snakemake.params.provenance,
    )
