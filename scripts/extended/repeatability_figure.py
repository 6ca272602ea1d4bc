"""Extended figure 6: how many pictures are enough."""

from dlre_core.figures.style import save_figure
from dlre_core.foundation.csv_tables import read_table
from dlre_core.foundation.job_log import job_log
from dlre_core.generalisability.repeatability import TEXT
from dlre_core.generalisability.repeatability_figure import repeatability_caption, repeatability_figure

with job_log(snakemake.log[0]):
    given, made, params = snakemake.input, snakemake.output, snakemake.params
    aucs = read_table(given.aucs)
    figure = repeatability_figure(read_table(given.curve, text=TEXT), aucs, simulated=params.simulated)
    caption = repeatability_caption(aucs, params.confidence, params.simulated)
    save_figure(figure, caption, made.svg, made.png, made.text)
