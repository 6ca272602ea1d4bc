"""Extended figure 2: decision curves."""

from dlre_core.extended_tables.probabilities import DECISION_TEXT
from dlre_core.figures.captions import decision_caption
from dlre_core.figures.extended import decision_figure
from dlre_core.figures.style import save_figure
from dlre_core.foundation.csv_tables import read_table
from dlre_core.foundation.job_log import job_log

with job_log(snakemake.log[0]):
    given, made, params = snakemake.input, snakemake.output, snakemake.params
    table = read_table(given.table, text=DECISION_TEXT)
    figure = decision_figure(table, simulated=params.simulated)
    caption = decision_caption(table, params.confidence, params.simulated)
    save_figure(figure, caption, made.svg, made.png, made.text)
