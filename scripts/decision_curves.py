"""Adapter of rule decision_curves."""

from dlre_core.logs import job_log
from dlre_core.scores import SCORE_COLUMNS
from dlre_core.tables.probabilities import decision_table
from dlre_core.tabular import read_table, write_table

with job_log(snakemake.log[0]):
    given, made = snakemake.input, snakemake.output
    scores = read_table(given.scores, needs=SCORE_COLUMNS)
    write_table(decision_table(scores), made.csv)
