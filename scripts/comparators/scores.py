"""Scores of DLRE, 2D-SWE stiffness, APRI and FIB-4: one row per patient."""

from dlre_core.comparators.patient_scores import patient_scores
from dlre_core.foundation.csv_tables import read_table, write_table
from dlre_core.foundation.design import study_questions
from dlre_core.foundation.job_log import job_log

with job_log(snakemake.log[0]):
    scores = patient_scores(
        read_table(snakemake.input.predictions, needs=("image_id", *study_questions())),
        read_table(snakemake.input.acquisitions, needs=("image_id", "q_box_mean_kpa")),
        read_table(snakemake.input.patients),
        aggregate=snakemake.params.aggregate,
        upper_limit_of_normal_iu_l=snakemake.params.ast_limit,
        upper_limit_by_hospital_iu_l=snakemake.params.ast_limits,
    )
    write_table(scores, snakemake.output.scores)
