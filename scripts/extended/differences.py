"""Extended table 7: differences of AUC by DeLong and by bootstrap; the primary hypothesis, alone."""

from dlre_core.extended_tables.differences import (
    bootstrap_differences,
    differences_table,
    printed_differences,
)
from dlre_core.foundation.csv_tables import read_table, write_table
from dlre_core.foundation.design import score_columns
from dlre_core.foundation.job_log import job_log
from dlre_core.tables.primary_hypothesis import primary_table, stated
from dlre_core.tables.stored_tables import read_accuracy_table
from dlre_core.tables.table_2_accuracy import AccuracySettings
from dlre_core.tables.typeset import write_all

with job_log(snakemake.log[0]):
    given, made, params = snakemake.input, snakemake.output, snakemake.params
    scores = read_table(given.scores, needs=score_columns())
    settings, hypothesis = AccuracySettings(**params.settings), stated(params.hypothesis)
    how = {"replicates": settings.bootstrap_replicates, "confidence": settings.confidence}
    drawn = bootstrap_differences(scores, seed=settings.seed, **how)
    table = differences_table(read_accuracy_table(given.table), drawn)
    printed = printed_differences(table, *how.values(), params.simulated)
    write_all(table, printed, made.csv, made.html, made.tex)
    tested = read_table(given.primary_scores, needs=score_columns())
    write_table(primary_table(tested, hypothesis, settings, params.skipped), made.primary)
