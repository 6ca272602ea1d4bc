"""Extended table 11: stages ruled out and in by two cut-offs, biopsies avoided and stages missed."""

from dlre_core.clinical_decisions.decision_table import decision_settings, decision_table, printed_decisions
from dlre_core.comparators.out_of_fold import read_out_of_fold
from dlre_core.foundation.csv_tables import read_table
from dlre_core.foundation.design import score_columns
from dlre_core.foundation.job_log import job_log
from dlre_core.tables.typeset import write_all

with job_log(snakemake.log[0]):
    given, made, params = snakemake.input, snakemake.output, snakemake.params
    scores = read_table(given.scores, needs=score_columns())
    settings = decision_settings(
        params.decisions,
        confidence=params.confidence,
        interval=params.interval,
        replicates=params.replicates,
        seed=params.seed,
    )
    table = decision_table(scores, settings, read_out_of_fold(scores, given.folds))
    printed = printed_decisions(table, settings, params.simulated)
    write_all(table, printed, made.csv, made.html, made.tex)
