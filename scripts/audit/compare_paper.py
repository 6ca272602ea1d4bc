"""The study's Tables 1 to 4 beside the published ones, cell by cell."""

from dlre_core.extended_tables.paper_comparison import compare_with_paper, printed_comparison
from dlre_core.foundation.csv_tables import write_table
from dlre_core.foundation.job_log import job_log
from dlre_core.report.page import write_table_page
from dlre_core.tables.stored_tables import read_numbered_table

with job_log(snakemake.log[0]):
    given, made, params = snakemake.input, snakemake.output, snakemake.params
    tables = {n: read_numbered_table(n, path) for n, path in zip(params.numbers, given.tables, strict=True)}
    table = compare_with_paper(tables, params.arms)
    write_table(table, made.csv)
    printed = printed_comparison(table, params.simulated)
    write_table_page(made.html, "Our run beside the paper", printed, simulated=params.simulated)
