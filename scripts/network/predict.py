"""Probabilities of every picture, one file per arm, from one Triton server."""

from dlre_core.foundation.job_log import job_log
from dlre_core.serving.through_triton import ArmToPredict, ServingSettings, predict_arms

with job_log(snakemake.log[0]):
    given, params = snakemake.input, snakemake.params
    splits = dict(zip(params.splits, given.splits, strict=True))
    predict_arms(
        {
            name: ArmToPredict(splits[arm["split"]], arm["images"], output)
            for (name, arm), output in zip(params.arms.items(), snakemake.output, strict=True)
        },
        given.rois,
        given.table,
        params.repository,
        snakemake.log.server,
        ServingSettings(**params.serving, threads=snakemake.threads),
    )
