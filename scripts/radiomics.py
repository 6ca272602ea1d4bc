"""Adapter of rule radiomics."""

from dlre_core.logs import job_log
from dlre_core.radiomics import radiomics_scores, read_features
from dlre_core.scores import SCORE_COLUMNS
from dlre_core.tables.accuracy import AccuracySettings, table_2
from dlre_core.tables.printed import printed_radiomics
from dlre_core.tables.typeset import write_all
from dlre_core.tabular import read_table, write_table

with job_log(snakemake.log[0]):
    given, made, params = snakemake.input, snakemake.output, snakemake.params
    scores = radiomics_scores(
        read_table(given.scores, needs=SCORE_COLUMNS),
        read_table(given.predictions),
        read_features(given.features),
    )
    write_table(scores, made.scores)
    settings = AccuracySettings(**params.settings)
    table = table_2(scores, settings, ("dlre", "radiomics", "lsm", "apri", "fib4"))
    printed = printed_radiomics(table, params.settings, params.simulated)
    write_all(table, printed, made.csv, made.html, made.tex)
