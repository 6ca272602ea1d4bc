"""What else the network can be compared with, and published cut-offs applied to this cohort."""

from dlre_core.comparators.other_comparators import other_comparators_table, printed_other_comparators
from dlre_core.comparators.registry import stated_limits
from dlre_core.foundation.csv_tables import read_table
from dlre_core.foundation.design import score_columns
from dlre_core.foundation.job_log import job_log
from dlre_core.tables.typeset import write_all

with job_log(snakemake.log[0]):
    given, made, params = snakemake.input, snakemake.output, snakemake.params
    table = other_comparators_table(
        read_table(given.scores, needs=score_columns()),
        read_table(given.patients),
        stated_limits(params.upper_limits),
        confidence=params.confidence,
        interval=params.interval,
    )
    write_all(
        table, printed_other_comparators(table, params.confidence, params.simulated), made.csv, made.html, made.tex
    )
