"""Supplementary tables 1 to 3: AUC by ALT, BMI and inflammation, with tests of subgroups."""

from dlre_core.foundation.csv_tables import read_table, write_table
from dlre_core.foundation.design import score_columns
from dlre_core.foundation.job_log import job_log
from dlre_core.tables.supplement_subgroups import (
    UNKNOWN,
    compare_subgroups,
    printed_subgroups,
    subgroup_of,
    subgroup_table,
    subgroupings,
)
from dlre_core.tables.table_2_accuracy import AccuracySettings
from dlre_core.tables.typeset import write_all

with job_log(snakemake.log[0]):
    given, made, params = snakemake.input, snakemake.output, snakemake.params
    scores = read_table(given.scores, needs=score_columns())
    settings = AccuracySettings(**params.settings)
    grouping = subgroupings(params.alt_limits_iu_l, params.bmi_limit_kg_m2)[int(params.number)]
    table = subgroup_table(scores, grouping, settings)
    comparisons = compare_subgroups(scores, grouping, settings)
    unknown = int((subgroup_of(scores, grouping) == UNKNOWN).sum())
    printed = printed_subgroups(table, comparisons, grouping, settings, unknown, params.simulated)
    write_table(comparisons, made.comparisons)
    write_all(table, printed, made.csv, made.html, made.tex)
