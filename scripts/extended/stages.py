"""Extended table 5: biopsy against implied stage, and how well they agree."""

from dlre_core.extended_tables.stages import ordinal_tables, printed_stages
from dlre_core.foundation.csv_tables import read_table, write_table
from dlre_core.foundation.design import score_columns
from dlre_core.foundation.job_log import job_log
from dlre_core.tables.stored_tables import read_accuracy_table
from dlre_core.tables.typeset import write_all

with job_log(snakemake.log[0]):
    given, made, params = snakemake.input, snakemake.output, snakemake.params
    scores = read_table(given.scores, needs=score_columns())
    table, measures = ordinal_tables(
        scores,
        read_accuracy_table(given.table),
        read_table(given.predictions),
        replicates=params.replicates,
        seed=params.seed,
        confidence=params.confidence,
    )
    printed = printed_stages(table, measures, params.confidence, params.simulated)
    write_table(measures, made.measures)
    write_all(table, printed, made.csv, made.html, made.tex)
