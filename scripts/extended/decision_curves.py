"""Net benefit of every method by threshold probability."""

from dlre_core.extended_tables.probabilities import decision_table
from dlre_core.foundation.csv_tables import read_table, write_table
from dlre_core.foundation.design import score_columns
from dlre_core.foundation.job_log import job_log

with job_log(snakemake.log[0]):
    given, made = snakemake.input, snakemake.output
    scores = read_table(given.scores, needs=score_columns())
    params = snakemake.params
    table = decision_table(scores, replicates=params.replicates, seed=params.seed, confidence=params.confidence)
    write_table(table, made.csv)
