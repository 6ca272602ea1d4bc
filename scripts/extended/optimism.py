"""Extended table 20: AUC of fitted models, corrected for optimism."""

from dlre_core.comparators.out_of_fold import read_out_of_fold
from dlre_core.foundation.csv_tables import read_table
from dlre_core.foundation.design import score_columns
from dlre_core.foundation.job_log import job_log
from dlre_core.generalisability.optimism_table import optimism_table, printed_optimism
from dlre_core.tables.typeset import write_all

with job_log(snakemake.log[0]):
    given, made, params = snakemake.input, snakemake.output, snakemake.params
    scores = read_table(given.scores, needs=score_columns())
    how = {name: params[name] for name in ("replicates", "seed", "confidence")}
    table = optimism_table(scores, read_out_of_fold(scores, given.folds), **how)
    printed = printed_optimism(table, params.replicates, params.confidence, params.simulated)
    write_all(table, printed, made.csv, made.html, made.tex)
