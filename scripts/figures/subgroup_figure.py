"""Supplementary figures 2 to 4: ROC curves by subgroup."""

from dlre_core.figures.captions import subgroup_caption
from dlre_core.figures.figures_3_to_5_roc import subgroup_figure
from dlre_core.figures.style import save_figure
from dlre_core.foundation.csv_tables import read_table
from dlre_core.foundation.design import score_columns
from dlre_core.foundation.job_log import job_log
from dlre_core.tables.supplement_subgroups import POPULATIONS, subgroupings

with job_log(snakemake.log[0]):
    given, made, params = snakemake.input, snakemake.output, snakemake.params
    scores = read_table(given.scores, needs=score_columns())
    number = int(params.number)
    # Figure 2 shows the subgroups of table 1, and so on.
    grouping = subgroupings(params.alt_limits_iu_l, params.bmi_limit_kg_m2)[number - 1]
    cohort = POPULATIONS[params.population]
    figure = subgroup_figure(
        scores,
        grouping,
        simulated=params.simulated,
        confidence=params.settings["confidence"],
        interval=params.settings["auc_interval"],
        cohort=cohort,
    )
    caption = subgroup_caption(number, grouping, scores, cohort, params.simulated)
    save_figure(figure, caption, made.svg, made.png, made.text)
