"""Adapter of rule radiomics."""

import pandas as pd

from dlre_core.logs import job_log
from dlre_core.radiomics import COLUMNS, radiomics_scores
from dlre_core.scores import SCORE_COLUMNS
from dlre_core.tables.accuracy import AccuracySettings, table_2
from dlre_core.tables.printed import printed_radiomics
from dlre_core.tables.typeset import write_all
from dlre_core.tabular import read_table, write_table

with job_log(snakemake.log[0]):
    given, made, params = snakemake.input, snakemake.output, snakemake.params
    features = pd.concat([read_table(path, needs=COLUMNS) for path in given.features])
    scores = read_table(given.scores, needs=SCORE_COLUMNS)
    scores = radiomics_scores(scores, read_table(given.predictions), features)
    write_table(scores, made.scores)
    settings = AccuracySettings(**params.settings)
    table = table_2(scores, settings, ("dlre", "radiomics", "lsm", "apri", "fib4"))
    printed = printed_radiomics(table, params.settings, params.simulated)
    write_all(table, printed, made.csv, made.html, made.tex)
