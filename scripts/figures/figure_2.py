"""Figure 2: enrolment flow chart."""

from dlre_core.figures.captions import figure_2_caption
from dlre_core.figures.figure_2_flow import figure_2
from dlre_core.figures.style import save_figure
from dlre_core.foundation.csv_tables import read_table
from dlre_core.foundation.job_log import job_log
from dlre_core.patients.clinical_table import rejected_rows

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
