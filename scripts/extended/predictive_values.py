"""Extended table 3: predictive values at other prevalences."""

from dlre_core.extended_tables.probabilities import (
    predictive_value_table,
    printed_predictive_values,
)
from dlre_core.foundation.job_log import job_log
from dlre_core.tables.stored_tables import read_accuracy_table
from dlre_core.tables.typeset import write_all

with job_log(snakemake.log[0]):
    given, made, params = snakemake.input, snakemake.output, snakemake.params
    table = predictive_value_table(read_accuracy_table(given.table), params.prevalences, params.confidence)
    printed = printed_predictive_values(table, params.confidence, params.simulated)
    write_all(table, printed, made.csv, made.html, made.tex)
