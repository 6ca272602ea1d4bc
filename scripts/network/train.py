"""The three networks of one arm, and the history of their training."""

from dlre_core.foundation.design import study_questions
from dlre_core.foundation.job_log import job_log
from dlre_core.network.kinds import NetworkKind
from dlre_core.training.arm_training import ArmFiles, train_arm
from dlre_core.training.settings import TrainingSettings

with job_log(snakemake.log[0]):
    given, made, params = snakemake.input, snakemake.output, snakemake.params
    train_arm(
        ArmFiles(
            rois=given.rois,
            rois_table=given.table,
            split=given.split,
            weights={stage: made[stage] for stage in study_questions()},
            history=made.history,
            speed=params.speed,
            checkpoints=params.checkpoints,
        ),
        params.arm,
        params.images,
        TrainingSettings(**params.settings),
        kind=NetworkKind(**params.kind),
        threads=snakemake.threads,
        memory_mb=snakemake.resources.mem_mb,
    )
