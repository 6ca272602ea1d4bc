"""Extended table 1: counts, cut-offs and tests behind Tables 2, 3 and 4."""

from dlre_core.extended_tables.counts import counts_table, printed_counts
from dlre_core.foundation.job_log import job_log
from dlre_core.tables.stored_tables import read_accuracy_table
from dlre_core.tables.typeset import write_all

with job_log(snakemake.log[0]):
    given, made, params = snakemake.input, snakemake.output, snakemake.params
    tables = {number: read_accuracy_table(path) for number, path in zip(params.numbers, given.tables, strict=True)}
    table = counts_table(tables)
    printed = printed_counts(table, params.simulated, params.confidence)
    write_all(table, printed, made.csv, made.html, made.tex)
