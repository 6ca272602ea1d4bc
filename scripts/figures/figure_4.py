"""Figure 4: ROC curves by number of pictures."""

from dlre_core.figures.captions import figure_4_caption
from dlre_core.figures.figures_3_to_5_roc import figure_4
from dlre_core.figures.style import save_figure
from dlre_core.foundation.csv_tables import read_table
from dlre_core.foundation.design import score_columns
from dlre_core.foundation.job_log import job_log
from dlre_core.tables.stored_tables import read_accuracy_table

with job_log(snakemake.log[0]):
    given, made, params = snakemake.input, snakemake.output, snakemake.params
    scores = {
        images: read_table(path, needs=score_columns())
        for images, path in zip(params.images, given.scores, strict=True)
    }
    figure = figure_4(
        scores,
        read_accuracy_table(given.table),
        simulated=params.simulated,
        confidence=params.settings["confidence"],
        interval=params.settings["auc_interval"],
    )
    caption = figure_4_caption(scores, params.settings, params.simulated)
    save_figure(figure, caption, made.svg, made.png, made.text)
