"""Adapter of rule table_2."""

from pathlib import Path

from dlre_core.logs import job_log
from dlre_core.scores import SCORE_COLUMNS
from dlre_core.tables.accuracy import AccuracySettings, table_2
from dlre_core.tables.printed import (
    table_2_caption,
    table_2_footnote,
    table_2_html,
    table_2_latex,
)
from dlre_core.tabular import read_table, write_table

with job_log(snakemake.log[0]):
    settings = snakemake.params.settings
    scores = read_table(snakemake.input.scores, needs=SCORE_COLUMNS)
    table = table_2(scores, AccuracySettings(**settings))
    caption = table_2_caption(snakemake.params.simulated)
    footnote = table_2_footnote(settings, table["notes"])
    write_table(table, snakemake.output.csv)
    Path(snakemake.output.html).write_text(table_2_html(table, caption, footnote), "utf-8")
    Path(snakemake.output.tex).write_text(table_2_latex(table, caption, footnote), "utf-8")
