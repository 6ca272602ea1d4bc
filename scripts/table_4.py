"""Adapter of rule table_4."""

from dlre_core.logs import job_log
from dlre_core.scores import SCORE_COLUMNS
from dlre_core.tables.accuracy import AccuracySettings
from dlre_core.tables.combinations import compare_combinations, table_4
from dlre_core.tables.printed import printed_table_4
from dlre_core.tables.typeset import write_all
from dlre_core.tabular import read_table, write_table

with job_log(snakemake.log[0]):
    given, made, params = snakemake.input, snakemake.output, snakemake.params
    scores = {
        arm: read_table(path, needs=SCORE_COLUMNS)
        for arm, path in zip(params.hospitals, given.scores, strict=True)
    }
    settings = AccuracySettings(**params.settings)
    comparisons = compare_combinations(
        scores, replicates=params.replicates, seed=params.seed, confidence=settings.confidence
    )
    table = table_4(scores, comparisons, settings)
    printed = printed_table_4(
        table, params.settings, params.simulated, params.hospitals, params.replicates
    )
    write_table(comparisons, made.comparisons)
    write_all(table, printed, made.csv, made.html, made.tex)
