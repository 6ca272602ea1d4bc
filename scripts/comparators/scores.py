"""Scores of the network and of what it is compared with: one row per patient."""

from dlre_core.comparators.patient_scores import patient_scores
from dlre_core.comparators.registry import stated_limits
from dlre_core.foundation.csv_tables import read_table, write_table
from dlre_core.foundation.design import frozen_design, study_questions, use_design
from dlre_core.foundation.job_log import job_log

with job_log(snakemake.log[0]):
    if snakemake.input.get("study"):
        use_design(frozen_design(snakemake.input.study))
    scores = patient_scores(
        read_table(snakemake.input.predictions, needs=("image_id", *study_questions())),
        read_table(snakemake.input.acquisitions, needs=("image_id", "q_box_mean_kpa")),
        read_table(snakemake.input.patients),
        aggregate=snakemake.params.aggregate,
        upper_limits=stated_limits(snakemake.params.upper_limits),
    )
    write_table(scores, snakemake.output.scores)
