"""Extended table 12: sensitivity, specificity and predictive values of two methods in the same patients."""

from dlre_core.clinical_decisions.paired_accuracy_table import paired_accuracy_table, printed_paired_accuracy
from dlre_core.foundation.csv_tables import read_table
from dlre_core.foundation.design import score_columns
from dlre_core.foundation.job_log import job_log
from dlre_core.tables.stored_tables import read_accuracy_table
from dlre_core.tables.typeset import write_all

with job_log(snakemake.log[0]):
    given, made, params = snakemake.input, snakemake.output, snakemake.params
    scores = read_table(given.scores, needs=score_columns())
    table = paired_accuracy_table(scores, read_accuracy_table(given.table), params.confidence)
    printed = printed_paired_accuracy(table, params.confidence, params.simulated)
    write_all(table, printed, made.csv, made.html, made.tex)
