"""The headline figure: AUC of every method in the validation cohort."""

from dlre_core.figures.captions import headline_caption
from dlre_core.figures.headline import headline_figure
from dlre_core.figures.style import save_figure
from dlre_core.foundation.job_log import job_log
from dlre_core.tables.stored_tables import read_accuracy_table

with job_log(snakemake.log[0]):
    given, made, params = snakemake.input, snakemake.output, snakemake.params
    table = read_accuracy_table(given.table)
    figure = headline_figure(table, simulated=params.simulated)
    caption = headline_caption(table, params.simulated)
    save_figure(figure, caption, made.svg, made.png, made.text)
