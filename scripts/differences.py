"""Adapter of rule differences."""

from dlre_core.logs import job_log
from dlre_core.scores import SCORE_COLUMNS
from dlre_core.tables.differences import (
    bootstrap_differences,
    differences_table,
    printed_differences,
)
from dlre_core.tables.typeset import write_all
from dlre_core.tabular import read_table

with job_log(snakemake.log[0]):
    given, made, params = snakemake.input, snakemake.output, snakemake.params
    scores = read_table(given.scores, needs=SCORE_COLUMNS)
    drawn = bootstrap_differences(
        scores, replicates=params.replicates, seed=params.seed, confidence=params.confidence
    )
    table = differences_table(read_table(given.table), drawn)
    printed = printed_differences(table, params.replicates, params.confidence, params.simulated)
    write_all(table, printed, made.csv, made.html, made.tex)
