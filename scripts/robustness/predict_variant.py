"""Probabilities of every picture by a variant's networks."""

from dlre_core.foundation.csv_tables import write_table
from dlre_core.foundation.design import study_questions
from dlre_core.foundation.job_log import job_log
from dlre_core.training.prediction_in_process import predict_split

with job_log(snakemake.log[0]):
    given = snakemake.input
    predictions = predict_split(
        given.rois,
        given.table,
        given.split,
        {stage: given[stage] for stage in study_questions()},
        snakemake.params.images,
    )
    write_table(predictions, snakemake.output.predictions)
