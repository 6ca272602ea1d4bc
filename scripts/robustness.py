"""Adapter of rule robustness."""

from dlre_core.logs import job_log
from dlre_core.scores import SCORE_COLUMNS
from dlre_core.tables.accuracy import AccuracySettings
from dlre_core.tables.robustness import printed_robustness, robustness_table
from dlre_core.tables.typeset import write_all
from dlre_core.tabular import read_table

with job_log(snakemake.log[0]):
    params, made = snakemake.params, snakemake.output
    scores = [read_table(path, needs=SCORE_COLUMNS) for path in snakemake.input.scores]
    settings = AccuracySettings(**params.settings)
    analysis = snakemake.wildcards.analysis
    table = robustness_table(dict(zip(params.variants, scores, strict=True)), analysis, settings)
    printed = printed_robustness(table, analysis, settings, params.simulated)
    write_all(table, printed, made.csv, made.html, made.tex)
