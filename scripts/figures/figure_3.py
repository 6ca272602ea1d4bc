"""Figure 3: ROC curves of DLRE, 2D-SWE, APRI and FIB-4."""

from dlre_core.figures.captions import figure_3_caption
from dlre_core.figures.figures_3_to_5_roc import figure_3
from dlre_core.figures.style import save_figure
from dlre_core.foundation.csv_tables import read_table
from dlre_core.foundation.design import score_columns
from dlre_core.foundation.job_log import job_log
from dlre_core.tables.stored_tables import read_accuracy_table

with job_log(snakemake.log[0]):
    given, made, params = snakemake.input, snakemake.output, snakemake.params
    scores = read_table(given.scores, needs=score_columns())
    figure = figure_3(
        scores,
        read_accuracy_table(given.table),
        simulated=params.simulated,
        confidence=params.settings["confidence"],
        interval=params.settings["auc_interval"],
    )
    caption = figure_3_caption(scores, params.settings, params.simulated)
    save_figure(figure, caption, made.svg, made.png, made.text)
