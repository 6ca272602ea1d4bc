"""Adapter of rule figure_2."""

from dlre_core.clinical import rejected_rows
from dlre_core.figures.captions import figure_2_caption
from dlre_core.figures.enrolment import figure_2
from dlre_core.figures.style import save_figure
from dlre_core.logs import job_log
from dlre_core.tabular import read_table

with job_log(snakemake.log[0]):
    given, made, params = snakemake.input, snakemake.output, snakemake.params
    enrolment = read_table(given.enrolment)
    rejected = rejected_rows(read_table(given.problems))
    figure = figure_2(
        enrolment,
        read_table(given.flow),
        read_table(given.split),
        rejected_rows=rejected,
        simulated=params.simulated,
    )
    caption = figure_2_caption(enrolment, rejected, params.simulated)
    save_figure(figure, caption, made.svg, made.png, made.text)
