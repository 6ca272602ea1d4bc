"""Figure 5: ROC curves by combination of training hospitals."""

from dlre_core.figures.captions import figure_5_caption
from dlre_core.figures.figures_3_to_5_roc import figure_5
from dlre_core.figures.style import save_figure
from dlre_core.foundation.csv_tables import read_table
from dlre_core.foundation.design import score_columns
from dlre_core.foundation.job_log import job_log
from dlre_core.foundation.study_terms import EXTERNAL
from dlre_core.tables.stored_tables import read_accuracy_table

with job_log(snakemake.log[0]):
    given, made, params = snakemake.input, snakemake.output, snakemake.params
    scores = {
        arm: read_table(path, needs=score_columns()) for arm, path in zip(params.hospitals, given.scores, strict=True)
    }
    figure = figure_5(
        scores,
        read_accuracy_table(given.table),
        simulated=params.simulated,
        confidence=params.settings["confidence"],
        interval=params.settings["auc_interval"],
    )
    external = any((part["cohort"] == EXTERNAL).any() for part in scores.values())
    caption = figure_5_caption(params.hospitals, params.settings, params.simulated, external)
    save_figure(figure, caption, made.svg, made.png, made.text)
