"""Accuracy by variant: one table per analysis."""

from dlre_core.extended_tables.robustness import printed_robustness, robustness_table
from dlre_core.foundation.csv_tables import read_table
from dlre_core.foundation.design import score_columns
from dlre_core.foundation.job_log import job_log
from dlre_core.tables.table_2_accuracy import AccuracySettings
from dlre_core.tables.typeset import write_all

with job_log(snakemake.log[0]):
    params, made = snakemake.params, snakemake.output
    scores = [read_table(path, needs=score_columns()) for path in snakemake.input.scores]
    settings = AccuracySettings(**params.settings)
    table = robustness_table(dict(zip(params.variants, scores, strict=True)), params.analysis, settings)
    printed = printed_robustness(table, params.analysis, settings, params.simulated)
    write_all(table, printed, made.csv, made.html, made.tex)
