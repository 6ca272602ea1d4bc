"""Extended figure 5: agreement of two readers on pictures, stiffness and probability."""

from dlre_core.figures.style import save_figure
from dlre_core.foundation.csv_tables import read_table
from dlre_core.foundation.job_log import job_log
from dlre_core.reader_agreement.agreement_figure import agreement_caption, agreement_figure

with job_log(snakemake.log[0]):
    given, made, params = snakemake.input, snakemake.output, snakemake.params
    table, values = read_table(given.table, text=["compared"]), read_table(given.values)
    measures = read_table(given.measures, text=["measure"])
    figure = agreement_figure(table, values, measures, simulated=params.simulated)
    caption = agreement_caption(table, values, params.confidence, params.simulated)
    save_figure(figure, caption, made.svg, made.png, made.text)
