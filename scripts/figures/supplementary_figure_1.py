"""Supplementary figure 1: how training ends."""

from dlre_core.figures.captions import training_caption
from dlre_core.figures.style import save_figure
from dlre_core.figures.training import training_figure
from dlre_core.foundation.csv_tables import read_table
from dlre_core.foundation.job_log import job_log

with job_log(snakemake.log[0]):
    given, made, params = snakemake.input, snakemake.output, snakemake.params
    histories = {arm: read_table(path) for arm, path in zip(params.arms, given.histories, strict=True)}
    settings = params.settings
    figure = training_figure(histories, minimum_epochs=settings["minimum_epochs"], simulated=params.simulated)
    caption = training_caption(settings, params.arms[0], params.simulated)
    save_figure(figure, caption, made.svg, made.png, made.text)
