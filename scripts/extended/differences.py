"""Extended table 7: differences of AUC by DeLong and by bootstrap."""

from dlre_core.extended_tables.differences import (
    bootstrap_differences,
    differences_table,
    printed_differences,
)
from dlre_core.foundation.csv_tables import read_table
from dlre_core.foundation.design import score_columns
from dlre_core.foundation.job_log import job_log
from dlre_core.tables.stored_tables import read_accuracy_table
from dlre_core.tables.typeset import write_all

with job_log(snakemake.log[0]):
    given, made, params = snakemake.input, snakemake.output, snakemake.params
    scores = read_table(given.scores, needs=score_columns())
    drawn = bootstrap_differences(scores, replicates=params.replicates, seed=params.seed, confidence=params.confidence)
    table = differences_table(read_accuracy_table(given.table), drawn)
    printed = printed_differences(table, params.replicates, params.confidence, params.simulated)
    write_all(table, printed, made.csv, made.html, made.tex)
