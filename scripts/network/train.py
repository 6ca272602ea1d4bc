"""The three networks of one arm, and the history of their training."""

from dlre_core.foundation.job_log import job_log
from dlre_core.training.arm_training import train_arm
from dlre_core.training.settings import TrainingSettings

with job_log(snakemake.log[0]):
    train_arm(
        snakemake.input.rois,
        snakemake.input.table,
        snakemake.input.split,
        arm=snakemake.params.arm,
        images=snakemake.params.images,
        settings=TrainingSettings(**snakemake.params.settings),
        weights={stage: snakemake.output[stage] for stage in ("f4", "ge_f3", "ge_f2")},
        history=snakemake.output.history,
        speed=snakemake.params.speed,
        checkpoints=snakemake.params.checkpoints,
        threads=snakemake.threads,
        memory_mb=snakemake.resources.mem_mb,
    )
