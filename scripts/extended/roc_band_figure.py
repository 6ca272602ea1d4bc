"""Extended figure 4: ROC curves with simultaneous bands."""

from dlre_core.figures.captions import roc_band_caption
from dlre_core.figures.extended import roc_band_figure
from dlre_core.figures.style import save_figure
from dlre_core.foundation.csv_tables import read_table
from dlre_core.foundation.job_log import job_log

with job_log(snakemake.log[0]):
    given, made, params = snakemake.input, snakemake.output, snakemake.params
    scores = read_table(given.scores)
    figure = roc_band_figure(scores, simulated=params.simulated, confidence=params.confidence)
    caption = roc_band_caption(scores, params.confidence, params.simulated)
    save_figure(figure, caption, made.svg, made.png, made.text)
