"""Extended table 18: AUC with all stages as frequent, and if the biopsy errs."""

from dlre_core.foundation.csv_tables import read_table
from dlre_core.foundation.design import score_columns
from dlre_core.foundation.job_log import job_log
from dlre_core.generalisability.biases_table import biases_table, printed_biases
from dlre_core.tables.typeset import write_all

with job_log(snakemake.log[0]):
    made, params = snakemake.output, snakemake.params
    scores = read_table(snakemake.input.scores, needs=score_columns())
    table = biases_table(scores, confidence=params.confidence, interval=params.interval)
    printed = printed_biases(table, params.confidence, params.simulated)
    write_all(table, printed, made.csv, made.html, made.tex)
