"""Adapter of rule figure_3."""

from dlre_core.figures.roc import figure_3
from dlre_core.figures.style import save_figure
from dlre_core.logs import job_log
from dlre_core.scores import SCORE_COLUMNS
from dlre_core.tabular import read_table

with job_log(snakemake.log[0]):
    figure = figure_3(
        read_table(snakemake.input.scores, needs=SCORE_COLUMNS),
        read_table(snakemake.input.table),
        simulated=snakemake.params.simulated,
        confidence=snakemake.params.confidence,
    )
    save_figure(figure, snakemake.output.svg, snakemake.output.png)
