"""Extended figure 1: calibration curves."""

from dlre_core.figures.captions import calibration_caption
from dlre_core.figures.extended import calibration_figure
from dlre_core.figures.style import save_figure
from dlre_core.foundation.csv_tables import read_table
from dlre_core.foundation.design import score_columns
from dlre_core.foundation.job_log import job_log

with job_log(snakemake.log[0]):
    given, made, params = snakemake.input, snakemake.output, snakemake.params
    scores = read_table(given.scores, needs=score_columns())
    figure = calibration_figure(
        scores, read_table(given.table), simulated=params.simulated, confidence=params.confidence
    )
    caption = calibration_caption(scores, params.confidence, params.simulated)
    save_figure(figure, caption, made.svg, made.png, made.text)
