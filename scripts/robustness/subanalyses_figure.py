"""AUC by group of any column of the clinical table, as a forest figure."""

from dlre_core.figures.captions import subanalyses_caption
from dlre_core.figures.extended import subanalyses_figure
from dlre_core.figures.style import save_figure
from dlre_core.foundation.csv_tables import read_table
from dlre_core.foundation.job_log import job_log
from dlre_core.tables.subanalyses import TEXT

with job_log(snakemake.log[0]):
    given, made, params = snakemake.input, snakemake.output, snakemake.params
    table, tests = (read_table(path, text=TEXT) for path in (given.table, given.tests))
    figure = subanalyses_figure(table, tests, simulated=params.simulated)
    caption = subanalyses_caption(params.confidence, params.simulated)
    save_figure(figure, caption, made.svg, made.png, made.text)
