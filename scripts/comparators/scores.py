"""Scores of DLRE, 2D-SWE stiffness, APRI and FIB-4: one row per patient."""

from dlre_core.comparators.patient_scores import patient_scores
from dlre_core.foundation.csv_tables import read_table, write_table
from dlre_core.foundation.job_log import job_log
from dlre_core.foundation.study_terms import STAGES

with job_log(snakemake.log[0]):
    scores = patient_scores(
        read_table(snakemake.input.predictions, needs=("image_id", *STAGES)),
        read_table(snakemake.input.acquisitions, needs=("image_id", "q_box_mean_kpa")),
        read_table(snakemake.input.patients),
        aggregate=snakemake.params.aggregate,
        upper_limit_of_normal_iu_l=snakemake.params.ast_limit,
        upper_limit_by_hospital_iu_l=snakemake.params.ast_limits,
    )
    write_table(scores, snakemake.output.scores)
