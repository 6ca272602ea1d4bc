"""Probabilities of every picture, one file per arm, from one Triton server."""

from dlre_core.foundation.job_log import job_log
from dlre_core.serving.through_triton import ServingSettings, predict_arms

with job_log(snakemake.log[0]):
    predict_arms(
        repository=snakemake.params.repository,
        rois=snakemake.input.rois,
        roi_table=snakemake.input.table,
        splits=dict(zip(snakemake.params.splits, snakemake.input.splits, strict=True)),
        arms=snakemake.params.arms,
        outputs=dict(zip(snakemake.params.arms, snakemake.output, strict=True)),
        log=snakemake.log.server,
        settings=ServingSettings(**snakemake.params.serving, threads=snakemake.threads),
    )
