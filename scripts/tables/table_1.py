"""Table 1: baseline characteristics by cohort."""

from dlre_core.foundation.csv_tables import read_table
from dlre_core.foundation.job_log import job_log
from dlre_core.tables.table_1_baseline import printed_table_1, table_1
from dlre_core.tables.typeset import write_all

with job_log(snakemake.log[0]):
    given, made, params = snakemake.input, snakemake.output, snakemake.params
    split = read_table(given.split)
    table = table_1(read_table(given.patients), split, params.stratified)
    sizes = {"all": len(split), **split["cohort"].value_counts()}
    printed = printed_table_1(table, sizes, params.simulated)
    write_all(table, printed, made.csv, made.html, made.tex)
