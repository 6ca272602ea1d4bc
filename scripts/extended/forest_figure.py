"""Extended figure 3: AUC by hospital."""

from dlre_core.figures.captions import forest_caption
from dlre_core.figures.extended import forest_figure
from dlre_core.figures.style import save_figure
from dlre_core.foundation.csv_tables import read_table
from dlre_core.foundation.job_log import job_log

with job_log(snakemake.log[0]):
    given, made, params = snakemake.input, snakemake.output, snakemake.params
    figure = forest_figure(read_table(given.table), simulated=params.simulated)
    caption = forest_caption(params.confidence, params.simulated)
    save_figure(figure, caption, made.svg, made.png, made.text)
